"""Results of scans and patients, with intervals by patient.

In:  the predictions of all folds, ingested scans (those that nothing was learnt from: counted)
Out: results/fibrosis/report/: scans.tsv, patients.tsv, thresholds.tsv, pictures, page.html
"""


rule results:
    input:
        readable="results/fibrosis/cross_validation/audit/items.tsv",
        others="results/fibrosis/ingest/others.tsv",
        predictions="results/fibrosis/cross_validation/predictions.tsv",
        audit="results/fibrosis/cross_validation/audit/accepted.tsv",
        refused="results/fibrosis/ingest/refused.tsv",
        sectors="results/fibrosis/ingest/sectors.tsv",
        weights=(
            [f"{tree.folder}/{tree.settings.models[0]}/fold_0/weights.safetensors"]
            if tree.settings.models
            else []
        ),
    output:
        scans="results/fibrosis/report/scans.tsv",
        patients="results/fibrosis/report/patients.tsv",
        thresholds="results/fibrosis/report/thresholds.tsv",
        figures="results/fibrosis/report/figures.png",
        overlays="results/fibrosis/report/overlays.png",
        checklist="results/fibrosis/report/checklist.tsv",
        page="results/fibrosis/report/page.html",
    log:
        "logs/fibrosis/results.log",
    benchmark:
        "results/benchmarks/fibrosis/results.tsv"
    conda:
        "../../envs/snakescope.yaml"
    threads: 1
    resources:
        mem_mb=tree.memory("results"),
        runtime=tree.runtime("results"),
    params:
        version=tree.version("results"),
        settings=tree.recorded("results"),
        configuration=tree.described(),
        folder=lambda wildcards: tree.folder,
    shell:
        "python -m snakescope fibrosis results --items {input.readable:q} --predictions {input.predictions:q}"
        " --others {input.others:q} --audit {input.audit:q} --refused {input.refused:q} --sectors {input.sectors:q}"
        " --settings {params.settings:q} --configuration {params.configuration:q}"
        " --folder {params.folder:q} --scans {output.scans:q} --patients {output.patients:q}"
        " --thresholds {output.thresholds:q} --figures {output.figures:q}"
        " --overlays {output.overlays:q} --checklist {output.checklist:q} --page {output.page:q}"
        " > {log:q} 2>&1"
