"""From drawn images to their class.

In:  the sample sheet (`toy: sheet:`) and the images it names
Out: results/toy/cross_validation/
"""

tree = config


include: "../shared/unusable.smk"
include: "../shared/cross_validation.smk"
