"""Review: what people corrected, in the tables of a plate.

In:  corrections/<plate>.<scorer>.tsv; tracks.tsv, individuals.tsv, counts.tsv
Out: corrected/tracks.tsv, corrected/individuals.tsv, corrected/counts.tsv: what counts beside what
     the machine says; corrected/corrections.tsv: what became of every line; corrected/agreement.tsv:
     how far scorers agree; corrected/agreement.svg, corrected/agreement.png: their days of death;
     corrected/changes.tsv: what the review changed, and how long it took; corrected/scorers.tsv:
     individuals by each scorer alone; of an experiment with such a plate
     experiments/<experiment>/conclusion.tsv: whether its conclusion is another one with corrections

Pages on which people look through a plate and correct it, `snakemake healthspan_review`.

In:  tracks.tsv, individuals.tsv, frames.tsv; masks and registered frames of all blocks
Out: review.html; of all plates ../review.html, an index, and ../review.tsv, what reviews changed

A plate without a file of corrections has none of these; its curves, pages and experiment are made
from the tables of the machine. With one they are made from these.
"""


rule corrected:
    input:
        tracks="results/healthspan/{plate}/tracks.tsv",
        individuals="results/healthspan/{plate}/individuals.tsv",
        counts="results/healthspan/{plate}/counts.tsv",
        corrections=tree.review.corrections,
    output:
        tracks="results/healthspan/{plate}/corrected/tracks.tsv",
        individuals="results/healthspan/{plate}/corrected/individuals.tsv",
        counts="results/healthspan/{plate}/corrected/counts.tsv",
        lines="results/healthspan/{plate}/corrected/corrections.tsv",
        agreement="results/healthspan/{plate}/corrected/agreement.tsv",
        changes="results/healthspan/{plate}/corrected/changes.tsv",
        scorers="results/healthspan/{plate}/corrected/scorers.tsv",
        svg="results/healthspan/{plate}/corrected/agreement.svg",
        png="results/healthspan/{plate}/corrected/agreement.png",
    log:
        "logs/healthspan/corrected/{plate}.log",
    benchmark:
        "results/benchmarks/healthspan/corrected/{plate}.tsv"
    conda:
        "../../envs/snakescope.yaml"
    threads: 1
    resources:
        mem_mb=tree.memory("corrected"),
        runtime=tree.runtime("corrected"),
    params:
        version=tree.version("corrected"),
        settings=tree.own_recorded("corrected"),
        tracking=tree.own_recorded("track"),
        worms=tree.worms,
        # A file that was copied may be older than what was made from another.
        sha256=tree.review.checksums,
    shell:
        "python -m snakescope healthspan corrected --tracks {input.tracks:q}"
        " --individuals {input.individuals:q} --counts {input.counts:q}"
        " --corrections {input.corrections:q} --worms {params.worms}"
        " --tracking {params.tracking:q} --settings {params.settings:q}"
        " --corrected-tracks {output.tracks:q} --corrected-individuals {output.individuals:q}"
        " --corrected-counts {output.counts:q} --lines {output.lines:q}"
        " --agreement {output.agreement:q} --figures {output.svg:q} {output.png:q}"
        " --changes {output.changes:q} --scorers {output.scorers:q} > {log:q} 2>&1"


rule conclusion:
    input:
        plates=tree.file("experiments/{experiment}/plates.tsv"),
        individuals=tree.of_experiment("individuals.tsv"),
        machine=lambda wildcards: [
            f"results/healthspan/{plate}/individuals.tsv"
            for plate in tree.experiments.get(wildcards.experiment, [])
        ],
        summaries=tree.of_experiment("summary.tsv"),
        scorers=lambda wildcards: tree.review.of_reviewed(
            tree.experiments.get(wildcards.experiment, []), "scorers.tsv"
        ),
    output:
        "results/healthspan/experiments/{experiment}/conclusion.tsv",
    log:
        "logs/healthspan/conclusion/{experiment}.log",
    benchmark:
        "results/benchmarks/healthspan/conclusion/{experiment}.tsv"
    conda:
        "../../envs/snakescope.yaml"
    threads: 1
    resources:
        mem_mb=tree.memory("conclusion"),
        runtime=tree.runtime("conclusion"),
    params:
        version=tree.version("conclusion"),
        settings=tree.recorded("conclusion"),
        compared=tree.recorded("experiment"),
    shell:
        "python -m snakescope healthspan conclusion --plates {input.plates:q}"
        " --experiment {wildcards.experiment:q} --individuals {input.individuals:q}"
        " --machine {input.machine:q} --scorers {input.scorers:q} --summaries {input.summaries:q}"
        " --compared {params.compared:q} --settings {params.settings:q} --table {output:q}"
        " > {log:q} 2>&1"


rule review:
    input:
        lambda wildcards: tree.review.pages(tree.subjects),
        "results/healthspan/review.html",


rule review_index:
    input:
        status=tree.file("status.tsv"),
        summaries=lambda wildcards: tree.review.pages(tree.subjects, "summary.tsv"),
        changes=lambda wildcards: tree.review.of_reviewed(tree.subjects, "changes.tsv"),
        conclusions=lambda wildcards: tree.review.conclusions(tree.experiments),
    output:
        page="results/healthspan/review.html",
        table="results/healthspan/review.tsv",
    log:
        "logs/healthspan/review_index.log",
    benchmark:
        "results/benchmarks/healthspan/review_index.tsv"
    conda:
        "../../envs/snakescope.yaml"
    threads: 1
    resources:
        mem_mb=tree.memory("review_index"),
        runtime=tree.runtime("review_index"),
    params:
        version=tree.version("review_index"),
        settings=tree.recorded("review_index"),
    shell:
        "python -m snakescope healthspan review_index --status {input.status:q}"
        " --summaries {input.summaries:q} --changes {input.changes:q} --conclusions {input.conclusions:q}"
        " --settings {params.settings:q} --page {output.page:q} --table {output.table:q} > {log:q} 2>&1"


rule review_page:
    input:
        # As the machine has them: who corrects a plate sees what there was to correct.
        tracks="results/healthspan/{plate}/tracks.tsv",
        individuals="results/healthspan/{plate}/individuals.tsv",
        frames="results/healthspan/{plate}/frames.tsv",
        masks=tree.of_blocks("masks/{block}.json"),
        registered=tree.of_blocks("registered/{block}.ome.tif"),
    output:
        "results/healthspan/{plate}/review.html",
    log:
        "logs/healthspan/review_page/{plate}.log",
    benchmark:
        "results/benchmarks/healthspan/review_page/{plate}.tsv"
    conda:
        "../../envs/snakescope.yaml"
    threads: 1
    resources:
        mem_mb=tree.memory("review_page"),
        runtime=tree.runtime("review_page"),
    params:
        version=tree.version("review_page"),
        settings=tree.own_recorded("review_page"),
        pixel_size_um=tree.pixel_size_um,
        age_d=tree.of_row("first_d"),
    shell:
        "python -m snakescope healthspan review_page --plate {wildcards.plate:q}"
        " --tracks {input.tracks:q} --individuals {input.individuals:q} --frames {input.frames:q}"
        " --masks {input.masks:q} --registered {input.registered:q}"
        " --pixel-size-um {params.pixel_size_um} --age-at-first-frame-d {params.age_d}"
        " --settings {params.settings:q} --page {output:q} > {log:q} 2>&1"
