"""Simulated B-mode scans with known stage and liver outline.

In:  settings only
Out: simulated/fibrosis/<set>/: images, masks, scans.tsv (a sample sheet), truth.tsv, oracle.tsv
"""


rule simulate:
    output:
        **tree.simulated(),
    log:
        "logs/fibrosis/simulate.log",
    benchmark:
        "results/benchmarks/fibrosis/simulate.tsv"
    conda:
        "../../envs/snakescope.yaml"
    threads: 2
    resources:
        mem_mb=tree.memory("simulate"),
        runtime=tree.runtime("simulate"),
    params:
        version=tree.version("simulate"),
        settings=tree.recorded("simulate"),
        folder=lambda wildcards: tree.simulated_folder(),
    shell:
        "python -m snakescope fibrosis simulate --settings {params.settings:q} --threads {threads}"
        " --folder {params.folder:q} --sheet {output.sheet:q} --truth {output.truth:q}"
        " --oracle {output.oracle:q} > {log:q} 2>&1"
