"""Quality control: a page of pictures per plate, and one table of all plates.

In:  everything of a plate; status.tsv (main process, see tree.smk)
Out: quality.html, quality.png, quality.tsv; plates.tsv and plates.html of all plates, with their
     warnings
"""


rule healthspan_quality:
    input:
        frames="results/healthspan/{plate}/frames.tsv",
        counts="results/healthspan/{plate}/counts.tsv",
        states="results/healthspan/{plate}/states.tsv",
        summary="results/healthspan/{plate}/summary.tsv",
        masks=tree.of_blocks("masks/{block}.json"),
        registered=tree.of_blocks("registered/{block}.ome.tif"),
    output:
        page=report(
            "results/healthspan/{plate}/quality.html",
            caption="../../resources/report/quality.rst",
            category="Plates",
            subcategory="{plate}",
            labels={"picture": "quality"},
        ),
        image="results/healthspan/{plate}/quality.png",
        row="results/healthspan/{plate}/quality.tsv",
    log:
        "logs/healthspan/quality/{plate}.log",
    benchmark:
        "results/benchmarks/healthspan/quality/{plate}.tsv"
    conda:
        "../../envs/snakescope.yaml"
    threads: 1
    resources:
        mem_mb=tree.memory("quality"),
        runtime=tree.runtime("quality"),
    params:
        version=step_version("healthspan.quality"),
        settings=tree.settings_of("quality"),
        worms=tree.worms,
    shell:
        "python -m healthspan.quality --plate {wildcards.plate:q} --frames {input.frames:q}"
        " --counts {input.counts:q} --states {input.states:q} --summary {input.summary:q}"
        " --masks {input.masks:q} --registered {input.registered:q} --worms {params.worms}"
        " --settings {params.settings:q} --page {output.page:q} --image {output.image:q}"
        " --row {output.row:q} > {log:q} 2>&1"


rule healthspan_plates:
    input:
        status="results/healthspan/status.tsv",
        rows=lambda wildcards: tree.quality_rows(),
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
        mem_mb=tree.memory("plates_table"),
        runtime=tree.runtime("plates_table"),
    params:
        version=step_version("healthspan.plates_table"),
    shell:
        "python -m healthspan.plates_table --status {input.status:q} --rows {input.rows:q}"
        " --table {output.table:q} --page {output.page:q} > {log:q} 2>&1"
