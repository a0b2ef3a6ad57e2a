"""Fragments of every block, and the graph of their contacts.

In:  affinities/<block>.h5, of the block and of its neighbours
Out: fragments/<block>.h5, graphs/<block>.npz
"""


rule fragments:
    input:
        tree.seen_affinities,
    output:
        "results/neurites/{volume}/fragments/{box}.h5",
    log:
        "logs/neurites/fragments/{volume}/{box}.log",
    benchmark:
        "results/benchmarks/neurites/fragments/{volume}/{box}.tsv"
    conda:
        "../../envs/snakescope.yaml"
    threads: 1
    resources:
        mem_mb=tree.memory("fragments"),
        runtime=tree.runtime("fragments"),
    params:
        version=tree.version("fragments"),
        settings=tree.recorded("fragments"),
        grid=tree.described,
    shell:
        "python -m snakescope neurites fragments --affinities {input:q} --block {wildcards.box}"
        " --grid {params.grid:q} --settings {params.settings:q}"
        " --fragments {output:q} > {log:q} 2>&1"


rule region_graph:
    input:
        fragments="results/neurites/{volume}/fragments/{box}.h5",
        before=tree.before,
        affinities="results/neurites/{volume}/affinities/{box}.h5",
    output:
        "results/neurites/{volume}/graphs/{box}.npz",
    log:
        "logs/neurites/region_graph/{volume}/{box}.log",
    benchmark:
        "results/benchmarks/neurites/region_graph/{volume}/{box}.tsv"
    conda:
        "../../envs/snakescope.yaml"
    threads: 1
    resources:
        mem_mb=tree.memory("region_graph"),
        runtime=tree.runtime("region_graph"),
    params:
        version=tree.version("region_graph"),
        grid=tree.described,
        histograms=tree.histograms,
    shell:
        "python -m snakescope neurites region_graph --fragments {input.fragments:q} --before {input.before:q}"
        " --affinities {input.affinities:q} --block {wildcards.box} --grid {params.grid:q}"
        " --histograms {params.histograms} --graph {output:q} > {log:q} 2>&1"
