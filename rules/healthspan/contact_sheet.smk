"""Contact sheet: every individual at every timepoint, sorted by death.

In:  tracks.tsv, individuals.tsv, frames.tsv; masks and registered frames of all blocks
Out: contact_sheet.png, contact_sheet.html
"""


rule healthspan_contact_sheet:
    input:
        tracks="results/healthspan/{plate}/tracks.tsv",
        individuals="results/healthspan/{plate}/individuals.tsv",
        frames="results/healthspan/{plate}/frames.tsv",
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
    log:
        "logs/healthspan/contact_sheet/{plate}.log",
    benchmark:
        "results/benchmarks/healthspan/contact_sheet/{plate}.tsv"
    conda:
        "../../envs/snakescope.yaml"
    threads: 1
    resources:
        mem_mb=tree.memory("contact_sheet"),
        runtime=tree.runtime("contact_sheet"),
    params:
        version=step_version("healthspan.contact_sheet"),
        settings=tree.settings_of("contact_sheet"),
        pixel_size_um=tree.pixel_size_um,
        age_d=lambda wildcards: tree.sheet[wildcards.plate].age_at_first_frame_d,
    shell:
        "python -m healthspan.contact_sheet --tracks {input.tracks:q}"
        " --individuals {input.individuals:q} --frames {input.frames:q} --masks {input.masks:q}"
        " --registered {input.registered:q} --pixel-size-um {params.pixel_size_um}"
        " --age-at-first-frame-d {params.age_d} --settings {params.settings:q}"
        " --image {output.image:q} --page {output.page:q} > {log:q} 2>&1"
