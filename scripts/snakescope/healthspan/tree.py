"""The healthspan tree: from raw frames of plates to survival and healthspan curves."""

import argparse
from collections.abc import Collection, Mapping, Sequence
from functools import cache, cached_property
from pathlib import Path
from typing import Any, ClassVar

from snakescope.healthspan.costs import COSTS, PAPER_MEGAPIXELS, size_of_frames, size_of_training
from snakescope.healthspan.fine_tuning.planning import size_of_fine_tuning
from snakescope.healthspan.own_settings import settings_of_plate
from snakescope.healthspan.paper.planning import size_of_paper
from snakescope.healthspan.plates import inferred
from snakescope.healthspan.plates import status as plate_status
from snakescope.healthspan.plates.gaps import beyond_neighbours
from snakescope.healthspan.plates.manifest import (
    block_range,
    is_out_of_date,
    read_megapixels,
    write_frame_size,
    write_manifests,
)
from snakescope.healthspan.plates.scan import PlateScanner
from snakescope.healthspan.plates.sheet import Plate, warnings_of_conditions
from snakescope.healthspan.review.planning import Reviews
from snakescope.healthspan.settings import HealthspanSettings
from snakescope.healthspan.steps import STEPS
from snakescope.healthspan.survival.words import experiment_words
from snakescope.healthspan.training.commands import training_command
from snakescope.healthspan.trial.options import add_options
from snakescope.learning.registry import Model
from snakescope.step.checksum import sha256_of
from snakescope.tree.costs import Size
from snakescope.tree.failures import Failure
from snakescope.tree.parameters import Files, signed
from snakescope.tree.steps import run_outside_a_job
from snakescope.tree.tree import Tree

# Files that other jobs of a plate need, of every block and of the plate.
BLOCK_FILES = ("registered/{block}.tsv", "masks/{block}.json", "states/{block}.tsv")
PLATE_FILES = (
    "reference.json", "frames.tsv", "provenance.json", "tracks.tsv", "curves.png", "quality.html",
)  # fmt: skip
# What the last of a plate's jobs makes; everything else is made before it.
LAST = "contact_sheet.png"
# Rules whose failure leaves a plate in its experiment, and those that leave it its quality.
NOT_COMPARED = ("pages", "experiment")
NOT_JUDGED = ("experiment",)


class Healthspan(Tree[Plate]):
    """The plates of a sample sheet and the files of their results.

    Methods that take ``wildcards`` are input functions and parameters of rules; paths are relative
    to the working directory.
    """

    name = "healthspan"
    subject = "plate"
    parts = ("block",)
    row = Plate
    has_trial = True
    section = HealthspanSettings
    steps = STEPS
    jobs: ClassVar = {
        "detect": ("tile", "detect"),
        "classify": ("second_look", "composite", "evidence", "classify"),
        "track": ("frames_table", "states_table", "track", "provenance"),
        "pages": ("contact_sheet", "quality"),
        "plates": ("plates_table",),
    }
    costs = COSTS
    settings: HealthspanSettings

    def __init__(self, *arguments: Any, **options: Any):
        super().__init__(*arguments, **options)
        self.scanner = PlateScanner(self.settings.plates)
        self.found: dict[str, inferred.Look] = {}
        self.review = Reviews(self.results, self.settings.review.corrections, self.open)
        self.blocks = cache(self._blocks)
        self.megapixels = cache(self._megapixels)
        self.detector = self.weights_of(self.settings_of("detect").weights)
        self.classifier = self.weights_of(self.settings_of("classify").weights)
        self.start_weights = self.weights_of(self.settings_of("fine_tune").start_weights)

    def scan(self, row: Plate) -> list[str]:
        """Read the names in the raw folder of a plate and write the manifests of its blocks."""
        own = self.own_settings(row.name)
        found = self.scanner.scan(row, own.plates)
        folder = self.manifest(row.name)
        look = inferred.Look(row, found, write_frame_size(folder, found), self._pixel_size_um(row))
        inferred.check_one_picture(look)
        write_manifests(folder, found, self.settings.timepoints_per_block)
        times_h = {frame.timepoint: frame.time_h for frame in found.frames if frame.path}
        beyond = beyond_neighbours(list(times_h.values()), own.states.composite.max_gap_h)
        self.found[row.name] = look
        notes = [*found.notes, *(f"{row.name}: {note}" for note in beyond)]
        return [*notes, *inferred.of_pixel_size(look)]

    @cached_property
    def excluded(self) -> dict[str, str]:
        """The plates that the sheet leaves out, or that people left out in their review."""
        return {**self.review.excluded(self.sheet, self.scans), **super().excluded}

    def has_own_settings(self) -> bool:
        """Whether a plate of the sheet names a file of settings."""
        return any(row.settings for row in self.sheet.values())

    def own_settings(self, subject: str) -> HealthspanSettings:
        """The settings of a plate: those of the run, with the differences of its own file.

        Raises:
            StepError: the file is absent or refused, or names models of its own.
        """
        return settings_of_plate(self.settings, self.sheet[subject].settings)

    def max_missing_fraction(self, wildcards: Any) -> float:
        """The fraction of a plate's timepoints that may be missing."""
        return float(self.own_settings(wildcards.plate).plates.max_missing_fraction)

    def conflicts(self) -> dict[str, str]:
        """Plates that have raw images in common, of which none can be trusted."""
        return inferred.same_images(self.found, self.settings.sheet, self.results)

    def after_scan(self) -> list[str]:
        """Write the status of every plate and the plates of every experiment."""
        plate_status.write_sheets(self.results, self.sheet, self.status(), keep=self.dry)
        notes = warnings_of_conditions(self.subjects.values())
        notes += plate_status.left_behind(self.results, self.experiments)
        notes += self.review.write(self.sheet, self.settings.sheet)
        own = [look for name, look in self.found.items() if name in self.subjects]
        return notes + inferred.write_inferred(self.results, own)

    def verdicts(self) -> dict[str, dict[str, str]]:
        """Plates that failed their quality, or have warnings."""
        return plate_status.verdicts_of(self.results, self.subjects)

    def status(
        self, failed: Mapping[str, str] | None = None, unjudged: Mapping[str, str] | None = None
    ) -> dict[str, tuple[str, str]]:
        """Whether each plate is included, excluded, unusable or not computed, and why.

        Args:
            failed: plates that failed in this run, and why; unjudged: those whose pages did.
        """
        status = {name: ("included", (unjudged or {}).get(name, "")) for name in self.sheet}
        for state, reasons in (
            ("not computed", failed or {}),
            ("unusable", self.problems),
            ("excluded", self.excluded),
        ):
            status |= {name: (state, why) for name, why in reasons.items() if name in status}
        return status

    @property
    def experiments(self) -> dict[str, list[str]]:
        """The plates to compute of every experiment, in the order of the sheet."""
        members: dict[str, list[str]] = {}
        for name, plate in self.subjects.items():
            members.setdefault(plate.experiment, []).append(name)
        return members

    def wanted(self) -> list[str]:
        """The last picture of every plate, curves of experiments, what reviews change, all plates.

        Of a job that failed Snakemake removes the output, and would not miss it as long as what
        was made from it earlier is there: files that are gone are asked for by name. To ask for all
        would take longer to plan and change nothing.
        """
        return [
            *(path for name in self.subjects for path in self.lost(name)),
            *(f"{self.results}/{name}/{LAST}" for name in self.subjects),
            *(f"{self.results}/experiments/{name}/curves.png" for name in self.experiments),
            *self.review.conclusions(self.experiments),
            *([f"{self.results}/plates.tsv"] if self.sheet else []),
        ]

    def lost(self, plate: str) -> list[str]:
        """The files needed for a plate's results that are gone, if it has any at all."""
        folder = f"{self.results}/{plate}"
        needed = [f"{folder}/{name}" for name in PLATE_FILES]
        for pattern in BLOCK_FILES:
            needed += self.files(pattern, plate, self.blocks(plate))
        gone = [path for path in needed if not Path(path).exists()]
        begun = len(gone) < len(needed) or Path(folder, LAST).exists()
        return gone if begun else []

    def _blocks(self, plate: str) -> tuple[str, ...]:
        self.open()
        names = (path.stem for path in Path(self.manifest(plate)).glob("t*-t*.tsv"))
        return tuple(sorted(names, key=lambda name: block_range(name).start))

    def files(self, pattern: str, plate: str, blocks: Sequence[str]) -> list[str]:
        """``pattern``, with ``{block}``, for some blocks of a plate."""
        return [f"{self.results}/{plate}/{pattern.replace('{block}', block)}" for block in blocks]

    def of_blocks(self, pattern: str, first: int | None = None) -> Files:
        """Make an input function: ``pattern`` for every block of the plate, or the ``first``."""
        return signed(lambda row: self.files(pattern, row.plate, self.blocks(row.plate)[:first]))

    def of_neighbours(self, pattern: str) -> Files:
        """Make an input function: ``pattern`` for the block, the one before and the one after."""

        @signed
        def files(wildcards: Any) -> list[str]:
            blocks = self.blocks(wildcards.plate)
            at = blocks.index(wildcards.block)
            return self.files(pattern, wildcards.plate, blocks[max(at - 1, 0) : at + 2])

        return files

    def of_experiment(self, pattern: str) -> Files:
        """Make an input function: ``pattern`` for every plate of the experiment."""
        return lambda wildcards: [
            self.review.path(plate, pattern)
            for plate in self.experiments.get(wildcards.experiment, [])
        ]

    def quality_rows(self, wildcards: Any = None, without: Collection[str] = ()) -> list[str]:
        """The row of quality of every plate to compute."""
        plates = (plate for plate in self.subjects if plate not in without)
        return [f"{self.results}/{plate}/quality.tsv" for plate in plates]

    def first_manifest(self, wildcards: Any) -> str:
        """The manifest of the plate's first block.

        Raises:
            StepError: the sheet has no such plate, or its folder cannot be used.
        """
        name = wildcards.plate
        if not self.blocks(name):
            raise self.unusable(name)
        return f"{self.manifest(name)}/{self.blocks(name)[0]}.tsv"

    def reference_manifest(self, wildcards: Any) -> Any:
        """The manifest of the first block, of age only where the reference's files changed.

        A block that is still filling changes its manifest, but not the plate's reference.
        """
        from snakemake.io import ancient

        path = self.first_manifest(wildcards)
        reference = f"{self.results}/{wildcards.plate}/reference.json"
        return path if is_out_of_date(reference, path) else ancient(path)

    def reference_settings(self, wildcards: Any) -> str:
        """The settings of the reference, with the checksum of the template of the mark."""
        settings = self.settings_of("register", wildcards.plate)
        template = settings.mark_template
        recorded = self.settings_of("reference", wildcards.plate).recorded()
        return f"{recorded} {sha256_of(template)}" if Path(template).is_file() else recorded

    def pixel_size_um(self, wildcards: Any) -> float:
        """The pixel size of the plate's raw images (um)."""
        return self._pixel_size_um(self.sheet[wildcards.plate])

    def _pixel_size_um(self, row: Plate) -> float:
        return float(row.pixel_size_um or self.own_settings(row.name).plates.pixel_size_um)

    def worms(self, wildcards: Any) -> int | str:
        """The number of worms put on the plate, or ``unknown``."""
        worms = self.sheet[wildcards.plate].worms
        return "unknown" if worms is None else worms

    def _megapixels(self, plate: str) -> float:
        return read_megapixels(self.manifest(plate)) or PAPER_MEGAPIXELS

    def size(self, step: str, wildcards: Any) -> Size:
        """Megapixels of a frame and frames of a job; of tables of plates, their number."""
        match step:
            case "simulate":
                drawn = self.settings_of("simulate")
                return size_of_frames(drawn.frame_px**2 / 1e6, drawn.timepoints)
            case "train_detector":
                scenes = self.settings_of("train_detector")
                amount = scenes.scenes * (scenes.scene_px / 560) ** 2
                return size_of_training(step, scenes.architecture, amount)
            case _ if step.startswith("paper"):
                return size_of_paper(step, self.settings.paper)
            case "audit" | "fine_tune" | "fine_tune_scores" | "fine_tune_states":
                return size_of_fine_tuning(step, self.settings.fine_tuning)
            case "train_classifier":
                shown = self.settings_of("train_classifier")
                each = shown.per_state + shown.validation_per_state + shown.held_out_per_state
                return size_of_training(step, shown.architecture, 3 * each)
        plate = getattr(wildcards, "plate", None)
        if plate is None:
            members = self.experiments.get(getattr(wildcards, "experiment", ""), self.subjects)
            return size_of_frames(0.0, len(members))
        # Every block counts as full.
        blocks = 1 if hasattr(wildcards, "block") else len(self.blocks(plate))
        return size_of_frames(self.megapixels(plate), blocks * self.settings.timepoints_per_block)

    def models(self) -> Mapping[str, Model]:
        """The detector and the classifier."""

        def of(kind: str, weights: str, key: str) -> Model:
            return Model(weights, f"healthspan: {key}", training_command(kind, weights))

        detector = of("detector", self.detector, "detection: detect: weights")
        classifier = of("classifier", self.classifier, "states: classify: weights")
        start = of("detector", self.start_weights, "fine_tuning: detector: start_weights")
        of_paper = {"paper_states": classifier, "paper_detection": detector}
        return {"detect": detector, "classify": classifier, "fine_tune": start, **of_paper}

    @classmethod
    def add_inspect_options(cls, parser: argparse.ArgumentParser) -> None:
        """Add what a person may say of a folder of plates."""
        add_options(parser)

    def inspect(self, folder: str, options: argparse.Namespace) -> list[str]:
        """Proposals for the plates of a folder, which are written into sheet and settings."""
        from snakescope.healthspan.inspection.inspect import inspect_folder

        return inspect_folder(folder, options, self.settings)

    def trial(self, subject: str, options: argparse.Namespace) -> list[str]:
        """Register, search and judge three frames of a plate; propose settings that help."""
        from snakescope.healthspan.trial.command import trial_of

        weights = (self.detector, self.checksum(self.detector))
        return trial_of(self.sheet[subject], self.settings, options, weights)

    def summary(self) -> list[str]:
        """The pictures to open, where there are any; pages of repaired plates are removed."""
        for name in self.sheet:
            Path(self.results, name, "problem.html").unlink(missing_ok=True)
        pictures = [f"{self.results}/experiments/{name}/curves.png" for name in self.experiments]
        pictures = [path for path in pictures if Path(path).exists()]
        for page in ("contact_sheet.html", "quality.html"):
            paths = [f"{self.results}/{name}/{page}" for name in self.subjects]
            paths = [path for path in paths if Path(path).exists()]
            more = f"  (and {len(paths) - 1} more plates)" if paths[1:] else ""
            pictures += [paths[0] + more] if paths else []
        whole = [f"{self.results}/{page}" for page in ("plates.html", "review.html")]
        pictures += [path for path in whole if pictures and Path(path).exists()]
        return ["\n  ".join(["Open:", *pictures])] if pictures else []

    def without_failed(
        self, failures: Sequence[Failure], unfinished: Collection[str], planned: Collection[str]
    ) -> list[str]:
        """Compare the experiments of plates that failed without these, and list all plates.

        A plate whose pages alone failed is compared. Nothing is made that the run had not planned,
        or where other plates are unfinished, as after an interruption.
        """
        failed = plate_status.reasons_of(failures, NOT_COMPARED)
        unjudged = plate_status.reasons_of(failures, NOT_JUDGED)
        own = {name for name in unjudged if name in self.subjects}
        from snakescope.healthspan.report.problem_page import write_problem_pages

        pages = write_problem_pages(self.results, unjudged, self.sheet)
        table = f"{self.results}/plates.tsv"
        if not own or table not in planned or set(unfinished) & set(self.subjects) - own:
            return pages
        plate_status.write_sheets(self.results, self.sheet, self.status(failed, unjudged))
        made = []
        for experiment, members in self.experiments.items():
            left = [plate for plate in members if plate not in failed]
            folder = f"{self.results}/experiments/{experiment}"
            if f"{folder}/survival.tsv" in planned and left and len(left) < len(members):
                words = experiment_words(folder, experiment, left, self.review.path)
                settings = ("--settings", self.recorded("experiment"))
                problem = run_outside_a_job(self.name, "experiment", *words, *settings)
                made.append(f"{folder}/curves.png" + (f": {problem}" if problem else ""))
        problem = run_outside_a_job(
            self.name,
            "plates_table",
            *("--status", f"{self.results}/status.tsv"),
            *("--rows", *self.quality_rows(without=own)),
            *("--table", table, "--page", f"{self.results}/plates.html"),
        )
        made.append(table + (f": {problem}" if problem else ""))
        return [*pages, "\n  ".join(["made without the plates that failed:", *made])]
