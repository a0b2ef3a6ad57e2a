"""New scans by the models of all folds, and the data set in nnU-Net's raw layout.

In:  results/fibrosis/ingest/: others.tsv, refused.tsv; manifest/unusable.tsv (main process);
     the first model's weights of all folds
Out: results/fibrosis/ensemble/: answers.tsv, scores.tsv, masks/; results/fibrosis/export/

Asked for by name: `snakemake fibrosis_export`; new scans are predicted where the sheet has any.
"""


rule ensemble:
    input:
        others="results/fibrosis/ingest/others.tsv",
        refused="results/fibrosis/ingest/refused.tsv",
        unusable=tree.file("ingest/manifest/unusable.tsv"),
        readable="results/fibrosis/cross_validation/audit/items.tsv",
        weights=tree.of_first_model("weights.safetensors"),
    output:
        answers="results/fibrosis/ensemble/answers.tsv",
        scores="results/fibrosis/ensemble/scores.tsv",
    log:
        "logs/fibrosis/ensemble.log",
    benchmark:
        "results/benchmarks/fibrosis/ensemble.tsv"
    conda:
        "../../envs/snakescope.yaml"
    threads: 1
    resources:
        mem_mb=tree.memory("ensemble"),
        runtime=tree.runtime("ensemble"),
    params:
        version=tree.version("ensemble"),
        settings=tree.recorded("ensemble"),
        masks="results/fibrosis/ensemble/masks",
    shell:
        "python -m snakescope fibrosis ensemble --others {input.others:q} --items {input.readable:q}"
        " --refused {input.refused:q} {input.unusable:q}"
        " --weights {input.weights:q} --settings {params.settings:q} --masks {params.masks:q}"
        " --answers {output.answers:q} --scores {output.scores:q} > {log:q} 2>&1"


rule export:
    input:
        readable="results/fibrosis/cross_validation/audit/items.tsv",
        splits="results/fibrosis/cross_validation/splits.tsv",
    output:
        directory(tree.nnunet_folder()),
    log:
        "logs/fibrosis/export.log",
    benchmark:
        "results/benchmarks/fibrosis/export.tsv"
    conda:
        "../../envs/snakescope.yaml"
    threads: 1
    resources:
        mem_mb=tree.memory("export"),
        runtime=tree.runtime("export"),
    params:
        version=tree.version("export"),
    shell:
        "python -m snakescope fibrosis export --items {input.readable:q} --splits {input.splits:q}"
        " --dataset {output:q} > {log:q} 2>&1"
