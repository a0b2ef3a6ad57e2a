"""Predictions do not depend on tiles; turns and mirrors come back as they were."""

import numpy as np
import pytest

from snakescope.membranes.networks.networks import build
from snakescope.membranes.networks.settings import NetworkSettings
from snakescope.membranes.prediction.tiles import as_bytes, predict_section


@pytest.mark.parametrize("architecture", ["dcn", "unet"])
@pytest.mark.parametrize("sides", [(256, 264), (100, 130)])
def test_tiles_give_what_the_whole_gives(architecture: str, sides: tuple[int, int]) -> None:
    settings = NetworkSettings(width=2, architecture=architecture)  # type: ignore[arg-type]
    network = build(settings, 1).eval()
    planes = np.random.default_rng(1).normal(size=(1, *sides)).astype(np.float32)
    whole = predict_section(network, settings, planes, tile=512)
    assert whole.shape == sides and whole.dtype == np.float32
    assert np.abs(whole - predict_section(network, settings, planes, tile=64)).max() < 1e-5


def test_a_turned_section_has_the_turned_prediction() -> None:
    settings = NetworkSettings(width=2, neighbours=1)
    network = build(settings, 2).eval()
    planes = np.random.default_rng(1).normal(size=(3, 64, 96)).astype(np.float32)
    found = predict_section(network, settings, planes, turns=8)
    turned = predict_section(network, settings, np.rot90(planes, 1, (1, 2)), turns=8)
    mirrored = predict_section(network, settings, planes[:, :, ::-1], turns=8)
    assert np.allclose(np.rot90(found), turned, atol=1e-5)
    assert np.allclose(found[:, ::-1], mirrored, atol=1e-5)
    assert not np.allclose(found, predict_section(network, settings, planes), atol=1e-3)


def test_bytes_are_rounded() -> None:
    assert as_bytes(np.array([[0, 0.5, 1]], np.float32)).tolist() == [[0, 128, 255]]
