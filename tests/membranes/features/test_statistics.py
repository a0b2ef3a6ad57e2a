"""Statistics of branches, on maps whose values are known."""

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from snakescope.membranes.features.statistics import (
    LOW_IS_IDLE,
    STATISTICS,
    effective_rank,
    logits_of,
    period_share,
    statistics_of,
)
from snakescope.membranes.networks.networks import build
from snakescope.membranes.networks.settings import NetworkSettings


def test_the_branch_that_tells_the_truth_is_the_one_that_works() -> None:
    rng = np.random.default_rng(1)
    truth = rng.random((48, 48)) < 0.3

    def branch(difference: np.ndarray) -> np.ndarray:
        return np.stack([np.zeros_like(difference), difference]).astype(np.float32)

    signal = np.where(truth, 2.0, -2.0)
    noise = rng.normal(0, 1, truth.shape)
    maps = {"F1": branch(signal + noise), "F2": branch(np.zeros_like(noise)), "F3": branch(noise)}
    found = statistics_of([maps], [truth])
    assert found["F1"].loss_without > 0.2 > abs(found["F2"].loss_without) == 0
    assert found["F2"].zeros == 1.0 and found["F1"].zeros == 0.5
    assert found["F1"].auc > 0.95 and found["F2"].auc == 0.5
    thin = (slice(None, None, 3), slice(None, None, 3))
    expected = roc_auc_score(truth[thin].ravel(), noise.astype(np.float32)[thin].ravel())
    assert found["F3"].auc == pytest.approx(expected)
    assert found["F1"].redundancy == pytest.approx(found["F3"].redundancy)
    assert found["F3"].redundancy > 0.1 and found["F2"].redundancy == 0
    assert sum(one.share for one in found.values()) == pytest.approx(1)
    assert set(STATISTICS) == set(LOW_IS_IDLE)


def test_a_pattern_of_squares_is_seen_at_its_period() -> None:
    y, x = np.mgrid[:64, :64]
    pattern = ((y % 8 == 0) | (x % 8 == 0)).astype(np.float32)
    noise = np.random.default_rng(1).normal(size=(64, 64)).astype(np.float32)
    assert period_share(pattern, 8) == pytest.approx(1)
    assert period_share(noise, 8) < 0.05
    assert period_share(np.zeros((64, 64), np.float32), 8) == 0


def test_effective_rank_of_flat_and_rough_maps() -> None:
    noise = np.random.default_rng(1).normal(size=(256, 256)).astype(np.float32)
    blocks = np.kron(noise[:32, :32], np.ones((8, 8), np.float32))
    assert effective_rank(blocks) == pytest.approx(1, abs=0.01)
    assert effective_rank(noise) > 60
    assert effective_rank(np.zeros((64, 64), np.float32)) == 1


def test_logits_have_the_size_of_the_section() -> None:
    network = build(NetworkSettings(width=2, branches=("F1", "F3"))).eval()
    found = logits_of(network, np.zeros((1, 37, 50), np.float32))
    assert {name: one.shape for name, one in found.items()} == {
        "F1": (2, 37, 50),
        "F3": (2, 37, 50),
    }
