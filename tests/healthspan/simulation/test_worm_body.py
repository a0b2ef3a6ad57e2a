import numpy as np
import pytest

from snakescope.healthspan.simulation.worm_body import (
    MODES,
    Worm,
    body_pixels,
    half_width,
    midline,
    random_amplitudes,
)

STRAIGHT = Worm(50.0, 60.0, 0.0, np.zeros(7), 100.0, 8.0)


def test_modes_are_orthonormal() -> None:
    assert np.allclose(MODES @ MODES.T, np.eye(7), atol=1e-9)
    assert np.allclose(MODES.sum(axis=1), 0, atol=1e-9)


@pytest.mark.parametrize("seed", range(5))
def test_a_posture_keeps_the_body_as_long(seed: int) -> None:
    rng = np.random.default_rng(seed)
    worm = Worm(0, 0, 1.0, random_amplitudes(rng), 100.0, 8.0)
    steps = np.hypot(*np.diff(midline(worm), axis=0).T)
    assert steps.sum() == pytest.approx(100 * 47 / 48)


def test_a_straight_worm_lies_where_it_should() -> None:
    body = body_pixels(STRAIGHT)
    rows, columns = np.nonzero(body.mask)
    assert body.top + rows.mean() == pytest.approx(50, abs=0.5)
    assert columns.max() - columns.min() == pytest.approx(95, abs=3)
    assert rows.max() - rows.min() + 1 == pytest.approx(8, abs=1)


def test_the_head_is_blunter_than_the_tail() -> None:
    assert half_width(STRAIGHT, np.array([0.1]))[0] > half_width(STRAIGHT, np.array([0.9]))[0]


def test_cover_measures_the_area() -> None:
    widths = 2 * half_width(STRAIGHT, np.linspace(0, 1, 1000))
    assert body_pixels(STRAIGHT).cover.sum() == pytest.approx(widths.mean() * 98, rel=0.03)
