"""What the detector gains from annotated frames of plates of a look that it does not know.

    python -m benchmarks.healthspan.review_learning

Simulated plates of a look on which the shipped detector is weak go through the workflow. Of all but
the last two the frames are chosen that would teach most, as `snakemake healthspan_annotations`
chooses them, and their worms drawn as they are in truth. The detector is trained further on these,
as `snakemake healthspan_train` does, and the last plates are searched again. Then the classifier is
trained further on the true states of the worms that were followed, as `snakemake
healthspan_fine_tune_states` does, and calls what the new detector found. What is there already from
an earlier run is not computed again.
"""

import argparse
import json
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from benchmarks import ROOT
from benchmarks.healthspan.review import COLUMNS, LEARNING, in_words
from benchmarks.healthspan.review_again import searched_otherwise
from benchmarks.healthspan.second_look import followed, registered_and_searched, step
from snakescope.healthspan.detection.settings import DetectSettings
from snakescope.healthspan.evaluation.scores import detections
from snakescope.healthspan.fine_tuning.fit import at_threshold, best_threshold
from snakescope.healthspan.fine_tuning.fit_states import fine_tune_states
from snakescope.healthspan.fine_tuning.package import (
    COCO,
    FOLDERS,
    SHEET,
    WORM_CLASS,
    read_tracks,
    sheet,
    write_frames,
)
from snakescope.healthspan.fine_tuning.polygons import polygons_of
from snakescope.healthspan.fine_tuning.settings import (
    AnnotationPackageSettings,
    FineTuneSettings,
    FineTuneStatesSettings,
)
from snakescope.healthspan.fine_tuning.state_examples import examples_of
from snakescope.healthspan.fine_tuning.teaching import Chosen, choose, frame_scores
from snakescope.healthspan.geometry import PIXEL_SIZE_UM
from snakescope.healthspan.simulation.optics import LookRanges
from snakescope.healthspan.simulation.settings import SimulateSettings
from snakescope.healthspan.simulation.simulate import is_simulated, simulate_plate
from snakescope.healthspan.states.settings import ClassifySettings, SecondLookSettings
from snakescope.healthspan.states.sightings import all_masks
from snakescope.healthspan.states.states import STATES
from snakescope.imaging.masks import INSTANCES_PER_TIMEPOINT, MaskSet, read_masks
from snakescope.learning.intervals import bootstrap_interval
from snakescope.learning.weights import save_weights
from snakescope.report.pages import write_text
from snakescope.step.checksum import sha256_of
from snakescope.step.command import parser_of, run_step
from snakescope.step.tables import read_table, write_table

Row = tuple[str, str, float, str]
FIRST_SEED = 9_195_000
FAINT = LookRanges(
    density=(0.22, 0.34),
    edge=(0.6, 1.0),
    mottle=(0.3, 0.9),
    blur=(1.2, 1.8),
    light=(0.4, 0.7),
    grain=(0.02, 0.03),
    lawn=(0.03, 0.06),
    noise=(0.008, 0.012),
    debris=(100.0, 200.0),
    hollow=(0.5, 0.8),
)
"""Faint worms with a bright core and a dark outline on grainy agar, in bright field alone."""


@dataclass(frozen=True)
class FrameCounts:
    """What was found in a frame.

    Attributes:
        detection: worms, worms found, false objects.
        states: of each of ``STATES``: called right, worms that are, objects called so, (3, 3).
    """

    detection: NDArray[np.int64]
    states: NDArray[np.int64]


def detection_f(counts: Sequence[FrameCounts]) -> float:
    """F of finding worms; NaN without any."""
    worms, found, false = np.sum([one.detection for one in counts], axis=0)
    return float(2 * found / (worms + found + false)) if worms + found + false else np.nan


def state_f(counts: Sequence[FrameCounts]) -> float:
    """Mean F of the states that there are; a worm missed is a state missed."""
    right, are, called = np.sum([one.states for one in counts], axis=0).T
    there = are > 0
    return float((2 * right / np.maximum(are + called, 1))[there].mean()) if there.any() else np.nan


def masks_by_frame(folder: Path) -> Iterator[MaskSet]:
    """The masks of every frame of a plate."""
    for path in sorted((folder / "masks").glob("t*-t*.json")):
        masks = all_masks(path)
        for timepoint in masks.timepoints:
            yield MaskSet(masks.plate, masks.pixel_size_um, masks.height, masks.width,
                          (timepoint,), tuple(masks.at(timepoint)))  # fmt: skip


def true_states(truth: Path) -> dict[tuple[int, int], str]:
    """The state of every worm, by timepoint and number."""
    table = read_table(truth / "states.tsv")
    keys = zip(table["timepoint"], table["worm"], strict=True)
    return dict(zip(keys, table["state"], strict=True))


def counts_of(folder: Path, truth: Path) -> list[FrameCounts]:
    """What was found in every frame of a plate."""
    true, state = read_masks(truth / "masks.json"), true_states(truth)
    given = read_table(folder / "states.tsv")
    called = dict(zip(given["instance"].astype(int), given["state"], strict=True))
    made = []
    for one in masks_by_frame(folder):
        result = detections(true, [one])
        states = np.zeros((len(STATES), 3), np.int64)
        for worm in true.at(one.timepoints[0]):
            key = (one.timepoints[0], worm.identifier % INSTANCES_PER_TIMEPOINT)
            states[STATES.index(state[key]), 1] += 1
        for mask in one.instances:
            if called.get(mask.identifier) in STATES:
                states[STATES.index(called[mask.identifier]), 2] += 1
        for at, number, instance in result.pairs:
            own = state[at, number]
            states[STATES.index(own), 0] += called.get(instance) == own
        found = (result.found.size, int(result.found.sum()), result.false)
        made.append(FrameCounts(np.array(found, np.int64), states))
    return made


DETECTIONS = ("", detection_f, "F of detections, IoU 0.5")
STATES_TOO = ("state_", state_f, "mean F of states, missed worms among them")
BOTH = ("both_state_", state_f, "mean F of states, the classifier taught as well")


def gains(
    before: Sequence[FrameCounts], after: Sequence[FrameCounts], *measures: Any
) -> Iterator[Row]:
    """F of detections and states before and after, and the gain with its interval over frames."""
    for name, measure, words in measures or (DETECTIONS, STATES_TOO):

        def gain(rows: Any, measure: Any = measure) -> float:
            chosen = [int(one) for one in rows]
            return float(
                measure([after[one] for one in chosen]) - measure([before[one] for one in chosen])
            )

        found = bootstrap_interval(gain, np.arange(len(before)), seed=19)
        yield LEARNING, f"{name}f_before", measure(before), words
        yield LEARNING, f"{name}f_after", measure(after), words
        yield LEARNING, f"{name}gain_f", found.value, f"{words}: after less before"
        yield LEARNING, f"{name}gain_f_low", found.low, "95 % interval over frames held out"
        yield LEARNING, f"{name}gain_f_high", found.high, "95 % interval over frames held out"


def plate_of(folder: Path, number: int, settings: SimulateSettings) -> str:
    """Simulate a plate and take it through the workflow, where that is not done; its name."""
    plate = f"L{number + 1}"
    raw, source, seed = folder / "raw", folder / plate, FIRST_SEED + number
    if not is_simulated(raw / plate, settings, seed):
        simulate_plate(settings, plate, seed, raw, FAINT)
    registered_and_searched(source, raw / plate / "raw", plate)
    if not (source / "first/tracks.tsv").exists():
        followed(source, source / "first", source, SecondLookSettings(), plate, settings)
    return plate


def chosen_of(plate: str, tracks: pd.DataFrame, frames: int, timepoints: int) -> list[Chosen]:
    """The frames of a plate that would teach most, and others where there are too few."""
    settings = AnnotationPackageSettings(frames=frames, frames_per_plate=frames, apart_frames=1)
    chosen = choose({plate: frame_scores(tracks)}, settings) if len(tracks) else []
    for timepoint in (
        np.linspace(0, timepoints - 1, min(frames, timepoints)).round().astype(int).tolist()
    ):
        if len(chosen) < frames and timepoint not in {one.timepoint for one in chosen}:
            chosen.append(Chosen(plate, timepoint, "evenly"))
    return chosen


def package_of(folder: Path, plates: Sequence[str], frames: int, timepoints: int) -> Path:
    """Choose frames of all plates, draw their worms as in truth, and return the folder.

    The last plate is held out; its frames are drawn as well, for the scores of the training.
    """
    package = folder / "annotations"
    for name in FOLDERS:
        (package / name).mkdir(parents=True, exist_ok=True)
    images: list[dict[str, Any]] = []
    notes: list[dict[str, Any]] = []
    rows: list[dict[str, Any]] = []
    for plate in plates:
        truth = read_masks(folder / "raw" / plate / "truth/masks.json")
        if not (there := folder / plate / "frames.tsv").exists():
            there.symlink_to((folder / plate / "first/frames.tsv").resolve())
        tracks = read_tracks(str(folder / plate / "first/tracks.tsv"))
        chosen = chosen_of(plate, tracks, frames, timepoints)
        made = write_frames(package, plate, folder / plate, tracks, chosen, "bright_field")
        for image, _, row in made:
            timepoint = int(Path(image["file_name"]).stem.rpartition("_t")[2])
            images.append({"id": len(images) + 1, **image})
            rows.append(row)
            for worm in truth.at(timepoint):
                notes.append(
                    {
                        "id": len(notes) + 1, "image_id": len(images), "category_id": 1,
                        "segmentation": polygons_of(worm), "area": worm.area, "iscrowd": 0,
                        "bbox": [worm.left, worm.top, worm.mask.shape[1], worm.mask.shape[0]],
                    }
                )  # fmt: skip
    document = {"images": images, "annotations": notes, "categories": [WORM_CLASS]}
    (package / COCO).write_text(json.dumps(document))
    table = sheet(rows, package)
    part = (table["group"] == plates[-1]).map({True: "held_out", False: "train"})
    write_table(package / SHEET, table.assign(set=part))
    return package


def taught(folder: Path, package: Path, settings: FineTuneSettings) -> tuple[Path, float]:
    """Train the shipped detector further; return the weights and the threshold of its masks."""
    to = folder / f"training_{settings.steps}"
    weights, thresholds = to / "detector.safetensors", to / "thresholds.tsv"
    to.mkdir(exist_ok=True)
    if not weights.exists():
        labelled, splits = to / "labelled", to / "splits.tsv"
        step(
            "audit",
            *("--sheet", package / SHEET, "--pixel-size-um", PIXEL_SIZE_UM),
            *("--settings", "{}", "--labelled", labelled, "--splits", splits),
            *("--findings", to / "findings.tsv", "--report", to / "report.tsv"),
        )
        step(
            "fine_tune",
            *("--labelled", labelled, "--splits", splits),
            *("--settings", settings.model_dump_json(), "--start-weights", settings.start_weights),
            *("--checkpoint", to / "detector.ckpt", "--weights", weights),
            *("--thresholds", thresholds, "--history", to / "history.tsv"),
            *("--curves", to / "history.svg"),
        )
    table = read_table(thresholds, ("mask_threshold", "mask_iou"))
    return weights, best_threshold(table, DetectSettings().mask_threshold)


def labels_of(folder: Path, truth: Path) -> pd.DataFrame:
    """Instance, track and true state of every worm that was followed and counts."""
    true, state = read_masks(truth / "masks.json"), true_states(truth)
    own = {
        instance: state[at, number]
        for one in masks_by_frame(folder)
        for at, number, instance in detections(true, [one]).pairs
    }
    tracks = read_tracks(str(folder / "tracks.tsv"))
    followed = tracks[(tracks["counted"] == 1) & tracks["instance"].isin(list(own))]
    return followed[["instance", "track"]].assign(consistent_state=followed["instance"].map(own))


def taught_states(
    folder: Path, plates: Sequence[str], settings: FineTuneStatesSettings
) -> tuple[Path, str] | None:
    """Train the shipped classifier further; return its weights and their checksum.

    None where no worm was followed of which a composite shows movement.
    """
    weights = folder / f"training_states_{settings.steps}.safetensors"
    if not weights.exists():
        examples = []
        for plate in plates:
            first = folder / plate / "first"
            labels = labels_of(first, folder / "raw" / plate / "truth")
            examples.append(examples_of(plate, labels, sorted(first.glob("composites/*.tif"))))
        if not any(len(one.states) for one in examples):
            return None
        model, card = fine_tune_states(examples, ClassifySettings().weights, settings, None)
        save_weights(weights, model, card)
    return weights, sha256_of(weights)


def called_again(folder: Path, to: Path, weights: Path, sha256: str) -> None:
    """Call the states of what was found below ``folder`` with other weights."""
    (to / "states").mkdir(parents=True, exist_ok=True)
    if not (to / "masks").exists():
        (to / "masks").symlink_to((folder / "masks").resolve())
    made = []
    for stack in sorted(folder.glob("composites/*.tif")):
        made.append(to / f"states/{stack.stem}.tsv")
        step(
            "classify",
            *("--composites", stack, "--index", stack.with_suffix(".tsv"), "--settings", "{}"),
            *("--evidence", folder / f"evidence/{stack.stem}.tsv", "--weights", weights),
            *("--sha256", sha256, "--states", made[-1]),
        )
    step("states_table", "--tables", *made, "--frames", folder / "frames.tsv",
         "--states", to / "states.tsv")  # fmt: skip


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of the benchmark."""
    parser.add_argument("--taught", type=int, default=3, help="plates to learn from (3)")
    parser.add_argument("--held-out", type=int, default=2, help="plates to search again (2)")
    parser.add_argument("--worms", type=int, default=15, help="on each plate (15)")
    parser.add_argument("--frame-px", type=int, default=880, help="side of their frames (880)")
    parser.add_argument("--frames", type=int, default=16, help="of each plate (16)")
    parser.add_argument("--annotated", type=int, default=6, help="frames of each plate (6)")
    parser.add_argument("--steps", type=int, default=250, help="of the training (250)")
    parser.add_argument("--crop-px", type=int, default=320, help="side of its crops (320)")
    parser.add_argument("--scenes", type=int, default=40, help="simulated scenes in it (40)")
    parser.add_argument("--state-steps", type=int, default=200, help="of the classifier (200)")
    parser.add_argument("--simulated", type=int, default=150, help="composites a state in it (150)")
    parser.add_argument("--folder", type=Path, default=ROOT / "benchmarks/runs/review-learning")
    parser.add_argument("--page", type=Path, default=ROOT / "docs/benchmarks/healthspan-review.md")
    parser.add_argument("--table", type=Path, default=ROOT / "docs/tables/healthspan-review.tsv")


def main(given: argparse.Namespace) -> None:
    """Run the benchmark, and put its rows in place of earlier ones in the table."""
    simulation = SimulateSettings(
        frame_px=given.frame_px,
        timepoints=given.frames,
        interval_h=24.0,
        worms=given.worms,
        channels=("bright_field",),
        looks="unseen",
        missing_share=0.0,
        fogged_share=0.0,
    )
    folder = given.folder
    count = given.taught + given.held_out
    plates = [plate_of(folder, number, simulation) for number in range(count)]
    taught_of, held_out = plates[: given.taught], plates[given.taught :]
    settings = FineTuneSettings(
        steps=given.steps,
        crop_px=given.crop_px,
        simulated_scenes=given.scenes,
        warmup_steps=min(40, given.steps // 4),
        threads=1,
    )
    package = package_of(folder, [*taught_of, held_out[0]], given.annotated, given.frames)
    weights, threshold = taught(folder, package, settings)
    teaching = FineTuneStatesSettings(
        steps=given.state_steps, simulated_per_state=given.simulated, threads=1, device="cpu"
    )
    classifier = taught_states(folder, taught_of, teaching)
    before, after, with_states = [], [], []
    for plate in held_out:
        own, truth = folder / plate, folder / "raw" / plate / "truth"
        again = own / f"taught_{given.steps}"
        searched_otherwise(
            own, again, plate, str(weights), at_threshold(DetectSettings(), threshold)
        )
        if not (again / "tracks.tsv").exists():
            followed(own, again, again, SecondLookSettings(), plate, simulation)
        before += counts_of(own / "first", truth)
        after += counts_of(again, truth)
        if classifier:
            both = own / f"taught_{given.steps}_{given.state_steps}"
            called_again(again, both, *classifier)
            with_states += counts_of(both, truth)
    rows = list(gains(before, after))
    if classifier:
        rows += gains(before, with_states, BOTH)
    rows.append((LEARNING, "annotated_frames", float(given.taught * given.annotated), "at most"))
    made = pd.DataFrame(rows, columns=list(COLUMNS)).round({"value": 4})
    others = read_table(given.table, COLUMNS) if given.table.exists() else made[:0]
    table = pd.concat([others[others["case"] != LEARNING], made], ignore_index=True)
    write_table(given.table, table)
    write_text(given.page, in_words(table))
    print(made.to_string(index=False))


if __name__ == "__main__":
    module = sys.modules[__name__]
    given = parser_of(
        module, ".venv/bin/python -m benchmarks.healthspan.review_learning"
    ).parse_args()
    run_step(lambda: main(given))
