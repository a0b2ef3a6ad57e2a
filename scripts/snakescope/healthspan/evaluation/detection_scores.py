"""One scorer for the detections of all sets: counts of each image, and figures with intervals.

Worms are matched one to one by the IoU of their whole masks. Figures are pooled over images, and
their intervals come from a bootstrap over the groups (wells, plates), whose worms resemble each
other.
"""

import contextlib
import io
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial

import numpy as np
from numpy.typing import NDArray
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

from snakescope.healthspan.detection.size_prior import length_px
from snakescope.healthspan.training.detector_scores import crossing, match
from snakescope.healthspan.training.labelled_images import Box, LabelledImage
from snakescope.imaging.masks import Instance, encode
from snakescope.learning.intervals import bootstrap_interval
from snakescope.report.pages import Row

STRAIGHT = 0.9
"""Least ratio of the greatest extent to the length of a worm that counts as straight."""

WALL_PX = 15.0
"""A worm whose median distance to the wall is less lies along it (px)."""

BOX_SHARE = 0.5
"""A box is found where it and the box of a detection share so much of the smaller one."""

RESAMPLES = 1000
SEED = 1


@dataclass
class ImageScores:
    """What was counted on one image; arrays have an entry a true worm, or a matched one.

    Attributes:
        group: of the image.
        found, close: whether a worm was found at IoU 0.5, 0.75.
        crossed, straight, along: whether it overlaps another, is straight, lies along the wall.
        false, false_close: detections without a worm at either IoU.
        area_ratios: found over true, of the worms found at 0.5, in their order.
        width_errors: found minus true width of these (px).
        ious: of these.
        boxes: of each kind, whether each box was found.
        count: detections.
        counted: worms by eye, where only their number is known.
    """

    group: str
    found: NDArray[np.bool_]
    close: NDArray[np.bool_]
    crossed: NDArray[np.bool_]
    straight: NDArray[np.bool_]
    along: NDArray[np.bool_]
    false: int
    false_close: int
    area_ratios: list[float] = field(default_factory=list)
    width_errors: list[float] = field(default_factory=list)
    ious: list[float] = field(default_factory=list)
    boxes: dict[str, list[bool]] = field(default_factory=dict)
    count: int = 0
    counted: int | None = None


def extent_px(one: Instance) -> float:
    """Greatest distance between two pixels of a mask (px)."""
    rows, columns = np.nonzero(one.mask)
    angles = np.linspace(0, np.pi, 36, endpoint=False)
    along = np.outer(np.cos(angles), columns) + np.outer(np.sin(angles), rows)
    return float((along.max(axis=1) - along.min(axis=1)).max()) + 1


def is_straight(one: Instance) -> bool:
    return extent_px(one) >= STRAIGHT * length_px(one)


def is_along_wall(one: Instance, wall: NDArray[np.float32] | None) -> bool:
    if wall is None:
        return False
    inside = wall[one.top : one.bottom, one.left : one.right][one.mask]
    return float(np.median(inside)) < WALL_PX


def box_of(one: Instance) -> Box:
    return one.left, one.top, one.mask.shape[1], one.mask.shape[0]


def intersection_of(one: Box, other: Box) -> float:
    """Area that two boxes share (px)."""
    width = min(one[0] + one[2], other[0] + other[2]) - max(one[0], other[0])
    height = min(one[1] + one[3], other[1] + other[3]) - max(one[1], other[1])
    return max(width, 0) * max(height, 0)


def shared_of_smaller(one: Box, other: Box) -> float:
    """Intersection of two boxes over the area of the smaller."""
    smaller = min(one[2] * one[3], other[2] * other[3])
    return intersection_of(one, other) / smaller if smaller else 0.0


def ignored(one: Instance, boxes: Sequence[Box]) -> bool:
    """Whether at least half of a detection's box is in a box without a label."""
    own = box_of(one)
    return any(intersection_of(own, box) >= BOX_SHARE * own[2] * own[3] for box in boxes)


def boxes_found(boxes: Sequence[Box], found: Sequence[Instance]) -> list[bool]:
    """Whether each box has a detection of its own, the best shared first."""
    pairs = [
        (shared_of_smaller(box, box_of(one)), b, d)
        for b, box in enumerate(boxes)
        for d, one in enumerate(found)
    ]
    taken_boxes: set[int] = set()
    taken: set[int] = set()
    for share, b, d in sorted(pairs, key=lambda pair: (-pair[0], pair[1], pair[2])):
        if share >= BOX_SHARE and b not in taken_boxes and d not in taken:
            taken_boxes.add(b)
            taken.add(d)
    return [b in taken_boxes for b in range(len(boxes))]


def score_image(image: LabelledImage, found: Sequence[Instance]) -> ImageScores:
    """Compare the detections of an image with what is known of it."""
    loose, strict = match(image.worms, found), match(image.worms, found, 0.75)
    count = len(image.worms)
    hit, close = np.zeros(count, bool), np.zeros(count, bool)
    hit[[t for t, _, _ in loose.pairs]] = True
    close[[t for t, _, _ in strict.pairs]] = True

    def false_of(taken: set[int]) -> int:
        rest = [one for k, one in enumerate(found) if k not in taken]
        return sum(not ignored(one, image.ignore) for one in rest)

    scores = ImageScores(
        image.group,
        hit,
        close,
        np.array(crossing(image.worms), bool),
        np.array([is_straight(one) for one in image.worms], bool),
        np.array([is_along_wall(one, image.wall) for one in image.worms], bool),
        false_of({d for _, d, _ in loose.pairs}),
        false_of({d for _, d, _ in strict.pairs}),
        count=len(found),
        counted=image.counted,
    )
    for t, d, value in sorted(loose.pairs):  # in the order of ``found``
        worm = image.worms[t]
        scores.ious.append(value)
        scores.area_ratios.append(found[d].area / worm.area)
        scores.width_errors.append((found[d].area - worm.area) / length_px(worm))
    for kind in sorted(set(image.kinds)):
        there = [box for box, name in zip(image.boxes, image.kinds, strict=True) if name == kind]
        scores.boxes[kind] = boxes_found(there, found)
    return scores


def average_precision(
    images: Sequence[LabelledImage], found: Sequence[Sequence[Instance]]
) -> float:
    """Mean average precision at IoU 0.5 to 0.95 of all images, by pycocotools.

    ``found`` are all detections, also those of low scores.
    """
    truth: list[dict[str, object]] = []
    results: list[dict[str, object]] = []
    for number, (image, objects) in enumerate(zip(images, found, strict=True), start=1):
        height, width = image.picture.shape
        for one in image.worms:
            truth.append(
                {
                    "id": len(truth) + 1,
                    "image_id": number,
                    "category_id": 1,
                    "segmentation": encode(one, height, width),
                    "area": one.area,
                    "bbox": list(box_of(one)),
                    "iscrowd": 0,
                }
            )
        results += [
            {
                "image_id": number,
                "category_id": 1,
                "segmentation": encode(one, height, width),
                "score": one.score,
            }
            for one in objects
        ]
    if not truth or not results:
        return 0.0 if truth else float("nan")
    with contextlib.redirect_stdout(io.StringIO()):
        coco = COCO()
        coco.dataset = {
            "images": [
                {"id": k + 1, "height": one.picture.shape[0], "width": one.picture.shape[1]}
                for k, one in enumerate(images)
            ],
            "annotations": truth,
            "categories": [{"id": 1}],
        }
        coco.createIndex()
        evaluation = COCOeval(coco, coco.loadRes(results), "segm")
        evaluation.params.maxDets = [1, 100, 1000]
        evaluation.evaluate()
        evaluation.accumulate()
    precision = evaluation.eval["precision"][:, :, 0, 0, -1]
    return float(precision[precision > -1].mean())


def pooled(
    name: str,
    metric: str,
    scores: Sequence[ImageScores],
    figure: Callable[[Sequence[ImageScores]], float],
    cases: int,
) -> Row:
    """A figure of all images with its interval; NaN without any case."""
    if not cases:
        return Row(name, metric, np.nan, np.nan, np.nan, 0)
    groups = [one.group for one in scores]
    interval = bootstrap_interval(
        lambda rows: figure([scores[int(k)] for k in rows]), groups, SEED, RESAMPLES
    )
    return Row(name, metric, interval.value, interval.low, interval.high, cases)


def share_of(part: float, whole: float) -> float:
    return part / whole if whole else float("nan")


def f_score(scores: Sequence[ImageScores], close: bool = False) -> float:
    hits = sum(int((one.close if close else one.found).sum()) for one in scores)
    false = sum(one.false_close if close else one.false for one in scores)
    return share_of(2 * hits, hits + sum(one.found.size for one in scores) + false)


def recall_where(
    scores: Sequence[ImageScores], which: Callable[[ImageScores], NDArray[np.bool_]]
) -> float:
    found = sum(int(one.found[which(one)].sum()) for one in scores)
    return share_of(found, sum(int(which(one).sum()) for one in scores))


def open_single(one: ImageScores) -> NDArray[np.bool_]:
    """Worms that touch no other and are away from the wall."""
    return ~one.crossed & ~one.along


def straight_gap(scores: Sequence[ImageScores]) -> float:
    """Recall of bent worms less that of straight ones, among single ones away from the wall."""
    bent = recall_where(scores, lambda one: open_single(one) & ~one.straight)
    return bent - recall_where(scores, lambda one: open_single(one) & one.straight)


def boxes_recall(scores: Sequence[ImageScores], kind: str) -> float:
    hits = [hit for one in scores for hit in one.boxes.get(kind, [])]
    return share_of(sum(hits), len(hits))


def median_of(scores: Sequence[ImageScores], which: str) -> float:
    values = [value for one in scores for value in getattr(one, which)]
    return float(np.median(values)) if values else float("nan")


def count_error(scores: Sequence[ImageScores]) -> float:
    """The worst difference of detections to a count by eye, as a share of the count."""
    return max(abs(one.count / one.counted - 1) for one in scores if one.counted)


def detection_rows(
    name: str, scores: Sequence[ImageScores], exhaustive: bool, ap: float | None = None
) -> Iterator[Row]:
    """All figures of a set that its labels allow.

    Args:
        exhaustive: whether all else than the labelled worms is false.
        ap: of :func:`average_precision`, if all worms are labelled.
    """
    worms = sum(one.found.size for one in scores)
    counted = [one for one in scores if one.counted]
    if counted:
        yield Row(name, "count_error", count_error(counted), np.nan, np.nan, len(counted))
    if worms and exhaustive:
        yield pooled(name, "detection_f", scores, f_score, worms)
        yield pooled(name, "detection_f75", scores, lambda s: f_score(s, close=True), worms)
        if ap is not None:
            yield Row(name, "ap", ap, np.nan, np.nan, worms)
        precision = sum(int(one.found.sum()) for one in scores)
        precision_cases = precision + sum(one.false for one in scores)
        yield pooled(
            name,
            "detection_precision",
            scores,
            lambda s: share_of(
                sum(int(one.found.sum()) for one in s),
                sum(int(one.found.sum()) + one.false for one in s),
            ),
            precision_cases,
        )
    if worms:
        everything = worms, lambda one: np.ones(one.found.size, bool)
        subsets: dict[str, tuple[int, Callable[[ImageScores], NDArray[np.bool_]]]] = {
            "recall": everything,
            "overlap_recall": (
                sum(int(one.crossed.sum()) for one in scores),
                lambda one: one.crossed,
            ),
            "wall_recall": (
                sum(int((one.along & ~one.crossed).sum()) for one in scores),
                lambda one: one.along & ~one.crossed,
            ),
            "straight_recall": (
                sum(int((open_single(one) & one.straight).sum()) for one in scores),
                lambda one: open_single(one) & one.straight,
            ),
            "bent_recall": (
                sum(int((open_single(one) & ~one.straight).sum()) for one in scores),
                lambda one: open_single(one) & ~one.straight,
            ),
        }
        for metric, (cases, which) in subsets.items():
            if cases:
                yield pooled(name, metric, scores, partial(recall_where, which=which), cases)
        single = sum(int(open_single(one).sum()) for one in scores)
        yield pooled(name, "straight_gap", scores, straight_gap, single)
        found = sum(len(one.ious) for one in scores)
        for metric, which_values in (
            ("area_ratio", "area_ratios"),
            ("width_error_px", "width_errors"),
        ):
            yield pooled(name, metric, scores, partial(median_of, which=which_values), found)
        yield pooled(
            name,
            "mask_iou",
            scores,
            lambda s: float(np.mean([v for one in s for v in one.ious] or [np.nan])),
            found,
        )
    for kind in sorted({kind for one in scores for kind in one.boxes}):
        cases = sum(len(one.boxes.get(kind, [])) for one in scores)
        figure = partial(boxes_recall, kind=kind)
        yield pooled(f"quantworm_{kind}", "recall", scores, figure, cases)
