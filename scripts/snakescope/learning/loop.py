"""One training loop for every model: averaged weights, mixed precision, checkpoints.

A training that is interrupted and resumed ends, on a CPU, bit for bit like one that is not: the
checkpoint holds the model, its running average, the optimiser, the loss scale, the history and the
state of every random generator.

    samples = Samples(draw, count=len(images), size=16, seed=1)
    steps = 40 * samples.epoch_steps
    training = Training(
        model=model,
        optimiser=torch.optim.AdamW(model.parameters()),
        rate=lambda step: warmup_cosine(step, steps, 100, peak=1e-3),
        batches=lambda first: samples.batches(first, steps, workers=2),
        loss_of=loss_of,  # of the model, a list of samples, and the step
        steps=steps,
        identity={"version": 1, **settings.model_dump(mode="json")},
        report_every=samples.epoch_steps,
        evaluate=lambda model: {"auc": auc(model, validation)},
        monitor="validation_auc",
        larger_is_better=True,
    )
    model = fit(training, "training/model.ckpt", "training/model.tsv").load_best()
"""

import sys
import time
from collections.abc import Callable, Generator, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from snakescope.learning.checkpoints import (
    Identity,
    check_identity,
    load_checkpoint,
    save_checkpoint,
)
from snakescope.learning.history import write_history
from snakescope.step.errors import StepError

Batch = Any
Batches = Generator[Batch, None, None]
Losses = Tensor | Mapping[str, Tensor]


@dataclass
class Training:
    """What is trained, on what, and for how long.

    Attributes:
        model: trained in place, on the device of its parameters.
        optimiser: over all parameters that are trained and clipped.
        rate: learning rate of a step (from 0), see :mod:`snakescope.learning.schedules`.
        batches: the batches from a number (from 0) on, without end or to the last one at least.
        loss_of: loss of (model, batch, step), a scalar tensor or several by name, which are summed.
        steps: optimiser steps in all. For epochs: their number times the steps of one.
        identity: what the weights depend on; a checkpoint of another one is refused.
        report_every: steps between reports: a line on stderr, a row of the history, ``evaluate``.
        checkpoint_every: steps between checkpoints; as often as reports by default.
        accumulate: batches whose mean gradient makes one step.
        clip_norm: largest norm of the gradient (L2, over all parameters).
        ema_decay: decay of a running average of weights and buffers, which is then evaluated and
            returned in place of the last weights.
        dtype: arithmetic of ``loss_of`` (see :mod:`snakescope.learning.precision`); for float16 the
            loss is scaled, and steps whose gradient overflows are left out.
        parts: further modules that are trained along, by name, for the checkpoint.
        rng: generator that ``batches`` or ``loss_of`` draw from, if any; torch's own is always
            taken along. ``batches`` must then be drawn when they are due, not ahead.
        evaluate: validation scores of a model in evaluation mode, by name.
        monitor: the loss or score (``validation_<name>``) that chooses the best weights.
        larger_is_better: of ``monitor``.
        patience: reports without a better ``monitor`` after which the training ends early.
        lengthening: keys of ``identity`` that only shape the rate: a checkpoint that differs in
            them is resumed if all rates so far were the same.
    """

    model: nn.Module
    optimiser: torch.optim.Optimizer
    rate: Callable[[int], float]
    batches: Callable[[int], Batches]
    loss_of: Callable[[Any, Batch, int], Losses]
    steps: int
    identity: Identity
    report_every: int
    checkpoint_every: int | None = None
    accumulate: int = 1
    clip_norm: float | None = None
    ema_decay: float | None = None
    dtype: torch.dtype = torch.float32
    parts: Mapping[str, nn.Module] = field(default_factory=dict)
    rng: np.random.Generator | None = None
    evaluate: Callable[[Any], Mapping[str, float]] | None = None
    monitor: str | None = None
    larger_is_better: bool = False
    patience: int | None = None
    lengthening: frozenset[str] = frozenset()


@dataclass
class Fitted:
    """A training on its way, and what comes out of it.

    Attributes:
        step: optimiser steps done.
        rates: learning rate of each of them.
        history: a report each: step, rate, mean losses since the last report, validation scores.
        best: step, value of ``monitor`` and weights of the best report, or None.
    """

    training: Training
    average: AveragedModel | None
    scaler: torch.amp.GradScaler
    step: int = 0
    rates: list[float] = field(default_factory=list)
    history: list[dict[str, float]] = field(default_factory=list)
    best: dict[str, Any] | None = None
    sums: dict[str, float] = field(default_factory=dict)
    summed: int = 0

    @property
    def model(self) -> Any:
        """The model with the averaged weights, or the last ones where none are averaged."""
        return self.training.model if self.average is None else self.average.module

    @property
    def ended(self) -> bool:
        """Whether all steps are done, or ``patience`` is over."""
        training = self.training
        if training.patience is not None and self.best is not None:
            since = sum(row["step"] > self.best["step"] for row in self.history)
            if since >= training.patience:
                return True
        return self.step >= training.steps

    def load_best(self) -> Any:
        """The model with the weights of the best report.

        Raises:
            ValueError: nothing was monitored, or it was never a number.
        """
        if self.best is None:
            raise ValueError(f"no best weights: {self.training.monitor} was never a number")
        self.model.load_state_dict(self.best["weights"])
        return self.model


def seed_everything(seed: int, threads: int = 1) -> np.random.Generator:
    """Seed torch, make it deterministic, and return a generator for all other chance."""
    torch.manual_seed(seed)
    torch.set_num_threads(threads)
    torch.use_deterministic_algorithms(True, warn_only=True)
    return np.random.default_rng(seed)


def fit(
    training: Training, checkpoint: str | Path | None = None, history: str | Path | None = None
) -> Fitted:
    """Train; return the model in evaluation mode with what there is to know of its training.

    Args:
        checkpoint: resumed from if it exists; written on the way and at the end. It holds the last
            and the best weights.
        history: table (TSV) of the reports; at the end a figure of the same name (SVG) as well.

    Raises:
        StepError: there is nothing to train for, a loss is not finite, or the checkpoint is of
            another training.
    """
    if training.steps < 1:
        raise StepError(
            f"training: expected at least one step, found {training.steps}; give more samples or"
            " epochs, or a smaller batch"
        )
    fitted = _begin(training)
    if checkpoint is not None and Path(checkpoint).exists():
        _resume(checkpoint, fitted)
        print(f"resumed after step {fitted.step} from {checkpoint}", file=sys.stderr, flush=True)
    started = time.monotonic()
    training.model.train()
    with closing(training.batches(fitted.step * training.accumulate)) as batches:
        while not fitted.ended:
            _advance(fitted, batches)
            last = fitted.step == training.steps
            if last or fitted.step % training.report_every == 0:
                text = _report(fitted)
                seconds, started = time.monotonic() - started, time.monotonic()
                print(f"{text}, {seconds:.0f} s", file=sys.stderr, flush=True)
                if history is not None:
                    write_history(history, pd.DataFrame(fitted.history))
            every = training.checkpoint_every or training.report_every
            if checkpoint is not None and (fitted.ended or fitted.step % every == 0):
                save_checkpoint(checkpoint, _content(fitted))
    if history is not None:
        write_history(history, pd.DataFrame(fitted.history), figure=True)
    fitted.model.eval()
    return fitted


def _begin(training: Training) -> Fitted:
    average = None
    if training.ema_decay is not None:
        average = AveragedModel(
            training.model,
            multi_avg_fn=get_ema_multi_avg_fn(training.ema_decay),  # type: ignore[no-untyped-call]
            use_buffers=True,
        )
    device = next(training.model.parameters()).device
    scaler = torch.amp.GradScaler(device.type, enabled=training.dtype == torch.float16)  # type: ignore[attr-defined]
    return Fitted(training, average, scaler)


def _advance(fitted: Fitted, batches: Batches) -> None:
    """One optimiser step."""
    training, optimiser, scaler = fitted.training, fitted.training.optimiser, fitted.scaler
    rate = training.rate(fitted.step)
    for group in optimiser.param_groups:
        group["lr"] = rate
    optimiser.zero_grad()
    for _ in range(training.accumulate):
        losses = training.loss_of(training.model, next(batches), fitted.step)
        if isinstance(losses, Tensor):
            losses = {"loss": losses}
            total = losses["loss"]
        else:
            total = torch.stack(list(losses.values())).sum()
            losses = {"loss": total, **losses}
        _record(fitted, losses)
        scaler.scale(total / training.accumulate).backward()
    if training.clip_norm is not None:
        scaler.unscale_(optimiser)
        parameters = [one for group in optimiser.param_groups for one in group["params"]]
        nn.utils.clip_grad_norm_(parameters, training.clip_norm)
    scaler.step(optimiser)
    scaler.update()
    if fitted.average is not None:
        fitted.average.update_parameters(training.model)
    fitted.rates.append(rate)
    fitted.step += 1


def _record(fitted: Fitted, losses: Mapping[str, Tensor]) -> None:
    """Sum the losses for the next report.

    Raises:
        StepError: their total is no longer a number.
    """
    values = {name: value.item() for name, value in losses.items()}
    if not np.isfinite(values["loss"]):
        raise StepError(
            f"training: expected a finite loss, found {values['loss']} in step {fitted.step + 1};"
            " lower the learning rate"
        )
    for name, value in values.items():
        fitted.sums[name] = fitted.sums.get(name, 0.0) + value
    fitted.summed += 1


def _report(fitted: Fitted) -> str:
    """Add a row to the history, keep the weights if they are the best; the row as text."""
    training = fitted.training
    losses = {name: value / fitted.summed for name, value in fitted.sums.items()}
    fitted.sums, fitted.summed = {}, 0
    scores: dict[str, float] = {}
    if training.evaluate is not None:
        model = fitted.model
        with torch.no_grad():
            found = training.evaluate(model.eval())
        scores = {f"validation_{name}": float(value) for name, value in found.items()}
        model.train()
    row = {"step": float(fitted.step), "rate": fitted.rates[-1], **losses, **scores}
    fitted.history.append(row)
    if training.monitor is not None:
        sign = 1 if training.larger_is_better else -1
        value = row[training.monitor]
        least = -np.inf if fitted.best is None else sign * fitted.best["value"]
        if sign * value > least:
            weights = {k: v.detach().cpu().clone() for k, v in fitted.model.state_dict().items()}
            fitted.best = {"step": fitted.step, "value": value, "weights": weights}
    numbers = [f"{k.replace('_', ' ')} {v:.4f}" for k, v in {**losses, **scores}.items()]
    return f"step {fitted.step} of {training.steps}: {', '.join(numbers)}"


def _modules(fitted: Fitted) -> dict[str, Any]:
    """Everything with a ``state_dict`` that belongs into a checkpoint."""
    training = fitted.training
    average = {} if fitted.average is None else {"average": fitted.average}
    parts = {f"part {name}": module for name, module in training.parts.items()}
    return {"model": training.model, "optimiser": training.optimiser, **average, **parts}


def _content(fitted: Fitted) -> dict[str, Any]:
    """Everything that the rest of the training depends on."""
    rng = fitted.training.rng
    return {
        "identity": fitted.training.identity,
        "step": fitted.step,
        "rates": torch.tensor(fitted.rates, dtype=torch.float64),
        "history": fitted.history,
        "best": fitted.best,
        "sums": fitted.sums,
        "summed": fitted.summed,
        "scaler": fitted.scaler.state_dict(),
        "rng": None if rng is None else rng.bit_generator.state,
        "torch": torch.get_rng_state(),
        "cuda": torch.cuda.get_rng_state_all() if torch.cuda.is_available() else [],
        **{name: module.state_dict() for name, module in _modules(fitted).items()},
    }


def _resume(path: str | Path, fitted: Fitted) -> None:
    """Take over the content of a checkpoint.

    Raises:
        StepError: the file is no checkpoint, or one of another training.
    """
    training = fitted.training
    saved = load_checkpoint(path)
    found, wanted = saved["identity"], dict(training.identity)
    rates = saved["rates"].tolist()
    done = len(rates)
    if done <= training.steps and rates == [training.rate(step) for step in range(done)]:
        wanted |= {key: found[key] for key in training.lengthening & found.keys()}
    check_identity(path, found, wanted)
    for name, module in _modules(fitted).items():
        module.load_state_dict(saved[name])
    if saved["scaler"] and fitted.scaler.is_enabled():
        fitted.scaler.load_state_dict(saved["scaler"])
    fitted.step, fitted.rates = saved["step"], rates
    for name in ("history", "best", "sums", "summed"):
        setattr(fitted, name, saved[name])
    if training.rng is not None:
        training.rng.bit_generator.state = saved["rng"]
    torch.set_rng_state(saved["torch"])
    if saved["cuda"] and torch.cuda.is_available():
        torch.cuda.set_rng_state_all(saved["cuda"])
