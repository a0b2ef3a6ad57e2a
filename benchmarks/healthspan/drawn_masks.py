"""Masks of bent worms, as polygons and back."""

import cv2
import numpy as np

from snakescope.healthspan.fine_tuning.polygons import filled, polygons_of
from snakescope.imaging.masks import Instance, cropped

SIDE, FINER = 200, 8


def bent(width: int, seed: int) -> Instance:
    """A worm of a width (px), bent at random, that may close a ring."""
    rng = np.random.default_rng([width, seed])
    angle = np.cumsum(rng.normal(0, 0.35, 60)) + rng.uniform(0, 6)
    steps = np.stack([np.cos(angle), np.sin(angle)], axis=1) * 12
    fine = np.zeros((SIDE * FINER, SIDE * FINER), np.uint8)
    corners = np.round(SIDE * FINER / 2 + np.cumsum(steps, axis=0)).astype(np.int32)
    cv2.polylines(fine, [corners], False, 1, width * FINER)
    mask = cv2.resize(fine.astype(np.float32), (SIDE, SIDE), interpolation=cv2.INTER_AREA) >= 0.5
    one = cropped(np.asarray(mask), 0, 0, 0, 0, 1.0)
    assert one is not None
    return one


def overlaps(width: int, worms: int) -> list[float]:
    """Intersection over union of worms with themselves, after they were polygons."""
    found = []
    for seed in range(worms):
        one = bent(width, seed)
        whole = np.zeros((SIDE, SIDE), bool)
        whole[one.top : one.bottom, one.left : one.right] = one.mask
        back = filled(polygons_of(one), whole.shape)
        found.append(float((back & whole).sum() / (back | whole).sum()))
    return found
