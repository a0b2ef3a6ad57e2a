"""States: every worm at every timepoint as healthy, immobile or dead, with probabilities.

In:  composites/<block>.tif, composites/<block>.tsv; weights of the classifier
Out: states/<block>.tsv, states.tsv
"""


rule healthspan_classify:
    input:
        composites="results/healthspan/{plate}/composites/{block}.tif",
        index="results/healthspan/{plate}/composites/{block}.tsv",
    output:
        "results/healthspan/{plate}/states/{block}.tsv",
    log:
        "logs/healthspan/classify/{plate}/{block}.log",
    benchmark:
        "results/benchmarks/healthspan/classify/{plate}/{block}.tsv"
    conda:
        "../../envs/snakescope.yaml"
    threads: 1
    resources:
        mem_mb=lambda wildcards, attempt: 2000 * attempt,
        runtime=lambda wildcards, attempt: 20 * attempt,
    params:
        version=step_version("healthspan.classify"),
        settings=tree.settings_of("classify"),
        weights=CLASSIFIER,
        sha256=weights_checksum(CLASSIFIER),
    shell:
        "python -m healthspan.classify --composites {input.composites:q} --index {input.index:q}"
        " --weights {params.weights:q} --sha256 {params.sha256} --settings {params.settings:q}"
        " --states {output:q} > {log:q} 2>&1"


rule healthspan_states:
    input:
        tree.of_blocks("states/{block}.tsv"),
    output:
        "results/healthspan/{plate}/states.tsv",
    log:
        "logs/healthspan/states/{plate}.log",
    benchmark:
        "results/benchmarks/healthspan/states/{plate}.tsv"
    conda:
        "../../envs/snakescope.yaml"
    threads: 1
    resources:
        mem_mb=lambda wildcards, attempt: 600 * attempt,
        runtime=lambda wildcards, attempt: 5 * attempt,
    params:
        version=step_version("healthspan.states_table"),
    shell:
        "python -m healthspan.states_table --tables {input:q} --states {output:q} > {log:q} 2>&1"
