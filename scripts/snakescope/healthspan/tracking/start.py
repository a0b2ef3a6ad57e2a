"""Whether the place of a detection looked the same in the first frames: debris, not a worm.

By the grey values (:mod:`snakescope.healthspan.states.likeness`), unless a worm lived on the spot.
"""

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from snakescope.healthspan.tracking.settings import TrackSettings

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

START_COLUMNS = ["start_correlation", "start_contrast"]

LEAST_HEALTHY = 2
"""Healthy sightings from which on a worm lives on the spot; a single one may be a slip."""


def alike_at_start(
    states: pd.DataFrame, rank: Ints, time_h: Floats, settings: TrackSettings
) -> NDArray[np.bool_]:
    """Whether the place of each detection looked like it in the first frames, shape (detections,).

    Nothing is said of the time until the plate has settled: worms may rest so long. Nor of a place
    where a healthy worm was found from the first frames on (:func:`lived_there`).

    Args:
        states: one row per detection; without ``START_COLUMNS`` nothing is said, nor of a plate
            that was started with dead worms.
        rank: usable frame of each detection.
        time_h: of each detection, since the first usable frame.
    """
    if settings.count_dead_at_start or not set(START_COLUMNS) <= set(states):
        return np.zeros(len(states), bool)
    correlation, contrast = states[START_COLUMNS].to_numpy(np.float64).T
    alike = correlation >= settings.min_start_correlation
    alike &= (contrast >= settings.min_start_contrast) & (time_h > settings.settle_h)
    healthy = states["p_healthy"].to_numpy(np.float64) > settings.max_p_healthy
    place = states[["y_px", "x_px"]].to_numpy(np.float64)
    for one in np.flatnonzero(alike):
        near = np.linalg.norm(place - place[one], axis=1) <= settings.still_px
        alike[one] = not lived_there(rank[near & healthy & (rank <= rank[one])])
    return alike


def lived_there(rank: Ints) -> bool:
    """Whether a healthy worm was found at a place in most of the first frames, or longer.

    Paralysed worms move on the spot and look like the first frames all their life. Debris lies
    still, so it is healthy by mistake alone.

    Args:
        rank: usable frames with a healthy detection there, in any order.
    """
    frames = np.unique(rank)
    count = np.arange(1, len(frames) + 1)
    return bool(((count >= LEAST_HEALTHY) & (count > (frames + 1) / 2)).any())
