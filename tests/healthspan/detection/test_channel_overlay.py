import numpy as np
import pytest

from snakescope.healthspan.detection.channel_overlay import (
    GROUND,
    MOST_CONTRAST,
    contrast,
    overlay,
)
from snakescope.step.errors import StepError

WORM = (slice(60, 68), slice(40, 140))


def scene(sign: float, seed: int = 0) -> np.ndarray:  # type: ignore[type-arg]
    """Uneven ground with noise 2 and a bar that differs from it by 40."""
    rng = np.random.default_rng(seed)
    ground = 100 + 30 * np.linspace(0, 1, 200)[None, :] * np.ones((150, 1))
    image = ground + rng.normal(size=ground.shape) * 2
    image[WORM] += 40 * sign
    return np.rint(image).astype(np.uint8)


@pytest.mark.parametrize(("channel", "sign"), [("bright_field", -1), ("dark_field", 1)])
def test_worms_are_bright_on_level_ground(channel: str, sign: float) -> None:
    picture = overlay({channel: scene(sign)})
    assert picture[WORM].mean() > GROUND + 80
    empty = np.ones(picture.shape, bool)
    empty[50:78, 30:150] = False
    assert abs(float(np.median(picture[empty])) - GROUND) < 4
    left, right = picture[15:45, 40:90], picture[15:45, 110:160]
    assert abs(float(left.mean()) - float(right.mean())) < 4


def test_gain_and_offset_of_the_camera_do_not_matter() -> None:
    image = scene(1).astype(np.uint16)
    plain, strong = overlay({"dark_field": image}), overlay({"dark_field": image * 16 + 500})
    assert np.abs(plain.astype(int) - strong).max() <= 1


def test_two_channels_show_what_one_of_them_misses() -> None:
    both = overlay({"bright_field": scene(0, 1), "dark_field": scene(1, 2)})
    assert both[WORM].mean() > GROUND + 60


def test_beyond_the_mask_there_is_ground() -> None:
    mask = np.zeros((150, 200), bool)
    mask[50:80] = True
    picture = overlay({"dark_field": scene(1)}, mask)
    assert (picture[~mask] == GROUND).all()


@pytest.mark.parametrize("channels", [{}, {"red": np.zeros((9, 9), np.uint8)}])
def test_other_channels_are_refused(channels) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(StepError, match="expected the channels bright_field and/or dark_field"):
        overlay(channels)


def test_beside_strong_contrast_faint_texture_stays_faint() -> None:
    """On saturated ground the noise is next to nothing, and a shadow is no worm."""
    frame = np.full((200, 200), 255.0)
    frame += np.random.default_rng(1).normal(0, 0.2, frame.shape)
    frame[20:26, 20:120] = 40  # a worm
    frame[120:126, 20:120] = 245  # a shadow
    found = contrast(frame.astype(np.float32), "bright_field")
    assert np.quantile(found, 0.999) == pytest.approx(MOST_CONTRAST, rel=0.05)
    picture = overlay({"bright_field": frame.astype(np.float32)})
    assert picture[22, 60] > 190 and picture[122, 60] < 110


def test_frames_of_usual_contrast_are_as_they_were() -> None:
    frame = np.full((200, 200), 100.0)
    frame += np.random.default_rng(1).normal(0, 3, frame.shape)
    frame[20:26, 20:120] = 50
    found = contrast(frame.astype(np.float32), "bright_field")
    away = found[60:180, 60:180]
    assert 1.4826 * np.median(np.abs(away)) == pytest.approx(1, rel=0.05)


@pytest.mark.parametrize("known", [True, False])
def test_what_is_black_beside_the_dish_makes_no_worm_fainter(known: bool) -> None:
    """Where no light comes through is darker than any worm."""
    rows, columns = np.ogrid[:800, :800]
    away = np.hypot(rows - 400, columns - 400)
    frame = np.full((800, 800), 20_000.0) + np.random.default_rng(1).normal(0, 40, (800, 800))
    frame[400:406, 350:450] *= 0.97  # a faint worm
    dark = np.where(away < 400, frame, 0).astype(np.uint16)
    # The radius of a dish has a tolerance.
    mask = away < 1.005 * 400 if known else None
    found = [overlay({"bright_field": one}, mask)[403, 360:440] for one in (frame, dark)]
    assert abs(found[0].mean() - found[1].mean()) < 15
    assert found[1].mean() > GROUND + 80


def test_of_a_mask_without_a_pixel_there_is_ground() -> None:
    picture = overlay({"bright_field": scene(-1)}, np.zeros((150, 200), bool))
    assert (picture == GROUND).all()
