"""A plate's pages: its contact sheet, every individual at every timepoint, and its quality control.

In:  everything of a plate; masks and registered frames of all blocks
Out: contact_sheet.png, contact_sheet.html; quality.html, quality.png, quality.tsv

Two steps, contact_sheet and quality, in one job: they read the same, and nothing is computed from
what they draw.
"""


rule healthspan_pages:
    input:
        tracks="results/healthspan/{plate}/tracks.tsv",
        individuals="results/healthspan/{plate}/individuals.tsv",
        frames="results/healthspan/{plate}/frames.tsv",
        counts="results/healthspan/{plate}/counts.tsv",
        states="results/healthspan/{plate}/states.tsv",
        summary="results/healthspan/{plate}/summary.tsv",
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
        mem_mb=tree.memory("contact_sheet", "quality"),
        runtime=tree.runtime("contact_sheet", "quality"),
    params:
        version=(version_of("healthspan", "contact_sheet"), version_of("healthspan", "quality")),
        drawing=tree.settings_of("contact_sheet"),
        settings=tree.settings_of("quality"),
        pixel_size_um=tree.pixel_size_um,
        age_d=lambda wildcards: tree.sheet[wildcards.plate].first_d,
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
        " --settings {params.settings:q} --page {output.quality:q} --image {output.quality_image:q}"
        " --row {output.quality_row:q} >> {log:q} 2>&1"
