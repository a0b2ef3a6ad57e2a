"""Train a network on the clips of a fold; validated on donors it is not trained on."""

import argparse
import sys
from collections.abc import Generator
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from snakescope.learning import checkpoints
from snakescope.learning.cross_validation.folds import add_fit_options, read_fold
from snakescope.learning.device import choose_device
from snakescope.learning.history import history_of
from snakescope.learning.loading import Samples
from snakescope.learning.loop import Training, fit, seed_everything
from snakescope.learning.precision import Precision, arithmetic, autocast
from snakescope.learning.schedules import warmup_cosine
from snakescope.learning.weights import save_weights
from snakescope.sperm.networks.build import build, parameters
from snakescope.sperm.networks.catalogue import ABOUT
from snakescope.sperm.networks.heads import GradeNetwork, shares
from snakescope.sperm.networks.published import begin_with
from snakescope.sperm.training.correction import corrected
from snakescope.sperm.training.data import Clips, augmented, load, normalised, tensors
from snakescope.sperm.training.settings import FitSettings
from snakescope.step.checksum import sha256_of
from snakescope.step.errors import StepError

add_arguments = add_fit_options

FLOAT32_ON_CPU = frozenset({"r3d", "r2plus1d"})
"""Networks of torchvision that do not train in bfloat16 on a CPU: of the compact protocol, the loss
of r3d was no number from step 70 of the first fold on, and fell steadily in float32."""
Sample = tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.int64]]


def arithmetic_of(name: str, precision: Precision, device: torch.device) -> torch.dtype:
    """The arithmetic in which a network is trained; the log tells where it is another one."""
    if device.type == "cpu" and name in FLOAT32_ON_CPU and precision != "float32":
        if precision != "auto":
            print(f"{name}: trained in float32 in place of {precision}", file=sys.stderr)
        return torch.float32
    return arithmetic(precision, device)


def squared_error(network: GradeNetwork, clips: Clips, rows: NDArray[np.intp], batch: int) -> float:
    """Mean squared error over clips and grades."""
    device = next(network.parameters()).device
    total = 0.0
    for first in range(0, len(rows), batch):
        frames, motion, votes = tensors(clips, rows[first : first + batch], device)
        error = (network(frames, motion).exp() - shares(votes)).square()
        total += float(error.mean(1).sum())
    return total / len(rows)


def train(
    name: str,
    clips: Clips,
    roles: NDArray[np.str_],
    settings: FitSettings,
    identity: dict[str, Any],
    checkpoint: Path | None = None,
) -> GradeNetwork:
    """A network trained on the clips of role ``train``; the best epoch by those of ``validation``.

    Args:
        roles: shape (N,), of each clip; with no validation clips the last weights are kept.
    """
    if name not in ABOUT:
        raise StepError(f"sperm: models: expected some of {', '.join(ABOUT)}, found {name!r}")
    seed_everything(settings.seed, settings.threads)
    device = choose_device(settings.device)
    dtype = arithmetic_of(name, settings.precision, device)
    network: GradeNetwork = build(name, settings.size, settings.size_px)  # type: ignore[arg-type]
    if name in settings.weights:
        begin_with(network, name, settings.weights[name])
    network.to(device)
    train_rows, held = np.flatnonzero(roles == "train"), np.flatnonzero(roles == "validation")
    if not len(train_rows):
        raise StepError("training: expected clips to train on, found none; lower folds")
    batch = min(settings.batch, len(train_rows))
    network.begin(
        torch.from_numpy(clips.motion[train_rows]).to(device),
        torch.from_numpy(clips.votes[train_rows]).to(device, torch.float32),
    )
    rate = network.rate * settings.rate

    def draw(index: int, rng: np.random.Generator) -> Sample:
        row = train_rows[index]
        clip = clips.frames[row]
        grey = augmented(clip, rng, settings.turns) if settings.augment else normalised(clip)
        return grey, clips.motion[row], clips.votes[row]

    samples = Samples(draw, len(train_rows), batch, settings.seed)
    steps = max(1, settings.epochs * samples.epoch_steps // settings.accumulate)

    def batches(first: int) -> Generator[list[Sample], None, None]:
        return samples.batches(first, steps * settings.accumulate, workers=0)

    def loss_of(model: GradeNetwork, batch: list[Sample], step: int) -> dict[str, Tensor]:
        frames, motion, votes = (
            torch.from_numpy(np.stack(one)).to(device) for one in zip(*batch, strict=True)
        )
        with autocast(device, dtype):
            return model.losses(frames, motion, votes.float())

    optimiser = torch.optim.AdamW(network.parameters(), lr=rate, weight_decay=settings.weight_decay)
    fitted = fit(
        Training(
            model=network,
            optimiser=optimiser,
            rate=lambda step: warmup_cosine(step, steps, round(settings.warmup * steps), rate),
            batches=batches,
            loss_of=loss_of,
            steps=steps,
            identity=identity,
            report_every=max(1, min(steps, samples.epoch_steps // settings.accumulate or 1)),
            checkpoint_every=max(1, steps // 10),
            accumulate=settings.accumulate,
            clip_norm=1.0,
            ema_decay=settings.ema_decay or None,
            dtype=dtype,
            evaluate=None
            if not len(held)
            else lambda model: {"squared": squared_error(model, clips, held, batch)},
            monitor="validation_squared" if len(held) else None,
        ),
        checkpoint,
        history_of(checkpoint),
    )
    found: GradeNetwork = fitted.load_best() if len(held) else fitted.model
    return found.eval()


def main(arguments: argparse.Namespace) -> None:
    """Run the step."""
    settings = FitSettings.model_validate_json(arguments.settings)
    items = read_fold(arguments.items, arguments.splits, arguments.fold)
    clips = load(items, settings.size_px)
    roles = items["role"].to_numpy(str)
    identity = {
        "version": FitSettings.version,
        **settings.model_dump(mode="json", exclude=set(FitSettings.unrecorded)),
        "model": arguments.model,
        "fold": arguments.fold,
        "items": sha256_of(arguments.items),
        "splits": sha256_of(arguments.splits),
    }
    checkpoint = checkpoints.path_of(arguments.checkpoint, identity)
    network = train(arguments.model, clips, roles, settings, identity, checkpoint)
    by = corrected(network, clips, np.flatnonzero(roles == "validation"))
    card = {
        "network": arguments.model,
        "size": settings.size,
        "size_px": settings.size_px,
        "parameters": parameters(network),
        "began_with": settings.weights.get(arguments.model, "random weights"),
        **({} if by is None else {"correction": by._asdict()}),
    }
    save_weights(arguments.weights, network.cpu(), card)
