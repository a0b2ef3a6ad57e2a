"""From raw frames of plates to survival and healthspan curves.

In:  the sample sheet (`healthspan: sheet:`) and the raw folders it names
Out: results/healthspan/; manifests, status.tsv and the plates of experiments are written by the
     main process when a file of the tree is first asked for, only where their content changes
"""

from snakescope.settings.sheet import LEGAL_NAME

tree = config


wildcard_constraints:
    experiment=LEGAL_NAME.pattern,
    block=r"t\d\d\d+-t\d\d\d+",


include: "../shared/unusable.smk"
include: "registration.smk"
include: "detection.smk"
include: "states.smk"
include: "tracking.smk"
include: "review.smk"
include: "survival.smk"
include: "report.smk"
include: "simulation.smk"
include: "training.smk"
include: "fine_tuning.smk"
include: "paper.smk"
