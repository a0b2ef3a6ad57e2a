"""Pictures of a stack: micrograph, membranes, cells, and errors where there are labels.

In:  membranes.tif, the stack's own files, scores.tsv where it is scored
Out: sections.png
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
