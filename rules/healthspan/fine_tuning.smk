"""Fine-tuning: the detector trained further on annotated images, `snakemake healthspan_train`.

In:  the sheet of annotated images (`healthspan: fine_tuning: sheet:`), the images and
     masks that it names, the weights to go on from
Out: results/healthspan/training/: splits.tsv, findings.tsv, detector.safetensors and its card,
     scores.tsv of both weights on images held out, pictures of these, training.html

The classifier trained further on worms that people looked at in their review, `snakemake
healthspan_fine_tune_states`; `healthspan_train` does it too, from two reviewed plates on.

In:  corrected tracks, corrections and composites of plates with corrections
Out: results/healthspan/training/: classifier.safetensors and its card, classifier_examples.tsv,
     classifier_scores.tsv of both weights on plates held out

Frames to annotate, with polygons to start from, `snakemake healthspan_annotations`.

In:  tracks.tsv (corrected, where people corrected it), frames.tsv, masks and registered frames
Out: results/healthspan/annotations/: pictures, COCO and GeoJSON, a sheet for the training

An image or a mask that cannot be used is a row of findings.tsv and stops no other. A training that
was interrupted goes on from its checkpoint.
"""

from snakescope.healthspan.fine_tuning.planning import files_of

ANNOTATED = tree.settings.fine_tuning.sheet
TRAINED = "results/healthspan/training"


rule train:
    input:
        f"{TRAINED}/training.html",
        # Of corrections as well, where there are enough to hold a plate out.
        lambda wildcards: (
            [f"{TRAINED}/classifier_scores.tsv"]
            if len(tree.review.reviewed(tree.subjects)) > 1
            else []
        ),


rule annotations:
    input:
        tracks=lambda wildcards: tree.review.pages(tree.subjects, "tracks.tsv"),
        frames=lambda wildcards: [f"results/healthspan/{one}/frames.tsv" for one in tree.subjects],
        # The step finds them beside the frames.
        blocks=lambda wildcards: [
            path
            for plate in tree.subjects
            for pattern in ("masks/{block}.json", "registered/{block}.ome.tif")
            for path in tree.files(pattern, plate, tree.blocks(plate))
        ],
    output:
        directory("results/healthspan/annotations"),
    log:
        "logs/healthspan/annotations.log",
    benchmark:
        "results/benchmarks/healthspan/annotations.tsv"
    conda:
        "../../envs/snakescope.yaml"
    threads: 1
    resources:
        mem_mb=tree.memory("annotations"),
        runtime=tree.runtime("annotations"),
    params:
        version=tree.version("annotations"),
        settings=tree.recorded("annotations"),
        plates=lambda wildcards: list(tree.subjects),
    shell:
        "python -m snakescope healthspan annotations --plates {params.plates:q}"
        " --tracks {input.tracks:q} --frames {input.frames:q} --settings {params.settings:q}"
        " --package {output:q} > {log:q} 2>&1"


rule audit:
    input:
        lambda wildcards: files_of(ANNOTATED),
    output:
        labelled=directory(f"{TRAINED}/labelled"),
        splits=f"{TRAINED}/splits.tsv",
        findings=f"{TRAINED}/findings.tsv",
        report=f"{TRAINED}/annotations_report.tsv",
    log:
        "logs/healthspan/audit.log",
    benchmark:
        "results/benchmarks/healthspan/audit.tsv"
    conda:
        "../../envs/snakescope.yaml"
    threads: 1
    resources:
        mem_mb=tree.memory("audit"),
        runtime=tree.runtime("audit"),
    params:
        version=tree.version("audit"),
        settings=tree.recorded("audit"),
        sheet=ANNOTATED,
        pixel_size_um=tree.settings.plates.pixel_size_um,
    shell:
        "python -m snakescope healthspan audit --sheet {params.sheet:q}"
        " --pixel-size-um {params.pixel_size_um} --settings {params.settings:q}"
        " --labelled {output.labelled:q} --splits {output.splits:q} --findings {output.findings:q}"
        " --report {output.report:q} > {log:q} 2>&1"


rule fine_tune:
    input:
        labelled=rules.audit.output.labelled,
        splits=rules.audit.output.splits,
    output:
        weights=f"{TRAINED}/detector.safetensors",
        thresholds=f"{TRAINED}/mask_thresholds.tsv",
        history=f"{TRAINED}/history.tsv",
        curves=f"{TRAINED}/history.svg",
    log:
        "logs/healthspan/fine_tune.log",
    benchmark:
        "results/benchmarks/healthspan/fine_tune.tsv"
    conda:
        "../../envs/snakescope.yaml"
    threads: tree.settings_of("fine_tune").threads
    resources:
        gpu=1,
        mem_mb=tree.memory("fine_tune"),
        runtime=tree.runtime("fine_tune"),
    params:
        version=tree.version("fine_tune"),
        settings=tree.unrecorded("fine_tune"),
        recorded=tree.recorded("fine_tune"),
        detect=tree.recorded("detect"),
        start=tree.start_weights,
        sha256=tree.checksum(tree.start_weights),
        checkpoint="training/fine_tuned_detector.ckpt",
    shell:
        "python -m snakescope healthspan fine_tune --labelled {input.labelled:q}"
        " --splits {input.splits:q} --settings {params.settings:q} --detect {params.detect:q}"
        " --start-weights {params.start:q} --checkpoint {params.checkpoint:q}"
        " --weights {output.weights:q} --thresholds {output.thresholds:q}"
        " --history {output.history:q} --curves {output.curves:q} > {log:q} 2>&1"


rule fine_tune_states:
    input:
        tracks=lambda wildcards: tree.review.of_reviewed(tree.subjects, "tracks.tsv"),
        lines=lambda wildcards: tree.review.of_reviewed(tree.subjects, "corrections.tsv"),
        composites=lambda wildcards: [
            path
            for plate in tree.review.reviewed(tree.subjects)
            for path in tree.files("composites/{block}.tif", plate, tree.blocks(plate))
        ],
    output:
        weights=f"{TRAINED}/classifier.safetensors",
        card=f"{TRAINED}/classifier.json",
        scores=f"{TRAINED}/classifier_scores.tsv",
        examples=f"{TRAINED}/classifier_examples.tsv",
    log:
        "logs/healthspan/fine_tune_states.log",
    benchmark:
        "results/benchmarks/healthspan/fine_tune_states.tsv"
    conda:
        "../../envs/snakescope.yaml"
    threads: tree.settings_of("fine_tune_states").threads
    resources:
        gpu=1,
        mem_mb=tree.memory("fine_tune_states"),
        runtime=tree.runtime("fine_tune_states"),
    params:
        version=tree.version("fine_tune_states"),
        settings=tree.unrecorded("fine_tune_states"),
        recorded=tree.recorded("fine_tune_states"),
        plates=lambda wildcards: tree.review.reviewed(tree.subjects),
        start=tree.classifier,
        sha256=tree.checksum(tree.classifier),
        checkpoint="training/fine_tuned_classifier.ckpt",
    shell:
        "python -m snakescope healthspan fine_tune_states --plates {params.plates:q}"
        " --tracks {input.tracks:q} --lines {input.lines:q} --composites {input.composites:q}"
        " --settings {params.settings:q} --start-weights {params.start:q}"
        " --checkpoint {params.checkpoint:q} --weights {output.weights:q} --card {output.card:q}"
        " --scores {output.scores:q} --examples {output.examples:q} > {log:q} 2>&1"


rule fine_tune_scores:
    input:
        labelled=rules.audit.output.labelled,
        splits=rules.audit.output.splits,
        findings=rules.audit.output.findings,
        weights=rules.fine_tune.output.weights,
        thresholds=rules.fine_tune.output.thresholds,
        curves=rules.fine_tune.output.curves,
    output:
        scores=f"{TRAINED}/scores.tsv",
        pictures=directory(f"{TRAINED}/pictures"),
        card=f"{TRAINED}/detector.json",
        page=report(
            f"{TRAINED}/training.html",
            caption="../../resources/report/fine_tuning.rst",
            category="Training",
        ),
    log:
        "logs/healthspan/fine_tune_scores.log",
    benchmark:
        "results/benchmarks/healthspan/fine_tune_scores.tsv"
    conda:
        "../../envs/snakescope.yaml"
    threads: tree.settings_of("fine_tune").threads
    resources:
        gpu=1,
        mem_mb=tree.memory("fine_tune_scores"),
        runtime=tree.runtime("fine_tune_scores"),
    params:
        version=tree.version("fine_tune_scores"),
        settings=tree.recorded("fine_tune_scores"),
        trained=tree.unrecorded("fine_tune"),
        recorded=tree.recorded("fine_tune"),
        detect=tree.recorded("detect"),
        start=tree.start_weights,
        sha256=tree.checksum(tree.start_weights),
    shell:
        "python -m snakescope healthspan fine_tune_scores --labelled {input.labelled:q}"
        " --splits {input.splits:q} --findings {input.findings:q} --thresholds {input.thresholds:q}"
        " --curves {input.curves:q} --start-weights {params.start:q} --weights {input.weights:q}"
        " --settings {params.settings:q} --fine-tune {params.trained:q} --detect {params.detect:q}"
        " --scores {output.scores:q} --pictures {output.pictures:q} --card {output.card:q}"
        " --page {output.page:q} > {log:q} 2>&1"
