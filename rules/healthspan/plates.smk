"""Quality control of all plates: one table of them, with their warnings.

In:  status.tsv (main process, see tree.smk), quality.tsv of every plate
Out: plates.tsv, plates.html
"""


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
        version=version_of("healthspan", "plates_table"),
    shell:
        "python -m snakescope healthspan plates_table --status {input.status:q} --rows {input.rows:q}"
        " --table {output.table:q} --page {output.page:q} > {log:q} 2>&1"
