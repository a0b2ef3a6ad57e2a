"""Learning rates: torch's own where there is one, and nothing that depends on what comes later."""

import warnings

import numpy as np
import pytest
import torch

from snakescope.learning.schedules import cosine_annealing, warmup_cosine, warmup_linear


def test_the_plateau_does_not_depend_on_the_number_of_steps() -> None:
    rates = [warmup_linear(step, 100, 10, 0.25, peak=0.02) for step in range(100)]
    assert rates[0] == pytest.approx(0.002) and rates[9:76] == [0.02] * 67
    assert np.all(np.diff(rates[75:]) < 0) and rates[-1] == pytest.approx(0.02 / 25)
    longer = [warmup_linear(step, 200, 10, 0.25, peak=0.02) for step in range(200)]
    assert longer[:75] == rates[:75]
    assert [warmup_linear(step, 4, 0, 0.0) for step in range(4)] == [1.0] * 4


def test_a_cosine_falls_to_nothing_after_the_warm_up() -> None:
    rates = [warmup_cosine(step, 100, 10, peak=0.5) for step in range(101)]
    assert rates[9:11] == [0.5, 0.5] and np.all(np.diff(rates[10:]) < 0)
    assert rates[55] == pytest.approx(0.25) and rates[100] == 0
    assert warmup_cosine(3, 3, 3) == 1.0  # nothing is left after the warm-up


@pytest.mark.parametrize("steps", [1, 7, 90])
def test_cosine_annealing_is_torchs_to_the_last_bit(steps: int) -> None:
    optimiser = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=0.3)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, steps)
    rate = cosine_annealing(steps, 0.3)
    for step in range(steps):
        assert rate(step) == optimiser.param_groups[0]["lr"]
        assert rate(step) == pytest.approx(warmup_cosine(step, steps, 0, 0.3), abs=1e-12)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            schedule.step()
