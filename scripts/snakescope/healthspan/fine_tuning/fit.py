"""Fine-tuning of the worm detector on annotated images: seeded, resumable.

The width of the masks follows the annotations: the threshold at which masks are cut is chosen on
the images trained on, never on those held out.
"""

import argparse
import hashlib
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pandas as pd
import torch
from torchvision.models.detection import MaskRCNN

from snakescope.healthspan.detection.search import find_soft
from snakescope.healthspan.detection.settings import DetectSettings
from snakescope.healthspan.evaluation.predictions import LEAST_SCORE, corners_of, worms_of
from snakescope.healthspan.fine_tuning.settings import FineTuneSettings
from snakescope.healthspan.fine_tuning.split import TRAIN
from snakescope.healthspan.fine_tuning.store import images_of, read_splits
from snakescope.healthspan.geometry import PIXEL_SIZE_UM, TILE_PX
from snakescope.healthspan.training.detector_crops import draw_crop
from snakescope.healthspan.training.detector_examples import Scene
from snakescope.healthspan.training.detector_scores import match
from snakescope.healthspan.training.hard_scenes import draw_hard_scenes
from snakescope.healthspan.training.labelled_images import LabelledImage
from snakescope.healthspan.training.real_scenes import scenes_of, with_crossings
from snakescope.healthspan.training.settings import TrainDetectorSettings
from snakescope.healthspan.training.train_detector import (
    Batch,
    draw_scenes,
    train,
)
from snakescope.imaging.style import save_figure
from snakescope.learning.history import history_of, learning_curves
from snakescope.learning.loading import rng_of
from snakescope.learning.weights import load_weights, save_weights
from snakescope.step.checksum import sha256_of
from snakescope.step.errors import StepError
from snakescope.step.progress import progress
from snakescope.step.tables import read_table, write_table

THRESHOLDS = (0.3, 0.35, 0.4, 0.45, 0.5, 0.55, 0.6, 0.65, 0.7)
SWEPT_IMAGES = 16
"""Images on which the thresholds are compared, at most."""
MOST_CROSSINGS = 4
SCENE_PX = 560


def detector_settings(settings: FineTuneSettings, architecture: str) -> TrainDetectorSettings:
    """The settings of a training of the detector that fine-tuning amounts to."""
    return TrainDetectorSettings.model_validate(
        {
            **settings.model_dump(
                include={
                    "start_weights", "seed", "steps", "batch", "crop_px", "learning_rate",
                    "warmup_steps", "cooldown", "ema_decay", "real_share", "precision",
                    "checkpoint_every", "threads", "device",
                }
            ),
            "architecture": architecture,
            "scene_px": max(SCENE_PX, settings.crop_px),
        }
    )  # fmt: skip


def simulated(settings: FineTuneSettings) -> list[Scene]:
    """Half of the simulated scenes as of training, half of what real images show."""
    plain = settings.simulated_scenes // 2
    scenes = draw_scenes(settings.seed, plain, SCENE_PX) if plain else []
    hard = settings.simulated_scenes - plain
    return scenes + draw_hard_scenes(settings.seed, hard, SCENE_PX)


def draw_annotated(
    scenes: list[Scene],
    settings: TrainDetectorSettings,
    step: int,
    real: Sequence[Scene],
    crossings_share: float,
    scale_jitter: float,
) -> Batch:
    """The crops of one step, as of training, with crossings of annotated worms.

    Crossings are drawn anew for every crop; a batch depends on the seed and the step only.
    """
    rng = rng_of(settings.seed, 19, step)
    pictures, targets = [], []
    for _ in range(settings.batch):
        annotated = not scenes or rng.random() < settings.real_share
        source = real if annotated else scenes
        scene = source[int(rng.integers(len(source)))]
        if annotated and rng.random() < crossings_share:
            scene = with_crossings(rng, scene, int(rng.integers(1, MOST_CROSSINGS + 1)))
        jitter = scale_jitter if annotated else 0.0
        picture, target = draw_crop(rng, scene, settings.crop_px, jitter)
        pictures.append(picture)
        targets.append(target)
    return pictures, targets


def digest_of(images: Sequence[LabelledImage]) -> str:
    """Digest of pictures and masks, in their order."""
    digest = hashlib.blake2b(digest_size=16)
    for image in images:
        digest.update(f"{image.name} {image.picture.shape} {image.ignore}".encode())
        digest.update(image.picture.tobytes())
        for one in image.worms:
            digest.update(f"{one.top} {one.left} {one.mask.shape}".encode())
            digest.update(np.packbits(one.mask).tobytes())
    return digest.hexdigest()


def fine_tune(
    images: Sequence[LabelledImage], settings: FineTuneSettings, checkpoint: Path | None
) -> tuple[MaskRCNN, str]:
    """The detector trained on the images, on the CPU, and its architecture.

    Raises:
        StepError: no worm on any image, or weights or checkpoint of something else.
    """
    card = load_weights(settings.start_weights, None)[1]
    if card.get("model_pixel_size_um") != PIXEL_SIZE_UM:
        raise StepError(
            f"{settings.start_weights}: expected a detector at {PIXEL_SIZE_UM:g} um a pixel, found"
            f" one at {card.get('model_pixel_size_um')}; name other start_weights"
        )
    architecture = str(card.get("architecture"))
    real = [scene for one in images for scene in scenes_of(one, SCENE_PX, largest=np.inf)]
    if not real:
        raise StepError(
            "annotated images: expected worms on the images to train on, found none; see the"
            " findings (results/healthspan/training/findings.tsv)"
        )
    draw = partial(
        draw_annotated,
        crossings_share=settings.crossings_share,
        scale_jitter=settings.scale_jitter,
    )
    identity = {
        "images": digest_of(images),
        "start_sha256": sha256_of(settings.start_weights),
        "crossings_share": settings.crossings_share,
        "scale_jitter": settings.scale_jitter,
        "simulated_scenes": settings.simulated_scenes,
        "fine_tuning": FineTuneSettings.version,
    }
    model = train(
        detector_settings(settings, architecture),
        simulated(settings),
        checkpoint,
        real,
        draw=draw,
        further_identity=identity,
    )
    return model.to("cpu").eval(), architecture


def at_threshold(settings: DetectSettings, threshold: float) -> DetectSettings:
    """Settings by which masks end where the annotations do, whatever the width of the worms."""
    return settings.model_copy(update={"mask_threshold": threshold, "least_width": 0.0})


def threshold_sweep(
    model: MaskRCNN, images: Sequence[LabelledImage], settings: DetectSettings
) -> pd.DataFrame:
    """What masks cut at each threshold are like on images trained on.

    Returns:
        Columns mask_threshold, mask_iou (mean over all worms, 0 for one not found), area_ratio
        (median of found over annotated).
    """
    model.roi_heads.score_thresh = LEAST_SCORE
    shown = [one for one in images if one.worms][:SWEPT_IMAGES]
    soft = [
        find_soft(model, one.picture, corners_of(one.picture), TILE_PX, settings)
        for one in progress(shown, "images searched for the width of masks")
    ]
    rows = []
    for threshold in THRESHOLDS:
        cut = at_threshold(settings, threshold)
        total, ratios = 0.0, []
        for image, found in zip(shown, soft, strict=True):
            worms = worms_of(image, found, cut, PIXEL_SIZE_UM)
            for truth, number, value in match(image.worms, worms).pairs:
                total += value
                ratios.append(worms[number].area / image.worms[truth].area)
        count = sum(len(one.worms) for one in shown)
        ratio = float(np.median(ratios)) if ratios else float("nan")
        rows.append((threshold, total / max(count, 1), ratio))
    return pd.DataFrame(rows, columns=["mask_threshold", "mask_iou", "area_ratio"])


def best_threshold(sweep: pd.DataFrame, default: float) -> float:
    """The threshold of greatest mean IoU, the nearest to the default of equals."""
    best = sweep[sweep["mask_iou"] >= sweep["mask_iou"].max() - 1e-6]
    nearest = (best["mask_threshold"] - default).abs().idxmin()
    return float(best.loc[nearest, "mask_threshold"])


def header_of(settings: FineTuneSettings, architecture: str, digest: str) -> dict[str, Any]:
    """What the header of the weights says: how the model is rebuilt, and what it is from."""
    return {
        "model": "Mask R-CNN for worms",
        "architecture": architecture,
        "model_pixel_size_um": PIXEL_SIZE_UM,
        "data": f"fine-tuned on annotated images, digest {digest}",
        "seed": settings.seed,
        "settings": settings.model_dump(mode="json", exclude={"threads", "device"}),
        "command": "snakemake healthspan_train",
        "licence": "as the images allow",
    }


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command."""
    parser.add_argument("--labelled", required=True, help="folder of the annotated images")
    parser.add_argument("--splits", required=True, help="their table")
    parser.add_argument("--settings", default="{}", help="FineTuneSettings as JSON")
    parser.add_argument("--detect", default="{}", help="DetectSettings as JSON")
    parser.add_argument("--start-weights", required=True, help="weights to go on from")
    parser.add_argument("--checkpoint", required=True, type=Path)
    parser.add_argument("--weights", required=True, type=Path)
    parser.add_argument("--thresholds", required=True, help="table of thresholds to write")
    parser.add_argument("--history", required=True, help="losses along the training to write")
    parser.add_argument("--curves", required=True, help="learning curves (SVG) to write")


def main(arguments: argparse.Namespace) -> None:
    """Run the step."""
    settings = FineTuneSettings.model_validate_json(arguments.settings)
    settings = settings.model_copy(update={"start_weights": arguments.start_weights})
    torch.set_num_threads(settings.threads)
    cv2.setNumThreads(1)
    torch.use_deterministic_algorithms(True, warn_only=True)
    images = list(images_of(arguments.labelled, read_splits(arguments.splits), TRAIN))
    model, architecture = fine_tune(images, settings, arguments.checkpoint)
    detect = DetectSettings.model_validate_json(arguments.detect)
    write_table(arguments.thresholds, threshold_sweep(model, images, detect))
    course = history_of(arguments.checkpoint)
    assert course is not None
    history = read_table(course, ("step", "rate"))
    write_table(arguments.history, history)
    save_figure(learning_curves(history), arguments.curves)
    save_weights(arguments.weights, model, header_of(settings, architecture, digest_of(images)))
