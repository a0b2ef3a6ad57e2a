"""From B-mode scans to liver masks and stages of fibrosis.

In:  the sample sheet (`fibrosis: sheet:`) and the scans it names
Out: results/fibrosis/: ingest/, cross_validation/, report/; manifests are written by the main
     process
"""

from snakescope.settings.sheet import LEGAL_NAME

tree = config


wildcard_constraints:
    scan=LEGAL_NAME.pattern,


module unusable:
    snakefile:
        "../shared/unusable.smk"
    config:
        tree


use rule * from unusable


module cross_validation:
    snakefile:
        "../shared/cross_validation.smk"
    config:
        tree


use rule * from cross_validation


include: "simulation.smk"
include: "scans.smk"
include: "prediction.smk"
include: "results.smk"
include: "paper.smk"
