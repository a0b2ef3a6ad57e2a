"""The loop: resumed bit for bit, averaged, accumulated, scaled, ended early, lengthened."""

from functools import partial
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from torch import nn

from snakescope.learning import loop
from snakescope.learning.checkpoints import load_checkpoint, path_of
from snakescope.learning.loading import Samples, rng_of
from snakescope.learning.loop import Fitted, Training, fit, seed_everything
from snakescope.learning.schedules import warmup_linear
from snakescope.step.errors import StepError


def draw(index: int, rng: np.random.Generator) -> torch.Tensor:
    return torch.from_numpy(rng_of(1, index).normal(size=5) + rng.normal(0, 0.1)).float()


SAMPLES = Samples(draw, count=13, size=4, seed=3)


def loss_of(model: nn.Module, batch: list[torch.Tensor], step: int) -> torch.Tensor:
    inputs = torch.stack(batch)
    return (model(inputs) - inputs.sum(dim=1, keepdim=True)).square().mean()


def network(plain: bool = False) -> nn.Module:
    inner: list[nn.Module] = [] if plain else [nn.BatchNorm1d(8), nn.Dropout(0.1)]
    return nn.Sequential(nn.Linear(5, 8), *inner, nn.Linear(8, 1))


def training(seed: int = 3, plain: bool = False, **changes: Any) -> Training:
    seed_everything(seed)
    model = network(plain)
    steps = changes.pop("steps", 12)
    given: dict[str, Any] = {
        "model": model,
        "optimiser": torch.optim.RAdam(model.parameters(), lr=1.0),
        "rate": lambda step: warmup_linear(step, steps, 2, 0.25, peak=0.03),
        "batches": lambda first: SAMPLES.batches(first, 10_000),
        "loss_of": loss_of,
        "steps": steps,
        "identity": {"seed": seed, "steps": steps},
        "report_every": 3,
        "clip_norm": 1.0,
    }
    return Training(**given | changes)


def weights(model: nn.Module) -> torch.Tensor:
    return torch.cat([tensor.flatten().double() for tensor in model.state_dict().values()])


def interrupted(one: Training, path: Any, monkeypatch: Any, saves: int = 1) -> None:
    """Train until so many checkpoints are written."""
    left = [saves]

    def stop(path: Any, content: Any) -> None:
        save(path, content)
        left[0] -= 1
        if not left[0]:
            raise KeyboardInterrupt

    save = loop.save_checkpoint
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(loop, "save_checkpoint", stop)
        fit(one, path)


def with_its_own_generator(**changes: Any) -> Training:
    """Epochs whose order and noise come from one generator, which goes into the checkpoint."""
    rng = np.random.default_rng(8)

    def batches(_: int) -> Any:
        while True:
            for chosen in rng.permutation(12).reshape(3, 4):
                yield [draw(int(index), rng) for index in chosen]

    return training(batches=batches, rng=rng, report_every=3, **changes)


def scores(model: nn.Module) -> dict[str, float]:
    assert not model.training
    return {"error": float(loss_of(model, [draw(k, rng_of(9, k)) for k in range(20, 30)], 0))}


@pytest.mark.parametrize(
    "make",
    [
        training,
        partial(training, ema_decay=0.8, accumulate=2, checkpoint_every=2),
        partial(training, dtype=torch.float16, evaluate=scores, monitor="validation_error"),
        with_its_own_generator,
    ],
    ids=["steps", "average between reports", "float16 and best", "epochs of one generator"],
)
def test_resumed_and_uninterrupted_trainings_are_equal(make, tmp_path, monkeypatch) -> None:
    whole = fit(make(), tmp_path / "whole.pt", tmp_path / "whole.tsv")
    interrupted(make(), tmp_path / "c.pt", monkeypatch)
    assert load_checkpoint(tmp_path / "c.pt")["step"] < 4
    resumed = fit(make(), tmp_path / "c.pt", tmp_path / "c.tsv")
    assert torch.equal(weights(whole.model), weights(resumed.model))
    assert whole.rates == resumed.rates and whole.history == resumed.history
    assert (tmp_path / "whole.tsv").read_bytes() == (tmp_path / "c.tsv").read_bytes()
    assert (tmp_path / "whole.svg").read_bytes() == (tmp_path / "c.svg").read_bytes()
    one, other = (load_checkpoint(tmp_path / f"{name}.pt") for name in ("whole", "c"))
    for part in ("model", "optimiser", "torch", "scaler", "best"):
        assert flat(one[part]) == flat(other[part])


def flat(content: Any) -> Any:
    if isinstance(content, torch.Tensor):
        return content.tolist()
    if isinstance(content, dict):
        return {key: flat(value) for key, value in content.items()}
    return content


def test_a_finished_training_is_not_repeated(tmp_path) -> None:
    first = fit(training(), tmp_path / "c.pt")
    called: list[int] = []

    def counted(model: nn.Module, batch: Any, step: int) -> torch.Tensor:
        called.append(step)
        return loss_of(model, batch, step)

    again = fit(training(loss_of=counted), tmp_path / "c.pt")
    assert called == []
    assert torch.equal(weights(first.model), weights(again.model))


def test_the_loss_falls_and_is_in_the_history(tmp_path) -> None:
    fitted = fit(training(steps=60, plain=True, evaluate=scores), None, tmp_path / "h.tsv")
    table = pd.read_csv(tmp_path / "h.tsv", sep="\t")
    assert list(table) == ["step", "rate", "loss", "validation_error"]
    assert table["step"].tolist() == list(range(3, 61, 3))
    assert table["loss"].iloc[-1] < 0.5 * table["loss"].iloc[0]
    assert table["rate"].max() == pytest.approx(0.03) and len(fitted.rates) == 60
    assert "validation score" in (tmp_path / "h.svg").read_text()


def test_parts_of_a_loss_are_summed_and_reported() -> None:
    def parts(model: nn.Module, batch: Any, step: int) -> dict[str, torch.Tensor]:
        whole = loss_of(model, batch, step)
        return {"one": 0.25 * whole, "other": 0.75 * whole}

    one, other = fit(training(plain=True)), fit(training(plain=True, loss_of=parts))
    assert weights(other.model).numpy() == pytest.approx(weights(one.model).numpy(), rel=1e-4)
    row = other.history[-1]
    assert row["one"] + row["other"] == pytest.approx(row["loss"])


def test_the_average_follows_the_weights() -> None:
    seen: list[torch.Tensor] = []

    def watched(model: nn.Module, batch: Any, step: int) -> torch.Tensor:
        seen.append(weights(model))
        return loss_of(model, batch, step)

    one = training(plain=True, ema_decay=0.8, loss_of=watched)
    fitted = fit(one)
    expected = seen[1]
    for now in [*seen[2:], weights(one.model)]:
        expected = 0.8 * expected + 0.2 * now
    assert weights(fitted.model).numpy() == pytest.approx(expected.numpy(), rel=1e-5, abs=1e-7)
    assert fitted.model is not one.model and not fitted.model.training


def test_accumulated_batches_equal_a_larger_one() -> None:
    fixed = [[draw(k, rng_of(5, k)) for k in range(b * 4, b * 4 + 4)] for b in range(24)]
    small = training(plain=True, accumulate=2, batches=lambda first: (b for b in fixed[first:]))
    pairs = [fixed[2 * k] + fixed[2 * k + 1] for k in range(12)]
    large = training(plain=True, batches=lambda first: (b for b in pairs[first:]))
    one, other = (weights(fit(each).model) for each in (small, large))
    assert one.numpy() == pytest.approx(other.numpy(), rel=1e-4, abs=1e-6)


def test_float16_scales_the_loss_and_leaves_out_steps_that_overflow(tmp_path) -> None:
    def half(model: nn.Module, batch: Any, step: int) -> torch.Tensor:
        with torch.autocast("cpu", dtype=torch.float16):
            return model(torch.stack(batch) * (20 if step < 2 else 1)).square().mean()

    def trained(steps: int) -> tuple[torch.Tensor, torch.Tensor, float]:
        path = tmp_path / f"{steps}.pt"
        one = training(plain=True, dtype=torch.float16, loss_of=half, steps=steps, report_every=1)
        before = weights(one.model)
        fit(one, path)
        return before, weights(one.model), load_checkpoint(path)["scaler"]["scale"]

    before, after, scale = trained(2)
    assert torch.equal(before, after)
    assert scale == 65536 / 4  # halved after each gradient that overflowed
    before, after, scale = trained(12)
    assert not torch.equal(before, after) and torch.isfinite(after).all()
    fit(training(plain=True, steps=2), tmp_path / "single.pt")
    assert load_checkpoint(tmp_path / "single.pt")["scaler"] == {}


def validated(values: list[float], **changes: Any) -> Fitted:
    """A training whose score takes these values at its reports."""
    found = iter(values)
    return fit(
        training(
            steps=3 * len(values),
            evaluate=lambda model: {"score": next(found)},
            monitor="validation_score",
            **changes,
        )
    )


def test_the_best_weights_are_kept_beside_the_last() -> None:
    fitted = validated([3.0, 1.0, float("nan"), 2.0])
    assert fitted.best is not None and (fitted.best["step"], fitted.best["value"]) == (6, 1.0)
    last = weights(fitted.model)
    best = weights(fitted.load_best())
    assert not torch.equal(last, best)
    larger = validated([3.0, 1.0, float("nan"), 2.0], larger_is_better=True)
    assert larger.best is not None and larger.best["step"] == 3
    shorter = fit(training(steps=6, rate=fitted.training.rate))
    assert torch.equal(weights(shorter.model), best)
    with pytest.raises(ValueError, match="never a number"):
        validated([float("nan")]).load_best()


def test_a_training_ends_when_nothing_gets_better() -> None:
    fitted = validated([3.0, 1.0, 2.0, 1.0, 0.5], patience=2)
    assert fitted.step == 12 and fitted.best is not None and fitted.best["step"] == 6
    assert validated([3.0, 1.0, 2.0, 0.5, 2.0], patience=2).step == 15


def test_a_training_that_ended_early_stays_ended(tmp_path) -> None:
    def make() -> Training:
        score = {"evaluate": lambda model: {"score": 1.0}, "monitor": "validation_score"}
        return training(steps=30, patience=1, **score)

    assert fit(make(), tmp_path / "c.pt").step == 6
    assert fit(make(), tmp_path / "c.pt").step == 6


def test_a_training_can_be_made_longer_before_its_rate_falls(tmp_path, monkeypatch) -> None:
    longer = partial(training, lengthening=frozenset({"steps"}))
    interrupted(longer(steps=12), tmp_path / "c.pt", monkeypatch, saves=3)
    resumed = fit(longer(steps=15), tmp_path / "c.pt")
    assert torch.equal(weights(resumed.model), weights(fit(longer(steps=15)).model))
    fit(longer(steps=12), tmp_path / "ended.pt")
    for steps in (3, 15):  # the rate had begun to fall: it would have fallen elsewhere
        with pytest.raises(StepError, match="another steps; remove it"):
            fit(longer(steps=steps), tmp_path / "ended.pt")
    with pytest.raises(StepError, match="another seed"):
        fit(longer(steps=15, seed=4), tmp_path / "c.pt")


def test_checkpoints_of_others_are_refused(tmp_path) -> None:
    fit(training(steps=3), tmp_path / "c.pt")
    with pytest.raises(StepError, match="found one with another seed"):
        fit(training(steps=3, seed=4), tmp_path / "c.pt")
    (tmp_path / "c.pt").write_bytes(b"nothing")
    with pytest.raises(StepError, match="expected a training checkpoint"):
        fit(training(), tmp_path / "c.pt")


def test_a_path_of_its_own_depends_on_the_identity() -> None:
    names = {path_of("a/c.ckpt", {"seed": seed}).name for seed in (1, 1, 2)}
    assert len(names) == 2 and all(len(name) == len("c-12345678.ckpt") for name in names)


def test_a_loss_that_is_no_number_ends_the_training() -> None:
    broken = training(loss_of=lambda model, batch, step: loss_of(model, batch, step) * np.nan)
    with pytest.raises(StepError, match="found nan in step 1; lower the learning rate"):
        fit(broken)
    with pytest.raises(StepError, match="at least one step, found 0"):
        fit(training(steps=0))
