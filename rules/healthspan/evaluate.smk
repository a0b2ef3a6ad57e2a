"""Evaluation: how well every step does on plates and images that no model was trained on.

In:  simulated plates of other seeds and other looks; public images where they are at hand
Out: docs/tables/healthspan-evaluation.tsv, docs/healthspan-evaluation.md

The plates go through this very workflow, in working directories of their own, with the weights
that the configuration names.
"""

EVALUATION = "results/healthspan/evaluation"


rule healthspan_evaluate_plates:
    output:
        f"{EVALUATION}/plates.tsv",
    log:
        "logs/healthspan/evaluate/plates.log",
    benchmark:
        "results/benchmarks/healthspan/evaluate/plates.tsv"
    conda:
        "../../envs/snakescope.yaml"
    threads: 2
    resources:
        mem_mb=lambda wildcards, attempt: 4000 * attempt,
        runtime=lambda wildcards, attempt: 240 * attempt,
    params:
        version=version_of("healthspan", "evaluation_plates"),
        settings=tree.settings_of("evaluate"),
        detector=DETECTOR,
        classifier=CLASSIFIER,
        weights=weights_checksum(DETECTOR) + weights_checksum(CLASSIFIER),
        snakefile=workflow.main_snakefile,
        folder=lambda wildcards, output: str(Path(output[0]).with_suffix("")),
    shell:
        "python -m snakescope healthspan evaluation_plates --settings {params.settings:q}"
        " --detector {params.detector:q} --classifier {params.classifier:q}"
        " --snakefile {params.snakefile:q} --folder {params.folder:q}"
        " --cores {threads} --scores {output:q} > {log:q} 2>&1"


rule healthspan_evaluate_images:
    output:
        f"{EVALUATION}/images.tsv",
    log:
        "logs/healthspan/evaluate/images.log",
    benchmark:
        "results/benchmarks/healthspan/evaluate/images.tsv"
    conda:
        "../../envs/snakescope.yaml"
    threads: 2
    resources:
        mem_mb=lambda wildcards, attempt: 4000 * attempt,
        runtime=lambda wildcards, attempt: 60 * attempt,
    params:
        version=version_of("healthspan", "evaluation_images"),
        settings=tree.settings_of("evaluate"),
        detector=DETECTOR,
        classifier=CLASSIFIER,
        weights=weights_checksum(DETECTOR) + weights_checksum(CLASSIFIER),
        snakefile=workflow.main_snakefile,
        upv=f"{workflow.basedir}/config/examples/upv_plate/config.yaml",
        folder=lambda wildcards, output: str(Path(output[0]).with_suffix("")),
    shell:
        "python -m snakescope healthspan evaluation_images --settings {params.settings:q}"
        " --detector {params.detector:q} --classifier {params.classifier:q}"
        " --upv-config {params.upv:q} --snakefile {params.snakefile:q} --folder {params.folder:q}"
        " --cores {threads} --scores {output:q} > {log:q} 2>&1"


rule healthspan_evaluate:
    input:
        plates=f"{EVALUATION}/plates.tsv",
        images=f"{EVALUATION}/images.tsv",
    output:
        table="docs/tables/healthspan-evaluation.tsv",
        page="docs/healthspan-evaluation.md",
    log:
        "logs/healthspan/evaluate/table.log",
    benchmark:
        "results/benchmarks/healthspan/evaluate/table.tsv"
    conda:
        "../../envs/snakescope.yaml"
    threads: 1
    resources:
        mem_mb=lambda wildcards, attempt: 800 * attempt,
        runtime=lambda wildcards, attempt: 5 * attempt,
    params:
        version=version_of("healthspan", "evaluate"),
    shell:
        "python -m snakescope healthspan evaluate --plates {input.plates:q} --images {input.images:q}"
        " --table {output.table:q} --page {output.page:q} > {log:q} 2>&1"


rule healthspan_evaluation:
    input:
        # The table is committed and the scores are not: without them it is made anew.
        rules.healthspan_evaluate.input,
        rules.healthspan_evaluate.output,
