"""Composites show what stays white, what leaves green, and no other corpse as clutter."""

import json

import numpy as np
import pandas as pd
import pytest
import tifffile

from snakescope.healthspan.states.composite import (
    compose,
    composites_of,
    draw,
    index_table,
    midline_length,
    neighbours,
    read_block,
    shown,
    usable_times,
    write_composites,
)
from snakescope.healthspan.states.settings import CompositeSettings
from snakescope.imaging.masks import Instance, MaskSet, write_masks
from snakescope.step.errors import StepError
from snakescope.step.tables import read_table, write_table
from tests.started import step

SETTINGS = CompositeSettings()
CENTRE = 64


def bar(y, x, timepoint=0, k=0, length=100, width=8):
    """A straight worm lying along the columns, its centre at (y, x)."""
    mask = np.ones((width, length), dtype=bool)
    return Instance(timepoint, timepoint * 100_000 + k, y - width // 2, x - length // 2, mask, 0.9)


def post(y, x, timepoint=0, k=0):
    """A straight worm lying along the rows."""
    one = bar(y, x, timepoint, k)
    return Instance(timepoint, one.identifier, y - 50, x - 4, one.mask.T, 0.9)


def colour(picture, y, x):
    return tuple((picture[y, x] > 0).astype(int).tolist())


def test_a_worm_that_stays_is_white():
    (picture,) = compose([bar(500, 500)], [bar(500, 500)], [bar(500, 500)], SETTINGS)
    assert picture.shape == (128, 128, 3)
    assert picture.dtype == np.uint8
    assert set(np.unique(picture)) == {0, 255}
    assert np.count_nonzero(picture.all(axis=2)) == 800
    assert np.count_nonzero(picture.any(axis=2)) == 800


def test_red_is_before_green_at_and_blue_after():
    (picture,) = compose([bar(500, 500)], [bar(470, 500)], [bar(540, 500)], SETTINGS)
    assert colour(picture, CENTRE, CENTRE) == (0, 1, 0)
    assert colour(picture, CENTRE - 30, CENTRE) == (1, 0, 0)
    assert colour(picture, CENTRE + 40, CENTRE) == (0, 0, 1)


def test_other_worms_of_this_frame_are_not_green():
    first, second = compose([bar(500, 500), bar(520, 500, k=1)], [], [], SETTINGS)
    assert np.count_nonzero(first) == np.count_nonzero(second) == 800


def test_a_corpse_beside_a_corpse_leaves_no_trace():
    frame = [bar(500, 500), bar(506, 504, k=1)]
    pictures = compose(frame, frame, frame, SETTINGS)
    for picture in pictures:
        assert np.count_nonzero(picture.any(axis=2)) == 800
        assert np.count_nonzero(picture.all(axis=2)) == 800


def test_a_mover_that_crosses_is_seen_and_leaves_the_corpse_white():
    corpse, mover = bar(500, 500), post(500, 500, k=7)
    (picture,) = compose([corpse], [corpse], [corpse, mover], SETTINGS)
    assert np.count_nonzero(picture[..., :2].all(axis=2)) == 800
    assert colour(picture, CENTRE, CENTRE + 30) == (1, 1, 1)
    assert colour(picture, CENTRE + 30, CENTRE) == (0, 0, 1)


def test_a_mover_lying_on_a_corpse_does_not_borrow_its_past():
    corpse, mover = bar(500, 500), post(500, 500, k=7)
    of_corpse, of_mover = compose([corpse, mover], [corpse], [corpse], SETTINGS)
    assert np.count_nonzero(of_corpse.all(axis=2)) == 800
    assert np.count_nonzero(of_mover[..., (0, 2)]) == 0


def test_a_nudged_corpse_keeps_its_own_past():
    before = [bar(500, 500), bar(512, 500, k=1)]
    now = [bar(504, 502), bar(516, 502, k=1)]
    pictures = compose(now, before, now, SETTINGS)
    for picture in pictures:
        assert np.count_nonzero(picture[..., 0]) == 800


def test_a_mask_worse_than_the_claim_is_shared():
    overlap = np.array([[0.2, 0.5], [0.25, 0.1]])
    apart = np.zeros((2, 2))
    assert shown(overlap, apart, 0.3).tolist() == [[True, True], [True, False]]
    assert shown(overlap, apart, 0.6).all()
    assert shown(overlap[:1], apart[:1], 0.0).all()


def test_a_piece_of_a_worm_keeps_the_whole_worm_of_the_neighbour_frame():
    pieces = [bar(500, 470, length=60), bar(500, 535, k=1, length=30)]
    whole = [bar(500, 500, length=130)]
    for piece in compose(pieces, whole, whole, SETTINGS):
        assert np.count_nonzero(piece.all(axis=2)) == np.count_nonzero(piece[..., 1])


def test_a_missing_side_mirrors_the_other():
    frame, gone = [bar(500, 500)], [bar(540, 500)]
    (first,) = compose(frame, None, gone, SETTINGS)
    (last,) = compose(frame, gone, None, SETTINGS)
    assert np.array_equal(first, last)
    assert np.array_equal(first[..., 0], first[..., 2])
    assert first[CENTRE + 40, CENTRE, 0] == 255
    (alone,) = compose(frame, None, None, SETTINGS)
    assert np.count_nonzero(alone[..., (0, 2)]) == 0


def test_an_empty_frame_is_not_a_missing_one():
    (picture,) = compose([bar(500, 500)], [], [bar(500, 500)], SETTINGS)
    assert np.count_nonzero(picture[..., 0]) == 0
    assert np.count_nonzero(picture[..., 2]) == 800


def test_drawing_cuts_at_the_window_and_at_the_frame():
    canvas = draw([bar(0, 0, length=200)], -64, -64, 128)
    assert np.count_nonzero(canvas) == 8 * 128
    assert np.count_nonzero(draw([bar(500, 500)], 0, 0, 128)) == 0


def test_neighbours_pass_over_gaps_up_to_the_limit():
    times = {0: 0.0, 1: 12.0, 4: 48.0, 5: 60.0}
    assert neighbours(times, 4, 36.0) == (1, 5)
    assert neighbours(times, 4, 35.0) == (None, 5)
    assert neighbours(times, 0, 36.0) == (None, 1)
    assert neighbours(times, 5, 36.0) == (4, None)


def test_only_usable_timepoints_of_the_block_are_composed():
    instances = [bar(500, 500, t) for t in range(4)]
    made = composites_of(range(1, 3), {0: 0.0, 1: 12.0, 3: 36.0}, instances, SETTINGS)
    assert [(one.instance.timepoint, one.before, one.after) for one in made] == [(1, 0, 3)]


def test_index_rows_follow_the_stack():
    instances = [bar(500, 500, 0, 1), bar(300, 200, 0, 0), bar(500, 500, 1, 0)]
    table = index_table(composites_of(range(1), {0: 0.0, 1: 12.0}, instances, SETTINGS))
    assert table["composite"].tolist() == [0, 1]
    assert table["instance"].tolist() == [0, 1]
    assert table["x_px"].tolist() == [199.5, 499.5]
    assert table["area_px"].tolist() == [800, 800]
    assert table["before"].isna().all()
    assert table["after"].tolist() == [1, 1]


def test_length_of_a_bar_and_of_a_slanted_worm():
    assert midline_length(np.ones((8, 100), dtype=bool)) == pytest.approx(100, abs=5)
    rows, columns = np.indices((100, 100))
    slanted = np.abs(rows - columns) <= 4
    assert midline_length(slanted) == pytest.approx(100 * np.sqrt(2), rel=0.06)


def write_block(folder, name, timepoints, instances, unusable=()):
    masks, table = folder / f"{name}.json", folder / f"{name}.tsv"
    kept = tuple(t for t in timepoints if t not in unusable)
    write_masks(masks, MaskSet("p", 9.74, 600, 600, kept, tuple(instances)))
    write_table(
        table,
        pd.DataFrame(
            {
                "timepoint": list(timepoints),
                "time_h": [12.0 * t for t in timepoints],
                "status": ["missing" if t in unusable else "registered" for t in timepoints],
            }
        ),
    )
    return masks, table


def test_a_registered_timepoint_without_masks_is_named(tmp_path):
    masks, table = write_block(tmp_path, "a", range(3), [])
    write_masks(masks, MaskSet("p", 9.74, 600, 600, (0, 1), ()))
    with pytest.raises(StepError, match="expected the masks of timepoint 2"):
        read_block([masks], [table])


def test_usable_times_leave_out_what_is_not_registered(tmp_path):
    _, table = write_block(tmp_path, "a", range(3), [], unusable=(1,))
    assert usable_times([table]) == {0: 0.0, 2: 24.0}


def test_the_command_looks_into_adjacent_blocks(tmp_path):
    middle = [bar(300, 300, t) for t in (2, 3)]
    first = write_block(tmp_path, "t000-t001", range(2), [bar(300, 300, 1)])
    second = write_block(tmp_path, "t002-t003", range(2, 4), middle)
    third = write_block(tmp_path, "t004-t005", range(4, 6), [bar(330, 300, 5)], unusable=(4,))
    done = step(
        tmp_path, "healthspan", "composite",
        "--block", "t002-t003", "--masks", first[0], second[0], third[0],
        "--tables", first[1], second[1], third[1], "--settings", json.dumps({}),
        "--composites", "c.tif", "--index", "i.tsv",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    index = read_table(tmp_path / "i.tsv")
    assert index["before"].tolist() == [1, 2]
    assert index["after"].tolist() == [3, 5]
    stack = tifffile.imread(tmp_path / "c.tif")
    assert stack.shape == (2, 128, 128, 3)
    assert np.count_nonzero(stack[0].all(axis=2)) == 800
    assert np.count_nonzero(stack[1].all(axis=2)) == 0


def test_a_block_without_worms_gives_an_empty_index(tmp_path):
    write_composites(tmp_path / "c.tif", np.zeros((0, 128, 128, 3), dtype=np.uint8))
    assert tifffile.imread(tmp_path / "c.tif").shape == (1, 128, 128, 3)
    assert list(index_table([]).columns)[:3] == ["composite", "timepoint", "time_h"]


def test_every_worm_of_a_full_block_has_its_composite():
    places = np.random.default_rng(1).integers(60, 2900, size=(100, 2)).tolist()
    instances = [bar(y, x, t, k) for t in range(10) for k, (y, x) in enumerate(places)]
    made = composites_of(range(10), {t: 12.0 * t for t in range(10)}, instances, SETTINGS)
    assert len(made) == 1000
    assert all(one.picture[CENTRE, CENTRE].all() for one in made)
