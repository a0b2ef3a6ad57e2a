"""What a plate's results are worth, against the truth of its simulation.

Every function gives plain numbers for one plate; :class:`Score` rows of all plates are
brought together by ``snakescope.healthspan.evaluation.evaluate``.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from snakescope.healthspan.geometry import TILE_PX
from snakescope.healthspan.registration.motion import Motion, transform_points
from snakescope.healthspan.states.states import STATES
from snakescope.healthspan.training.detector_scores import crossing, match
from snakescope.imaging.masks import INSTANCES_PER_TIMEPOINT, Instance, MaskSet


@dataclass(frozen=True)
class Detections:
    """Matches of all frames of a plate: one entry a true worm and frame, arrays of one length.

    Attributes:
        found: whether a detection covers it with an IoU of at least 0.5.
        iou: of that detection, else NaN.
        overlapping: whether it shares pixels with another worm.
        seam: whether it crosses a seam of the 440 px grid.
        false: detections that match no worm.
        pairs: (timepoint, worm, identifier of the detection).
    """

    found: NDArray[np.bool_]
    iou: NDArray[np.float64]
    overlapping: NDArray[np.bool_]
    seam: NDArray[np.bool_]
    false: int
    pairs: list[tuple[int, int, int]]


def registration_errors(
    truth: pd.DataFrame, found: pd.DataFrame, size: int, radius_px: float
) -> NDArray[np.float64]:
    """Greatest displacement error (px) over the dish, of each frame said to be registered.

    Args:
        truth, found: tables with timepoint, shift_y_px, shift_x_px, rotation_deg.
        size: side of the frames (px); radius_px: of the dish around their middle.
    """
    angles = np.linspace(0, 2 * np.pi, 16, endpoint=False)
    rim = np.stack([np.cos(angles), np.sin(angles)], axis=1) * radius_px
    points = np.vstack([rim, rim / 2, [[0, 0]]]) + (size - 1) / 2
    registered = found[found["status"] == "registered"]
    both = registered.merge(truth, on="timepoint", suffixes=("", "_true"))
    errors = []
    for row in both.to_dict("records"):
        claimed = Motion(row["shift_y_px"], row["shift_x_px"], row["rotation_deg"])
        true = Motion(row["shift_y_px_true"], row["shift_x_px_true"], row["rotation_deg_true"])
        difference = transform_points(claimed.matrix(size, size), points) - transform_points(
            true.matrix(size, size), points
        )
        errors.append(float(np.hypot(*difference.T).max()))
    return np.array(errors)


def crosses_seam(one: Instance) -> bool:
    """Whether an instance lies on more than one tile of the 440 px grid."""
    return (
        one.top // TILE_PX != (one.bottom - 1) // TILE_PX
        or one.left // TILE_PX != (one.right - 1) // TILE_PX
    )


def detections(truth: MaskSet, found: Sequence[MaskSet]) -> Detections:
    """Match every frame that was searched for worms against its true masks."""
    seen, ious, overlapping, seam, pairs = [], [], [], [], []
    false = 0
    for masks in found:
        for timepoint in masks.timepoints:
            worms, objects = truth.at(timepoint), masks.at(timepoint)
            result = match(worms, objects)
            by_worm = {t: (d, value) for t, d, value in result.pairs}
            false += result.detections - len(result.pairs)
            for index, (worm, crossed) in enumerate(zip(worms, crossing(worms), strict=True)):
                partner = by_worm.get(index)
                seen.append(partner is not None)
                ious.append(partner[1] if partner else np.nan)
                overlapping.append(crossed)
                seam.append(crosses_seam(worm))
                if partner:
                    number = worm.identifier % INSTANCES_PER_TIMEPOINT
                    pairs.append((timepoint, number, objects[partner[0]].identifier))
    return Detections(
        np.array(seen, bool), np.array(ious), np.array(overlapping, bool), np.array(seam, bool),
        false, pairs,
    )  # fmt: skip


def state_confusion(
    pairs: list[tuple[int, int, int]], truth: pd.DataFrame, states: pd.DataFrame
) -> NDArray[np.int64]:
    """Counts, rows true and columns assigned state, of detections that match a worm.

    Args:
        truth: timepoint, worm, state. states: instance, state; unknown ones are not counted.
    """
    true = {(t, w): s for t, w, s in zip(truth.timepoint, truth.worm, truth.state, strict=True)}
    assigned = dict(zip(states["instance"].astype(int), states["state"], strict=True))
    table = np.zeros((3, 3), dtype=np.int64)
    for timepoint, worm, identifier in pairs:
        state = assigned.get(identifier)
        if state in STATES:
            table[STATES.index(true[timepoint, worm]), STATES.index(state)] += 1
    return table


def true_share(ends_d: NDArray[np.float64], day: NDArray[np.float64]) -> NDArray[np.float64]:
    """Share of worms whose end lies after each day."""
    return np.asarray((ends_d[None, :] > day[:, None]).mean(axis=1), dtype=np.float64)


def curve_distance(curves: pd.DataFrame, worms: pd.DataFrame) -> float:
    """Greatest distance of the alive and healthy curves from the true shares, at any timepoint."""
    day = curves["day"].to_numpy(np.float64)
    distances = []
    for column, end in (("alive", "death_d"), ("healthy", "healthspan_end_d")):
        true = true_share(worms[end].to_numpy(np.float64), day)
        # Where a curve ends since no worm is watched any longer, its last value is held to account.
        found = curves[column].ffill().to_numpy(np.float64)
        distances.append(np.nanmax(np.abs(found - true)))
    return float(max(distances))
