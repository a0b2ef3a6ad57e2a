"""Heads are found in less time, and are the same."""

import cv2
import numpy as np
import pytest
import torch

from snakescope.sperm.detection import heads
from snakescope.sperm.detection.network import HeadNet, quick


def test_the_quick_network_says_the_same() -> None:
    torch.manual_seed(1)
    network = HeadNet()
    network(torch.randn(4, 1, 64, 64))  # norms that have seen something
    network.eval()
    frame = torch.randn(1, 1, 48, 80)
    with torch.no_grad():
        assert torch.allclose(quick(network)(frame), network(frame), atol=1e-5)


def test_the_quick_network_is_a_copy() -> None:
    network = HeadNet()
    names = set(network.state_dict())
    quick(network)
    assert set(network.state_dict()) == names and network.training


@pytest.mark.parametrize("shape", [(480, 640), (101, 77), (64, 64), (9, 30)])
def test_the_local_mean_is_that_of_a_wide_gaussian(shape: tuple[int, int]) -> None:
    rng = np.random.default_rng(1)
    coarse = rng.uniform(90, 160, (6, 8)).astype(np.float32)
    grey = cv2.resize(coarse, shape[::-1]) + rng.normal(0, 5, shape).astype(np.float32)
    whole = cv2.GaussianBlur(grey, (0, 0), 25)
    assert heads._smooth(grey, 25).shape == shape
    assert np.abs(heads._smooth(grey, 25) - whole).max() < 1


@pytest.mark.parametrize("shape", [(480, 640), (7, 9), (2, 1)])
def test_the_median_is_that_of_all_pixels(shape: tuple[int, int]) -> None:
    frame = np.random.default_rng(1).integers(0, 256, shape, np.uint8)
    assert heads._median(frame) == np.median(frame)
