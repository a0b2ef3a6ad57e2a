"""Training of the worm detector on simulated scenes: seeded, resumable, with held-out scores.

snakescope healthspan train_detector --settings '{}'
    --checkpoint training/detector.pt --weights resources/models/healthspan/detector.safetensors
    --card resources/models/healthspan/detector.json
"""

import argparse
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional
from torchvision.models.detection import MaskRCNN

from snakescope.healthspan.detection.model import (
    ARCHITECTURES,
    build_detector,
    with_more_anchors,
)
from snakescope.healthspan.geometry import PIXEL_SIZE_UM
from snakescope.healthspan.simulation.optics import TRAINING, UNSEEN
from snakescope.healthspan.training.detector_crops import draw_crop
from snakescope.healthspan.training.detector_examples import Scene, draw_scene
from snakescope.healthspan.training.detector_scores import score_scenes
from snakescope.healthspan.training.hard_scenes import draw_hard_scenes
from snakescope.healthspan.training.real_scenes import (
    TRAIN_LICENCES,
    TRAIN_SETS,
    real_scenes,
    train_images,
)
from snakescope.healthspan.training.settings import TrainDetectorSettings
from snakescope.learning.device import choose_device
from snakescope.learning.history import history_of
from snakescope.learning.loading import rng_of
from snakescope.learning.loop import Training, fit
from snakescope.learning.precision import arithmetic, lower_precision
from snakescope.learning.registry import Card, Data, ScoreSet, write_card
from snakescope.learning.schedules import warmup_linear
from snakescope.learning.weights import load_weights, save_weights
from snakescope.step.errors import StepError
from snakescope.step.files import repository_file
from snakescope.step.progress import progress

HELD_OUT_SEED = 1_000_003

Batch = tuple[list[Tensor], list[dict[str, Tensor]]]
"""Crops, float (1, side, side), and the targets that torchvision's Mask R-CNN takes."""


def draw_scenes(seed: int, count: int, size: int, unseen: bool = False) -> list[Scene]:
    """Scenes of a seed; each depends on the seed and its own number only."""
    ranges = UNSEEN if unseen else TRAINING
    numbers = progress(range(count), "scenes drawn")
    return [draw_scene(np.random.default_rng([seed, number]), size, ranges) for number in numbers]


class ForegroundLoss(nn.Module):
    """Worm or ground on the stride 4 map: a dense signal that starts a network from scratch.

    Used in training only; the model that is saved knows nothing of it.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.head = nn.Conv2d(channels, 1, kernel_size=1)

    def forward(self, features: Tensor, targets: list[dict[str, Tensor]]) -> Tensor:
        logits = self.head(features)
        wanted = torch.stack(
            [
                t["masks"].amax(0)
                if len(t["masks"])
                else t["masks"].new_zeros(t["masks"].shape[1:])
                for t in targets
            ]
        )
        small = functional.adaptive_avg_pool2d(wanted[:, None].float(), logits.shape[-2:])
        return functional.binary_cross_entropy_with_logits(
            logits, small, pos_weight=logits.new_tensor(3.0)
        )


@contextmanager
def captured_features(model: MaskRCNN) -> Iterator[dict[str, Tensor]]:
    """Within, the feature maps of the last pass through the trunk, by level."""
    features: dict[str, Tensor] = {}
    handle = model.backbone.register_forward_hook(lambda *call: features.update(call[-1]))
    try:
        yield features
    finally:
        handle.remove()


def learning_rate(step: int, settings: TrainDetectorSettings) -> float:
    """Linear warm-up, a plateau, and a linear decay to 0 over the ``cooldown``."""
    return warmup_linear(
        step, settings.steps, settings.warmup_steps, settings.cooldown, settings.learning_rate
    )


def draw_batch(
    scenes: list[Scene],
    settings: TrainDetectorSettings,
    step: int,
    real: Sequence[Scene] = (),
) -> Batch:
    """The crops of one step; they depend on the seed and the step only."""
    rng = rng_of(settings.seed, 7, step)
    if real:
        sources = [
            real if rng.random() < settings.real_share else scenes for _ in range(settings.batch)
        ]
        chosen = [source[int(rng.integers(len(source)))] for source in sources]
    else:
        chosen = [scenes[int(k)] for k in rng.integers(len(scenes), size=settings.batch)]
    pairs = [draw_crop(rng, scene, settings.crop_px) for scene in chosen]
    return [picture for picture, _ in pairs], [target for _, target in pairs]


def make_optimiser(
    parameters: list[nn.Parameter], settings: TrainDetectorSettings
) -> torch.optim.Optimizer:
    """The optimiser of the settings; its rate of 1 is replaced at every step."""
    if settings.optimiser == "adamw":
        return torch.optim.AdamW(parameters, lr=1.0, weight_decay=settings.weight_decay)
    return torch.optim.SGD(
        parameters, lr=1.0, momentum=0.9, nesterov=True, weight_decay=settings.weight_decay
    )


def identity_of(settings: TrainDetectorSettings) -> dict[str, Any]:
    """What a checkpoint belongs to: the version, and all settings that a training depends on."""
    harmless = {"threads", "device", "checkpoint_every", "held_out_scenes"}
    return settings.model_dump(mode="json", exclude=harmless) | {
        "version": TrainDetectorSettings.version
    }


def start_from(model: MaskRCNN, settings: TrainDetectorSettings) -> None:
    """Give the model the weights that its training goes on from, if any are named.

    Raises:
        StepError: they are those of another architecture.
    """
    if not settings.start_weights:
        return
    weights, card = load_weights(repository_file(settings.start_weights), None)
    before = str(card.get("architecture"))
    fitting = (
        with_more_anchors(weights, before, settings.architecture)
        if before in ARCHITECTURES
        else None
    )
    if fitting is None:
        raise StepError(
            f"{settings.start_weights}: expected weights of {settings.architecture}, found those of"
            f" {before}; name others, or set the architecture"
        )
    model.load_state_dict(fitting)


def train(
    settings: TrainDetectorSettings,
    scenes: list[Scene],
    checkpoint: Path | None = None,
    real: Sequence[Scene] = (),
    draw: Callable[..., Batch] = draw_batch,
    further_identity: Mapping[str, Any] | None = None,
) -> MaskRCNN:
    """The trained detector, with averaged weights, in evaluation mode.

    An interrupted training is resumed from its checkpoint with the same result; one of another
    number of steps if the learning rate was the same so far, as it is before the ``cooldown``.

    Args:
        draw: the batch of a step, called as :func:`draw_batch` is.
        further_identity: what else the weights depend on, as a digest of the real images.

    Raises:
        StepError: the checkpoint is of another training.
    """
    device = choose_device(settings.device)
    dtype = arithmetic(settings.precision, device)
    torch.manual_seed(settings.seed)
    model = build_detector(settings.architecture)
    start_from(model, settings)
    model = model.to(device)
    foreground = ForegroundLoss(model.backbone.out_channels).to(device)

    def loss_of(model: MaskRCNN, batch: Batch, step: int) -> dict[str, Tensor]:
        # Sampling of proposals draws from torch's generator: tie it to the step.
        torch.manual_seed(settings.seed * 1_000_003 + step)
        pictures = [one.to(device) for one in batch[0]]
        targets = [{key: value.to(device) for key, value in one.items()} for one in batch[1]]
        lowered = (model.backbone, model.roi_heads.mask_head)
        with lower_precision(lowered, device, dtype), captured_features(model) as features:
            losses: dict[str, Tensor] = model(pictures, targets)
        found = foreground(features["stride4"], targets)
        return {**losses, "loss_foreground": settings.foreground_weight * found}

    training = Training(
        model=model,
        optimiser=make_optimiser([*model.parameters(), *foreground.parameters()], settings),
        rate=lambda step: learning_rate(step, settings),
        batches=lambda first: (
            draw(scenes, settings, step, real) for step in range(first, settings.steps)
        ),
        loss_of=loss_of,
        steps=settings.steps,
        identity=identity_of(settings) | dict(further_identity or {}),
        report_every=50,
        checkpoint_every=settings.checkpoint_every,
        clip_norm=5.0,
        ema_decay=settings.ema_decay,
        dtype=dtype,
        parts={"foreground": foreground},
        lengthening=frozenset({"steps"}),
    )
    return fit(training, checkpoint, history_of(checkpoint)).model  # type: ignore[no-any-return]


def model_card(settings: TrainDetectorSettings, scores: dict[str, Any]) -> dict[str, Any]:
    """What the header of the weights says: how the model is rebuilt, training and scores."""
    return {
        "model": "Mask R-CNN for worms",
        "architecture": settings.architecture,
        "model_pixel_size_um": PIXEL_SIZE_UM,
        "data": "simulated scenes (snakescope.healthspan.training)"
        + (", and real images: " + ", ".join(TRAIN_SETS) if settings.real_images else ""),
        "seed": settings.seed,
        "held_out": {
            "what": "simulated scenes of another seed, looks drawn from other ranges",
            "seed": HELD_OUT_SEED,
            **scores,
        },
        "settings": settings.model_dump(exclude={"threads", "device"}),
        "command": "snakemake results/healthspan/models/detector.safetensors",
        "licence": "MIT",
    }


def data_of(settings: Mapping[str, Any]) -> list[Data]:
    """What a detector of these settings was trained on, with licences."""
    drawn = Data(what="simulated scenes", licence="MIT, drawn by Snakescope")
    if not settings["real_images"]:
        return [drawn]
    return [drawn, *(Data(what=what, licence=licence) for what, licence in TRAIN_LICENCES)]


def published_card(header: dict[str, Any], sha256: str) -> Card:
    """The card beside the weights."""
    held_out = dict(header["held_out"])
    what, n = held_out.pop("what"), held_out.pop("worms")
    details = {name: held_out.pop(name) for name in ("seed", "overlapping_worms")}
    return Card(
        what="masks of worms in overlays of the channels of a plate",
        sha256=sha256,
        model={name: header[name] for name in ("model", "architecture", "model_pixel_size_um")},
        data=data_of(header["settings"]),
        seed=header["seed"],
        steps=header["settings"]["steps"],
        settings=header["settings"],
        held_out={
            "simulated_scenes": ScoreSet(
                what=what, n=n, cases="worms", scores=held_out, details=details
            )
        },
        limits="dark worms of about 1 mm on bright agar at the model's pixel size; check the masks"
        " of a new instrument on the overlays",
        licence=header["licence"],
        command=header["command"],
    )


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command."""
    parser.add_argument("--settings", required=True, help="settings as JSON")
    parser.add_argument("--weights", required=True, type=Path)
    parser.add_argument("--card", required=True, type=Path)
    parser.add_argument("--checkpoint", required=True, type=Path)


def main(arguments: argparse.Namespace) -> None:
    """Run the step."""
    settings = TrainDetectorSettings.model_validate_json(arguments.settings)
    torch.set_num_threads(settings.threads)
    cv2.setNumThreads(1)
    torch.use_deterministic_algorithms(True, warn_only=True)
    scenes = draw_scenes(settings.seed, settings.scenes, settings.scene_px)
    scenes += draw_hard_scenes(settings.seed, settings.hard_scenes, settings.scene_px)
    real: list[Scene] = []
    if settings.real_images:
        images = train_images(Path(settings.real_images))
        real = real_scenes(images, settings.scene_px, settings.seed)
    model = train(settings, scenes, arguments.checkpoint, real).to("cpu")
    held_out = draw_scenes(HELD_OUT_SEED, settings.held_out_scenes, 560, unseen=True)
    scores = score_scenes(model, held_out)
    header = model_card(settings, scores)
    sha256 = save_weights(arguments.weights, model, header)
    write_card(arguments.card, published_card(header, sha256))
    print(f"held out: {scores}", flush=True)
