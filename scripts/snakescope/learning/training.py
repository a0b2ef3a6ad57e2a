"""A training loop that can be stopped anywhere between epochs and goes on as if it had not been.

A checkpoint holds the model, the optimiser, the schedule and the state of every random
generator, so that on the CPU a resumed training ends bit for bit like an uninterrupted one.
"""

import sys
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from snakescope.step.errors import StepError
from snakescope.step.output import atomic_write

Batch = Any


@dataclass
class Training:
    """What a training moves along.

    Attributes:
        loss_of: the loss (scalar tensor) of a batch; may augment with ``rng``.
        batches: the batches of an epoch; may shuffle with ``rng``.
        rng: the only source of chance besides torch's own generator.
        identity: what the checkpoint belongs to (settings, seed); another one is refused.
    """

    model: torch.nn.Module
    optimiser: torch.optim.Optimizer
    schedule: torch.optim.lr_scheduler.LRScheduler
    batches: Callable[[np.random.Generator], Iterable[Batch]]
    loss_of: Callable[[torch.nn.Module, Batch, np.random.Generator], torch.Tensor]
    rng: np.random.Generator
    identity: dict[str, Any]
    epoch: int = 0
    clip_norm: float | None = None


def seed_everything(seed: int, threads: int = 1) -> np.random.Generator:
    """Seed torch, make it deterministic, and give a generator for all other chance."""
    torch.manual_seed(seed)
    torch.set_num_threads(threads)
    torch.use_deterministic_algorithms(True, warn_only=True)
    return np.random.default_rng(seed)


def save_checkpoint(path: str | Path, training: Training) -> None:
    """Write everything that the rest of the training depends on."""
    state = {
        "identity": training.identity,
        "epoch": training.epoch,
        "model": training.model.state_dict(),
        "optimiser": training.optimiser.state_dict(),
        "schedule": training.schedule.state_dict(),
        "rng": training.rng.bit_generator.state,
        "torch": torch.get_rng_state(),
        "cuda": torch.cuda.get_rng_state_all() if torch.cuda.is_available() else [],
    }
    with atomic_write(path) as partial:
        torch.save(state, partial)


def load_checkpoint(path: str | Path, device: str | torch.device = "cpu") -> dict[str, Any]:
    """What a checkpoint holds, its ``identity`` among it.

    Raises:
        StepError: the file is no checkpoint.
    """
    try:
        state: dict[str, Any] = torch.load(path, map_location=device, weights_only=True)
        state["identity"].keys()
    except Exception as error:
        raise StepError(
            f"{path}: expected a training checkpoint, found something else"
            f" ({type(error).__name__}); remove it to train from the start"
        ) from None
    return state


def check_identity(path: str | Path, found: dict[str, Any], wanted: dict[str, Any]) -> None:
    """Refuse the checkpoint ``path`` where its identity is not that of the training.

    Raises:
        StepError: it is one of other settings.
    """
    if found != wanted:
        keys = sorted(set(found) | set(wanted))
        other = [key for key in keys if found.get(key) != wanted.get(key)]
        raise StepError(
            f"{path}: expected a checkpoint of the same training, found one with another"
            f" {', '.join(other)}; remove it to train from the start"
        )


def resume(path: str | Path, training: Training) -> bool:
    """Continue from a checkpoint if there is one; say whether there was.

    Raises:
        StepError: the file is no checkpoint, or one of other settings.
    """
    if not Path(path).exists():
        return False
    state = load_checkpoint(path)
    check_identity(path, state["identity"], training.identity)
    training.model.load_state_dict(state["model"])
    training.optimiser.load_state_dict(state["optimiser"])
    training.schedule.load_state_dict(state["schedule"])
    training.rng.bit_generator.state = state["rng"]
    torch.set_rng_state(state["torch"])
    if state["cuda"] and torch.cuda.is_available():
        torch.cuda.set_rng_state_all(state["cuda"])
    training.epoch = state["epoch"]
    return True


def run_epoch(training: Training) -> float:
    """Train once over the batches; the schedule steps after each batch. Mean loss.

    Raises:
        StepError: the loss is no longer a number.
    """
    training.model.train()
    total, count = 0.0, 0
    for batch in training.batches(training.rng):
        training.optimiser.zero_grad(set_to_none=True)
        loss = training.loss_of(training.model, batch, training.rng)
        if not torch.isfinite(loss):
            raise StepError(
                f"training: expected a finite loss, found {float(loss)} in epoch"
                f" {training.epoch + 1}; lower the learning rate"
            )
        loss.backward()
        if training.clip_norm is not None:
            torch.nn.utils.clip_grad_norm_(training.model.parameters(), training.clip_norm)
        training.optimiser.step()
        training.schedule.step()
        total, count = total + loss.item(), count + 1
    training.epoch += 1
    return total / max(count, 1)


def train(
    training: Training,
    epochs: int,
    checkpoint: str | Path | None = None,
    report: Callable[[int], str] | None = None,
    every: int = 1,
) -> None:
    """Train up to ``epochs`` in all, with one line an epoch on stderr.

    Args:
        checkpoint: resumed from if it exists, written every ``every`` epochs and at the end.
        report: adds to the line of an epoch, given its number from 1 (validation scores).
    """
    if checkpoint is not None and resume(checkpoint, training):
        print(f"resumed after epoch {training.epoch} from {checkpoint}", file=sys.stderr)
    while training.epoch < epochs:
        started = time.monotonic()
        loss = run_epoch(training)
        line = f"epoch {training.epoch} of {epochs}: loss {loss:.4f}"
        line += f", {report(training.epoch)}" if report is not None else ""
        print(f"{line}, {time.monotonic() - started:.0f} s", file=sys.stderr, flush=True)
        if checkpoint is not None and (training.epoch % every == 0 or training.epoch == epochs):
            save_checkpoint(checkpoint, training)
