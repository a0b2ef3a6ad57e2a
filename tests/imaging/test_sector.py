"""Sectors of drawn and of real frames."""

import math
import os
from pathlib import Path

import cv2
import numpy as np
import pytest

from snakescope import REPOSITORY
from snakescope.imaging.sector import Sector, cropped, fit_sector, maximum_of
from snakescope.step.errors import StepError

DATA = Path(os.environ.get("SNAKESCOPE_DATA", str(REPOSITORY / "../shared/data"))) / "liver"
TRUE = Sector(-100.0, 320.0, 160.0, 500.0, math.radians(-30), math.radians(27))


def drawn(sector: Sector = TRUE, shape=(440, 640)) -> np.ndarray:
    grey = np.random.default_rng(1).integers(30, 200, shape).astype(np.uint8)
    return np.where(sector.mask(shape), grey, 0).astype(np.uint8)


def test_a_drawn_sector_is_found():
    found = fit_sector(drawn())
    for name in ("left", "right"):
        assert getattr(found, name) == pytest.approx(getattr(TRUE, name), abs=math.radians(0.5))
    assert found.near == pytest.approx(TRUE.near, abs=4)
    assert found.far == pytest.approx(TRUE.far, abs=4)


def test_a_side_without_contact_is_found_in_other_frames():
    dark = drawn()
    dark[:, :260] = 0
    shared = fit_sector(maximum_of([dark, drawn()]))
    assert shared.left == pytest.approx(TRUE.left, abs=math.radians(0.5))


def test_a_shadow_does_not_divide_a_sector():
    grey = drawn()
    y, x = np.mgrid[0 : grey.shape[0], 0 : grey.shape[1]]
    angle = np.arctan2(x - TRUE.apex_x, y - TRUE.apex_y)
    grey[np.abs(angle) < math.radians(4)] = 0
    assert fit_sector(grey).half_angle_deg == pytest.approx(28.5, abs=0.7)


@pytest.mark.parametrize(
    "grey", [np.zeros((200, 300), np.uint8), np.full((200, 300), 90, np.uint8)]
)
def test_no_sector(grey):
    grey[60:140, 80:220] = grey[60:140, 80:220] + 60 if grey.any() else 0
    with pytest.raises(StepError, match="expected"):
        fit_sector(grey)


def test_a_crop_is_zero_outside_and_square():
    image = cropped(drawn(), TRUE, 128)
    assert image.shape == (128, 128) and not image[:4, :4].any()
    assert (image > 0).mean() == pytest.approx(0.5, abs=0.15)
    mask = np.zeros((440, 640), np.uint8)
    mask[200:300, 250:400] = 255
    assert set(np.unique(cropped(mask, TRUE, 128, nearest=True))) == {0, 255}


@pytest.mark.data
@pytest.mark.skipif(not (DATA / "abdominal_us").exists(), reason=f"no real images at {DATA}")
def test_real_frames_share_one_probe():
    frames = [
        cv2.imread(str(path), 0) for path in sorted((DATA / "abdominal_us/images").glob("d*"))
    ]
    found = fit_sector(maximum_of(frames))
    assert math.degrees(found.left) == pytest.approx(-27.5, abs=2)
    assert math.degrees(found.right) == pytest.approx(28.3, abs=2)
