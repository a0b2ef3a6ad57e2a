"""Search for the kernels of a stack, and the comparison of searches.

In:  the files of all labelled stacks
Out: trainings/<kernels>_seed<seed>/steps<steps>.json and .ckpt, shared by both; search/rung<n>.tsv,
     search/search.tsv, search.md, search.png; paper/trainings.tsv, search.tsv, membranes-paper.md,
     search.png

Asked for by name: `snakemake membranes_search`, `snakemake membranes_paper`. A training goes on
from the one with fewer steps.
"""


rule trial:
    input:
        files=tree.training_files,
        previous=tree.previous,
    output:
        row="results/membranes/trainings/{trial}/steps{steps}.json",
        checkpoint="results/membranes/trainings/{trial}/steps{steps}.ckpt",
    log:
        "logs/membranes/trial/{trial}/steps{steps}.log",
    benchmark:
        "results/benchmarks/membranes/trial/{trial}/steps{steps}.tsv"
    wildcard_constraints:
        trial=r"k\d+-\d+-\d+_seed\d+",
        steps=r"\d+",
    conda:
        "../../envs/snakescope.yaml"
    threads: 1
    resources:
        gpu=1,
        mem_mb=tree.memory("trial"),
        runtime=tree.runtime("trial"),
    params:
        version=tree.version("trial"),
        settings=tree.recorded("trial"),
        stacks=tree.training_stacks,
        described=tree.training_parts,
        last=tree.is_last,
    shell:
        "python -m snakescope membranes trial --stacks {params.stacks:q} --trial {wildcards.trial}"
        " --steps {wildcards.steps} --previous {input.previous:q} --last {params.last}"
        " --settings {params.settings:q} --row {output.row:q} --checkpoint {output.checkpoint:q}"
        " > {log:q} 2>&1"


checkpoint select:
    input:
        tree.rows_of_rung(lambda rung: checkpoints.select.get(rung=rung).output[0]),
    output:
        "results/membranes/search/rung{rung}.tsv",
    log:
        "logs/membranes/select/rung{rung}.log",
    benchmark:
        "results/benchmarks/membranes/select/rung{rung}.tsv"
    wildcard_constraints:
        rung=r"\d+",
    conda:
        "../../envs/snakescope.yaml"
    threads: 1
    resources:
        mem_mb=tree.memory("select"),
        runtime=tree.runtime("select"),
    params:
        version=tree.version("select"),
        settings=tree.recorded("select", "kernels", "rungs", "kept"),
    shell:
        "python -m snakescope membranes select --rows {input:q} --rung {wildcards.rung}"
        " --settings {params.settings:q} --table {output:q} > {log:q} 2>&1"


rule search:
    input:
        tables=[
            f"results/membranes/search/rung{rung}.tsv"
            for rung in range(len(tree.settings_of("select").rungs))
        ],
    output:
        table="results/membranes/search/search.tsv",
        page="results/membranes/search/search.md",
        figure="results/membranes/search/search.png",
    log:
        "logs/membranes/search/page.log",
    benchmark:
        "results/benchmarks/membranes/search/page.tsv"
    conda:
        "../../envs/snakescope.yaml"
    threads: 1
    resources:
        mem_mb=tree.memory("search"),
        runtime=tree.runtime("search"),
    params:
        version=tree.version("search"),
        settings=tree.recorded("select"),
        trainings="results/membranes/trainings",
    shell:
        "python -m snakescope membranes search --tables {input.tables:q}"
        " --trainings {params.trainings:q} --settings {params.settings:q} --table {output.table:q}"
        " --page {output.page:q} --figure {output.figure:q} > {log:q} 2>&1"


rule paper:
    input:
        tree.paper_rows,
    output:
        trainings="results/membranes/paper/trainings.tsv",
        curves="results/membranes/paper/search.tsv",
        page="results/membranes/paper/membranes-paper.md",
        figure="results/membranes/paper/search.png",
    log:
        "logs/membranes/paper/page.log",
    benchmark:
        "results/benchmarks/membranes/paper/page.tsv"
    conda:
        "../../envs/snakescope.yaml"
    threads: 1
    resources:
        mem_mb=tree.memory("paper"),
        runtime=tree.runtime("paper"),
    params:
        version=tree.version("paper"),
        settings=tree.recorded("paper"),
        search=tree.recorded("select", "kernels", "rungs"),
        # Thousands of files are more than a command may name.
        rows="results/membranes/trainings",
    shell:
        "python -m snakescope membranes paper --rows {params.rows:q} --search {params.search:q}"
        " --settings {params.settings:q} --trainings {output.trainings:q}"
        " --curves {output.curves:q} --page {output.page:q} --figure {output.figure:q}"
        " > {log:q} 2>&1"
