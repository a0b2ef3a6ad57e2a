"""How well detections agree with the truth: matching by mask, recall, precision, F, IoU."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment
from torchvision.models.detection import MaskRCNN

from snakescope.healthspan.detection.detections import View
from snakescope.healthspan.detection.merge import keep_distinct
from snakescope.healthspan.detection.settings import DetectSettings
from snakescope.healthspan.detection.size_prior import estimate_size_prior
from snakescope.healthspan.detection.soft_masks import look, objects_of
from snakescope.healthspan.training.detector_examples import Scene
from snakescope.imaging.masks import Instance, intersection, iou


@dataclass(frozen=True)
class Match:
    """Pairs of truth and detection, as indices, with their IoU; the rest is missed or false."""

    pairs: list[tuple[int, int, float]]
    truths: int
    detections: int


def overlaps(one: Sequence[Instance], other: Sequence[Instance]) -> NDArray[np.float64]:
    """IoU of every pair, shape (len(one), len(other))."""
    table = np.zeros((len(one), len(other)))
    for row, first in enumerate(one):
        for column, second in enumerate(other):
            table[row, column] = iou(first, second)
    return table


def match(truth: Sequence[Instance], found: Sequence[Instance], min_iou: float = 0.5) -> Match:
    """The one-to-one assignment of greatest total IoU; pairs under ``min_iou`` do not count."""
    if not truth or not found:
        return Match([], len(truth), len(found))
    table = overlaps(truth, found)
    rows, columns = linear_sum_assignment(np.where(table >= min_iou, table, 0), maximize=True)
    pairs = [
        (int(r), int(c), float(table[r, c]))
        for r, c in zip(rows, columns, strict=True)
        if table[r, c] >= min_iou
    ]
    return Match(pairs, len(truth), len(found))


def crossing(worms: Sequence[Instance]) -> list[bool]:
    """Whether each worm shares pixels with another (the paper's overlapping worms, table 3)."""
    return [
        any(k != j and intersection(one, other) > 0 for j, other in enumerate(worms))
        for k, one in enumerate(worms)
    ]


def inside(one: Instance, size: tuple[int, int], margin: int) -> bool:
    """Whether an instance keeps ``margin`` px from the border of a frame of ``size`` (Y, X)."""
    return (
        one.top >= margin
        and one.left >= margin
        and one.bottom <= size[0] - margin
        and one.right <= size[1] - margin
    )


@torch.inference_mode()
def score_scenes(
    model: MaskRCNN,
    scenes: list[Scene],
    score_threshold: float = DetectSettings().score_threshold,
    margin: int = 2,
) -> dict[str, float | int]:
    """Recall, precision and F at IoU 0.5, mean IoU, and recall of overlapping worms, on scenes.

    Worms cut by the picture's border, and detections matched to them, count neither way.
    """
    found_whole = false = whole = crossing_worms = crossing_found = 0
    ious: list[float] = []
    for scene in scenes:
        size = (scene.picture.shape[0], scene.picture.shape[1])
        seen = look(model, [scene.picture], [View(0, 0, *size)])
        objects = objects_of(seen, 0, score_threshold, DetectSettings().mask_threshold)
        usual = estimate_size_prior(objects, scene.picture)
        found = keep_distinct(objects, DetectSettings().max_overlap, usual).kept
        result = match(scene.worms, found)
        counted = [inside(one, size, margin) for one in scene.worms]
        crossed = crossing(scene.worms)
        matched = {t: value for t, _, value in result.pairs}
        taken = {d for _, d, _ in result.pairs}
        whole += sum(counted)
        for index, ok in enumerate(counted):
            crossing_worms += ok and crossed[index]
            if ok and index in matched:
                found_whole += 1
                crossing_found += crossed[index]
                ious.append(matched[index])
        false += sum(k not in taken and inside(one, size, margin) for k, one in enumerate(found))
    recall = found_whole / max(whole, 1)
    precision = found_whole / max(found_whole + false, 1)
    return {
        "worms": int(whole),
        "recall": round(recall, 4),
        "precision": round(precision, 4),
        "f": round(2 * recall * precision / max(recall + precision, 1e-9), 4),
        "mask_iou": round(float(np.mean(ious)) if ious else 0.0, 4),
        "overlapping_worms": int(crossing_worms),
        "overlap_recall": round(crossing_found / max(crossing_worms, 1), 4),
    }
