"""Training of the worm detector on simulated scenes: seeded, resumable, with held-out scores.

python -m snakescope.healthspan.training.train_detector --settings '{}' --checkpoint training/detector.pt
    --weights resources/models/detector.safetensors --card resources/models/detector.json
"""

import argparse
import time
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional
from torchvision.models.detection import MaskRCNN

from snakescope.healthspan.detection.model import build_detector
from snakescope.healthspan.geometry import PIXEL_SIZE_UM
from snakescope.healthspan.simulation.optics import TRAINING, UNSEEN
from snakescope.healthspan.training.detector_crops import draw_crop
from snakescope.healthspan.training.detector_examples import Scene, draw_scene
from snakescope.healthspan.training.detector_scores import score_scenes
from snakescope.healthspan.training.settings import TrainDetectorSettings
from snakescope.learning.device import choose_device
from snakescope.learning.training import check_identity, load_checkpoint
from snakescope.learning.weights import save_weights, write_card
from snakescope.step.output import atomic_write
from snakescope.step.progress import progress

HELD_OUT_SEED = 1_000_003


def draw_scenes(seed: int, count: int, size: int, unseen: bool = False) -> list[Scene]:
    """Scenes of a seed; each depends on the seed and its own number only."""
    ranges = UNSEEN if unseen else TRAINING
    numbers = progress(range(count), "scenes drawn")
    return [draw_scene(np.random.default_rng([seed, number]), size, ranges) for number in numbers]


class ForegroundLoss(nn.Module):
    """Worm or ground on the stride 4 map: a dense signal that starts a network from scratch.

    Used in training only; the model that is saved knows nothing of it.
    """

    def __init__(self, model: MaskRCNN) -> None:
        super().__init__()
        self.head = nn.Conv2d(model.backbone.out_channels, 1, kernel_size=1)
        self._features: Tensor | None = None
        model.backbone.register_forward_hook(self._keep)

    def _keep(self, module: nn.Module, inputs: Any, output: dict[str, Tensor]) -> None:
        self._features = output["stride4"]

    def forward(self, targets: list[dict[str, Tensor]]) -> Tensor:
        assert self._features is not None
        logits = self.head(self._features)
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


def lower_precision(module: nn.Module, device: torch.device) -> None:
    """Let a module calculate in bfloat16 and hand on float32.

    Boxes stay in float32: in bfloat16 a coordinate beyond 256 px is off by up to a pixel.
    """
    forward = module.forward

    def lowered(*inputs: Tensor) -> Any:
        with torch.autocast(device.type, dtype=torch.bfloat16):
            output = forward(*inputs)
        if isinstance(output, Tensor):
            return output.float()
        return {name: level.float() for name, level in output.items()}

    module.forward = lowered  # type: ignore[method-assign]


def learning_rate(step: int, settings: TrainDetectorSettings) -> float:
    """Linear warm-up, a plateau, and a linear decay to 0 over the ``cooldown``."""
    if step < settings.warmup_steps:
        return settings.learning_rate * (step + 1) / settings.warmup_steps
    decay_steps = max(1, round(settings.cooldown * settings.steps))
    return settings.learning_rate * min(1.0, (settings.steps - step) / decay_steps)


def draw_batch(
    scenes: list[Scene], settings: TrainDetectorSettings, step: int
) -> tuple[list[Tensor], list[dict[str, Tensor]]]:
    """The crops of one step; they depend on the seed and the step only."""
    rng = np.random.default_rng([settings.seed, 7, step])
    chosen = rng.integers(len(scenes), size=settings.batch)
    pairs = [draw_crop(rng, scenes[int(k)], settings.crop_px) for k in chosen]
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


def take_up(
    checkpoint: Path,
    settings: TrainDetectorSettings,
    state: dict[str, Any],
    device: torch.device,
) -> int:
    """Load a checkpoint into the parts of a training; give the number of steps done.

    One of another number of steps is taken up if the learning rate was the same so far, as it is
    before the ``cooldown`` of both.

    Raises:
        StepError: the file is no checkpoint, or one of other settings.
    """
    saved = load_checkpoint(checkpoint, device)
    found, wanted = saved["identity"], identity_of(settings)
    done = int(saved["step"])
    if found.keys() == wanted.keys() and found["steps"] != settings.steps:
        other = settings.model_copy(update={"steps": found["steps"]})
        same = all(learning_rate(k, settings) == learning_rate(k, other) for k in range(done))
        if done <= settings.steps and same:
            wanted["steps"] = found["steps"]
    check_identity(checkpoint, found, wanted)
    for name, part in state.items():
        part.load_state_dict(saved[name])
    return done


def train(
    settings: TrainDetectorSettings, scenes: list[Scene], checkpoint: Path | None = None
) -> MaskRCNN:
    """The trained detector, with averaged weights, in evaluation mode.

    A checkpoint of an interrupted run is taken up; the result is the same as without the break.

    Raises:
        StepError: the checkpoint is of another training.
    """
    device = choose_device(settings.device)
    torch.manual_seed(settings.seed)
    model = build_detector(settings.architecture).to(device).train()
    foreground = ForegroundLoss(model).to(device)
    average = torch.optim.swa_utils.AveragedModel(
        model,
        multi_avg_fn=torch.optim.swa_utils.get_ema_multi_avg_fn(settings.averaging),
        use_buffers=True,
    )
    if settings.precision == "bfloat16":
        # After the copy of the model that is averaged: a copy would share the changed forward.
        lower_precision(model.backbone, device)
        lower_precision(model.roi_heads.mask_head, device)
    parameters = [*model.parameters(), *foreground.parameters()]
    optimiser = make_optimiser(parameters, settings)
    state = {"model": model, "foreground": foreground, "average": average, "optimiser": optimiser}
    first = 0
    if checkpoint is not None and checkpoint.exists():
        first = take_up(checkpoint, settings, state, device)
    recent: dict[str, float] = {}
    started = time.monotonic()
    for step in range(first, settings.steps):
        # Sampling of proposals draws from torch's generator: tie it to the step, so that a
        # resumed run sees what an unbroken one would.
        torch.manual_seed(settings.seed * 1_000_003 + step)
        for group in optimiser.param_groups:
            group["lr"] = learning_rate(step, settings)
        pictures, targets = draw_batch(scenes, settings, step)
        pictures = [one.to(device) for one in pictures]
        targets = [{key: value.to(device) for key, value in one.items()} for one in targets]
        losses = model(pictures, targets)
        losses["loss_foreground"] = settings.foreground_weight * foreground(targets)
        total = torch.stack(list(losses.values())).sum()
        optimiser.zero_grad()
        total.backward()
        nn.utils.clip_grad_norm_(parameters, 5.0)
        optimiser.step()
        average.update_parameters(model)
        for name, value in losses.items():
            recent[name] = 0.98 * recent.get(name, float(value)) + 0.02 * float(value)
        if (step + 1) % 50 == 0:
            pace = (time.monotonic() - started) / (step + 1 - first)
            shown = " ".join(f"{k.removeprefix('loss_')} {v:.3f}" for k, v in recent.items())
            print(f"step {step + 1} of {settings.steps}, {pace:.2f} s each: {shown}", flush=True)
        if checkpoint is not None and (step + 1) % settings.checkpoint_every == 0:
            with atomic_write(checkpoint) as partial:
                parts = {name: part.state_dict() for name, part in state.items()}  # type: ignore[attr-defined]
                identity = identity_of(settings)
                torch.save({"identity": identity, **parts, "step": step + 1}, partial)
    trained = average.module
    trained.load_state_dict({k: v.clone() for k, v in trained.state_dict().items()})
    return trained.eval()  # type: ignore[no-any-return]


def model_card(settings: TrainDetectorSettings, scores: dict[str, Any]) -> dict[str, Any]:
    """What was trained, on what, how long, and how well it does on scenes it never saw."""
    return {
        "model": "Mask R-CNN for worms",
        "architecture": settings.architecture,
        "model_pixel_size_um": PIXEL_SIZE_UM,
        "data": "simulated scenes only (snakescope.healthspan.training.detector_examples), no real image",
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
    model = train(settings, scenes, arguments.checkpoint).to("cpu")
    held_out = draw_scenes(HELD_OUT_SEED, settings.held_out_scenes, 560, unseen=True)
    scores = score_scenes(model, held_out)
    card = model_card(settings, scores)
    sha256 = save_weights(arguments.weights, model, card)
    write_card(arguments.card, {"sha256": sha256, **card})
    print(f"held out: {scores}", flush=True)
