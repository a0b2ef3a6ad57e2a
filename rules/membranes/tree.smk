"""From sections of electron micrographs to membranes.

In:  the sample sheet (`membranes: sheet:`) and the stacks it names
Out: results/membranes/; manifests are written by the main process when a file of the tree is first
     asked for, only where their content changes
"""

tree = config


wildcard_constraints:
    block=r"z\d+-\d+",


include: "../shared/unusable.smk"
include: "prediction.smk"
include: "scores.smk"
include: "report.smk"
include: "training.smk"
include: "cross_validation.smk"
include: "learning_curve.smk"
include: "search.smk"
include: "simulation.smk"
