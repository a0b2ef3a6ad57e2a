"""What cannot go in: plates whose raw folder cannot be used.

In:  manifest/problem.txt of such a plate (main process, see tree.smk)
Out: nothing: the rule fails
"""


rule healthspan_unusable:
    input:
        "results/healthspan/{plate}/manifest/problem.txt",
    output:
        "results/healthspan/{plate}/manifest/usable",
    log:
        "logs/healthspan/unusable/{plate}.log",
    localrule: True
    conda:
        "../../envs/snakescope.yaml"
    resources:
        mem_mb=500,
        runtime=2,
    shell:
        "sed 's/^/error: /' {input:q} | tee {log:q} >&2; exit 1"
