"""Pictures of a stack: micrograph, membranes, cells, and errors where there are labels.

In:  membranes.tif, the stack's own files, scores.tsv where it is scored
Out: sections.png; page.html, with the scores

Feature maps of the branches of the network, asked for by name:
`snakemake results/membranes/<stack>/features.png`.

In:  weights of the network, the stack's own files, some of them labelled
Out: features.png, features.tsv
"""


rule pictures:
    input:
        membranes="results/membranes/{stack}/membranes.tif",
        scores=tree.scores,
        files=tree.stack_files,
    output:
        "results/membranes/{stack}/sections.png",
    log:
        "logs/membranes/pictures/{stack}.log",
    benchmark:
        "results/benchmarks/membranes/pictures/{stack}.tsv"
    conda:
        "../../envs/snakescope.yaml"
    threads: 1
    resources:
        mem_mb=tree.memory("pictures"),
        runtime=tree.runtime("pictures"),
    params:
        version=tree.version("pictures"),
        settings=tree.recorded("pictures"),
        stack=tree.file("{stack}/manifest/stack.json"),
        described=tree.described,
    shell:
        "python -m snakescope membranes pictures --stack {params.stack:q} --membranes {input.membranes:q}"
        " --scores {input.scores:q} --settings {params.settings:q} --sections {output:q} > {log:q} 2>&1"


rule page:
    input:
        sections="results/membranes/{stack}/sections.png",
        scores=tree.scores_shown,
        weights=tree.own_weights,
    output:
        "results/membranes/{stack}/page.html",
    log:
        "logs/membranes/page/{stack}.log",
    benchmark:
        "results/benchmarks/membranes/page/{stack}.tsv"
    conda:
        "../../envs/snakescope.yaml"
    threads: 1
    resources:
        mem_mb=tree.memory("page"),
        runtime=tree.runtime("page"),
    params:
        version=tree.version("page"),
        stack=tree.file("{stack}/manifest/stack.json"),
        weights=tree.network,
        sha256=tree.sha256(),
    shell:
        "python -m snakescope membranes page --stack {params.stack:q} --weights {params.weights:q}"
        " --sections {input.sections:q} --scores {input.scores:q} --page {output:q} > {log:q} 2>&1"


rule features:
    input:
        files=tree.stack_files,
        weights=tree.own_weights,
    output:
        table="results/membranes/{stack}/features.tsv",
        figure="results/membranes/{stack}/features.png",
    log:
        "logs/membranes/features/{stack}.log",
    benchmark:
        "results/benchmarks/membranes/features/{stack}.tsv"
    conda:
        "../../envs/snakescope.yaml"
    threads: 1
    resources:
        mem_mb=tree.memory("features"),
        runtime=tree.runtime("features"),
    params:
        version=tree.version("features"),
        settings=tree.recorded("features"),
        stack=tree.file("{stack}/manifest/stack.json"),
        described=tree.described,
        weights=tree.network,
        sha256=tree.sha256(),
    shell:
        "python -m snakescope membranes features --stack {params.stack:q}"
        " --weights {params.weights:q} --sha256={params.sha256} --settings {params.settings:q}"
        " --table {output.table:q} --figure {output.figure:q} > {log:q} 2>&1"
