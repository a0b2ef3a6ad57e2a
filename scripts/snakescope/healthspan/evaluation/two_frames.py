"""Worms that moved and that lay still between two images 2 minutes apart (QuantWorm).

Every plate was photographed twice and not moved between. The labels are boxes in the second image:
of worms that moved, by a person; and of worms that lay still, picked by eye. Only worms that the
detector finds are judged here; what it misses is counted elsewhere. A worm moved if more than
:data:`LEAST_SHARE` of its body did, by the grey values; by the masks alone, if the classifier calls
it other than dead.
"""

from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from snakescope.healthspan.detection.channel_overlay import overlay
from snakescope.healthspan.detection.settings import DetectSettings
from snakescope.healthspan.evaluation.images import Models, find_worms
from snakescope.healthspan.states.classify import classify
from snakescope.healthspan.states.composite import compose
from snakescope.healthspan.states.evidence import Frame, evidence_of
from snakescope.healthspan.states.settings import CompositeSettings
from snakescope.healthspan.states.states import DEAD, STATES
from snakescope.imaging.frames import read_frame
from snakescope.imaging.masks import Instance
from snakescope.step.progress import progress

SCALE = 2.1
"""From these images, in which a worm is 52 px long, to the model's pixels."""
TOLERANCE_PX = 0.5
"""The two images of a plate are within 0.16 px of each other (SOURCE.txt, phase correlation)."""
LEAST_SHARE = 0.01
"""Of a body that lies still, the noise moves less: in nine of ten none, in one of twenty half as
much."""
INSIDE = 0.6
"""A worm is that of a box if so much of it lies inside."""
BOX_MARGIN_PX = 4


def worm_in_box(worms: list[Instance], box: NDArray[np.float64]) -> int | None:
    """The worm that lies in a box x, y, width, height (px of the original image); None without."""
    x, y, width, height = box
    best: tuple[float, int] | None = None
    for row, one in enumerate(worms):
        down, right = np.nonzero(one.mask)
        rows, columns = (down + one.top) / SCALE, (right + one.left) / SCALE
        inside = (rows >= y - BOX_MARGIN_PX) & (rows < y + height + BOX_MARGIN_PX)
        inside &= (columns >= x - BOX_MARGIN_PX) & (columns < x + width + BOX_MARGIN_PX)
        share = float(inside.mean())
        if share > INSIDE and (best is None or share > best[0]):
            best = (share, row)
    return None if best is None else best[1]


def two_frame_scores(folder: Path, models: Models) -> Iterator[tuple[str, float]]:
    """Labelled worms, those found, and those called right by either way, of each kind."""
    live = pd.read_csv(folder / "live_worms.csv")
    still = pd.read_csv(folder / "still_worms.csv")
    kinds = {"moving": live[live["frame"] == "b"], "still": still}
    counts = ("true", "found", "right", "right_masks")
    totals = {f"{kind}_{count}": 0.0 for kind in kinds for count in counts}
    plates = [n for n in sorted(set(live["plate"])) if (folder / f"plate{n}a.jpg").exists()]
    settings = CompositeSettings()
    for plate in progress(plates, "plates photographed twice"):
        first, second = (_frame(folder / f"plate{plate}{ab}.jpg", models) for ab in "ab")
        worms = list(second.worms)
        told = evidence_of(second, first, None, settings.window_px, TOLERANCE_PX)
        pictures = compose(worms, first.worms, None, settings)
        states = classify(models.classifier, pictures, models.temperature).argmax(axis=1)
        for kind, boxes in kinds.items():
            for box in boxes.loc[boxes["plate"] == plate, ["x", "y", "w", "h"]].to_numpy(float):
                totals[f"{kind}_true"] += 1
                row = worm_in_box(worms, box)
                if row is None:
                    continue
                totals[f"{kind}_found"] += 1
                moving = kind == "moving"
                moved = told[row].moved_before > LEAST_SHARE
                totals[f"{kind}_right"] += moved == moving
                totals[f"{kind}_right_masks"] += (STATES[states[row]] != DEAD) == moving
    yield from totals.items()


def _frame(path: Path, models: Models) -> Frame:
    image = read_frame(path)
    size = (round(image.shape[1] * SCALE), round(image.shape[0] * SCALE))
    large = np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_CUBIC))
    picture = overlay({"bright_field": large})
    return Frame(find_worms(picture, 0, models, DetectSettings()), picture)
