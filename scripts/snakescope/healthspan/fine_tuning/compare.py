"""Weights before and after fine-tuning on held-out images: scores, pictures, card and page."""

import argparse
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import cv2
import imagecodecs
import numpy as np
import pandas as pd
import torch

from snakescope.healthspan.detection.detect import load_detector
from snakescope.healthspan.detection.search import find_soft
from snakescope.healthspan.detection.settings import DetectSettings
from snakescope.healthspan.evaluation.detection_scores import (
    RESAMPLES,
    SEED,
    ImageScores,
    average_precision,
    detection_rows,
    f_score,
    score_image,
)
from snakescope.healthspan.evaluation.predictions import LEAST_SCORE, corners_of, worms_of
from snakescope.healthspan.fine_tuning.fit import at_threshold, best_threshold
from snakescope.healthspan.fine_tuning.pictures import KEYS, before_and_after
from snakescope.healthspan.fine_tuning.settings import FineTuneScoresSettings, FineTuneSettings
from snakescope.healthspan.fine_tuning.split import HELD_OUT, TRAIN
from snakescope.healthspan.fine_tuning.store import images_of, read_splits
from snakescope.healthspan.geometry import TILE_PX
from snakescope.healthspan.training.labelled_images import LabelledImage
from snakescope.imaging.masks import Instance
from snakescope.imaging.style import FAINT_INK, INK, RULE
from snakescope.learning.intervals import bootstrap_interval
from snakescope.learning.registry import Card, Data, ScoreSet, card_of, read_card, write_card
from snakescope.learning.weights import load_weights
from snakescope.report.pages import Row, html, image_url, jpeg_url, scores_table, write_text
from snakescope.step.checksum import sha256_of
from snakescope.step.errors import StepError
from snakescope.step.output import atomic_folder
from snakescope.step.progress import progress
from snakescope.step.tables import read_table, write_table

BEFORE, AFTER, DIFFERENCE = "held_out_before", "held_out_after", "held_out_difference"
SHOWN = (
    ("detection_f", "F at IoU 0.5"),
    ("detection_f75", "F at IoU 0.75"),
    ("ap", "average precision, IoU 0.5 to 0.95"),
    ("recall", "worms found"),
    ("detection_precision", "detections that are worms"),
    ("overlap_recall", "overlapping worms found"),
    ("area_ratio", "area, found over annotated (median)"),
    ("width_error_px", "width, found less annotated (px, median)"),
)
"""Scores of the page, and what they are called there."""

ON_PAGE = 16
"""Pictures on the page, those with the most errors first; the others are in the folder."""


def searched(
    weights: str, images: Sequence[LabelledImage], settings: DetectSettings, name: str
) -> tuple[list[list[Instance]], list[Row], list[ImageScores]]:
    """The worms that weights find on images, the scores of the set ``name`` and of each image."""
    model, pixel_size_um = load_detector(weights, None, settings)
    model.roi_heads.score_thresh = LEAST_SCORE
    found, everything = [], []
    for image in progress(list(images), f"images searched, {name}"):
        soft = find_soft(model, image.picture, corners_of(image.picture), TILE_PX, settings)
        found.append(worms_of(image, soft, settings, pixel_size_um))
        everything.append(worms_of(image, soft, settings, pixel_size_um, LEAST_SCORE))
    scores = [score_image(image, worms) for image, worms in zip(images, found, strict=True)]
    ap = average_precision(images, everything)
    return found, list(detection_rows(name, scores, exhaustive=True, ap=ap)), scores


def differences(before: Sequence[ImageScores], after: Sequence[ImageScores]) -> Iterator[Row]:
    """After less before, of the same images, with intervals over the groups."""
    worms = sum(one.found.size for one in before)
    for metric, close in (("detection_f", False), ("detection_f75", True)):

        def difference(rows: Any, close: bool = close) -> float:
            return f_score([after[int(k)] for k in rows], close) - f_score(
                [before[int(k)] for k in rows], close
            )

        groups = [one.group for one in before]
        found = bootstrap_interval(difference, groups, SEED, RESAMPLES)
        yield Row(DIFFERENCE, metric, found.value, found.low, found.high, worms)


def verdict(rows: Sequence[Row], groups: int) -> str:
    """One sentence on whether the new weights are better on what was held out."""
    (one,) = [row for row in rows if row.set == DIFFERENCE and row.metric == "detection_f"]
    (two,) = [row for row in rows if row.set == DIFFERENCE and row.metric == "detection_f75"]
    where = f"on {groups} held-out group{'s' if groups != 1 else ''}"
    if np.isnan(one.low):
        return (
            f"F changed by {one.value:+.3f} at IoU 0.5 and {two.value:+.3f} at 0.75 {where}; how"
            " sure that is cannot be said of a single group: annotate another plate."
        )
    said = (
        f"F changed by {one.value:+.3f} ({one.low:+.3f} to {one.high:+.3f}) at IoU 0.5 and by"
        f" {two.value:+.3f} ({two.low:+.3f} to {two.high:+.3f}) at 0.75 {where}."
    )
    if one.high < 0:
        return f"{said} The new weights are worse: do not use them."
    if max(one.low, two.low) > 0:
        return f"{said} The new weights are better."
    return f"{said} That they are better is not sure: annotate more images, or keep the old ones."


def settings_text(weights: str, mask_threshold: float, default: float) -> str:
    """The settings that use the weights, as they are pasted into ``config.yaml``."""
    lines = ["healthspan:", "  detection:", "    detect:", f"      weights: {weights}"]
    if mask_threshold != default:
        lines.append(f"      mask_threshold: {mask_threshold:g}")
    lines.append("      least_width: 0  # masks end where those of the annotations do")
    return "\n".join(lines)


def data_of(splits: pd.DataFrame, start: str) -> list[Data]:
    """What the weights are from: the user's images as the sheet names them, and the old ones'."""
    named: dict[tuple[str, str], int] = {}
    for row in splits[splits["part"] == TRAIN].to_dict("records"):
        key = (str(row["data"]) or "annotated images", str(row["licence"]) or "not stated")
        named[key] = named.get(key, 0) + 1
    own = [
        Data(what=f"{what} ({count} images)", licence=licence)
        for (what, licence), count in named.items()
    ]
    own.append(Data(what="simulated scenes", licence="MIT, drawn by Snakescope"))
    if card_of(start).exists():
        known = {one.what for one in own}
        own += [
            Data(what=f"of the weights gone on from: {one.what}", licence=one.licence)
            for one in read_card(start).data
            if one.what not in known
        ]
    return own


def score_set(rows: Sequence[Row], name: str, what: str) -> ScoreSet:
    """The scores of a set for the card."""
    own = [row for row in rows if row.set == name and not np.isnan(row.value)]
    return ScoreSet(
        what=what,
        n=max(max((row.n for row in own), default=1), 1),
        cases="worms",
        scores={row.metric: round(float(row.value), 4) for row in own},
        details={
            f"{row.metric}_95": [round(float(row.low), 4), round(float(row.high), 4)]
            for row in own
            if not np.isnan(row.low)
        },
    )


def card(
    weights: str,
    start: str,
    settings: FineTuneSettings,
    splits: pd.DataFrame,
    rows: Sequence[Row],
    mask_threshold: float,
) -> Card:
    """The card of the new weights."""
    held_out = splits[splits["part"] == HELD_OUT]
    groups = ", ".join(sorted(set(held_out["group"].astype(str))))
    header = load_weights(weights)[1]
    return Card(
        what="masks of worms in overlays of the channels of a plate",
        sha256=sha256_of(weights),
        model={
            "model": "Mask R-CNN for worms",
            "architecture": str(header["architecture"]),
            "model_pixel_size_um": float(header["model_pixel_size_um"]),
        },
        data=data_of(splits, start),
        seed=settings.seed,
        steps=settings.steps,
        settings={
            **settings.model_dump(mode="json", exclude={"threads", "device"}),
            "start_sha256": sha256_of(start),
            "mask_threshold": mask_threshold,
        },
        held_out={
            name: score_set(rows, name, f"{len(held_out)} images of the groups {groups}, {which}")
            for name, which in ((BEFORE, "weights gone on from"), (AFTER, "these weights"))
        },
        limits="images like those that were annotated; others are to be looked at first",
        licence="as the licences of the data allow",
        command="snakemake healthspan_train",
    )


def page(
    rows: Sequence[Row],
    splits: pd.DataFrame,
    findings: pd.DataFrame,
    text: str,
    weights: str,
    curves: str,
    pictures: Sequence[tuple[str, str]],
    further: int,
) -> str:
    """The page of the training (HTML)."""
    values = {(row.set, row.metric): row for row in rows}

    def cell(name: str, metric: str) -> str:
        row = values.get((name, metric))
        if row is None or np.isnan(row.value):
            return ""
        interval = "" if np.isnan(row.low) else f" ({row.low:.3f} to {row.high:.3f})"
        return f"{row.value:.3f}{interval}"

    parts = []
    for part, label in ((TRAIN, "trained on"), (HELD_OUT, "held out")):
        own = splits[splits["part"] == part]
        groups = ", ".join(sorted(set(own["group"].astype(str))))
        parts.append((label, len(own), int(own["worms"].sum()), groups))
    held_out = splits.loc[splits["part"] == HELD_OUT, "group"].nunique()
    return html(
        "fine_tuning.html",
        ink=INK,
        faint_ink=FAINT_INK,
        rule=RULE,
        verdict=verdict(rows, int(held_out)),
        settings=text,
        weights=weights,
        scores=[
            (label, cell(BEFORE, metric), cell(AFTER, metric))
            for metric, label in SHOWN
            if cell(BEFORE, metric) or cell(AFTER, metric)
        ],
        parts=parts,
        findings=findings[["image", "used", "finding"]].astype(str).to_numpy().tolist(),
        curves=image_url(Path(curves).read_bytes(), "svg+xml"),
        keys=KEYS,
        pictures=pictures,
        further=further,
    )


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command."""
    parser.add_argument("--labelled", required=True, help="folder of the annotated images")
    parser.add_argument("--splits", required=True, help="their table")
    parser.add_argument("--findings", required=True, help="table of findings")
    parser.add_argument("--thresholds", required=True, help="table of mask thresholds")
    parser.add_argument("--curves", required=True, help="learning curves (SVG)")
    parser.add_argument("--start-weights", required=True, help="weights before")
    parser.add_argument("--weights", required=True, help="weights after")
    parser.add_argument("--settings", default="{}", help="FineTuneScoresSettings as JSON")
    parser.add_argument("--fine-tune", default="{}", help="FineTuneSettings as JSON")
    parser.add_argument("--detect", default="{}", help="DetectSettings as JSON")
    parser.add_argument("--scores", required=True, help="table of scores to write")
    parser.add_argument("--pictures", required=True, help="folder of pictures to write")
    parser.add_argument("--card", required=True, help="card of the weights to write")
    parser.add_argument("--page", required=True, help="page to write")


def main(arguments: argparse.Namespace) -> None:
    """Run the step."""
    settings = FineTuneScoresSettings.model_validate_json(arguments.settings)
    trained = FineTuneSettings.model_validate_json(arguments.fine_tune)
    detect = DetectSettings.model_validate_json(arguments.detect)
    torch.set_num_threads(trained.threads)
    cv2.setNumThreads(1)
    torch.use_deterministic_algorithms(True, warn_only=True)
    splits = read_splits(arguments.splits)
    images = list(images_of(arguments.labelled, splits, HELD_OUT))
    if not any(one.worms for one in images):
        raise StepError(
            f"{arguments.splits}: expected worms on the images that are held out, found none;"
            " annotate some, or hold out other groups (column set)"
        )
    thresholds = read_table(arguments.thresholds, ("mask_threshold", "mask_iou"))
    threshold = best_threshold(thresholds, detect.mask_threshold)
    cut = at_threshold(detect, threshold)
    before, before_rows, before_scores = searched(arguments.start_weights, images, detect, BEFORE)
    after, after_rows, after_scores = searched(arguments.weights, images, cut, AFTER)
    rows = [*before_rows, *after_rows, *differences(before_scores, after_scores)]
    found = {
        one.name: {"before": first, "after": second}
        for one, first, second in zip(images, before, after, strict=True)
    }
    shown = images[: settings.max_pictures]
    errors = {
        one.name: score.false + int((~score.found).sum())
        for one, score in zip(images, after_scores, strict=True)
    }
    worst = {one.name for one in sorted(shown, key=lambda one: -errors[one.name])[:ON_PAGE]}
    on_page = draw(shown, found, worst, arguments.pictures)
    new_card = card(
        arguments.weights,
        arguments.start_weights,
        trained.model_copy(update={"start_weights": arguments.start_weights}),
        splits,
        rows,
        threshold,
    )
    text = settings_text(arguments.weights, threshold, detect.mask_threshold)
    findings = read_table(arguments.findings, ("image", "used", "finding"), text="all")
    written = page(
        rows,
        splits,
        findings,
        text,
        arguments.weights,
        arguments.curves,
        on_page,
        len(shown) - len(on_page),
    )
    write_table(arguments.scores, scores_table(rows))
    write_text(arguments.page, written)
    write_card(arguments.card, new_card)
    print(verdict(rows, splits.loc[splits["part"] == HELD_OUT, "group"].nunique()), flush=True)
    print(f"settings that use the weights:\n{text}", flush=True)


def draw(
    images: Sequence[LabelledImage],
    found: Mapping[str, Mapping[str, Sequence[Instance]]],
    on_page: set[str],
    path: str,
) -> list[tuple[str, str]]:
    """Write the pictures of images; return those of the page, as URL and name."""
    urls = []
    with atomic_folder(path) as folder:
        folder.mkdir()
        for image in images:
            pixels = before_and_after(image, found[image.name])
            (folder / f"{image.name}.png").write_bytes(imagecodecs.png_encode(pixels))
            if image.name in on_page:
                urls.append((jpeg_url(pixels), image.name))
    return urls
