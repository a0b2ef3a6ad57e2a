"""Crops of three days: registered by their ground, told apart by how much of the body moved."""

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from snakescope.healthspan.detection.channel_overlay import overlay
from snakescope.healthspan.evaluation.triplets import PLAIN_SHARE, ground_shift, plain_share
from snakescope.healthspan.evaluation.two_frames import SCALE, worm_in_box
from snakescope.imaging.masks import Instance, paint


def test_crops_are_brought_into_register_by_their_ground_and_not_by_the_worm() -> None:
    rng = np.random.default_rng(2)
    ground = np.clip(rng.normal(70, 25, (60, 60)), 0, 160).astype(np.uint8)
    dish = cv2.resize(ground, (300, 300), interpolation=cv2.INTER_CUBIC)

    def crop(top: int, left: int, worm_at: int) -> tuple[NDArray[np.uint8], list[Instance]]:
        picture = dish[top : top + 200, left : left + 200].copy()
        picture[90:100, worm_at : worm_at + 80] = 255
        return picture, [Instance(0, 0, 90, worm_at, np.ones((10, 80), bool), 1.0)]

    reference, worms = crop(40, 40, 50)
    # The worm crept 20 px, the dish lies 6 px lower and 3 px to the left.
    picture, later = crop(34, 43, 70)
    assert ground_shift(reference, picture, (paint(worms, 200, 200), paint(later, 200, 200))) == (
        -6,
        3,
    )


def crop_of(turn_deg: float, seed: int) -> NDArray[np.uint8]:
    """A crop with a worm in its middle whose front half is turned by an angle."""
    rng = np.random.default_rng(seed)
    ground = np.random.default_rng(7).normal(0, 4, (82, 82))
    image = 180 + cv2.resize(ground, (246, 246), interpolation=cv2.INTER_CUBIC)
    image += rng.normal(0, 1.5, image.shape)
    cv2.line(image, (83, 123), (123, 123), 90.0, 9)
    angle = np.deg2rad(turn_deg)
    tip = (round(123 + 40 * np.cos(angle)), round(123 + 40 * np.sin(angle)))
    cv2.line(image, (123, 123), tip, 90.0, 9)
    return overlay({"bright_field": np.clip(image, 0, 255).astype(np.uint8)})


@pytest.mark.parametrize(("turn_deg", "alive"), [(0, False), (25, True), (90, True)])
def test_a_head_that_turned_is_told_by_the_plain_measure(turn_deg: float, alive: bool) -> None:
    share = plain_share([crop_of(0, 1), crop_of(0, 2), crop_of(turn_deg, 3)], 9.74)
    assert (share > PLAIN_SHARE) == alive
    assert share <= 1


def test_the_worm_of_a_box_is_the_one_that_lies_inside() -> None:
    body = np.ones((10, 100), bool)
    inside, crossing = (Instance(0, k, top, left, body, 1.0) for k, (top, left) in
                        enumerate([(210, 210), (210, 400)]))  # fmt: skip
    box = np.array([200, 200, 210, 40]) / SCALE
    assert worm_in_box([crossing, inside], box) == 1
    assert worm_in_box([crossing], box) is None
