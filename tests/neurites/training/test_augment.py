"""Augmentation: image and labels move together, and each change does what it is named for."""

import numpy as np
import pytest

from snakescope.neurites.training.augment import (
    Warp,
    augmented,
    draw_shifts,
    draw_warp,
    flipped,
    grey_changed,
    margin_yx,
    moved,
    with_blur,
    with_missing,
)
from snakescope.neurites.training.settings import AugmentSettings

PATCH = (6, 32, 32)
ALWAYS = AugmentSettings(
    misalignment_share=1, missing_share=1, blurred_share=1, warp_share=1, grey_share=1
)
GEOMETRY = ALWAYS.model_copy(update={"missing_share": 0.0, "blurred_share": 0.0, "grey_share": 0.0})


def source(settings: AugmentSettings) -> tuple[np.ndarray, np.ndarray]:
    """Labels in stripes and tiles with large names, and an image that tells the label."""
    by, bx = margin_yx(settings, PATCH)
    y, x = np.mgrid[: PATCH[1] + 2 * by, : PATCH[2] + 2 * bx]
    tiles = (y // 16) * 7 + (x // 16)
    labels = np.stack([tiles + z // 3 for z in range(PATCH[0])]) + 2**40
    return ((labels - 2**40) / 200).astype(np.float32), labels


def test_labels_go_where_the_image_goes() -> None:
    image, labels = source(GEOMETRY)
    for seed in range(8):
        picture, objects = augmented(np.random.default_rng(seed), image, labels, PATCH, GEOMETRY)
        assert picture.shape == objects.shape == PATCH
        assert set(np.unique(objects)) <= set(np.unique(labels))
        # Interpolation blurs tile borders; in the tiles the image still tells the label.
        agree = np.abs(picture - (objects - 2**40) / 200) < 1e-3
        assert agree.mean() > 0.75, seed


def test_the_same_seed_gives_the_same_patch() -> None:
    image, labels = source(ALWAYS)
    one, again, other = (
        augmented(np.random.default_rng(seed), image, labels, PATCH, ALWAYS) for seed in (1, 1, 2)
    )
    assert np.array_equal(one[0], again[0]) and np.array_equal(one[1], again[1])
    assert not np.array_equal(one[0], other[0])


def test_without_augmentation_the_middle_comes_out() -> None:
    off = AugmentSettings(
        flips=False,
        misalignment_share=0,
        missing_share=0,
        blurred_share=0,
        warp_share=0,
        grey_share=0,
    )
    assert margin_yx(off, PATCH) == (0, 0)
    image, labels = source(ALWAYS)
    by, bx = margin_yx(ALWAYS, PATCH)
    picture, objects = augmented(np.random.default_rng(1), image, labels, PATCH, off)
    assert np.array_equal(objects, labels[:, by : by + 32, bx : bx + 32])
    assert np.allclose(picture, image[:, by : by + 32, bx : bx + 32])


def test_misalignment_shifts_one_section_or_all_that_follow() -> None:
    kinds = set()
    for seed in range(40):
        shifts = draw_shifts(np.random.default_rng(seed), ALWAYS, 6)
        assert np.abs(shifts).max() <= 17
        moved_sections = np.nonzero(shifts.any(axis=1))[0]
        if len(moved_sections) > 1:
            assert moved_sections[-1] == 5 and len(np.unique(shifts[moved_sections], axis=0)) == 1
        kinds.add(len(moved_sections) > 1)
    assert kinds == {True, False}
    y, x = np.mgrid[:20, :20].astype(np.float32)
    picture = np.zeros((2, 20, 20), np.float32)
    picture[:, 10, 12] = 1
    shifts = np.array([[0, 0], [3, -2]])
    seen, _ = moved(picture, picture.astype(np.int64), Warp(x, y), shifts, (2, 20, 20))
    assert np.argwhere(seen > 0.5).tolist() == [[0, 10, 12], [1, 7, 14]]


def test_a_warp_stays_within_its_margin() -> None:
    by, bx = margin_yx(ALWAYS.model_copy(update={"misalignment_px": 0}), PATCH)
    height, width = PATCH[1] + 2 * by, PATCH[2] + 2 * bx
    beyond = 0.0
    for seed in range(20):
        warp = draw_warp(np.random.default_rng(seed), ALWAYS, (6, height, width))
        inner = warp.x[by:-by, bx:-bx], warp.y[by:-by, bx:-bx]
        beyond = max(beyond, -float(min(m.min() for m in inner)))
    assert beyond < 0.5 * by


def test_flips_are_all_of_them() -> None:
    image = np.arange(8, dtype=np.float32).reshape(2, 2, 2)
    seen = {
        tuple(flipped(np.random.default_rng(seed), image, image.astype(np.int64))[1].ravel())
        for seed in range(200)
    }
    assert len(seen) == 16


@pytest.mark.parametrize("change", [with_missing, with_blur])
def test_few_sections_are_touched(change: object) -> None:
    image = np.random.default_rng(1).random((8, 16, 16)).astype(np.float32)
    before = image.copy()
    extra = () if change is with_missing else (2.0,)
    for seed in range(10):
        changed = change(np.random.default_rng(seed), image, 3, *extra)  # type: ignore[operator]
        touched = int((changed != image).any(axis=(1, 2)).sum())
        assert 1 <= touched <= 3
    assert np.array_equal(image, before)


def test_grey_values_stay_in_range() -> None:
    image = np.random.default_rng(1).random((4, 16, 16)).astype(np.float32)
    for seed in range(10):
        changed = grey_changed(np.random.default_rng(seed), image, 0.3)
        assert changed.dtype == np.float32
        assert changed.min() >= 0 and changed.max() <= 1
        assert not np.allclose(changed, image)


def test_sections_are_changed_alike_or_each_in_its_own_way() -> None:
    image = np.full((4, 8, 8), 0.5, np.float32)
    for share in (0.0, 1.0):
        for seed in range(10):
            changed = grey_changed(np.random.default_rng(seed), image, 0.3, share)
            greys = {float(section.mean()) for section in changed}
            assert len(greys) == (4 if share else 1)
