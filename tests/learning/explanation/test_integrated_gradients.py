"""Integrated gradients add up to the score, with the sign of what each value does."""

import numpy as np
import torch

from snakescope.learning.explanation.integrated_gradients import integrated_gradients


def score(x: torch.Tensor) -> torch.Tensor:
    return (x[:, 0] * x[:, 1] - x[:, 2].square()).sum(1)


def test_values_sum_to_the_difference_of_scores() -> None:
    torch.manual_seed(1)
    x, baseline = torch.randn(1, 3, 4), torch.randn(1, 3, 4)
    found = integrated_gradients(x, baseline, score, 16)
    assert found.shape == (3, 4)
    wanted = float(score(x) - score(baseline))
    assert np.isclose(found.sum(), wanted, atol=1e-4)
    assert not x.requires_grad


def test_what_is_as_in_the_baseline_adds_nothing() -> None:
    x = torch.ones(1, 3, 4)
    baseline = x.clone()
    baseline[0, 2] = 0
    found = integrated_gradients(x, baseline, score, 16)
    assert not found[:2].any() and (found[2] < 0).all()
