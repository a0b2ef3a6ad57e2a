import numpy as np
import pytest
from scipy.ndimage import gaussian_filter1d

from benchmarks.healthspan.borders import DEPTHS, RULES, moved, profiles
from snakescope.healthspan.detection.channel_overlay import overlay_of_contrast
from snakescope.healthspan.training.labelled_images import LabelledImage
from snakescope.imaging.masks import Instance, cropped

FINE = np.arange(-12, 12, 0.05)


def profile(body: np.ndarray, blur: float) -> np.ndarray:  # type: ignore[type-arg]
    """A body's contrast at ``DEPTHS``, blurred (px); ``body`` is at ``FINE``."""
    seen = gaussian_filter1d(body, blur / 0.05)
    return np.asarray(np.interp(DEPTHS, FINE, seen / seen[FINE < 6].max()))


@pytest.mark.parametrize(("rule", "within"), [("half", 0.2), ("steepest", 0.3), ("onset", 0.5)])
@pytest.mark.parametrize("border", [-1.0, 0.0, 1.0])
def test_of_an_even_body_all_rules_find_the_border_that_was_blurred(
    rule: str, within: float, border: float
) -> None:
    even = (border < FINE).astype(float)
    assert RULES[rule](profile(even, 0.9)) == pytest.approx(border, abs=within)


def test_of_a_round_body_half_its_grey_is_inside_and_the_onset_further_out() -> None:
    across = np.clip(1 - FINE / 4.5, 0, 1)
    round_body = np.where(FINE > 0, np.sqrt(1 - across**2), 0.0)
    seen = profile(round_body, 0.6)
    half, onset, foot = (RULES[name](seen) for name in ("half", "onset", "foot"))
    assert half > 0.5
    assert abs(foot) < 0.5
    assert onset < half - 0.3


def bar(top: int, width: int) -> Instance:
    one = cropped(np.ones((width, 60), bool), top, 20, 0, 0, 1.0)
    assert one is not None
    return one


def test_a_moved_border_makes_a_bar_wider_by_as_much_on_either_side() -> None:
    assert moved(bar(40, 8), -1.0, (100, 100)).mask.shape[0] == 10
    assert moved(bar(40, 8), 0.0, (100, 100)).mask.shape[0] == 8


def test_the_profile_of_a_bar_is_read_from_the_image_and_a_crossed_one_is_not() -> None:
    contrast = np.zeros((100, 100), np.float32)
    contrast[40:48, 20:80] = 30
    image = LabelledImage("a", "a", overlay_of_contrast(contrast))
    (read,) = profiles(image, [bar(40, 8)])
    assert read is not None
    assert RULES["half"](read) == pytest.approx(0, abs=0.3)
    (wide,) = profiles(image, [bar(38, 12)])
    assert wide is not None
    assert RULES["half"](wide) == pytest.approx(2, abs=0.4)
    assert profiles(image, [bar(40, 8), bar(44, 8)]) == [None, None]
