"""From volumes of electron micrographs to neurites.

In:  the sample sheet (`neurites: sheet:`) and the volumes it names
Out: results/neurites/; manifests are written by the main process when a file of the tree is first
     asked for, only where their content changes
"""

tree = config


wildcard_constraints:
    box=r"z\d+-\d+_y\d+-\d+_x\d+-\d+",
    slab=r"\d+",


include: "../shared/unusable.smk"
include: "volumes.smk"
include: "prediction.smk"
include: "fragments.smk"
include: "agglomeration.smk"
include: "scores.smk"
include: "report.smk"
include: "simulation.smk"
include: "training.smk"
include: "paper.smk"
