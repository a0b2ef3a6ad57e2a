"""From sections of electron micrographs to membranes.

In:  the sample sheet (`membranes: sheet:`) and the stacks it names
Out: results/membranes/; manifests are written by the main process when a file of the tree is first
     asked for, only where their content changes
"""

from snakescope.settings.sheet import LEGAL_NAME

tree = config


wildcard_constraints:
    stack=LEGAL_NAME.pattern,
    block=r"z\d+-\d+",


module unusable:
    snakefile:
        "../shared/unusable.smk"
    config:
        tree


use rule * from unusable


include: "prediction.smk"
include: "scores.smk"
include: "report.smk"
include: "training.smk"
include: "cross_validation.smk"
include: "learning_curve.smk"
include: "search.smk"
include: "simulation.smk"
