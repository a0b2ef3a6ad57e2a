"""Agglomeration: the graphs of all blocks as one, and every merge in it.

In:  fragments/<block>.h5, graphs/<block>.npz of all blocks
Out: agglomeration.h5, agglomeration.tsv
"""


rule neurites_agglomerate:
    input:
        fragments=neurites_tree.of_blocks("fragments/{box}.h5"),
        graphs=neurites_tree.of_blocks("graphs/{box}.npz"),
    output:
        agglomeration="results/neurites/{volume}/agglomeration.h5",
        table="results/neurites/{volume}/agglomeration.tsv",
    log:
        "logs/neurites/agglomerate/{volume}.log",
    benchmark:
        "results/benchmarks/neurites/agglomerate/{volume}.tsv"
    conda:
        "../../envs/snakescope.yaml"
    threads: 1
    resources:
        mem_mb=neurites_tree.memory("agglomerate"),
        runtime=neurites_tree.runtime("agglomerate"),
    params:
        version=version_of("neurites", "agglomerate"),
        settings=neurites_tree.settings_of("agglomerate"),
        grid=neurites_tree.described,
        # Thousands of files are more than a command may name.
        fragments=neurites_tree.folder("fragments"),
        graphs=neurites_tree.folder("graphs"),
    shell:
        "python -m snakescope neurites agglomerate --fragments {params.fragments:q} --graphs {params.graphs:q}"
        " --grid {params.grid:q} --settings {params.settings:q}"
        " --agglomeration {output.agglomeration:q} --table {output.table:q} > {log:q} 2>&1"
