"""Subjects whose raw data cannot be used: the rule fails with the sentence that says why.

In:  manifest/problem.txt of such a subject (main process)
Out: nothing
"""

from snakescope.settings.sheet import LEGAL_NAME

tree = config


wildcard_constraints:
    **{tree.subject: LEGAL_NAME.pattern},


rule unusable:
    input:
        tree.file("{%s}/manifest/problem.txt" % tree.subject),
    output:
        f"{tree.results}/{{{tree.subject}}}/manifest/usable",
    log:
        f"logs/{tree.name}/unusable/{{{tree.subject}}}.log",
    localrule: True
    conda:
        "../../envs/snakescope.yaml"
    resources:
        mem_mb=500,
        runtime=5,
    shell:
        "sed 's/^/error: /' {input:q} | tee {log:q} >&2; exit 1"
