"""Tables 2 and 3 of Matsuo et al.: worms found by the semantic baseline and by the detector.

Each on the dark field alone and on the overlay of dark and bright field of the same simulated
scenes, drawn from other looks than those of any training; and on the wells of BBBC010 (bright
field), where they are at hand. One scorer:
:mod:`snakescope.healthspan.evaluation.detection_scores`.
"""

import argparse
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import cv2
import numpy as np
import torch
from torchvision.models.detection import MaskRCNN

from snakescope.healthspan.detection.channel_overlay import overlay
from snakescope.healthspan.detection.detect import load_detector
from snakescope.healthspan.detection.settings import DetectSettings
from snakescope.healthspan.evaluation.detection_scores import (
    ImageScores,
    box_of,
    detection_rows,
    f_score,
    score_image,
)
from snakescope.healthspan.evaluation.predictions import LEAST_SCORE, soft_predictions, worms_of
from snakescope.healthspan.paper.detection_picture import detection_picture
from snakescope.healthspan.paper.networks import network_rows
from snakescope.healthspan.paper.rows import PaperRow, table_of
from snakescope.healthspan.paper.semantic import (
    SemanticUNet,
    classes_of,
    load_semantic,
    worms_of_classes,
)
from snakescope.healthspan.paper.settings import PaperDetectionSettings
from snakescope.healthspan.simulation.optics import UNSEEN
from snakescope.healthspan.training.detector_examples import draw_frames
from snakescope.healthspan.training.detector_scores import inside
from snakescope.healthspan.training.labelled_images import LabelledImage, bbbc010
from snakescope.imaging.masks import Instance
from snakescope.imaging.style import save_figure
from snakescope.learning.registry import weights_checksum
from snakescope.step.progress import progress
from snakescope.step.tables import write_table

DARK, OVERLAY = "dark field", "dark and bright field"
CHANNELS = ("bright_field", "dark_field")
SEMANTIC, INSTANCE = "semantic", "instance"
PAPER = {
    (SEMANTIC, DARK): (0.753, 0.991, 0.856, 0.346),
    (SEMANTIC, OVERLAY): (0.890, 0.986, 0.935, 0.429),
    (INSTANCE, DARK): (0.766, 0.992, 0.864, 0.429),
    (INSTANCE, OVERLAY): (0.922, 0.986, 0.953, 0.607),
}
"""Recall, precision and F in table 2, and recall of overlapping worms in table 3."""

METRICS = {
    "recall": "recall",
    "detection_precision": "precision",
    "detection_f": "f",
    "overlap_recall": "overlap recall",
}
"""Figures of the scorer, and their names here, in the order of :data:`PAPER`."""

LEAST_AREAS = (20, 60, 120, 200, 300, 450)
"""Of which the baseline's least area (px) is chosen, on scenes that are not scored."""
TUNING = 1_000
BORDER_PX = 2


def draw_images(
    settings: PaperDetectionSettings, first: int, count: int
) -> dict[str, list[LabelledImage]]:
    """The same scenes by what is looked at; worms that the border cuts count neither way."""
    images: dict[str, list[LabelledImage]] = {DARK: [], OVERLAY: []}
    for number in progress(range(first, first + count), "scenes drawn"):
        rng = np.random.default_rng([settings.seed, number])
        frames, worms = draw_frames(rng, settings.scene_px, UNSEEN, CHANNELS)
        size = (settings.scene_px, settings.scene_px)
        whole = [one for one in worms if inside(one, size, BORDER_PX)]
        cut = [box_of(one) for one in worms if not inside(one, size, BORDER_PX)]
        for name, shown in ((DARK, {"dark_field": frames["dark_field"]}), (OVERLAY, frames)):
            images[name].append(
                LabelledImage(
                    f"scene_{number}_{name.split()[-2]}", f"scene_{number}", overlay(shown), whole,
                    ignore=cut,
                )
            )  # fmt: skip
    return images


def by_semantic(
    model: SemanticUNet, images: Sequence[LabelledImage], least: int
) -> list[list[Instance]]:
    """The worms of each image by the baseline."""
    return [worms_of_classes(classes_of(model, one.picture), least) for one in images]


def tuned_area(model: SemanticUNet, images: Sequence[LabelledImage]) -> int:
    """The least area (px) of a worm with the best F on the images."""
    classes = [classes_of(model, one.picture) for one in images]

    def f_of(least: int) -> float:
        found = [worms_of_classes(one, least) for one in classes]
        return f_score([score_image(*pair) for pair in zip(images, found, strict=True)])

    return max(LEAST_AREAS, key=f_of)


def by_instance(
    model: MaskRCNN,
    sha256: str,
    pixel_size_um: float,
    images: Sequence[LabelledImage],
    kept: Path,
) -> list[list[Instance]]:
    """The worms of each image by the shipped detector, as a plate's frame would have them.

    Args:
        model: with a score threshold of ``LEAST_SCORE``.
        kept: folder of what its network finds, so that an interrupted run goes on.
    """
    settings = DetectSettings()
    kept.mkdir(parents=True, exist_ok=True)
    found = []
    for image in progress(images, "images searched"):
        soft = soft_predictions(image, model, sha256, settings, kept)
        found.append(worms_of(image, soft, settings, pixel_size_um))
    return found


def rows_of(
    name: str, method: str, scores: Sequence[ImageScores], paper: Sequence[float] = ()
) -> Iterator[PaperRow]:
    """Recall, precision, F and recall of overlapping worms, with intervals over images."""
    found = {row.metric: row for row in detection_rows(name, scores, exhaustive=True)}
    for place, (metric, title) in enumerate(METRICS.items()):
        if metric in found:
            row = found[metric]
            table = "table 3" if title == "overlap recall" else "table 2"
            theirs = paper[place] if paper else np.nan
            yield PaperRow(table, name, method, title, row.value, row.low, row.high, row.n, theirs)


def scored(
    images: Sequence[LabelledImage], found: Sequence[Sequence[Instance]]
) -> list[ImageScores]:
    """The counts of every image."""
    return [score_image(*pair) for pair in zip(images, found, strict=True)]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command."""
    parser.add_argument("--semantic", required=True, help="weights of the semantic baseline")
    parser.add_argument("--detector", required=True, help="weights of the shipped detector")
    parser.add_argument("--data", default="", help="folder of the real images; empty: none")
    parser.add_argument("--kept", required=True, type=Path, help="folder of predictions")
    parser.add_argument("--settings", required=True, help="settings as JSON")
    parser.add_argument("--rows", required=True, type=Path, help="figures to write (TSV)")
    parser.add_argument("--picture", required=True, help="worms of one scene to draw")


def main(arguments: argparse.Namespace) -> None:
    """Run the step."""
    settings = PaperDetectionSettings.model_validate_json(arguments.settings)
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    semantic = load_semantic(arguments.semantic)
    detector, pixel_size_um = load_detector(
        arguments.detector, None, DetectSettings(faint_score=LEAST_SCORE)
    )
    sha256 = weights_checksum(arguments.detector)
    tuning = draw_images(settings, TUNING, settings.tuning_scenes)
    least = tuned_area(semantic, [one for images in tuning.values() for one in images])
    sets: dict[str, Mapping[str, Sequence[LabelledImage]]] = {
        "simulated": draw_images(settings, 0, settings.scenes)
    }
    wells = Path(arguments.data, "worms", "bbbc010")
    if arguments.data and wells.is_dir():
        sets["bbbc010"] = {"bright field": list(bbbc010(wells))}
    rows: list[PaperRow] = []
    shown: dict[str, list[Instance]] = {}
    for name, looked_at in sets.items():
        for given, images in looked_at.items():
            ways = {
                SEMANTIC: by_semantic(semantic, images, least),
                INSTANCE: by_instance(detector, sha256, pixel_size_um, images, arguments.kept),
            }
            for way, found in ways.items():
                scores = scored(images, found)
                theirs = PAPER.get((way, given), ())
                rows += rows_of(name, f"{way}, {given}", scores, theirs)
                if given == OVERLAY:
                    crossed = [int(one.crossed.sum()) for one in scores]
                    shown[way] = list(found[int(np.argmax(crossed))])
                    chosen = images[int(np.argmax(crossed))]
    save_figure(detection_picture(chosen, shown), arguments.picture)
    rows += network_rows(settings.backbones)
    write_table(arguments.rows, table_of(rows))
