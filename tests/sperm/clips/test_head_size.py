"""The size of heads in simulated clips, whose true size is known."""

import numpy as np
import pytest

from snakescope.sperm.clips.head_size import head_size
from snakescope.sperm.simulation.drawing import draw_optics
from snakescope.sperm.simulation.settings import SimulateSettings
from snakescope.sperm.simulation.simulate import follow, followed


@pytest.fixture(scope="module")
def measured() -> tuple[np.ndarray, np.ndarray]:
    true, found = [], []
    for number in range(10):
        rng = np.random.default_rng(number)
        one = followed(f"h{number}", "d", number, SimulateSettings())
        frames = [frame.grey for frame in follow(one, 0.25, 16, draw_optics(rng, "icsi_pvp"), rng)]
        true.append(one.sperm.head_um)
        found.append(head_size(np.stack(frames), 0.15))
    return np.array(true), np.array(found)


def test_sizes_are_right_within_half_a_micrometre(measured):
    true, found = measured
    seen = np.isfinite(found[:, 0])
    assert seen.sum() >= 8
    off = np.abs(found - true)[seen]
    assert np.median(off[:, 0]) < 0.6 and np.median(off[:, 1]) < 0.4
    assert (found[seen, 0] >= found[seen, 1]).all()


def test_where_there_is_no_head_there_is_no_size():
    rng = np.random.default_rng(0)
    noise = np.clip(rng.normal(120, 3, (8, 96, 96)), 0, 255).astype(np.uint8)
    assert np.isnan(head_size(np.full((8, 96, 96), 120, np.uint8), 0.15).length)
    assert not head_size(noise, 0.15).length > 6
    assert np.isnan(head_size(noise[:0], 0.15).length)


def test_bright_discs_of_phase_contrast_are_measured(measured):
    y, x = np.mgrid[:96, :96]
    inside = ((x - 48) / 12) ** 2 + ((y - 48) / 8) ** 2
    frame = (90 + 120 * np.sqrt(np.clip(1 - inside, 0, None))).astype(np.uint8)
    found = head_size(frame[None], 0.2)
    assert found.length == pytest.approx(4.8, rel=0.12)
    assert found.width == pytest.approx(3.2, rel=0.15)
