"""From drawn images to their class.

In:  the sample sheet (`toy: sheet:`) and the images it names
Out: results/toy/cross_validation/
"""

tree = config


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
