"""A plate's pages: its contact sheet, every individual at every timepoint, and its quality control.

In:  everything of a plate; masks and registered frames of all blocks
Out: contact_sheet.png, contact_sheet.html; quality.html, quality.png, quality.tsv

Two steps, contact_sheet and quality, in one job: they read the same, and nothing is computed from
what they draw.

Quality control of all plates: one table of them, with their warnings.

In:  status.tsv (written when the tree is opened), quality.tsv of every plate
Out: plates.tsv, plates.html
"""


rule pages:
    input:
        tracks=tree.review.table("tracks.tsv"),
        individuals=tree.review.table("individuals.tsv"),
        frames="results/healthspan/{plate}/frames.tsv",
        counts=tree.review.table("counts.tsv"),
        states="results/healthspan/{plate}/states.tsv",
        summary="results/healthspan/{plate}/summary.tsv",
        description="results/healthspan/{plate}/reference.json",
        masks=tree.of_blocks("masks/{block}.json"),
        registered=tree.of_blocks("registered/{block}.ome.tif"),
    output:
        image=report(
            "results/healthspan/{plate}/contact_sheet.png",
            caption="../../resources/report/contact_sheet.rst",
            category="Plates",
            subcategory="{plate}",
            labels={"picture": "individuals"},
        ),
        page="results/healthspan/{plate}/contact_sheet.html",
        quality=report(
            "results/healthspan/{plate}/quality.html",
            caption="../../resources/report/quality.rst",
            category="Plates",
            subcategory="{plate}",
            labels={"picture": "quality"},
        ),
        quality_image="results/healthspan/{plate}/quality.png",
        quality_row="results/healthspan/{plate}/quality.tsv",
    log:
        "logs/healthspan/pages/{plate}.log",
    benchmark:
        "results/benchmarks/healthspan/pages/{plate}.tsv"
    conda:
        "../../envs/snakescope.yaml"
    threads: 1
    resources:
        mem_mb=tree.memory("pages"),
        runtime=tree.runtime("pages"),
    params:
        version=tree.version("pages"),
        drawing=tree.own_recorded("contact_sheet"),
        settings=tree.own_recorded("quality"),
        pixel_size_um=tree.pixel_size_um,
        age_d=tree.of_row("first_d"),
        worms=tree.worms,
    shell:
        "python -m snakescope healthspan contact_sheet --tracks {input.tracks:q}"
        " --individuals {input.individuals:q} --frames {input.frames:q} --masks {input.masks:q}"
        " --registered {input.registered:q} --pixel-size-um {params.pixel_size_um}"
        " --age-at-first-frame-d {params.age_d} --settings {params.drawing:q}"
        " --image {output.image:q} --page {output.page:q} > {log:q} 2>&1;"
        " python -m snakescope healthspan quality --plate {wildcards.plate:q} --frames {input.frames:q}"
        " --counts {input.counts:q} --states {input.states:q} --tracks {input.tracks:q}"
        " --summary {input.summary:q}"
        " --masks {input.masks:q} --registered {input.registered:q} --worms {params.worms}"
        " --reference-description {input.description:q} --settings {params.settings:q}"
        " --page {output.quality:q} --image {output.quality_image:q}"
        " --row {output.quality_row:q} >> {log:q} 2>&1"


rule plates:
    input:
        status=tree.file("status.tsv"),
        rows=tree.quality_rows,
    output:
        table="results/healthspan/plates.tsv",
        page=report(
            "results/healthspan/plates.html",
            caption="../../resources/report/plates.rst",
            category="Experiments",
            labels={"picture": "plates, with warnings"},
        ),
    log:
        "logs/healthspan/plates.log",
    benchmark:
        "results/benchmarks/healthspan/plates.tsv"
    conda:
        "../../envs/snakescope.yaml"
    threads: 1
    resources:
        mem_mb=tree.memory("plates"),
        runtime=tree.runtime("plates"),
    params:
        version=tree.version("plates"),
    shell:
        "python -m snakescope healthspan plates_table --status {input.status:q} --rows {input.rows:q}"
        " --table {output.table:q} --page {output.page:q} > {log:q} 2>&1"
