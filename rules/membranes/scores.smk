"""Scores of stacks with labelled test sections.

In:  membranes.tif, the stack's own files
Out: scores.tsv, sections.tsv, scores.png
"""


rule evaluate:
    input:
        membranes="results/membranes/{stack}/membranes.tif",
        files=tree.stack_files,
    output:
        scores="results/membranes/{stack}/scores.tsv",
        sections="results/membranes/{stack}/sections.tsv",
        curve="results/membranes/{stack}/scores.png",
    log:
        "logs/membranes/evaluate/{stack}.log",
    benchmark:
        "results/benchmarks/membranes/evaluate/{stack}.tsv"
    conda:
        "../../envs/snakescope.yaml"
    threads: 1
    resources:
        mem_mb=tree.memory("evaluate"),
        runtime=tree.runtime("evaluate"),
    params:
        version=tree.version("evaluate"),
        settings=tree.recorded("evaluate"),
        stack=tree.file("{stack}/manifest/stack.json"),
        described=tree.described,
        extra=tree.of_row("extra_json"),
    shell:
        "python -m snakescope membranes evaluate --stack {params.stack:q} --membranes {input.membranes:q}"
        " --settings {params.settings:q} --extra {params.extra:q} --scores {output.scores:q}"
        " --sections {output.sections:q} --curve {output.curve:q} > {log:q} 2>&1"
