import hashlib

import numpy as np
import pytest

from snakescope.healthspan.detection.channel_overlay import GROUND
from snakescope.healthspan.simulation.optics import UNSEEN, LookRanges, body_density, draw_look
from snakescope.healthspan.simulation.worm_body import Worm, body_pixels
from snakescope.healthspan.training.detector_examples import Scene
from snakescope.healthspan.training.hard_scenes import (
    HARD,
    along_wall,
    compressed,
    draw_hard_scene,
    inside_of_well,
    stitched,
)
from snakescope.healthspan.training.labelled_images import LabelledImage
from snakescope.healthspan.training.real_scenes import (
    TRAIN_SETS,
    real_scenes,
    scenes_of,
    with_crossings,
)
from snakescope.healthspan.training.settings import TrainDetectorSettings
from snakescope.healthspan.training.train_detector import data_of, draw_batch
from snakescope.imaging.masks import Instance, intersection


def bar(top: int, left: int, length: int = 100, identifier: int = 0) -> Instance:
    return Instance(0, identifier, top, left, np.ones((8, length), bool), 1.0)


def test_hard_scenes_depend_on_their_seed_only_and_show_their_worms() -> None:
    scenes = [draw_hard_scene(np.random.default_rng([s, 2]), 200, HARD) for s in (1, 1, 2)]
    assert np.array_equal(scenes[0].picture, scenes[1].picture)
    assert not np.array_equal(scenes[0].picture, scenes[2].picture)
    for scene in scenes:
        for one in scene.worms:
            assert min(one.top, one.left) >= 0 and max(one.bottom, one.right) <= 200


def test_a_hollow_body_is_as_bright_as_the_agar_inside_and_dark_at_its_outline() -> None:
    look = draw_look(np.random.default_rng(0), LookRanges(mottle=(0.0, 0.0), hollow=(1.0, 1.0)))
    body = body_pixels(Worm(0.0, 0.0, 0.3, np.zeros(7), 110.0, 12.0))
    shade = body_density(np.random.default_rng(0), body, look)
    middle = (body.along > 0.4) & (body.along < 0.6)
    core = shade[middle & (body.across < 0.3)].mean()
    outline = shade[middle & (body.across > 0.75) & (body.cover > 0.9)].mean()
    assert core < 0.25 * outline


def test_looks_of_the_frozen_set_are_drawn_as_ever() -> None:
    """A range that was added without width draws no number."""
    look = draw_look(np.random.default_rng(9_000_001), UNSEEN)
    text = ",".join(f"{value:.12g}" for name, value in vars(look).items() if name != "hollow")
    assert hashlib.sha256(text.encode()).hexdigest()[:16] == "e7444866b1666dce"
    assert look.hollow == 0


@pytest.mark.parametrize("seed", range(4))
def test_worms_along_a_wall_lie_near_it_and_along_it(seed: int) -> None:
    rng = np.random.default_rng(seed)
    inside = inside_of_well(rng, 240)
    if inside.all():
        return
    found = along_wall(rng, inside, 8.0)
    if found is None:
        return
    y, x, heading = found
    rows, columns = np.nonzero(inside == 0)
    nearest = np.argmin(np.hypot(rows - y, columns - x))
    away = np.array([rows[nearest] - y, columns[nearest] - x])
    assert np.hypot(*away) < 18
    along = np.array([np.sin(heading), np.cos(heading)])
    assert abs(float(along @ away)) / np.hypot(*away) < 0.6


def test_frames_keep_shape_and_depth_through_mosaic_and_compression() -> None:
    rng = np.random.default_rng(0)
    frame = rng.integers(100, 200, (64, 64)).astype(np.uint8)
    assert stitched(rng, frame).dtype == np.uint8
    assert not np.array_equal(stitched(rng, frame), frame)
    again = compressed(rng, frame)
    assert again.shape == frame.shape
    assert np.abs(again.astype(int) - frame).mean() < 30


def labelled() -> LabelledImage:
    picture = np.full((400, 700), GROUND, np.uint8)
    worms = [bar(40, 40), bar(200, 400), bar(200, 560, 110)]
    worms.append(Instance(0, 3, 300, 50, np.ones((8, 260), bool), 1.0))
    for one in worms:
        picture[one.top : one.bottom, one.left : one.right] = 200
    picture[350:360, 500:600] = 210
    return LabelledImage("a", "a", picture, worms, ignore=[(498.0, 348.0, 104.0, 14.0)])


def test_what_has_no_label_or_is_two_worms_in_one_is_painted_over() -> None:
    scenes = list(scenes_of(labelled(), 400))
    assert {scene.picture.shape for scene in scenes} == {(400, 400)}
    areas = [one.area for scene in scenes for one in scene.worms]
    assert max(areas) <= 8 * 110
    for scene in scenes:
        covered = np.zeros(scene.picture.shape, bool)
        for one in scene.worms:
            covered[one.top : one.bottom, one.left : one.right] |= one.mask
        assert not (scene.picture[~covered] > 150).any()


def test_pasted_crossings_are_labelled_and_bright() -> None:
    picture = np.full((300, 300), GROUND, np.uint8)
    picture[100:108, 60:160] = 200
    scene = Scene(picture, [bar(100, 60)])
    crossings = 0
    for seed in range(12):
        more = with_crossings(np.random.default_rng(seed), scene, 2)
        assert len(more.worms) == 3
        for one in more.worms:
            inside = more.picture[one.top : one.bottom, one.left : one.right][one.mask]
            assert float(inside.mean()) > 180
        crossings += any(intersection(more.worms[0], one) > 0 for one in more.worms[1:])
    assert crossings > 3
    assert np.array_equal(scene.picture, picture)


def test_crops_come_from_real_scenes_as_often_as_asked() -> None:
    real = real_scenes([labelled()], 400, 1)
    drawn = [Scene(np.full((400, 400), GROUND, np.uint8), [])]
    settings = TrainDetectorSettings(batch=4, crop_px=128, real_share=0.5)
    counts = []
    for step in range(40):
        pictures, targets = draw_batch(drawn, settings, step, real)
        counts += [len(target["masks"]) > 0 for target in targets]
        assert len(pictures) == 4
    assert 0.2 < np.mean(counts) < 0.6


def test_the_card_names_the_licence_of_every_real_set_that_was_trained_on() -> None:
    assert [one.what for one in data_of({"real_images": ""})] == ["simulated scenes"]
    real = data_of({"real_images": "data/worms"})[1:]
    assert len(real) == len(TRAIN_SETS)
    assert all(one.licence.startswith("MIT") for one in real)
