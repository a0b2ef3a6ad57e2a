"""Fragments of every block, and the graph of their contacts.

In:  affinities/<block>.h5, of the block and of its neighbours
Out: fragments/<block>.h5, graphs/<block>.npz
"""


rule neurites_fragments:
    input:
        neurites_tree.seen_affinities,
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
        mem_mb=neurites_tree.memory("fragments"),
        runtime=neurites_tree.runtime("fragments"),
    params:
        version=version_of("neurites", "fragments"),
        settings=neurites_tree.settings_of("fragments"),
        grid=neurites_tree.described,
    shell:
        "python -m snakescope neurites fragments --affinities {input:q} --block {wildcards.box}"
        " --grid {params.grid:q} --settings {params.settings:q}"
        " --fragments {output:q} > {log:q} 2>&1"


rule neurites_region_graph:
    input:
        fragments="results/neurites/{volume}/fragments/{box}.h5",
        before=neurites_tree.before,
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
        mem_mb=neurites_tree.memory("region_graph"),
        runtime=neurites_tree.runtime("region_graph"),
    params:
        version=version_of("neurites", "region_graph"),
        grid=neurites_tree.described,
        histograms=neurites_tree.histograms,
    shell:
        "python -m snakescope neurites region_graph --fragments {input.fragments:q} --before {input.before:q}"
        " --affinities {input.affinities:q} --block {wildcards.box} --grid {params.grid:q}"
        " --histograms {params.histograms} --graph {output:q} > {log:q} 2>&1"
