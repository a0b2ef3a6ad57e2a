"""Which files the rules of the tree depend on.

The main process scans the raw folders once and writes what it found: a manifest per block
of every plate, and the status of every plate. The process of every job parses the
Snakefile again, often on another machine, and only reads those. So nothing here looks
into a raw folder, and every question is answered by a lookup.
"""

import csv
from collections.abc import Callable, Sequence
from functools import cache, cached_property
from pathlib import Path
from typing import Any

from snakemake.io import ancient

from snakescope.healthspan.plates.manifest import (
    PlateFrames,
    block_range,
    is_out_of_date,
    is_scanned,
    read_megapixels,
    read_problem,
    write_frame_size,
    write_manifests,
    write_problem,
)
from snakescope.healthspan.plates.scan import scan_plates
from snakescope.healthspan.plates.sheet import Plate, warnings_of_mixed_days
from snakescope.healthspan.plates.status import left_behind, write_sheets
from snakescope.healthspan.resources import PAPER_MEGAPIXELS, memory_mb, runtime_min, training_mb
from snakescope.healthspan.settings import HealthspanSettings
from snakescope.settings.parameters import handed_over
from snakescope.step.failures import FAILURES
from snakescope.step.output import write_if_changed
from snakescope.step.signature import signed
from snakescope.tree.provenance import as_yaml, sha256_of_file

RESULTS = "results/healthspan"
# A file of every job that others need, of blocks and of the plate.
BLOCKS_ON_THE_WAY = (
    "registered/{block}.tsv",
    "masks/{block}.json",
    "states/{block}.tsv",
)
ON_THE_WAY = (
    "reference.json",
    "frames.tsv",
    "provenance.json",
    "tracks.tsv",
    "curves.png",
    "quality.html",
)
# What the last of a plate's jobs makes; everything else is on the way to it.
PLATE_RESULTS = ("contact_sheet.png",)
EXPERIMENT_RESULTS = ("curves.png",)
# Rules whose failure leaves a plate in its experiment, and those that leave it its quality.
NOT_COMPARED = ("pages", "experiment")
NOT_JUDGED = ("experiment",)


Size = Callable[[Any], tuple[float, int]]


class Tree:
    """The plates of a sample sheet and the files of their results.

    Methods that take ``wildcards`` are input functions of rules; they return paths relative
    to the working directory.
    """

    def __init__(
        self, plates: Sequence[Plate], settings: HealthspanSettings, results: str = RESULTS
    ):
        """Take the plates of the sample sheet, excluded ones among them."""
        self.settings = settings
        self.results = results
        self.sheet = {plate.name: plate for plate in plates}
        self.blocks = cache(self._blocks)
        self.megapixels = cache(self._megapixels)

    def scan(self, only_new: bool = False) -> list[str]:
        """Scan the raw folders and write what was found, where it differs from the last time.

        For the main process only. A file that stays as it is keeps its modification time, so
        nothing that was made from it is made again.

        Args:
            only_new: write nothing that is there already. The jobs of a run at work read the
                blocks that it was planned with; other ones would ask for files nobody makes.

        Returns:
            What a user may want to know of the plates, one sentence each.
        """
        if self.settings.leave_out_failed:
            self.write_sheets()
            return warnings_of_mixed_days(self.plates.values())
        wanted = [plate for plate in self.sheet.values() if not plate.excluded]
        if only_new:
            wanted = [plate for plate in wanted if not is_scanned(self._manifest(plate.name))]
        notes: list[str] = []
        for name, found in scan_plates(wanted, self.settings.ingest).items():
            folder = self._manifest(name)
            if isinstance(found, PlateFrames):
                write_manifests(folder, found, self.settings.timepoints_per_block)
                write_frame_size(folder, found)
                notes += found.notes
            else:
                write_problem(folder, found)
                notes.append(f"{name}: {found.reason}")
        self.write_sheets(only_new)
        notes += left_behind(self.results, self.experiments)
        return notes + warnings_of_mixed_days(self.plates.values())

    def write_sheets(self, only_new: bool = False) -> None:
        """Write the status of every plate, and for every experiment who is in it and who is not."""
        status = {name: self.status(name) for name in self.sheet}
        write_sheets(self.results, self.sheet, status, only_new)

    def write_configuration(self) -> None:
        """Write the settings of the run, with all their defaults, as they may be given again."""
        write_if_changed(
            f"{self.results}/configuration.yaml", as_yaml({"healthspan": self.settings})
        )

    def status(self, name: str) -> tuple[str, str]:
        """Return whether a plate is included, excluded, unusable or not computed, and why."""
        if self.sheet[name].excluded:
            return "excluded", self.sheet[name].exclusion
        if name in self.problems:
            return "unusable", self.problems[name]
        if name in self.failed:
            return "not computed", self.failed[name]
        return "included", self.unjudged.get(name, "")

    @cached_property
    def problems(self) -> dict[str, str]:
        """The plates whose raw folder cannot be used, and why in one sentence."""
        found = {
            name: read_problem(self._manifest(name))
            for name, plate in self.sheet.items()
            if not plate.excluded
        }
        return {name: problem for name, problem in found.items() if problem is not None}

    @cached_property
    def failed(self) -> dict[str, str]:
        """The plates to be left out since they failed in the last run, and why."""
        return self._failed(NOT_COMPARED)

    @cached_property
    def unjudged(self) -> dict[str, str]:
        """The plates whose quality is not known since they failed in the last run, and why."""
        return self._failed(NOT_JUDGED)

    def _failed(self, harmless: Sequence[str]) -> dict[str, str]:
        path = Path(self.results, FAILURES)
        if not self.settings.leave_out_failed or not path.exists():
            return {}
        with path.open(encoding="utf-8", newline="") as file:
            rows = [r for r in csv.DictReader(file, delimiter="\t") if r["rule"] not in harmless]
        reasons: dict[str, str] = {}
        for row in rows:
            where = " ".join(filter(None, (row["rule"], row["block"])))
            reasons.setdefault(row["plate"], f"{where}: {row['reason']}")
        return reasons

    @cached_property
    def plates(self) -> dict[str, Plate]:
        """The plates to compute: neither excluded nor unusable, nor left out since they failed."""
        without = {*self.problems, *self.failed}
        return {n: p for n, p in self.sheet.items() if not p.excluded and n not in without}

    @cached_property
    def experiments(self) -> dict[str, list[str]]:
        """The plates to compute of every experiment, in the order of the sheet."""
        members: dict[str, list[str]] = {}
        for name, plate in self.plates.items():
            members.setdefault(plate.experiment, []).append(name)
        return members

    def _manifest(self, plate: str) -> str:
        return f"{self.results}/{plate}/manifest"

    def _blocks(self, plate: str) -> tuple[str, ...]:
        names = (path.stem for path in Path(self._manifest(plate)).glob("t*-t*.tsv"))
        return tuple(sorted(names, key=lambda name: block_range(name).start))

    def settings_of(self, step: str) -> str:
        """Return the settings of a step as JSON, those that differ from their defaults.

        They are recorded with the step's outputs: a new setting whose default changes nothing
        is then no reason to compute again. Who changes a default raises the step's version.
        """
        return str(getattr(self.settings, step).recorded())

    def handed_to(self, step: str) -> Callable[..., str]:
        """Make a parameter: as :meth:`settings_of`, with those that change no result."""
        return handed_over(getattr(self.settings, step))

    def reference_settings(self, wildcards: Any) -> str:
        """As :meth:`settings_of` the registration, with what is in the template of the mark."""
        template = self.settings.register.mark_template
        if not template or not Path(template).exists():
            return self.settings_of("register")
        return f"{self.settings_of('register')} {sha256_of_file(template)}"

    @signed
    def pixel_size_um(self, wildcards: Any) -> float:
        """The pixel size of the plate's raw images (um)."""
        own = self.sheet[wildcards.plate].pixel_size_um
        return self.settings.ingest.pixel_size_um if own is None else own

    @signed
    def worms(self, wildcards: Any) -> int | str:
        """The number of worms put on the plate, or ``unknown``."""
        worms = self.sheet[wildcards.plate].worms
        return "unknown" if worms is None else worms

    def memory(self, *steps: str, size: Size | None = None) -> Callable[..., int]:
        """Make a resource function: the memory (MB) for a job of ``steps``, more when retried.

        ``size`` answers megapixels and frames of a job; else it is :meth:`job_size`.
        """
        size_of = size or self.job_size

        @signed
        def mem_mb(wildcards: Any, attempt: int) -> int:
            return memory_mb(steps, *size_of(wildcards)) * attempt

        return mem_mb

    def runtime(self, *steps: str, size: Size | None = None) -> Callable[..., int]:
        """Make a resource function: the time (min) for a job of ``steps``, more when retried."""
        size_of = size or self.job_size

        @signed
        def runtime(wildcards: Any, attempt: int) -> int:
            return runtime_min(steps, *size_of(wildcards)) * attempt

        return runtime

    def training_memory_mb(self, model: str) -> int:
        """Memory (MB) for the training of the detector or of the classifier."""
        if model == "detector":
            drawn = self.settings.train_detector
            scenes = drawn.scenes * (drawn.scene_px / 560) ** 2
            return training_mb(model, drawn.architecture, scenes)
        shown = self.settings.train_classifier
        of_a_state = shown.per_state + shown.validation_per_state + shown.held_out_per_state
        return training_mb(model, shown.architecture, 3 * of_a_state)

    def simulated_size(self, wildcards: Any) -> tuple[float, int]:
        """Megapixels of a frame, and the frames, of a plate that is simulated."""
        simulate = self.settings.simulate
        return simulate.frame_px**2 / 1e6, simulate.timepoints

    def job_size(self, wildcards: Any) -> tuple[float, int]:
        """Megapixels of a frame, and the frames of a block or plate; else the number of plates.

        Every block counts as full.
        """
        plate = getattr(wildcards, "plate", None)
        if plate is None:
            members = self.experiments.get(getattr(wildcards, "experiment", ""), self.plates)
            return 0.0, len(members)
        blocks = 1 if hasattr(wildcards, "block") else len(self.blocks(plate))
        return self.megapixels(plate), blocks * self.settings.timepoints_per_block

    def _megapixels(self, plate: str) -> float:
        return read_megapixels(self._manifest(plate)) or PAPER_MEGAPIXELS

    @signed
    def first_manifest(self, wildcards: Any) -> str:
        """The manifest of the plate's first block."""
        return f"{self._manifest(wildcards.plate)}/{self.blocks(wildcards.plate)[0]}.tsv"

    @signed
    def reference_manifest(self, wildcards: Any) -> str:
        """The manifest of the first block, of age only where the reference's files changed.

        A block that is still filling changes its manifest, but not the plate's reference.
        """
        path = self.first_manifest(wildcards)
        reference = f"{self.results}/{wildcards.plate}/reference.json"
        return path if is_out_of_date(reference, path) else ancient(path)

    @signed
    def first_frames(self, wildcards: Any) -> tuple[str, ...]:
        """The raw files of the plate's first timepoint.

        Its reference is made from them, or from those of a later one where a channel is absent or
        cannot be read: see :meth:`reference_manifest`.
        """
        with open(self.first_manifest(wildcards), encoding="utf-8", newline="") as file:
            rows = [r for r in csv.DictReader(file, delimiter="\t") if r["status"] == "present"]
        return tuple(row["path"] for row in rows if row["timepoint"] == rows[0]["timepoint"])

    def of_blocks(self, pattern: str) -> Callable[[Any], list[str]]:
        """Make an input function: ``pattern``, with ``{block}``, for every block of the plate."""

        @signed
        def files(wildcards: Any) -> list[str]:
            return self._files(pattern, wildcards.plate, self.blocks(wildcards.plate))

        return files

    def of_neighbours(self, pattern: str) -> Callable[[Any], list[str]]:
        """Make an input function: ``pattern`` for the block, the one before and the one after."""

        @signed
        def files(wildcards: Any) -> list[str]:
            blocks = self.blocks(wildcards.plate)
            at = blocks.index(wildcards.block)
            return self._files(pattern, wildcards.plate, blocks[max(at - 1, 0) : at + 2])

        return files

    def of_experiment(self, pattern: str) -> Callable[[Any], list[str]]:
        """Make an input function: ``pattern`` for every plate of the experiment."""

        @signed
        def files(wildcards: Any) -> list[str]:
            plates = self.experiments.get(wildcards.experiment, [])
            return [f"{self.results}/{plate}/{pattern}" for plate in plates]

        return files

    def quality_rows(self) -> list[str]:
        """The row of quality of every plate that has one."""
        plates = (plate for plate in self.plates if plate not in self.unjudged)
        return [f"{self.results}/{plate}/quality.tsv" for plate in plates]

    def of_plates(self, *patterns: str) -> list[str]:
        """Return every one of ``patterns`` for every plate to compute."""
        folders = [f"{self.results}/{plate}" for plate in self.plates]
        return [f"{folder}/{pattern}" for folder in folders for pattern in patterns]

    def targets(self) -> list[str]:
        """Return what a run makes by default; for an unusable plate, what its rule cannot make."""
        return [
            *(path for plate in self.plates for path in self.lost(plate)),
            *self.of_plates(*PLATE_RESULTS),
            *self.of_experiments(*EXPERIMENT_RESULTS),
            f"{self.results}/plates.tsv",
            *(f"{self.results}/{name}/manifest/usable" for name in self.problems),
        ]

    def lost(self, plate: str) -> list[str]:
        """Return the files on the way to the plate's results that are gone, if it has any at all.

        Of a job that failed, Snakemake removes the output, and it would not miss it as long as
        what was made from it earlier is still there. To ask for all of them would take longer to
        plan and change nothing: those that are there are looked at in any case.
        """
        folder = f"{self.results}/{plate}"
        asked = [f"{folder}/{name}" for name in ON_THE_WAY]
        for pattern in BLOCKS_ON_THE_WAY:
            asked += self._files(pattern, plate, self.blocks(plate))
        gone = [path for path in asked if not Path(path).exists()]
        results = (Path(folder, name) for name in PLATE_RESULTS)
        begun = len(gone) < len(asked) or any(path.exists() for path in results)
        return gone if begun else []

    def of_experiments(self, *patterns: str) -> list[str]:
        """Return every one of ``patterns`` for every experiment."""
        folders = [f"{self.results}/experiments/{experiment}" for experiment in self.experiments]
        return [f"{folder}/{pattern}" for folder in folders for pattern in patterns]

    def _files(self, pattern: str, plate: str, blocks: Sequence[str]) -> list[str]:
        return [f"{self.results}/{plate}/{pattern.replace('{block}', block)}" for block in blocks]
