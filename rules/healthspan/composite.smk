"""Composites: the masks of a worm before, at and after a timepoint, as one colour picture.

In:  masks/<block>.json and registered/<block>.tsv of the block, the one before and the one after
Out: composites/<block>.tif, composites/<block>.tsv
"""


rule healthspan_composite:
    input:
        masks=tree.of_neighbours("masks/{block}.json"),
        tables=tree.of_neighbours("registered/{block}.tsv"),
    output:
        composites="results/healthspan/{plate}/composites/{block}.tif",
        index="results/healthspan/{plate}/composites/{block}.tsv",
    log:
        "logs/healthspan/composite/{plate}/{block}.log",
    benchmark:
        "results/benchmarks/healthspan/composite/{plate}/{block}.tsv"
    conda:
        "../../envs/snakescope.yaml"
    threads: 1
    resources:
        mem_mb=lambda wildcards, attempt: 1200 * attempt,
        runtime=lambda wildcards, attempt: 10 * attempt,
    params:
        version=step_version("healthspan.composite"),
        settings=tree.settings_of("composite"),
    shell:
        "python -m healthspan.composite --block {wildcards.block} --masks {input.masks:q}"
        " --tables {input.tables:q} --settings {params.settings:q}"
        " --composites {output.composites:q} --index {output.index:q} > {log:q} 2>&1"
