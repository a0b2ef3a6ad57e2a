"""Scores on real images that no model was trained on: bbbc010, UPV plate.

- bbbc010: single wells in bright field, masks drawn by hand. Masks are compared at IoU 0.5.
- UPV plate: one dish over four weeks, through the whole workflow; its living worms were counted.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from torchvision.models.detection import MaskRCNN

from snakescope.healthspan.detection.border import worms_of_picture
from snakescope.healthspan.detection.channel_overlay import overlay
from snakescope.healthspan.detection.search import find_soft
from snakescope.healthspan.detection.settings import DetectSettings
from snakescope.healthspan.detection.views import tile_corners
from snakescope.healthspan.geometry import TILE_PX
from snakescope.healthspan.training.detector_scores import crossing, match
from snakescope.imaging.frames import read_frame, read_picture
from snakescope.imaging.masks import Instance, cropped
from snakescope.step.progress import progress


@dataclass(frozen=True)
class Models:
    """The two models of the workflow, as a plate uses them."""

    detector: MaskRCNN
    pixel_size_um: float
    classifier: torch.nn.Module
    temperature: float


def find_worms(
    picture: NDArray[np.uint8], timepoint: int, models: Models, settings: DetectSettings
) -> Sequence[Instance]:
    """The worms of one overlay of any size, as a plate's frame would be searched."""
    corners = tile_corners(picture.shape, TILE_PX)
    soft = find_soft(models.detector, picture, corners, TILE_PX, settings)
    return worms_of_picture(soft, picture, timepoint, models.pixel_size_um, settings)


def bbbc010_scores(folder: Path, models: Models) -> Iterator[tuple[str, float]]:
    """Worms drawn by hand, worms found among them, and false ones, over all wells."""
    settings = DetectSettings()
    drawn = pd.read_csv(folder / "worms.csv")
    totals = dict.fromkeys(
        ("worms_true", "worms_found", "worms_false", "iou_sum", "overlapping_true",
         "overlapping_found"), 0.0,
    )  # fmt: skip
    wells = sorted(set(drawn["well"]))
    for well in progress(wells, "bbbc010"):
        truth: list[Instance] = []
        for name in drawn.loc[drawn["well"] == well, "mask"]:
            mask = read_picture(folder / "masks" / name, labels=True)
            one = cropped(np.asarray(mask != 0), 0, 0, 0, len(truth), 1.0)
            if one is not None:
                truth.append(one)
        picture = overlay({"bright_field": read_frame(folder / "images" / f"{well}.png")})
        found = find_worms(picture, 0, models, settings)
        result = match(truth, found)
        crossed = crossing(truth)
        totals["worms_true"] += len(truth)
        totals["worms_found"] += len(result.pairs)
        totals["worms_false"] += len(found) - len(result.pairs)
        totals["iou_sum"] += sum(value for _, _, value in result.pairs)
        totals["overlapping_true"] += sum(crossed)
        totals["overlapping_found"] += sum(crossed[t] for t, _, _ in result.pairs)
    yield from totals.items()


def median_by_hand(days: Sequence[float], living: Sequence[float]) -> float:
    """The middle of the interval in which counts by hand first fall to half of the first (days).

    NaN where they never do.
    """
    for before, day, alive in zip(days, days[1:], living[1:], strict=False):
        if alive <= living[0] / 2:
            return (before + day) / 2
    return float("nan")


def upv_plate_scores(
    counts: pd.DataFrame, truth: pd.DataFrame, summary: pd.DataFrame
) -> Iterator[tuple[str, float]]:
    """Days, days on which the living count is within one of the hand count, median lifespans.

    Args:
        counts: counts.tsv of the plate, one usable row a day in the order of the days.
        truth: counts by hand, in the order of the days.
        summary: summary.tsv of the plate.
    """
    days = truth["day"] - truth["day"].iloc[0]
    found = dict(zip((counts["time_h"] / 24).round().astype(int), counts["alive"], strict=True))
    for day, living in zip(days, truth["living_manual_count_from_filename"], strict=True):
        alive = found.get(int(day), np.nan)
        yield f"day_{int(day)}_true", float(living)
        yield f"day_{int(day)}_found", float(alive)
    differences = [
        abs(found.get(int(day), np.nan) - living)
        for day, living in zip(days, truth["living_manual_count_from_filename"], strict=True)
    ]
    yield "days", float(len(differences))
    yield "days_within_one", float(sum(d <= 1 for d in differences))
    (row,) = summary.to_dict("records")
    yield "worms", float(row["worms"])
    for name in ("median_lifespan_d", "median_lifespan_low_d", "median_lifespan_high_d"):
        yield name, float(row[name])
    by_hand = truth["living_manual_count_from_filename"].tolist()
    yield "median_by_hand_d", median_by_hand(truth["day"].tolist(), by_hand)
