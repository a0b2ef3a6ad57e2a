"""The paper's table, measured: base and reversible networks trained alike and scored.

In:  image.zarr, labels.zarr of the volumes of the sets train and validation
Out: results/neurites/paper/<network>_<n>_seed<seed>.tsv, a row each; paper.tsv; neurites-paper.md

Asked for by name: `snakemake neurites_paper`. Every row is a training of its own.
"""


rule paper_row:
    input:
        tree.training_files,
    output:
        "results/neurites/paper/{network}_{n}_seed{seed}.tsv",
    log:
        "logs/neurites/paper/{network}_{n}_seed{seed}.log",
    benchmark:
        "results/benchmarks/neurites/paper/{network}_{n}_seed{seed}.tsv"
    wildcard_constraints:
        network="base|revnet",
        n=r"\d",
        seed=r"\d+",
    conda:
        "../../envs/snakescope.yaml"
    threads: tree.settings_of("paper").threads
    resources:
        gpu=1,
        mem_mb=tree.memory("paper_row"),
        runtime=tree.runtime("paper_row"),
    params:
        version=tree.version("paper_row"),
        settings=tree.recorded("paper"),
        volumes=tree.training_options,
        checkpoint="training/paper_{network}_{n}_seed{seed}.ckpt",
    shell:
        "python -m snakescope neurites paper --network {wildcards.network} --n {wildcards.n}"
        " --seed {wildcards.seed} {params.volumes:q} --settings {params.settings:q}"
        " --checkpoint {params.checkpoint:q} --row {output:q} > {log:q} 2>&1"


rule paper:
    input:
        [
            f"results/neurites/paper/{name}_seed{seed}.tsv"
            for name in ["base_1", *(f"revnet_{n}" for n in tree.settings_of("paper").n)]
            for seed in tree.settings_of("paper").seeds
        ],
    output:
        table="results/neurites/paper/paper.tsv",
        page="results/neurites/paper/neurites-paper.md",
    log:
        "logs/neurites/paper/page.log",
    benchmark:
        "results/benchmarks/neurites/paper/page.tsv"
    conda:
        "../../envs/snakescope.yaml"
    threads: 1
    resources:
        mem_mb=tree.memory("paper"),
        runtime=tree.runtime("paper"),
    params:
        version=tree.version("paper"),
    shell:
        "python -m snakescope neurites paper_page --table {output.table:q} --page {output.page:q} {input:q}"
        " > {log:q} 2>&1"
