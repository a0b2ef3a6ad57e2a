"""Simulated plates of an evaluation: how they are simulated, and scores of their results.

They have seeds that no training uses, and their looks come from other ranges.
"""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd

from snakescope.healthspan.evaluation.scores import (
    curve_distance,
    detections,
    registration_errors,
    state_confusion,
)
from snakescope.healthspan.evaluation.settings import EvaluateSettings
from snakescope.healthspan.simulation.settings import SimulateSettings
from snakescope.healthspan.simulation.simulate import DISH_SHARE
from snakescope.healthspan.states.sightings import all_masks, way_of
from snakescope.imaging.masks import MaskSet, read_masks
from snakescope.step.tables import read_table


def plate_settings(settings: EvaluateSettings, number: int) -> SimulateSettings:
    """Plate ``number``: from few to many worms, short and long lives, every depth of camera."""
    share = number / max(1, settings.plates - 1)
    worms = round(settings.min_worms + share * (settings.max_worms - settings.min_worms))
    return SimulateSettings(
        frame_px=settings.frame_px,
        timepoints=settings.timepoints,
        worms=worms,
        lifespan_scale_d=(9.0, 11.0, 10.0, 12.0)[number % 4],
        bits=(8, 12, 16)[number % 3],
        looks="unseen",
    )


def by_time(truth: pd.DataFrame, frames: pd.DataFrame) -> dict[int, int]:
    """The simulation's timepoint of each of the workflow's.

    Where no interval is configured the workflow numbers the frames it finds, so after a missing
    frame its numbers are others.
    """
    at = {round(float(hours), 2): int(t) for t, hours in truth[["timepoint", "time_h"]].values}
    return {int(t): at[round(float(h), 2)] for t, h in frames[["timepoint", "time_h"]].values}


def renumbered(masks: MaskSet, numbers: dict[int, int]) -> MaskSet:
    """The masks with the simulation's timepoints; identifiers stay."""
    return replace(
        masks,
        timepoints=tuple(numbers[t] for t in masks.timepoints),
        instances=tuple(replace(one, timepoint=numbers[one.timepoint]) for one in masks.instances),
    )


def plate_scores(
    folder: Path, plate: str, truth: Path, simulation: SimulateSettings
) -> Iterator[tuple[str, float]]:
    """Metrics of one plate as (name, value); counts are given so that plates can be pooled."""
    worms = read_table(truth / "worms.tsv")
    frames = read_table(folder / "frames.tsv")
    motions = read_table(truth / "frames.tsv")
    numbers = by_time(motions, frames)
    frames["timepoint"] = frames["timepoint"].map(numbers)
    size = simulation.frame_px
    errors = registration_errors(motions, frames, size, DISH_SHARE * size)
    for error in errors:
        yield "registration_px", error
    yield "frames_not_registered", float((frames["status"] == "unregistered").sum())
    # Not all that are there: masks of blocks that the plate has no more may lie beside them.
    blocks = sorted(path.stem for path in (folder / "manifest").glob("t*-t*.tsv"))
    found = [renumbered(all_masks(folder / "masks" / f"{b}.json"), numbers) for b in blocks]
    result = detections(read_masks(truth / "masks.json"), found)
    yield "worms_true", float(result.found.size)
    yield "worms_found", float(result.found.sum())
    yield "worms_false", float(result.false)
    again = [way_of(one.identifier) != "" for masks in found for one in masks.instances]
    yield "second_look", float(sum(again))
    yield "second_look_right", float(sum(way_of(found) != "" for _, _, found in result.pairs))
    yield "iou_sum", float(np.nansum(result.iou))
    for name, chosen in (
        ("overlapping", result.overlapping),
        ("seam", result.seam),
        ("off_seam", ~result.seam),
    ):
        yield f"{name}_true", float(chosen.sum())
        yield f"{name}_found", float((result.found & chosen).sum())
    confusion = state_confusion(
        result.pairs, read_table(truth / "states.tsv"), read_table(folder / "states.tsv")
    )
    for row in range(3):
        for column in range(3):
            yield f"confusion_{row}_{column}", float(confusion[row, column])
    summary = read_table(folder / "summary.tsv").iloc[0]
    for name, end in (("lifespan", "death_d"), ("healthspan", "healthspan_end_d")):
        true = float(np.median(worms[end]))
        yield f"{name}_true_d", true
        yield f"{name}_found_d", float(summary[f"median_{name}_d"])
    yield "curve_distance", curve_distance(read_table(folder / "curves.tsv"), worms)
