"""The correction of the latent quality: fitted on held-out clips, written into the head."""

import numpy as np
import pytest
import torch

from snakescope.sperm.networks.build import build
from snakescope.sperm.networks.heads import Ordinal
from snakescope.sperm.training.correction import (
    Correction,
    applied,
    corrected,
    fitted,
    shares_at,
    undo,
)
from snakescope.sperm.training.data import Clips
from snakescope.sperm.training.predict import graded

THRESHOLDS = np.array([-1.4, -0.5, 0.4, 1.3])


def qualities(count: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(1)
    return rng.normal(0, 0.8, count), rng.uniform(0.4, 1.0, count)


def test_a_head_is_corrected_in_its_parameters() -> None:
    torch.manual_seed(1)
    head, seen = Ordinal(6), torch.randn(9, 6)
    torch.nn.init.normal_(head.project.weight)
    mean, sd = (one.detach().double().numpy() for one in head.quality(seen))
    thresholds = head.thresholds().detach().double().numpy()
    by = Correction(1.4, 0.8)
    before = head(seen).detach()
    head.correct(*by)
    wanted = shares_at(*applied(mean, sd, thresholds, by), thresholds)
    assert np.allclose(head(seen).exp().detach().numpy(), wanted, atol=1e-4)
    head.correct(1 / by.stretch, 1 / by.widen)
    assert torch.allclose(head(seen), before, atol=1e-4)


def test_qualities_that_lie_too_near_are_spread() -> None:
    mean, sd = qualities(300)
    truth = shares_at(*applied(mean, sd, THRESHOLDS, Correction(1.5, 0.9)), THRESHOLDS)
    found = fitted(mean, sd, THRESHOLDS, truth)
    assert found == pytest.approx((1.5, 0.9), abs=0.05)


def test_few_clips_change_little() -> None:
    mean, sd = qualities(3)
    truth = shares_at(*applied(mean, sd, THRESHOLDS, Correction(3.0, 1.0)), THRESHOLDS)
    assert 1 < fitted(mean, sd, THRESHOLDS, truth).stretch < 2.6


def test_right_qualities_stay() -> None:
    mean, sd = qualities(100)
    found = fitted(mean, sd, THRESHOLDS, shares_at(mean, sd, THRESHOLDS))
    assert found == pytest.approx((1.0, 1.0), abs=0.01)


def clips() -> Clips:
    rng = np.random.default_rng(1)
    frames = rng.integers(0, 256, (6, 16, 64, 64), np.uint8)
    motion = rng.normal(0, 1, (6, 19)).astype(np.float32)
    return Clips(frames, motion, rng.integers(1, 20, (6, 5)))


def test_a_network_with_a_quality_is_corrected_in_place_and_back() -> None:
    network, some = build("ours", "tiny", 64).eval(), clips()
    before = graded(network, some)
    by = corrected(network, some, np.arange(6), batch=4)
    assert by is not None and not np.allclose(graded(network, some), before, atol=1e-5)
    undo(network, by)
    assert np.allclose(graded(network, some), before, atol=1e-5)


def test_others_and_those_without_held_out_clips_are_left() -> None:
    assert corrected(build("slowfast", "tiny", 64), clips(), np.arange(6)) is None
    assert corrected(build("ours", "tiny", 64), clips(), np.arange(0)) is None
