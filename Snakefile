"""Snakescope: raw microscope images to measured results, one rule tree per assay."""

import gc
import sys
from pathlib import Path

from snakemake.exceptions import WorkflowError
from snakemake.logging import logger
from snakemake.resources import Resource
from snakemake.settings.types import DeploymentMethod, Quietness
from snakemake.utils import min_version

min_version("9.27.1")

# The graph of the jobs only grows, and looking for garbage in it again and again took 15 % of a dry
# run of 30 plates. It is still looked for, so that a run of days stays within its memory.
gc.set_threshold(200_000, 10, 10)

sys.path.insert(0, str(Path(workflow.basedir, "scripts")))

from snakescope.run.announce import Announcer, beside_another_run
from snakescope.settings.files import check_config_files
from snakescope.settings.load import load_sections
from snakescope.settings.models import problem_of_models
from snakescope.settings.sections import SECTIONS
from snakescope.neurites.asked import asked
from snakescope.step.environment import shell_prefix
from snakescope.step.errors import StepError
from snakescope.step.signature import signed

if workflow.is_main_process:
    announcer = Announcer(logger, Quietness.ALL in (workflow.output_settings.quiet or ()))
    try:
        check_config_files(["config/config.yaml", *workflow.configfiles])
    except StepError as error:
        raise WorkflowError(str(error)) from None


configfile: "config/config.yaml"


# Snakemake inspects this method six times a job, which shows when thousands are planned.
signed(Resource.evaluate)

# Every job parses this file on the machine where it runs, so the prefix holds there too: on nodes
# that inherit no environment, and in conda environments, for which Snakemake drops PYTHONPATH.
CONDA = DeploymentMethod.CONDA in workflow.deployment_settings.deployment_method

try:
    sections = load_sections(config, SECTIONS)
except StepError as error:
    raise WorkflowError(str(error)) from None
shell.prefix(shell_prefix(workflow.basedir, CONDA, sections["cluster"].cpu_in_place_of_gpu))

# Plates and volumes need not know of each other. Targets are not told while this file is parsed, so
# the words of the command line are looked at; a job's process has its rule among them.
ASKED = asked(sys.argv[1:])


include: "rules/healthspan/tree.smk"
include: "rules/neurites/tree.smk"


rule all:
    default_target: True
    input:
        lambda wildcards: tree.targets(),


onstart:
    # Also where the other run has ended since: this one is planned with what it had found.
    if sentence := announcer.beside or beside_another_run():
        # Snakemake lets runs with different targets share a folder, and who leaves first would take
        # the other's lock along.
        workflow.persistence.unlock = lambda: None
        raise WorkflowError(sentence)
    needed = healthspan_models(DETECTOR, CLASSIFIER) | neurites_models(AFFINITY_NETWORK)
    if problem := problem_of_models(workflow.dag.needrun_jobs(), needed):
        raise WorkflowError(problem)
    announcer.started(workflow.dag, workflow._executor_plugin.name)
    workflow.scheduler.keepgoing = True  # one bad plate never stops the others
    if not ASKED.only_neurites:
        tree.write_configuration()
    if ASKED.neurites:
        neurites_tree.write_configuration()


onsuccess:
    said = [] if ASKED.only_neurites else [finished(tree)]
    said += [neurites_finished(neurites_tree)] if ASKED.neurites else []
    announcer.ended(True, said)


onerror:
    failed = workflow.scheduler.failed
    said = []
    if not ASKED.only_neurites:
        said += [unfinished(tree, failed, announcer.events.states)]
        said += [compare_without_failed(workflow, config, tree.experiments)]
    if ASKED.neurites:
        said += [neurites_unfinished(neurites_tree, failed, announcer.events.states)]
    announcer.ended(False, said)
