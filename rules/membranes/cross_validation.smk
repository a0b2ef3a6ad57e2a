"""Networks compared on contiguous blocks of the labelled sections of a stack.

In:  the stack's own files
Out: cross_validation/<network>_fold<fold>.json; cross_validation.tsv, cross_validation.png

Asked for by name: `snakemake results/membranes/<stack>/cross_validation.tsv`. Every fold of every
network is a training of its own.
"""


rule fold:
    input:
        tree.stack_files,
    output:
        "results/membranes/{stack}/cross_validation/{network}_fold{fold}.json",
    log:
        "logs/membranes/fold/{stack}/{network}_fold{fold}.log",
    benchmark:
        "results/benchmarks/membranes/fold/{stack}/{network}_fold{fold}.tsv"
    wildcard_constraints:
        network="dcn|unet|raw",
        fold=r"\d+",
    conda:
        "../../envs/snakescope.yaml"
    threads: tree.settings_of("train").threads
    resources:
        gpu=1,
        mem_mb=tree.memory("fold"),
        runtime=tree.runtime("fold"),
    params:
        version=tree.version("fold"),
        settings=tree.recorded("fold", "folds", "turns"),
        training=tree.unrecorded("train"),
        recorded=tree.recorded("train"),
        stack=tree.file("{stack}/manifest/stack.json"),
        described=tree.described,
        checkpoint="training/membranes_{stack}_{network}_fold{fold}.ckpt",
    shell:
        "python -m snakescope membranes fold --stack {params.stack:q} --network {wildcards.network}"
        " --fold {wildcards.fold} --settings {params.settings:q} --training {params.training:q}"
        " --checkpoint {params.checkpoint:q} --scores {output:q} > {log:q} 2>&1"


rule folds:
    input:
        tree.of_folds,
    output:
        table="results/membranes/{stack}/cross_validation.tsv",
        figure="results/membranes/{stack}/cross_validation.png",
    log:
        "logs/membranes/folds/{stack}.log",
    benchmark:
        "results/benchmarks/membranes/folds/{stack}.tsv"
    conda:
        "../../envs/snakescope.yaml"
    threads: 1
    resources:
        mem_mb=tree.memory("folds"),
        runtime=tree.runtime("folds"),
    params:
        version=tree.version("folds"),
    shell:
        "python -m snakescope membranes folds --folds {input:q} --table {output.table:q}"
        " --figure {output.figure:q} > {log:q} 2>&1"
