"""One run of Snakemake, as the Snakefile sees it."""

import atexit
import gc
from collections.abc import Callable, Mapping
from typing import Any

from snakemake.exceptions import WorkflowError
from snakemake.logging import logger
from snakemake.settings.types import DeploymentMethod
from snakemake.shell import shell

from snakescope.learning.registry import check_models, weights_file
from snakescope.run.lock import holder
from snakescope.run.monitor import Monitor
from snakescope.run.sentences import alone
from snakescope.run.settings import sections_of
from snakescope.run.stop import stop_on_interrupt
from snakescope.settings.files import check_config_files
from snakescope.settings.load import load_sections
from snakescope.settings.sheet_files import sheet_beside
from snakescope.step.environment import shell_prefix
from snakescope.step.errors import StepError
from snakescope.tree.tree import Tree

LOCKED = "Error: Directory cannot be locked"
"""What Snakemake says in a dry run beside a run at work, which hinders neither."""


def is_configured(path: str) -> bool:
    """Whether there is a configuration file.

    Raises:
        WorkflowError: it cannot be read; Snakemake would name neither file nor line.
    """
    try:
        return bool(check_config_files([path]))
    except StepError as error:
        raise WorkflowError(str(error)) from None


class Run:
    """The configuration and the trees of a run, and what it says of itself.

    Attributes:
        trees: by name, each opened when one of its files is first asked for.
    """

    def __init__(
        self, workflow: Any, config: Mapping[str, Any], trees: Mapping[str, type[Tree[Any]]]
    ):
        # The graph of jobs only grows, and searching it for garbage again and again takes 15 % of
        # a dry run. Garbage is still collected, so that a run of days stays within its memory.
        gc.set_threshold(200_000, 10, 10)
        # Nor is it searched when the process ends, which takes another 20 %.
        atexit.register(gc.freeze)
        self.workflow = workflow
        self.trees: dict[str, Tree[Any]] = {}
        main, at_work = workflow.is_main_process, None
        logger.addFilter(alone)
        if main:
            self.monitor = Monitor(workflow.output_settings, self.trees, self.nothing_to_do)
            logger.addHandler(self.monitor)
            if not workflow.output_settings.dryrun:
                stop_on_interrupt(self.monitor.stop, ends_jobs=workflow.local_exec)
            at_work = holder()
            if at_work and workflow.output_settings.dryrun:
                logger.warning(
                    "planned with the raw data that were found before, without rows that were"
                    f" added to a sheet since: {at_work}"
                )
                # Snakemake would call it an error that the folder is locked, and plan as well.
                logger.addFilter(lambda record: LOCKED not in record.getMessage())
        try:
            # What is given on the command line holds, so its lines are the ones to name.
            files = dict.fromkeys(["config/config.yaml", *workflow.configfiles] if main else [])
            self.settings = load_sections(
                config,
                sections_of(trees),
                places=check_config_files(files),
                warn=logger.warning if main else None,
            )
            for name, tree in trees.items():
                self.trees[name] = tree(
                    self.settings[name],
                    scans=main and at_work is None,
                    warn=logger.warning,
                    # Relative, since it enters parameters: a moved folder is no reason to
                    # compute again.
                    weights_of=lambda named: weights_file(named, workflow.basedir),
                )
                self.trees[name].dry = bool(workflow.output_settings.dryrun)
        except StepError as error:
            raise WorkflowError(str(error)) from None
        conda = DeploymentMethod.CONDA in workflow.deployment_settings.deployment_method
        cluster: Any = self.settings["cluster"]
        shell.prefix(shell_prefix(workflow.basedir, conda, cluster.cpu_in_place_of_gpu))

    def targets(self, *names: str) -> Callable[[Any], list[str]]:
        """Make an input function: what a run makes of some trees, those without a row left out."""

        def files(wildcards: Any) -> list[str]:
            trees = [self.trees[name] for name in names]
            return [path for tree in trees if tree.has_rows for path in tree.targets()]

        return files

    def nothing_to_do(self) -> str:
        """Return a sentence where only trees without a row in their sheet are asked for."""
        targets = set(self.workflow.dag_settings.targets or ["all"])
        if "all" in targets:
            targets = targets - {"all"} | set(self.trees)
        if any(name not in self.trees or self.trees[name].has_rows for name in targets):
            return ""
        trees = [self.trees[name] for name in sorted(targets)]
        sheets = " or ".join(tree.settings.sheet for tree in trees)
        subjects = " or ".join(tree.subject for tree in trees)
        for tree in trees:
            if other := sheet_beside(tree.settings.sheet):
                return (
                    f"{tree.settings.sheet}: expected a header and one row a {tree.subject}, found"
                    f" no row, but {other} is there; to read that, set {tree.name}: sheet: {other}"
                )
        return (
            f"{sheets}: expected a header and one row a {subjects}, found no row; add a"
            f" {subjects} (columns: config/README.md)"
        )

    def started(self) -> None:
        """Before the first job: check the models that jobs need, and note what is planned.

        Raises:
            WorkflowError: weights are absent or damaged.
        """
        models = {
            f"{name}_{rule}": model
            for name, tree in self.trees.items()
            for rule, model in tree.models().items()
        }
        try:
            check_models((job.rule.name for job in self.workflow.dag.needrun_jobs()), models)
        except StepError as error:
            raise WorkflowError(str(error)) from None
        self.monitor.started(self.workflow)
        for tree in self.trees.values():
            if tree.opened:
                tree.write_configuration()

    def ended(self, succeeded: bool) -> None:
        """After the last job: say what was made, and what failed and why."""
        self.monitor.ended(succeeded)
