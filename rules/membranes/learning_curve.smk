"""How the scores of a stack grow with its labelled sections, and with neighbours that are seen.

In:  the stack's own files
Out: learning_curve/neighbours<n>_sections<n>_draw<n>.json; learning_curve.tsv, learning_curve.png

Asked for by name: `snakemake results/membranes/<stack>/learning_curve.tsv`. Every point is a
training of its own.
"""


rule learning_point:
    input:
        tree.stack_files,
    output:
        "results/membranes/{stack}/learning_curve/neighbours{neighbours}_sections{sections}_draw{draw}.json",
    log:
        "logs/membranes/learning_point/{stack}/neighbours{neighbours}_sections{sections}_draw{draw}.log",
    benchmark:
        "results/benchmarks/membranes/learning_point/{stack}/neighbours{neighbours}_sections{sections}_draw{draw}.tsv"
    wildcard_constraints:
        neighbours=r"\d+",
        sections=r"\d+",
        draw=r"\d+",
    conda:
        "../../envs/snakescope.yaml"
    threads: tree.settings_of("train").threads
    resources:
        gpu=1,
        mem_mb=tree.memory("learning_point"),
        runtime=tree.runtime("learning_point"),
    params:
        version=tree.version("learning_point"),
        settings=tree.point_recorded,
        training=tree.unrecorded("train"),
        recorded=tree.recorded("train"),
        stack=tree.file("{stack}/manifest/stack.json"),
        described=tree.described,
        checkpoint="training/membranes_{stack}_neighbours{neighbours}_sections{sections}_draw{draw}.ckpt",
    shell:
        "python -m snakescope membranes learning_point --stack {params.stack:q}"
        " --sections {wildcards.sections} --neighbours {wildcards.neighbours}"
        " --draw {wildcards.draw} --settings {params.settings:q} --training {params.training:q}"
        " --checkpoint {params.checkpoint:q} --scores {output:q} > {log:q} 2>&1"


rule learning_curve:
    input:
        tree.of_curve,
    output:
        table="results/membranes/{stack}/learning_curve.tsv",
        figure="results/membranes/{stack}/learning_curve.png",
    log:
        "logs/membranes/learning_curve/{stack}.log",
    benchmark:
        "results/benchmarks/membranes/learning_curve/{stack}.tsv"
    conda:
        "../../envs/snakescope.yaml"
    threads: 1
    resources:
        mem_mb=tree.memory("learning_curve"),
        runtime=tree.runtime("learning_curve"),
    params:
        version=tree.version("learning_curve"),
    shell:
        "python -m snakescope membranes learning_curve --points {input:q} --table {output.table:q}"
        " --figure {output.figure:q} > {log:q} 2>&1"
