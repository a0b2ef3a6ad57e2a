"""Cross-validation of a tree of trained models, with each group in one fold.

In:  manifest/items.tsv (main process) and the files that it names; the tree's steps fit and predict
Out: results/<tree>/cross_validation/: audit/, splits.tsv, <model>/fold_<fold>/, scores.tsv,
     predictions.tsv, pictures of them, page.html

No model is fitted before the audit of the images has passed, or its findings are accepted in the
configuration.
"""

tree = config
CALL = f"python -m snakescope {tree.name}"
AUDITED = f"{tree.folder}/audit"
FOLD = f"{tree.folder}/{{model}}/fold_{{fold}}"


wildcard_constraints:
    model=r"[A-Za-z0-9_]+",
    fold=r"\d+",


rule audit:
    input:
        table=tree.items_table,
        images=tree.images,
    output:
        readable=f"{AUDITED}/items.tsv",
        findings=f"{AUDITED}/findings.tsv",
        summary=f"{AUDITED}/summary.tsv",
        associations=f"{AUDITED}/associations.tsv",
    log:
        f"logs/{tree.name}/cross_validation/audit.log",
    benchmark:
        f"results/benchmarks/{tree.name}/cross_validation/audit.tsv"
    conda:
        "../../envs/snakescope.yaml"
    threads: 2
    resources:
        mem_mb=tree.memory("audit"),
        runtime=tree.runtime("audit"),
    params:
        version=tree.version("audit"),
        settings=tree.recorded("audit"),
    shell:
        f"{CALL} audit --table {{input.table:q}} --settings {{params.settings:q}} --threads {{threads}}"
        " --items {output.readable:q} --findings {output.findings:q} --summary {output.summary:q}"
        " --associations {output.associations:q} > {log:q} 2>&1"


rule accept:
    input:
        rules.audit.output.summary,
    output:
        f"{AUDITED}/accepted.tsv",
    log:
        f"logs/{tree.name}/cross_validation/accept.log",
    localrule: True
    conda:
        "../../envs/snakescope.yaml"
    resources:
        mem_mb=500,
        runtime=5,
    params:
        version=tree.version("accept"),
        accept=tree.accepted(),
    shell:
        f"{CALL} accept --summary {{input:q}} --accept {{params.accept:q}} --accepted {{output:q}}"
        f" --key '{tree.name}: audit' > {{log:q}} 2>&1"


rule splits:
    input:
        readable=rules.audit.output.readable,
        accepted=rules.accept.output,
    output:
        f"{tree.folder}/splits.tsv",
    log:
        f"logs/{tree.name}/cross_validation/splits.log",
    benchmark:
        f"results/benchmarks/{tree.name}/cross_validation/splits.tsv"
    conda:
        "../../envs/snakescope.yaml"
    threads: 1
    resources:
        mem_mb=tree.memory("splits"),
        runtime=tree.runtime("splits"),
    params:
        version=tree.version("splits"),
        settings=tree.recorded("splits"),
    shell:
        f"{CALL} splits --items {{input.readable:q}} --settings {{params.settings:q}}"
        " --splits {output:q} > {log:q} 2>&1"


rule fit:
    input:
        readable=rules.audit.output.readable,
        splits=rules.splits.output,
    output:
        f"{FOLD}/weights.safetensors",
    log:
        f"logs/{tree.name}/cross_validation/{{model}}/fit_{{fold}}.log",
    benchmark:
        f"results/benchmarks/{tree.name}/cross_validation/{{model}}/fit_{{fold}}.tsv"
    conda:
        "../../envs/snakescope.yaml"
    threads: tree.threads("fit")
    resources:
        gpu=1,
        mem_mb=tree.memory("fit"),
        runtime=tree.runtime("fit"),
    params:
        version=tree.version("fit"),
        settings=tree.recorded("fit"),
        checkpoint=f"training/{tree.name}/{{model}}_{{fold}}.ckpt",
    shell:
        f"{CALL} fit --items {{input.readable:q}} --splits {{input.splits:q}}"
        " --model {wildcards.model} --fold {wildcards.fold} --settings {params.settings:q}"
        " --checkpoint {params.checkpoint:q} --weights {output:q} > {log:q} 2>&1"


rule predict:
    input:
        readable=rules.audit.output.readable,
        splits=rules.splits.output,
        weights=rules.fit.output,
    output:
        f"{FOLD}/predictions.tsv",
    log:
        f"logs/{tree.name}/cross_validation/{{model}}/predict_{{fold}}.log",
    benchmark:
        f"results/benchmarks/{tree.name}/cross_validation/{{model}}/predict_{{fold}}.tsv"
    conda:
        "../../envs/snakescope.yaml"
    threads: tree.threads("predict")
    resources:
        gpu=1,
        mem_mb=tree.memory("predict"),
        runtime=tree.runtime("predict"),
    params:
        version=tree.version("predict"),
        settings=tree.recorded("predict"),
    shell:
        f"{CALL} predict --items {{input.readable:q}} --splits {{input.splits:q}}"
        " --model {wildcards.model} --fold {wildcards.fold} --settings {params.settings:q}"
        " --weights {input.weights:q} --predictions {output:q} > {log:q} 2>&1"


rule scores:
    input:
        readable=rules.audit.output.readable,
        splits=rules.splits.output,
        predictions=tree.of_folds("{model}/fold_{fold}/predictions.tsv"),
    output:
        **{name: f"{tree.folder}/{name}.png" for name in tree.pictures},
        scores=f"{tree.folder}/scores.tsv",
        predictions=f"{tree.folder}/predictions.tsv",
    log:
        f"logs/{tree.name}/cross_validation/scores.log",
    benchmark:
        f"results/benchmarks/{tree.name}/cross_validation/scores.tsv"
    conda:
        "../../envs/snakescope.yaml"
    threads: 1
    resources:
        mem_mb=tree.memory("scores"),
        runtime=tree.runtime("scores"),
    params:
        version=tree.version("scores"),
        settings=tree.recorded("scores"),
    shell:
        f"{CALL} scores --items {{input.readable:q}} --splits {{input.splits:q}}"
        " --predictions {input.predictions:q} --settings {params.settings:q}"
        " --scores {output.scores:q} --table {output.predictions:q}"
        + "".join(f" --{name} {{output.{name}:q}}" for name in tree.pictures)
        + " > {log:q} 2>&1"


rule page:
    input:
        scores=rules.scores.output.scores,
        pictures=[f"{tree.folder}/{name}.png" for name in tree.pictures],
        audit=rules.accept.output,
        associations=rules.audit.output.associations,
        splits=rules.splits.output,
    output:
        f"{tree.folder}/page.html",
    log:
        f"logs/{tree.name}/cross_validation/page.log",
    benchmark:
        f"results/benchmarks/{tree.name}/cross_validation/page.tsv"
    conda:
        "../../envs/snakescope.yaml"
    threads: 1
    resources:
        mem_mb=tree.memory("page"),
        runtime=tree.runtime("page"),
    params:
        version=tree.version("page"),
    shell:
        f"{CALL} page --title {tree.name} --scores {{input.scores:q}} --pictures {{input.pictures:q}}"
        " --audit {input.audit:q} --associations {input.associations:q} --splits {input.splits:q}"
        " --page {output:q} > {log:q} 2>&1"
