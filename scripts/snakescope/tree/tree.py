"""The contract of a rule tree: what the Snakefile, the rules and a run ask of it.

A tree opens its subjects (plates, volumes) once, when a rule first asks for one of their files: the
main process looks at the raw data and writes manifests, the processes of jobs read these. Nothing
here imports numpy, pandas or torch.
"""

import argparse
import math
import shutil
from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Mapping, Sequence
from functools import cache, cached_property
from pathlib import Path
from typing import Any, ClassVar, Generic, TypeVar

from snakescope.learning.registry import Model, weights_checksum
from snakescope.settings.sheet import REFUSED, Row, Sheet, read_sheet
from snakescope.settings.strict import Settings
from snakescope.step.errors import StepError
from snakescope.step.output import write_if_changed
from snakescope.tree.costs import Cost, Size, request_mb, request_minutes
from snakescope.tree.failures import Failure
from snakescope.tree.notes import Shared, some, to_look_at
from snakescope.tree.parameters import Parameter, signed
from snakescope.tree.provenance import as_yaml
from snakescope.tree.steps import Step

R = TypeVar("R", bound=Row)
PROBLEM = "problem.txt"


class Tree(ABC, Generic[R]):
    """The subjects of a sample sheet and the files of their results.

    Attributes:
        name: of the tree: prefix of its rules, its folder of results, its key in the configuration.
        subject: what the sheet has a row of: wildcard, and first column of tables.
        parts: wildcards that say which part of a subject a job works on.
        row: the model of a row of the sample sheet.
        section: the model of its configuration; the field ``sheet`` names the sample sheet.
        steps: the commands of the tree.
        jobs: the steps of rules that run several, or one of another name.
        costs: what steps take, by ``step`` or ``step kind``.
        refused: why rows of the sheet cannot be used, by what stands in the place of their name.
        dry: whether the run only plans.
    """

    name: ClassVar[str]
    subject: ClassVar[str]
    parts: ClassVar[tuple[str, ...]] = ()
    row: ClassVar[type[Any]]
    section: ClassVar[type[Settings]]
    steps: ClassVar[Mapping[str, Step]]
    jobs: ClassVar[Mapping[str, tuple[str, ...]]] = {}
    costs: ClassVar[Mapping[str, Cost]] = {}

    def __init__(
        self,
        settings: Any,
        rows: Sequence[R] | None = None,
        scans: bool = False,
        warn: Callable[[str], None] = print,
        weights_of: Callable[[str], str] = str,
    ):
        """Take the settings of the tree, and the rows of its sheet where they were read before.

        Args:
            scans: whether this process looks at raw data and writes manifests.
            warn: takes what a user may want to know, a sentence at a time.
            weights_of: the path of weights that the configuration names.
        """
        self.settings = settings
        self.refused: dict[str, str] = {}
        self.dry = False
        self.results = f"results/{self.name}"
        if rows is None:
            # A sheet that a configuration names has to be there.
            named = settings.sheet != type(settings).model_fields["sheet"].default
            sheet: Sheet[Any] = read_sheet(settings.sheet, self.row, needed=named)
            rows = sheet.rows
            self.refused = {one.name: one.reason for one in sheet.refused}
        self.sheet = {row.name: row for row in rows}
        self.scans = scans
        self.warn = warn
        self.weights_of = weights_of
        self.opened = False

    # What a tree defines.

    @abstractmethod
    def scan(self, row: R) -> list[str]:
        """Look at a subject's raw data, write its manifest, and return notes on it.

        Raises:
            StepError: the subject cannot be used.
        """

    @abstractmethod
    def wanted(self) -> list[str]:
        """Return the files that a run makes of the subjects that can be used."""

    def size(self, step: str, wildcards: Any) -> Size:
        """How much a job of a step works on."""
        return Size()

    def models(self) -> Mapping[str, Model]:
        """The model of every rule that needs one, by the rule's name without prefix."""
        return {}

    def summary(self) -> list[str]:
        """Results and pictures to name when a run has ended."""
        return []

    def conflicts(self) -> dict[str, str]:
        """Return why subjects cannot be used beside one another, once all have been looked at."""
        return {}

    def verdicts(self) -> dict[str, dict[str, str]]:
        """Return what the results say of subjects, by kind of verdict, subject and reason."""
        return {}

    def standing(self, failed: Collection[str] = ()) -> list[str]:
        """Return one line for each kind of subject that is not as it should be, by name.

        Args:
            failed: subjects of which a job failed in this run.
        """
        kinds = {
            "failed": dict.fromkeys((name for name in self.sheet if name in failed), ""),
            "unusable": {**self.problems, **self.refused},
            **self.verdicts(),
            "excluded by the sheet": self.excluded,
        }
        return to_look_at(self.subject, kinds)

    def after_scan(self) -> list[str]:
        """Write what depends on all subjects, and return notes."""
        return []

    @classmethod
    def add_inspect_options(cls, parser: argparse.ArgumentParser) -> None:
        """Add the options of ``snakescope inspect`` that this tree knows."""

    def inspect(self, folder: str, options: argparse.Namespace) -> list[str]:
        """Return what a folder of raw data looks like, a line each; nothing if it holds none.

        Raises:
            StepError: the folder cannot be read.
        """
        return []

    has_trial: ClassVar[bool] = False
    """Whether :meth:`trial` tries the settings of a subject."""

    def trial(self, subject: str, options: argparse.Namespace) -> list[str]:
        """Try the settings of a subject on a few images and write a page; return lines to print.

        Raises:
            StepError: the subject cannot be used.
        """
        raise NotImplementedError

    def without_failed(
        self, failures: Sequence[Failure], unfinished: Collection[str], planned: Collection[str]
    ) -> list[str]:
        """Make what can be made without subjects that failed, and return a sentence on each.

        Args:
            failures: jobs of this tree that failed for good.
            unfinished: subjects of which a run left jobs undone, those that failed among them.
            planned: outputs of the jobs that the run had planned.
        """
        return []

    # What every tree has.

    @cached_property
    def excluded(self) -> dict[str, str]:
        """The subjects that the sheet leaves out, and why."""
        reasons = {name: getattr(row, "exclusion", "") for name, row in self.sheet.items()}
        return {name: reason for name, reason in reasons.items() if reason}

    def manifest(self, name: str) -> str:
        """The folder of what the main process found of a subject."""
        return f"{self.results}/{name}/manifest"

    def open(self) -> None:
        """Look at the raw data of all subjects, once, where this process is to do so.

        A file that stays as it is keeps its time, so nothing made from it is made again.
        """
        if self.opened:
            return
        self.opened = True
        if not self.scans:
            return
        told: dict[str, list[str]] = {}
        for name, row in self.sheet.items():
            if name in self.excluded:
                continue
            try:
                for note in self.scan(row):
                    told.setdefault(note, []).append(name)
                self._problem(name).unlink(missing_ok=True)
            except StepError as error:
                self._refuse(name, str(error))
        for note, names in told.items():
            self.warn(f"{some(names)}: {note}" if isinstance(note, Shared) else note)
        for name, reason in {**self.refused, **self.conflicts()}.items():
            self._refuse(name, reason)
        for path in Path(self.results).glob(f"{REFUSED}*"):
            if path.name not in self.refused:
                shutil.rmtree(path, ignore_errors=True)
        for note in self.after_scan():
            self.warn(note)

    def _problem(self, name: str) -> Path:
        return Path(self.manifest(name), PROBLEM)

    def _refuse(self, name: str, reason: str) -> None:
        write_if_changed(self._problem(name), f"{reason}\n")
        self.warn(reason if name in self.refused else f"{name}: {reason}")

    @cached_property
    def problems(self) -> dict[str, str]:
        """The subjects that cannot be used, and why in one sentence."""
        self.open()
        paths = {name: self._problem(name) for name in self.sheet if name not in self.excluded}
        found = {name: path for name, path in paths.items() if path.exists()}
        return {name: path.read_text(encoding="utf-8").strip() for name, path in found.items()}

    @property
    def has_rows(self) -> bool:
        """Whether its sheet has a row, be it one that cannot be used."""
        return bool(self.sheet or self.refused)

    @cached_property
    def subjects(self) -> dict[str, R]:
        """The subjects to compute: neither excluded nor unusable.

        Where another run works, one that was added to the sheet meanwhile waits for the next run.
        """
        without = {*self.problems, *self.excluded}
        return {
            name: row
            for name, row in self.sheet.items()
            if name not in without and (self.scans or Path(self.manifest(name)).is_dir())
        }

    def unusable(self, name: str) -> StepError:
        """The error of a job on a subject that the sheet lacks, or that cannot be used."""
        found = self.problems.get(name) or self.excluded.get(name) or "no row"
        return StepError(
            f"{self.settings.sheet}: expected a {self.subject} {name} that can be used, found"
            f" {found}"
        )

    def targets(self) -> list[str]:
        """Return what a run makes; for an unusable subject, what its rule cannot make."""
        self.open()
        without = (*self.problems, *self.refused)
        return [*self.wanted(), *(f"{self.manifest(name)}/usable" for name in without)]

    def file(self, pattern: str) -> Parameter:
        """Make an input function or parameter: a file or folder below the tree's results.

        For what is written when the tree is opened, which no rule makes.

        Args:
            pattern: with wildcards in braces.
        """

        @signed
        def path(wildcards: Any) -> str:
            self.open()
            return f"{self.results}/{pattern.format(**dict(wildcards.items()))}"

        return path

    def of_row(self, column: str) -> Parameter:
        """Make a parameter: what the sheet says of a job's subject."""
        subject = self.subject
        return signed(lambda wildcards: getattr(self.sheet[getattr(wildcards, subject)], column))

    def checksum(self, weights: str) -> str:
        """The SHA-256 of weights by their card; a file's time does not tell, after a copy."""
        return weights_checksum(weights)

    def steps_of(self, rule: str) -> tuple[str, ...]:
        """The steps that a rule runs, in order."""
        return self.jobs.get(rule, (rule,))

    def version(self, rule: str) -> tuple[int, ...]:
        """The versions of the steps of a rule: a parameter, so that a raised one counts."""
        return tuple(self.steps[step].version for step in self.steps_of(rule))

    def has_own_settings(self) -> bool:
        """Whether a subject of the sheet has settings of its own."""
        return False

    def own_settings(self, subject: str) -> Any:
        """The settings of one subject; a tree whose sheet names files of settings extends it.

        Raises:
            StepError: the settings of the subject are refused.
        """
        return self.settings

    def settings_of(self, step: str, subject: str | None = None) -> Any:
        """The settings of a step: the section of its model, or of the one it extends.

        Args:
            subject: whose own settings are meant; None for those of the run.
        """
        model = self.steps[step].settings
        settings = self.settings if subject is None else self.own_settings(subject)
        return settings.section(model) or model()

    def recorded(self, step: str, *keys: str) -> str:
        """The settings of a step, or some of them, as JSON, where they are no defaults.

        They are recorded with the step's outputs: a new setting whose default changes nothing
        is then no reason to compute again. Who changes a default raises the step's version.
        """
        return str(self.settings_of(step).recorded(*keys))

    def own_recorded(self, step: str, *keys: str) -> Parameter | str:
        """Make a parameter: as :meth:`recorded`, of the settings of a job's subject.

        Where no subject has settings of its own it is the text, for which Snakemake need not call
        anything job by job.
        """
        if not self.has_own_settings():
            return self.recorded(step, *keys)

        @signed
        def parameter(wildcards: Any) -> str:
            return str(self.settings_of(step, self._subject_of(wildcards)).recorded(*keys))

        return parameter

    def unrecorded(self, step: str) -> Parameter:
        """Make a parameter: as :meth:`own_recorded`, with the settings that change no result.

        Snakemake records no parameter whose function takes the outputs.
        """

        @cache
        def text_of(subject: str | None) -> str:
            return str(self.settings_of(step, subject).model_dump_json(exclude_defaults=True))

        own = self._subject_of if self.has_own_settings() else lambda wildcards: None
        return signed(lambda wildcards, output: text_of(own(wildcards)))

    def _subject_of(self, wildcards: Any) -> str | None:
        """The subject of a job, where it is one of the sheet."""
        subject = getattr(wildcards, self.subject, None)
        return subject if subject in self.sheet else None

    def cost(self, rule: str, wildcards: Any) -> tuple[float, float, float]:
        """Peak memory (MB), time of one processor (s) and results (MB) of a job of a rule."""
        pairs = self._costs(rule, wildcards)
        files_mb = [mb for cost, size in pairs if not math.isnan(mb := cost.files_mb(size))]
        return (
            max(cost.memory_mb(size) for cost, size in pairs),
            sum(cost.seconds(size) for cost, size in pairs),
            sum(files_mb) if files_mb else math.nan,
        )

    def _costs(self, rule: str, wildcards: Any) -> list[tuple[Cost, Size]]:
        """The cost and the size of every step of a job of a rule."""
        sizes = [(step, self.size(step, wildcards)) for step in self.steps_of(rule)]
        return [(self.costs[f"{step} {size.kind}".strip()], size) for step, size in sizes]

    def memory(self, rule: str) -> Parameter:
        """Make a resource: the memory (MB) that a job of a rule asks for, more when retried."""

        @signed
        def mem_mb(wildcards: Any, attempt: int) -> int:
            pairs = self._costs(rule, wildcards)
            return request_mb(max(cost.memory_mb(size) for cost, size in pairs)) * attempt

        return mem_mb

    def runtime(self, rule: str) -> Parameter:
        """Make a resource: the time (min) that a job of a rule asks for, more when retried."""

        @signed
        def runtime(wildcards: Any, attempt: int) -> int:
            pairs = self._costs(rule, wildcards)
            seconds = sum(cost.seconds(size) for cost, size in pairs)
            return request_minutes(seconds, pairs[-1][0].max_minutes) * attempt

        return runtime

    def write_configuration(self) -> None:
        """Write the settings of the run, with all their defaults, as they may be given again."""
        text = as_yaml({self.name: self.settings})
        write_if_changed(f"{self.results}/configuration.yaml", text)
