"""Training of the semantic baseline, on the simulated scenes and crops of the detector's training.

The detector's targets, a mask a worm, become one map of three classes. Cross-entropy with weights
for the rare classes: of the pixels of a scene 2 % are body and far fewer overlap.
"""

import argparse
import json
from pathlib import Path

import cv2
import torch
from torch import Tensor
from torch.nn import functional

from snakescope.healthspan.paper.semantic import NAME, WIDTHS, SemanticUNet, class_map
from snakescope.healthspan.paper.settings import PaperSemanticSettings
from snakescope.healthspan.training.detector_crops import draw_crop
from snakescope.healthspan.training.detector_examples import Scene
from snakescope.healthspan.training.train_detector import draw_scenes
from snakescope.learning.device import choose_device
from snakescope.learning.history import history_of
from snakescope.learning.loading import rng_of
from snakescope.learning.loop import Training, fit
from snakescope.learning.schedules import warmup_cosine
from snakescope.learning.weights import save_weights

CLASS_WEIGHTS = (0.4, 1.0, 3.0)
"""Of ground, body and overlap in the loss."""
EMA_DECAY = 0.98
WARMUP_SHARE = 0.05

Batch = tuple[Tensor, Tensor]
"""Pictures float (N, 1, side, side), and classes int64 (N, side, side)."""


def draw_batch(scenes: list[Scene], settings: PaperSemanticSettings, step: int) -> Batch:
    """The crops of a step; they depend on the seed and the step only."""
    rng = rng_of(settings.seed, 17, step)
    chosen = rng.integers(len(scenes), size=settings.batch)
    pairs = [draw_crop(rng, scenes[int(k)], settings.crop_px) for k in chosen]
    pictures = torch.stack([picture for picture, _ in pairs])
    return pictures, torch.stack([class_map(target["masks"]) for _, target in pairs])


def train(
    settings: PaperSemanticSettings, scenes: list[Scene], checkpoint: Path | None = None
) -> SemanticUNet:
    """The trained baseline, with averaged weights, in evaluation mode on the CPU."""
    device = choose_device(settings.device)
    torch.manual_seed(settings.seed)
    model = SemanticUNet().to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]
    weights = torch.tensor(CLASS_WEIGHTS, device=device)

    def loss_of(model: SemanticUNet, batch: Batch, step: int) -> Tensor:
        return functional.cross_entropy(model(batch[0].to(device)), batch[1].to(device), weights)

    warmup = max(1, round(WARMUP_SHARE * settings.steps))
    training = Training(
        model=model,
        optimiser=torch.optim.AdamW(model.parameters(), lr=1.0, weight_decay=0.01),
        rate=lambda step: warmup_cosine(step, settings.steps, warmup, settings.learning_rate),
        batches=lambda first: (
            draw_batch(scenes, settings, step) for step in range(first, settings.steps)
        ),
        loss_of=loss_of,
        steps=settings.steps,
        identity=json.loads(settings.recorded()) | {"version": settings.version, "model": NAME},
        report_every=settings.checkpoint_every,
        clip_norm=5.0,
        ema_decay=EMA_DECAY,
    )
    model = fit(training, checkpoint, history_of(checkpoint)).model
    return model.to("cpu")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command."""
    parser.add_argument("--settings", required=True, help="settings as JSON")
    parser.add_argument("--checkpoint", type=Path, help="resumed from, if it is there")
    parser.add_argument("--weights", required=True, type=Path, help="weights to write")


def main(arguments: argparse.Namespace) -> None:
    """Run the step."""
    settings = PaperSemanticSettings.model_validate_json(arguments.settings)
    torch.set_num_threads(settings.threads)
    cv2.setNumThreads(1)
    scenes = draw_scenes(settings.seed, settings.scenes, settings.scene_px)
    model = train(settings, scenes, arguments.checkpoint)
    save_weights(arguments.weights, model, {"architecture": NAME, "widths": list(WIDTHS)})
