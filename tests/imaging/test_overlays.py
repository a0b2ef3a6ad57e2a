"""Masks, outlines and tints on frames."""

import numpy as np
import pytest

from snakescope.imaging.masks import Instance
from snakescope.imaging.overlays import around, outlined, ramp, rgb, stretched


def test_stretched_brings_any_depth_to_the_full_range() -> None:
    frame = np.linspace(1000, 4000, 10_000).reshape(100, 100).astype(np.uint16)
    picture = stretched(frame, 0, 100)
    assert picture.dtype == np.uint8
    assert (picture.min(), picture.max()) == (0, 255)
    assert stretched(np.full((20, 20), 7, np.uint8)).max() == 0


def test_around_is_the_square_itself_inside_the_frame() -> None:
    frame = np.arange(10_000, dtype=np.uint16).reshape(100, 100)
    assert np.array_equal(around(frame, 50, 40, 20), frame[40:60, 30:50])


@pytest.mark.parametrize(
    ("y", "x", "kept"),
    [(0, 50, (slice(10, 20), slice(0, 20))), (99, 99, (slice(0, 11), slice(0, 11)))],
)
def test_around_fills_what_lies_outside_with_the_ground(
    y: int, x: int, kept: tuple[slice, slice]
) -> None:
    frame = np.full((100, 100), 50, np.uint8)
    frame[:] += np.arange(100, dtype=np.uint8)[None, :] % 3
    square = around(frame, y, x, 20)
    assert square.shape == (20, 20)
    outside = np.ones((20, 20), bool)
    outside[kept] = False
    assert np.unique(square[outside]).tolist() == [51]
    assert np.unique(square[kept]).tolist() == [50, 51, 52]


def test_around_far_outside_is_empty() -> None:
    assert not around(np.ones((10, 10), np.uint8), 500, 500, 8).any()


def test_the_ramp_passes_through_its_colour() -> None:
    tones = ramp("#c22f2a", 101)
    assert tones.shape == (101, 3)
    assert np.abs(tones[60].astype(int) - rgb("#c22f2a")).max() <= 1


@pytest.mark.parametrize("scale", [1.0, 0.5, 2.0])
def test_outlines_run_round_the_mask_at_the_scale_of_the_picture(scale: float) -> None:
    side = int(100 * scale)
    instance = Instance(0, 7, 20, 40, np.ones((30, 20), bool), 1.0)
    picture = outlined(
        np.zeros((side, side, 3), np.uint8), [instance], {7: "#ff0000"}, "#00ff00", scale
    )
    rows, columns = np.nonzero(picture[:, :, 0] > 128)
    assert abs(rows.min() - 20 * scale) <= 1 and abs(rows.max() - 49 * scale) <= 1
    assert abs(columns.min() - 40 * scale) <= 1 and abs(columns.max() - 59 * scale) <= 1
    assert not picture[int(35 * scale), int(50 * scale)].any()
    assert not picture[:, :, 1].any()


def test_a_margin_keeps_the_outline_off_the_mask() -> None:
    instance = Instance(0, 7, 20, 40, np.ones((30, 20), bool), 1.0)
    ground = np.zeros((100, 100, 3), np.uint8)
    picture = outlined(ground, [instance], {}, "#00ff00", margin=3)
    rows, columns = np.nonzero(picture[:, :, 1] > 128)
    assert (rows.min(), rows.max()) == (17, 52)
    assert (columns.min(), columns.max()) == (37, 62)
    assert not picture[20:50, 40:60].any()


def test_an_instance_without_a_state_gets_the_default_colour() -> None:
    instance = Instance(0, 7, 2, 2, np.ones((5, 5), bool), 1.0)
    picture = outlined(np.zeros((10, 10, 3), np.uint8), [instance], {8: "#ff0000"}, "#00ff00")
    assert picture[:, :, 1].max() > 200 and not picture[:, :, 0].any()
