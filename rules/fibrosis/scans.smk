"""Scans brought into one form: the sector alone, grey, without a trace of the patient.

In:  raw images and masks of the sheet
Out: results/fibrosis/ingest/: items.tsv (labelled scans), others.tsv (to predict), refused.tsv,
     sectors.tsv, overview.png, and beside them images/<scan>.png, masks/<scan>.png
"""


rule ingest:
    input:
        sheet=tree.sheet_rows,
        raw=tree.raw_files,
    output:
        labelled="results/fibrosis/ingest/items.tsv",
        others="results/fibrosis/ingest/others.tsv",
        refused="results/fibrosis/ingest/refused.tsv",
        sectors="results/fibrosis/ingest/sectors.tsv",
        overview="results/fibrosis/ingest/overview.png",
    log:
        "logs/fibrosis/ingest.log",
    benchmark:
        "results/benchmarks/fibrosis/ingest.tsv"
    conda:
        "../../envs/snakescope.yaml"
    threads: 1
    resources:
        mem_mb=tree.memory("ingest"),
        runtime=tree.runtime("ingest"),
    params:
        version=tree.version("ingest"),
        settings=tree.recorded("ingest"),
        classes=tree.settings.training.classes,
        folder=lambda wildcards: "results/fibrosis/ingest",
    shell:
        "python -m snakescope fibrosis ingest --sheet {input.sheet:q} --settings {params.settings:q}"
        " --classes {params.classes} --folder {params.folder:q} --items {output.labelled:q}"
        " --others {output.others:q} --refused {output.refused:q} --sectors {output.sectors:q}"
        " --overview {output.overview:q} > {log:q} 2>&1"


rule complete:
    input:
        "results/fibrosis/ingest/refused.tsv",
    output:
        "results/fibrosis/ingest/complete",
    log:
        "logs/fibrosis/complete.log",
    localrule: True
    conda:
        "../../envs/snakescope.yaml"
    resources:
        mem_mb=500,
        runtime=5,
    params:
        version=tree.version("complete"),
    shell:
        "python -m snakescope fibrosis complete --refused {input:q} --complete {output:q} > {log:q} 2>&1"
