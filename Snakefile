"""Snakescope: raw microscope images to measured results, one rule tree per assay."""

import sys
from pathlib import Path

from snakemake.utils import min_version

min_version("9.27.1")

sys.path.insert(0, str(Path(workflow.basedir, "scripts")))

from snakescope.run.run import Run, is_configured
from snakescope.trees import TREES

# The settings models hold the defaults; this file holds what a site changes.
if is_configured("config/config.yaml"):

    configfile: "config/config.yaml"


run = Run(workflow, config, TREES)


report: "resources/report/workflow.rst"


for tree, prefix in [(name, f"{name}_") for name in TREES]:

    module:
        name: tree
        snakefile:
            f"rules/{tree}/tree.smk"
        config:
            run.trees[tree]

    use rule * from tree as prefix*

    rule:
        name:
            tree
        input:
            run.targets(tree),


rule all:
    default_target: True
    input:
        run.targets(*TREES),


onstart:
    run.started()


onsuccess:
    run.ended(succeeded=True)


onerror:
    run.ended(succeeded=False)
