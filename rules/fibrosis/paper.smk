"""Table 1 of Kang et al., measured again: ten folds by patient, and by image beside them.

In:  results/fibrosis/report/scans.tsv of the cross-validation by patient; the same models by image
Out: results/fibrosis/paper/: table1.tsv, page.md

Asked for by name: `snakemake fibrosis_paper --configfile config/examples/fibrosis_paper/config.yaml`.
"""


rule paper:
    input:
        predictions="results/fibrosis/cross_validation/predictions.tsv",
        readable="results/fibrosis/cross_validation/audit/items.tsv",
    output:
        table="results/fibrosis/paper/table1.tsv",
        page="results/fibrosis/paper/page.md",
    log:
        "logs/fibrosis/paper.log",
    benchmark:
        "results/benchmarks/fibrosis/paper.tsv"
    conda:
        "../../envs/snakescope.yaml"
    threads: 1
    resources:
        mem_mb=tree.memory("paper"),
        runtime=tree.runtime("paper"),
    params:
        version=tree.version("paper"),
        settings=tree.recorded("paper"),
    shell:
        "python -m snakescope fibrosis paper --predictions {input.predictions:q}"
        " --items {input.readable:q} --settings {params.settings:q} --table {output.table:q}"
        " --page {output.page:q} > {log:q} 2>&1"
