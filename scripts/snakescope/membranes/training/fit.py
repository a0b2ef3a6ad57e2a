"""Training of a network on labelled sections: seeded, resumable, the same on every run."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from snakescope.learning.checkpoints import Identity
from snakescope.learning.device import choose_device
from snakescope.learning.history import history_of
from snakescope.learning.loading import Samples
from snakescope.learning.loop import Training, fit, seed_everything
from snakescope.learning.precision import arithmetic, autocast
from snakescope.learning.schedules import warmup_cosine, warmup_linear
from snakescope.membranes.networks.networks import Network, arranged, build, fused
from snakescope.membranes.stacks.sections import Labelled
from snakescope.membranes.training.crops import Crop, Crops
from snakescope.membranes.training.settings import AuxiliarySettings, TrainSettings

LENGTHENING = frozenset({"steps"})


def auxiliary_weight(settings: AuxiliarySettings, step: int) -> float:
    """Weight of the losses of single branches at a step (from 0).

    Chen et al. 2016, section "Deep contextual network": it decays as the training goes on. By
    steps, not by a share of them: a training that is made longer does not change its past.
    """
    lowered = settings.start * settings.factor ** (step // settings.every_steps)
    return max(lowered, min(settings.floor, settings.start))


def losses_of(
    maps: tuple[Tensor, ...], truth: Tensor, settings: AuxiliarySettings, step: int
) -> dict[str, Tensor]:
    """Cross-entropy of the summed logits, and of every branch by its weight.

    Args:
        maps: logits (N, 2, Y, X).
        truth: int64 (N, Y, X), 1 on membranes.
    """
    losses = {"fusion": F.cross_entropy(fused(maps).float(), truth)}
    if len(maps) > 1:
        own = torch.stack([F.cross_entropy(one.float(), truth) for one in maps])
        losses["branches"] = auxiliary_weight(settings, step) * own.sum()
    return losses


def rate_of(settings: TrainSettings, step: int) -> float:
    """Learning rate of a step (from 0)."""
    warmup, peak = settings.warmup_steps, settings.learning_rate
    if settings.schedule == "constant":
        return warmup_linear(step, settings.steps, warmup, 0.0, peak)
    return warmup_cosine(step, settings.steps, warmup, peak)


def as_tensors(batch: Sequence[Crop], device: torch.device) -> tuple[Tensor, Tensor]:
    """Crops as (N, C, side, side) float32 and (N, side, side) int64."""
    planes, membrane = zip(*batch, strict=True)
    return (
        torch.from_numpy(np.stack(planes)).to(device, non_blocking=True),
        torch.from_numpy(np.stack(membrane)).to(device, torch.int64, non_blocking=True),
    )


def train(
    settings: TrainSettings,
    stacks: Sequence[Labelled],
    identity: Identity,
    checkpoint: str | Path | None = None,
) -> Network:
    """Train a network; return it with averaged weights, in evaluation mode.

    Args:
        identity: of the data; the settings are added to it.
        checkpoint: resumed from if it exists.

    Raises:
        StepError: there is nothing to train with, or a loss is not finite.
    """
    crops = Crops(stacks, settings)
    seed_everything(settings.seed, settings.threads)
    device = choose_device(settings.device)
    dtype = arithmetic(settings.precision, device)
    network = arranged(build(settings.network, settings.seed).to(device), dtype)
    samples = Samples(crops.draw, crops.count, settings.batch, settings.seed)

    def loss_of(network: Network, batch: Sequence[Crop], step: int) -> dict[str, Tensor]:
        planes, truth = as_tensors(batch, device)
        with autocast(device, dtype):
            maps = network(planes)
        return losses_of(maps, truth, settings.auxiliary, step)

    kept = settings.model_dump(mode="json", exclude={"device", "threads", "report_steps"})
    training = Training(
        model=network,
        optimiser=torch.optim.AdamW(
            network.parameters(), settings.learning_rate, weight_decay=settings.weight_decay
        ),
        rate=lambda step: rate_of(settings, step),
        batches=lambda first: samples.batches(first, settings.steps),
        loss_of=loss_of,
        steps=settings.steps,
        identity={"version": settings.version, **kept, **identity},
        report_every=settings.report_steps,
        clip_norm=1.0,
        ema_decay=settings.ema_decay,
        dtype=dtype,
        lengthening=LENGTHENING,
    )
    fitted: Network = fit(training, checkpoint, history_of(checkpoint)).model
    return arranged(fitted, torch.float32)
