"""Evaluation: how well every step does on plates that no model was trained on.

In:  simulated plates of other seeds and other looks; public images where they are at hand
Out: results/healthspan/evaluation/evaluation.tsv and its pictures
"""


rule healthspan_evaluate:
    output:
        "results/healthspan/evaluation/evaluation.tsv",
    log:
        "logs/healthspan/evaluate.log",
    benchmark:
        "results/benchmarks/healthspan/evaluate.tsv"
    conda:
        "../../envs/snakescope.yaml"
    threads: 2
    resources:
        mem_mb=lambda wildcards, attempt: 4000 * attempt,
        runtime=lambda wildcards, attempt: 240 * attempt,
    params:
        version=step_version("healthspan.evaluate"),
        settings=tree.settings_of("evaluate"),
        detector=DETECTOR,
        classifier=CLASSIFIER,
    shell:
        "python -m healthspan.evaluate --settings {params.settings:q}"
        " --detector {params.detector:q} --classifier {params.classifier:q}"
        " --table {output:q} > {log:q} 2>&1"


rule healthspan_evaluation:
    input:
        rules.healthspan_evaluate.output,
