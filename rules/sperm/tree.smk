"""From videos of sperm to grades, compared between networks and explained.

In:  the sample sheets (`sperm: sheet:`, `sperm: clips_sheet:`) and the videos they name
Out: results/sperm/
"""

from snakescope.settings.sheet import LEGAL_NAME
from snakescope.sperm.networks.catalogue import ABOUT

tree = config


wildcard_constraints:
    dish=LEGAL_NAME.pattern,
    clip=LEGAL_NAME.pattern,
    preset="icsi_pvp|semen",
    grader="|".join(ABOUT),
    method="grad_cam|rollout|relevance|integrated_gradients",


include: "../shared/unusable.smk"
include: "../shared/cross_validation.smk"
include: "tracking.smk"
include: "clips.smk"
include: "results.smk"
include: "simulation.smk"
