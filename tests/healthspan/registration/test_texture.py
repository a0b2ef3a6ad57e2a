"""Motions: their form, their fit among wrong pairs, and finding them in frames."""

from dataclasses import astuple

import cv2
import numpy as np
import pytest

from snakescope.healthspan.registration.dish import find_dish
from snakescope.healthspan.registration.marks import drawn_cross, find_mark, locate_mark
from snakescope.healthspan.registration.motion import (
    Freedom,
    Motion,
    expected_error_px,
    fit,
    ransac,
    to_reference,
    transform_points,
)
from snakescope.healthspan.registration.texture import coarse_search, reference_features, refine
from tests.healthspan.registration.small_dish import (
    MARK,
    SIDE,
    SPAN,
    dish,
    frame,
    greatest_error_px,
)


def test_a_motion_and_its_matrix_are_the_same_thing() -> None:
    motion = Motion(12.5, -7.25, 2.0, 1.03, 0.02, -0.04)
    again = Motion.of_matrix(motion.matrix(300, 400), 300, 400)
    np.testing.assert_allclose(astuple(again), astuple(motion), atol=1e-9)


def test_a_tilted_dish_is_smaller_where_it_leans_away() -> None:
    frame_edges = np.array([[199.5 - 200, 149.5], [199.5, 149.5], [199.5 + 200, 149.5]])
    left, middle, right = transform_points(Motion(tilt_x=0.1).matrix(300, 400), frame_edges)
    assert middle == pytest.approx((199.5, 149.5))
    assert right - middle == pytest.approx((200 / 1.1, 0))
    assert left - middle == pytest.approx((-200 / 0.9, 0))


def test_rotation_is_counter_clockwise_as_seen_about_the_middle() -> None:
    right_of_middle = np.array([[300.0, 100.0]])
    x, y = transform_points(Motion(0, 0, 90).matrix(201, 401), right_of_middle)[0]
    assert (x, y) == pytest.approx((200.0, 0.0))


@pytest.mark.parametrize("freedom", ["shift", "rigid", "similar", "tilted"])
def test_a_fit_recovers_the_motion_of_half_wrong_pairs(freedom: Freedom) -> None:
    rng = np.random.default_rng(3)
    true = {
        "shift": Motion(30, -20),
        "rigid": Motion(30, -20, 1.7),
        "similar": Motion(30, -20, 1.7, 1.04),
        "tilted": Motion(30, -20, 1.7, 1.04, 6e-5, -4e-5),
    }[freedom].matrix(1, 1)
    source = rng.uniform(-500, 500, (200, 2))
    target = transform_points(true, source) + rng.normal(0, 0.1, (200, 2))
    target[:100] += rng.uniform(-40, 40, (100, 2))
    matrix, agreeing = ransac(source, target, np.ones(200), 1.0, freedom)
    corners = np.array([[-500.0, -500], [500, -500], [-500, 500], [500, 500]])
    assert (
        np.linalg.norm(
            transform_points(matrix, corners) - transform_points(true, corners), axis=1
        ).max()
        < 0.1
    )
    assert agreeing[100:].all() and agreeing[:100].sum() < 5


@pytest.mark.parametrize("freedom", ["shift", "rigid", "similar", "tilted"])
def test_the_expected_error_is_the_error_met(freedom: Freedom) -> None:
    rng = np.random.default_rng(4)
    source = rng.uniform(-100, 100, (60, 2))
    at = np.array([[-500.0, -500.0], [500.0, 500.0]])
    met, expected = [], []
    for _ in range(200):
        target = source + rng.normal(0, 0.5, source.shape)
        matrix = fit(source, target, np.ones(60), freedom)
        residuals = np.linalg.norm(transform_points(matrix, source) - target, axis=1)
        expected.append(expected_error_px(source, residuals, at, freedom))
        met.append(np.linalg.norm(transform_points(matrix, at) - at, axis=1)[0])
    rms = float(np.sqrt(np.mean(np.square(met))))
    assert float(np.mean(expected)) == pytest.approx(rms, rel=0.2)
    assert expected_error_px(source[:1], residuals[:1], at, freedom) == float("inf")


@pytest.mark.parametrize(
    "true", [Motion(), Motion(38.3, -21.6, 1.9), Motion(-40, 40, -2), Motion(3.5, 0.4, -0.3)]
)
def test_the_plate_alone_gives_its_motion(true: Motion) -> None:
    density = dish(1, mark=False)
    anchors = reference_features(frame(density, 2), find_dish(frame(density, 2)))
    seen = frame(density, 3, true)
    found = refine(anchors, seen, coarse_search(anchors, seen, 60, 3)[0])
    assert found is not None
    error = greatest_error_px(found.motion, true)
    assert error < 0.3
    assert found.expected_error_px < 0.7


def test_a_change_of_magnification_is_found_where_it_is_looked_for() -> None:
    density = dish(1, mark=False)
    anchors = reference_features(frame(density, 2))
    true = Motion(5, -9, 0.8, 1.035)
    seen = frame(density, 3, true)
    rough = coarse_search(anchors, seen, 60, 3, 0.05)[0]
    found = refine(anchors, seen, rough, freedom="similar")
    assert found is not None and greatest_error_px(found.motion, true) < 0.5


def test_a_tilt_is_found_where_it_is_looked_for() -> None:
    density = dish(1, mark=False)
    anchors = reference_features(frame(density, 2))
    true = Motion(5, -9, 0.8, 1.02, 0.03, -0.02)
    seen = frame(density, 3, true)
    rough = coarse_search(anchors, seen, 60, 3, 0.05)[0]
    level = refine(anchors, seen, rough, (14, 5), (3.0, 2.0), freedom="similar")
    tilted = refine(anchors, seen, rough, (14, 5), (3.0, 2.0), freedom="tilted")
    assert tilted is not None and greatest_error_px(tilted.motion, true) < 0.5
    assert level is None or greatest_error_px(level.motion, true) > 2


def test_another_plate_or_noise_agrees_with_nothing() -> None:
    reference = frame(dish(1), 2)
    anchors = reference_features(reference, find_dish(reference))
    noise = np.random.default_rng(0).normal(2000, 50, (SIDE, SIDE)).astype(np.uint16)
    for other in (noise, frame(dish(77, mark=False), 3)):
        for rough in coarse_search(anchors, other, 60, 3):
            found = refine(anchors, other, rough)
            assert found is None


def test_registered_pixels_lie_on_the_reference() -> None:
    density = dish(1)
    still, true = frame(density, 2, worms=0), Motion(17.4, -8.7, 1.2)
    back = to_reference(frame(density, 2, true, worms=0), true)
    assert back.dtype == still.dtype and back.shape == still.shape
    middle = (slice(150, 400), slice(150, 400))
    one, other = (cv2.GaussianBlur(v[middle].astype(np.float32), (0, 0), 2) for v in (still, back))
    one, other = (v - cv2.GaussianBlur(v, (0, 0), 12) for v in (one, other))
    assert np.corrcoef(one.ravel(), other.ravel())[0, 1] > 0.9


def test_beyond_the_frame_lies_flat_ground() -> None:
    image = frame(dish(1), 2)
    back = to_reference(image, Motion(40, 0))
    assert set(np.unique(back[-36:])) == {int(np.median(image[::4, ::4]))}


def test_the_mark_is_found_and_nothing_else_is_taken_for_it() -> None:
    mark = find_mark(frame(dish(1), 2), drawn_cross())
    assert mark is not None
    assert (mark.y_px, mark.x_px) == pytest.approx(MARK, abs=3)
    assert mark.span_px == pytest.approx(SPAN, rel=0.25) and mark.score > 0.75
    assert find_mark(frame(dish(1, mark=False), 2), drawn_cross()) is None


def test_the_mark_gives_the_shift_to_a_fraction_of_a_px() -> None:
    reference = frame(dish(1), 2)
    mark = find_mark(reference, drawn_cross())
    assert mark is not None
    true = Motion(31.3, -27.6)
    found = locate_mark(reference, mark, frame(dish(1), 9, true), 60, 0)
    assert found is not None and found[1] > 0.7
    assert (found[0].shift_y_px, found[0].shift_x_px) == pytest.approx((31.3, -27.6), abs=0.2)


def test_the_dish_is_seen_or_not() -> None:
    circle = find_dish(frame(dish(1), 2, Motion(12, -9)))
    assert circle is not None
    assert (circle.y_px, circle.x_px) == pytest.approx((291.5, 270.5), abs=4)
    assert circle.radius_px == pytest.approx(0.47 * SIDE, abs=5)
    assert find_dish(frame(dish(1), 2)[150:400, 150:400]) is None
