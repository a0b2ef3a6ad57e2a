"""Where each kind of truth puts the border of a body, and what masks drawn by the grey values give.

    python -m benchmarks.healthspan.borders --sets bbbc010 simulated_scenes

The contrast across the border of each single worm is read at every half pixel, from outside to
inside, first from the truth's border, then from that of the masks found. Then the masks found are
moved to where the grey values say, for each worm by itself or by the median profile of its image:

    half, quarter, foot   where contrast is 0.5, 0.25, 0.15 of the body's
    steepest              where it rises most
    onset                 where a flank blurred on both sides, with a tail inwards, begins
    wider                 a pixel on either side, everywhere, whatever the image shows

Reads the predictions that benchmarks.healthspan.detection keeps, or makes them. With --truth-only
the network is not run and no masks are drawn.
"""

import argparse
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from numpy.typing import NDArray

from benchmarks import ROOT
from benchmarks.healthspan.detection import merged
from snakescope.healthspan.detection.channel_overlay import contrast_of
from snakescope.healthspan.detection.detect import load_detector
from snakescope.healthspan.detection.settings import DetectSettings
from snakescope.healthspan.evaluation.detection_scores import (
    ImageScores,
    f_score,
    median_of,
    pooled,
    score_image,
    share_of,
)
from snakescope.healthspan.evaluation.predictions import LEAST_SCORE, soft_predictions, worms_of
from snakescope.healthspan.training.labelled_images import (
    SETS,
    LabelledImage,
    quantworm_gender,
    quantworm_length,
)
from snakescope.healthspan.training.train_detector import HELD_OUT_SEED, draw_scenes
from snakescope.imaging.masks import Instance, cropped
from snakescope.learning.intervals import bootstrap_interval
from snakescope.report.pages import Row, scores_table
from snakescope.step.checksum import sha256_of
from snakescope.step.command import run_step
from snakescope.step.tables import write_table

Profile = NDArray[np.float64]

SCENES, SCENE_PX = 24, 560
MARGIN_PX = 12
NEIGHBOUR_PX = 8
"""Pixels nearer to another worm are not read."""

DEPTHS = np.arange(-8.0, 6.1, 0.5)
"""Distances from a border (px) at which contrast is read; positive inside."""

NEEDED = (DEPTHS > -4) & (DEPTHS < 2)
LEAST_PIXELS = 8
GREATEST_SHIFT_PX = 3.0
SEED, RESAMPLES = 0, 1000


def simulated_scenes() -> Iterator[LabelledImage]:
    """Scenes of looks that the shipped weights were not trained on."""
    for number, scene in enumerate(draw_scenes(HELD_OUT_SEED, SCENES, SCENE_PX, unseen=True)):
        name = f"scene_{number}"
        yield LabelledImage(name, name, scene.picture, list(scene.worms))


def quantworm_train(worms: Path) -> Iterator[LabelledImage]:
    """Plates of automatic masks that may be trained on."""
    yield from quantworm_gender(worms / "quantworm_gender", (1, 2, 3))
    yield from quantworm_length(worms / "quantworm_length", (1, 2, 6, 7))


def crop_of(one: Instance, shape: tuple[int, ...]) -> tuple[int, int, NDArray[np.bool_]]:
    """A mask with a margin within an image: top, left, mask."""
    top, left = max(one.top - MARGIN_PX, 0), max(one.left - MARGIN_PX, 0)
    bottom, right = min(one.bottom + MARGIN_PX, shape[0]), min(one.right + MARGIN_PX, shape[1])
    own = np.zeros((bottom - top, right - left), bool)
    own[one.top - top : one.bottom - top, one.left - left : one.right - left] = one.mask
    return top, left, own


def depth_of(own: NDArray[np.bool_]) -> NDArray[np.float32]:
    """Distance (px) of each pixel from the border of a mask, positive inside, stairs smoothed."""
    inner = cv2.distanceTransform(own.astype(np.uint8), cv2.DIST_L2, 5) - 0.5
    outer = cv2.distanceTransform((~own).astype(np.uint8), cv2.DIST_L2, 5) - 0.5
    return np.asarray(cv2.GaussianBlur(np.where(own, inner, -outer), (0, 0), 1.0), np.float32)


def profiles(image: LabelledImage, worms: Sequence[Instance]) -> list[Profile | None]:
    """Contrast at ``DEPTHS`` of each worm, 0 on the ground, 1 in the body; None if unreadable."""
    grey = contrast_of(image.picture)
    count = np.zeros(grey.shape, np.uint8)
    for one in worms:
        count[one.top : one.bottom, one.left : one.right] += one.mask
    found: list[Profile | None] = []
    for one in worms:
        top, left, own = crop_of(one, grey.shape)
        place = slice(top, top + own.shape[0]), slice(left, left + own.shape[1])
        others = (count[place] > own).astype(np.uint8)
        size = 2 * NEIGHBOUR_PX + 1
        free = cv2.dilate(others, np.ones((size, size), np.uint8)) == 0
        if image.wall is not None:
            free &= image.wall[place] > 6
        crossed = bool((others.astype(bool) & own).any())
        whole = not crossed and free[own].mean() >= 0.6
        found.append(profile_of(grey[place][free], depth_of(own)[free]) if whole else None)
    return found


def profile_of(grey: NDArray[np.float32], depth: NDArray[np.float32]) -> Profile | None:
    """Median contrast at ``DEPTHS``, scaled to 0 on the ground and 1 at its greatest."""
    at = np.floor((depth - DEPTHS[0]) / 0.5 + 0.5).astype(int)
    values = np.full(DEPTHS.size, np.nan)
    for step in range(DEPTHS.size):
        here = grey[at == step]
        if here.size >= LEAST_PIXELS:
            values[step] = np.median(here)
    there = ~np.isnan(values)
    # The pixels of a body along the rows lie at every other depth only.
    missing = ~there[NEEDED]
    if (missing[1:] & missing[:-1]).any():
        return None
    inner = slice(int(there.argmax()), DEPTHS.size - int(there[::-1].argmax()))
    values[inner] = np.interp(DEPTHS[inner], DEPTHS[there], values[there])
    ground, body = np.nanmedian(values[DEPTHS < -4]), np.nanmax(values[DEPTHS > -2])
    return (values - ground) / (body - ground) if body > ground else None


def flank(profile: Profile) -> int:
    """Index of the body's greatest contrast."""
    return int(np.nanargmax(np.where(DEPTHS > -2, profile, np.nan)))


def crossing_at(share: float) -> Callable[[Profile], float]:
    """Where contrast last reaches a share of the body's, from outside (px)."""

    def depth(profile: Profile) -> float:
        rising = profile[: flank(profile) + 1]
        below = np.flatnonzero(rising < share)
        if not below.size:
            return 0.0
        k = int(below[-1])
        return float(DEPTHS[k] + 0.5 * (share - rising[k]) / (rising[k + 1] - rising[k]))

    return depth


def steepest(profile: Profile) -> float:
    """Where contrast rises most (px)."""
    middle = (DEPTHS[1:] + DEPTHS[:-1]) / 2
    return float(middle[np.nanargmax(np.where(np.abs(middle) < 3, np.diff(profile), np.nan))])


def onset(profile: Profile) -> float:
    """Where a flank begins whose rise is a Gaussian with an exponential tail, by its moments."""
    last = flank(profile)
    first = last
    while first > 0 and profile[first] > 0.03:
        first -= 1
    rise = np.maximum(np.diff(profile[first : last + 1]), 0)
    if not rise.sum() > 0:
        return 0.0
    weight = rise / rise.sum()
    at = (DEPTHS[first:last] + DEPTHS[first + 1 : last + 1]) / 2
    mean = (weight * at).sum()
    spread = np.sqrt((weight * (at - mean) ** 2).sum())
    skew = (weight * (at - mean) ** 3).sum() / max(spread, 1e-6) ** 3
    return float(mean - spread * np.cbrt(np.clip(skew, 0, 1.8) / 2))


RULES: dict[str, Callable[[Profile], float]] = {
    "half": crossing_at(0.5),
    "quarter": crossing_at(0.25),
    "foot": crossing_at(0.15),
    "steepest": steepest,
    "onset": onset,
    "wider": lambda _: -1.0,
}


def moved(one: Instance, depth: float, shape: tuple[int, ...]) -> Instance:
    """A mask with its border moved to a depth (px)."""
    top, left, own = crop_of(one, shape)
    depth = float(np.clip(depth, -GREATEST_SHIFT_PX, GREATEST_SHIFT_PX / 2))
    again = cropped(depth_of(own) > depth, top, left, one.timepoint, one.identifier, one.score)
    return one if again is None else again


def median_row(name: str, metric: str, values: list[float], groups: list[str]) -> Row:
    """The median of worms with its interval over groups."""
    if not values:
        return Row(name, metric, np.nan, np.nan, np.nan, 0)
    of = np.array(values)
    interval = bootstrap_interval(lambda k: float(np.median(of[k])), groups, SEED, RESAMPLES)
    return Row(name, metric, interval.value, interval.low, interval.high, len(values))


def score_rows(name: str, rule: str, scores: list[ImageScores], exhaustive: bool) -> Iterator[Row]:
    """F where every worm is labelled, recall at IoU 0.75, and area."""
    worms = sum(one.found.size for one in scores)
    figures: dict[str, Callable[[Sequence[ImageScores]], float]] = {
        "recall75": lambda s: share_of(
            sum(int(one.close.sum()) for one in s), sum(one.found.size for one in s)
        ),
        "area_ratio": lambda s: median_of(s, "area_ratios"),
    }
    if exhaustive:
        figures |= {
            "detection_f": f_score,
            "detection_f75": lambda s: f_score(s, close=True),
        }
    found = sum(len(one.ious) for one in scores)
    for metric, figure in figures.items():
        cases = found if metric == "area_ratio" else worms
        yield pooled(name, f"{metric}_{rule}", scores, figure, cases)


def rows_of(
    name: str,
    images: Iterator[LabelledImage],
    predicted: Callable[[LabelledImage], list[Instance]] | None,
) -> Iterator[Row]:
    """All rows of a set; only those of the truth where nothing is predicted."""
    places: dict[str, tuple[list[float], list[str]]] = {}
    scores: dict[str, list[ImageScores]] = {}
    exhaustive = True
    for image in images:
        shape = image.picture.shape
        exhaustive &= image.exhaustive
        found = predicted(image) if predicted else []
        of_truth, of_found = profiles(image, image.worms), profiles(image, found)
        for metric, read, depths in (
            ("grey_at_truth", of_truth, lambda p: float(np.interp(0, DEPTHS, p))),
            ("half_inside_truth_px", of_truth, RULES["half"]),
            ("steepest_inside_truth_px", of_truth, RULES["steepest"]),
            ("half_inside_mask_px", of_found, RULES["half"]),
        ):
            values, groups = places.setdefault(metric, ([], []))
            values += [depths(one) for one in read if one is not None]
            groups += [image.group] * (len(values) - len(groups))
        print(f"{name} {image.name}: {len(found)} worms found", file=sys.stderr, flush=True)
        if predicted is None:
            continue
        seen = [one for one in of_found if one is not None]
        usual = np.nanmedian(seen, axis=0) if seen else None
        scores.setdefault("network", []).append(score_image(image, found))
        for rule, depth in RULES.items():
            general = 0.0 if usual is None else depth(usual)
            ways = {
                f"{rule}_of_worm": [general if p is None else depth(p) for p in of_found],
                f"{rule}_of_image": [general] * len(found),
            }
            if rule == "wider":
                ways = {rule: [depth(DEPTHS)] * len(found)}
            for way, each in ways.items():
                masks = [moved(one, at, shape) for one, at in zip(found, each, strict=True)]
                scores.setdefault(way, []).append(score_image(image, masks))
    for metric, (values, groups) in places.items():
        if predicted is None and metric == "half_inside_mask_px":
            continue
        yield median_row(name, metric, values, groups)
        if metric.startswith("half"):
            of_groups = [
                float(np.median([v for v, g in zip(values, groups, strict=True) if g == group]))
                for group in sorted(set(groups))
            ]
            spread = float(np.std(of_groups)) if of_groups else np.nan
            name_of = metric.replace("_px", "_sd_of_groups_px")
            yield Row(name, name_of, spread, np.nan, np.nan, len(of_groups))
    for rule, of_rule in scores.items():
        yield from score_rows(name, rule, of_rule, exhaustive)


def main() -> None:
    """Measure the borders; write the table."""
    sets = {
        **SETS,
        "quantworm_train": quantworm_train,
        "simulated_scenes": lambda _: simulated_scenes(),
    }
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--sets", nargs="*", default=["bbbc010", "simulated_scenes"], choices=sets)
    parser.add_argument("--detector", type=Path, default=ROOT / DetectSettings().weights)
    parser.add_argument("--data", type=Path, help="folder of the real images")
    parser.add_argument("--folder", type=Path, default=Path("evaluation/detection"))
    parser.add_argument("--table", type=Path, help="default: borders.tsv in the folder")
    parser.add_argument("--truth-only", action="store_true")
    given = parser.parse_args()
    torch.set_num_threads(1)
    # The borders that are compared are the network's own.
    settings = DetectSettings(least_width=0)
    model, pixel_size_um = load_detector(str(given.detector), None, settings)
    model.roi_heads.score_thresh = LEAST_SCORE
    sha256 = sha256_of(given.detector)

    def predicted(image: LabelledImage) -> list[Instance]:
        soft = soft_predictions(image, model, sha256, settings, given.folder)
        return worms_of(image, soft, settings, pixel_size_um)

    data = given.data or Path(os.environ.get("SNAKESCOPE_DATA") or "../shared/data")
    rows: list[Row] = []
    for name in given.sets:
        images: Any = sets[name](data / "worms")
        rows += rows_of(name, images, None if given.truth_only else predicted)
    table = given.table or given.folder / "borders.tsv"
    write_table(table, merged(table, rows))
    print(scores_table(rows).round(3).to_string(index=False))


if __name__ == "__main__":
    run_step(main)
