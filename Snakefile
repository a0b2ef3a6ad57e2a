"""Snakescope: raw microscope images to measured results, one rule tree per assay.

Opens the house: versions, typed configuration, trees, default target, last words.
"""

import sys
from pathlib import Path

from snakemake.exceptions import WorkflowError
from snakemake.settings.types import DeploymentMethod
from snakemake.utils import min_version

min_version("9.27.1")


configfile: "config/config.yaml"


sys.path.insert(0, str(Path(workflow.basedir, "scripts")))

from configuration.load import load_sections
from configuration.sections import SECTIONS
from neurites.asked import asked
from step.environment import shell_prefix
from step.errors import StepError

# Every job parses this file on the machine where it runs, so the prefix holds there too: on nodes
# that inherit no environment, and in conda environments, for which Snakemake drops PYTHONPATH.
CONDA = DeploymentMethod.CONDA in workflow.deployment_settings.deployment_method
shell.prefix(shell_prefix(workflow.basedir, CONDA))

try:
    sections = load_sections(config, SECTIONS)
except StepError as error:
    raise WorkflowError(str(error)) from None

# Plates and volumes need not know of each other. Targets are not told while this file is parsed, so
# the words of the command line are looked at; a job's process has its rule among them.
NEURITES_ASKED, NEURITES_ONLY = asked(sys.argv[1:])


include: "rules/healthspan/tree.smk"
include: "rules/neurites/tree.smk"


rule all:
    default_target: True
    input:
        lambda wildcards: tree.targets(),


onsuccess:
    print(neurites_finished(neurites_tree) if NEURITES_ONLY else finished(tree), file=sys.stderr)


onerror:
    failed = workflow.scheduler.failed
    print(
        neurites_unfinished(failed) if NEURITES_ONLY else unfinished(tree, failed),
        file=sys.stderr,
    )
