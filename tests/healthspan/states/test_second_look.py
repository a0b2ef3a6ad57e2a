"""The second look at worms that lie still and were missed in a frame."""

import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from snakescope.healthspan.detection.candidates import FIRST_CANDIDATE, candidates_of
from snakescope.healthspan.detection.channel_overlay import overlay_of_contrast
from snakescope.healthspan.detection.detections import TileDetection
from snakescope.healthspan.detection.settings import DetectSettings
from snakescope.healthspan.states import composite as composite_module
from snakescope.healthspan.states import second_look as second_look_module
from snakescope.healthspan.states.expected import expected_places, pairs_of_frames
from snakescope.healthspan.states.second_look import (
    LOOK_COLUMNS,
    NOT_SEEN,
    look_table,
    looked_at,
    second_look,
)
from snakescope.healthspan.states.settings import SecondLookSettings
from snakescope.healthspan.states.sightings import (
    CANDIDATE,
    FIRST_COPY,
    NEIGHBOUR,
    sightings_beside,
    way_of,
)
from snakescope.imaging.masks import Instance, MaskSet, read_masks, write_masks
from snakescope.imaging.stacks import write_stack
from snakescope.step.command import call
from snakescope.step.tables import read_table, write_table

SETTINGS = SecondLookSettings()
SIDE = 300
HEIGHT, WIDTH = 8, 80


def worm(top, left, timepoint, number=0, score=0.9):
    mask = np.ones((HEIGHT, WIDTH), dtype=bool)
    return Instance(timepoint, timepoint * 100_000 + number, top, left, mask, score)


def frame(worms, seed=0, contrast=30.0):
    """The overlay of a frame: worms on ground with noise, brighter at their heads."""
    picture = np.random.default_rng(seed).normal(0, 1, (SIDE, SIDE)).astype(np.float32)
    for one in worms:
        rows = slice(one.top, one.top + HEIGHT)
        head = np.linspace(1.2, 0.8, WIDTH, dtype=np.float32)
        picture[rows, one.left : one.left + WIDTH] += contrast * head
    return overlay_of_contrast(picture)


def looked(found, drawn=None, candidates=(), settings=SETTINGS, tolerance_px=1.5, block=None):
    """The second looks at frames, which are the lists of masks ``found``.

    ``drawn`` are the worms that the picture of a frame shows, if others than were found.
    """
    shown = {t: found[t] for t in range(len(found))} | (drawn or {})
    pictures = {t: frame(worms, seed=t) for t, worms in shown.items()}
    masks = MaskSet(
        *("p", 9.74, SIDE, SIDE, tuple(range(len(found)))),
        *(tuple(one for at in found for one in at), tuple(candidates)),
    )
    times = {t: 12.0 * t for t in range(len(found))}
    span = range(len(found)) if block is None else block
    return second_look(span, times, [masks], pictures.__getitem__, settings, tolerance_px)


def outcomes(looks):
    return [(t, look.outcome) for t, at in looks.items() for look in at]


def test_a_still_worm_that_was_missed_is_seen_again_by_its_grey_values():
    there = [[worm(100, 100, t)] for t in range(5)]
    found = [*there[:2], [], *there[3:]]
    looks = looked(found, drawn={2: there[2]})
    assert outcomes(looks) == [(2, NEIGHBOUR)]
    sighting = looks[2][0].instance
    assert (sighting.timepoint, sighting.top, sighting.left) == (2, 100, 100)
    assert sighting.identifier == 2 * 100_000 + FIRST_COPY
    assert looks[2][0].correlation > 0.9


def test_agar_is_no_worm():
    there = [[worm(100, 100, t)] for t in range(5)]
    looks = looked([*there[:2], [], *there[3:]], drawn={2: []})
    assert outcomes(looks) == [(2, NOT_SEEN)]
    assert looks[2][0].instance is None


def test_a_worm_that_left_is_not_kept():
    found = [[worm(100, 100, t)] for t in range(3)] + [[], [], []]
    assert outcomes(looked(found)) == []
    last = [[worm(100, 100, t)] for t in range(3)] + [[]]
    assert outcomes(looked(last)) == [(3, NOT_SEEN)]


def test_masks_of_worms_that_crawl_expect_nothing():
    found = [[worm(100, 20 + 30 * t, t)] if t != 2 else [] for t in range(5)]
    assert outcomes(looked(found)) == []


def test_the_mask_lies_where_the_frame_shows_the_worm_within_the_tolerance():
    there = [[worm(100, 100, t)] for t in range(5)]
    missed = worm(102, 99, 2)
    looks = looked([*there[:2], [], *there[3:]], drawn={2: [missed]}, tolerance_px=3.0)
    sighting = looks[2][0].instance
    assert (sighting.top, sighting.left) == (102, 99)


def test_a_candidate_at_the_place_comes_first():
    there = [[worm(100, 100, t)] for t in range(5)]
    faint = worm(101, 101, 2, FIRST_CANDIDATE, score=0.2)
    looks = looked([*there[:2], [], *there[3:]], drawn={2: there[2]}, candidates=[faint])
    assert outcomes(looks) == [(2, CANDIDATE)]
    assert looks[2][0].instance is faint or looks[2][0].instance == faint


def test_a_candidate_where_no_worm_is_expected_stays_one():
    there = [[worm(100, 100, t)] for t in range(5)]
    debris = worm(200, 150, 2, FIRST_CANDIDATE, score=0.4)
    assert outcomes(looked(there, candidates=[debris])) == []


def test_two_worms_do_not_share_a_sighting():
    near = [[worm(100, 100, t, 0), worm(110, 104, t, 1)] for t in range(5)]
    both = worm(104, 102, 2, FIRST_CANDIDATE, score=0.3)
    lower = SETTINGS.model_copy(update={"min_candidate_iou": 0.2})
    looks = looked(
        [*near[:2], [], *near[3:]], drawn={2: near[2]}, candidates=[both], settings=lower
    )
    assert [look.outcome for look in looks[2]].count(CANDIDATE) == 1
    identifiers = [look.instance.identifier for look in looks[2] if look.instance is not None]
    assert len(identifiers) == len(set(identifiers))


def test_a_second_mask_of_a_worm_that_was_found_is_none():
    # The detector drew one worm twice in the frames before and after.
    twice = [[worm(100, 100, t, 0), worm(102, 101, t, 1)] for t in range(5)]
    looks = looked([*twice[:2], [worm(101, 100, 2)], *twice[3:]])
    assert outcomes(looks) == []


def test_off_looks_at_nothing():
    there = [[worm(100, 100, t)] for t in range(5)]
    off = SecondLookSettings(enabled=False)
    assert looked([*there[:2], [], *there[3:]], settings=off) == {}


def test_gaps_of_several_frames_are_filled_as_far_as_the_reach():
    there = [[worm(100, 100, t)] for t in range(9)]
    found = [*there[:3], [], [], *there[5:]]
    looks = looked(found, drawn={3: there[3], 4: there[4]})
    assert outcomes(looks) == [(3, NEIGHBOUR), (4, NEIGHBOUR)]


def test_a_job_looks_at_its_block_and_at_the_frames_next_to_it():
    assert looked_at(range(3, 6), [0, 1, 2, 4, 5, 8, 9]) == [2, 4, 5, 8]
    assert looked_at(range(3), [0, 1, 2]) == [0, 1, 2]
    assert looked_at(range(20, 30), [0, 1]) == []


def test_two_jobs_see_the_same_in_a_frame_that_both_look_at():
    there = [[worm(100, 100, t)] for t in range(9)]
    found = [*there[:4], [], *there[5:]]
    ones = looked(found, drawn={4: there[4]}, block=range(2, 5))
    others = looked(found, drawn={4: there[4]}, block=range(5, 8))
    assert ones[4][0].instance.identifier == others[4][0].instance.identifier
    assert set(ones) == {1, 2, 3, 4, 5}


def test_pairs_of_frames_begin_with_the_nearest():
    pairs = list(pairs_of_frames([0, 1, 2, 3, 4], 2, 2))
    assert pairs == [(1, 3), (1, 4), (3, 0), (0, 4)]
    assert list(pairs_of_frames([0, 1, 2], 0, 3)) == [(1, 2)]
    assert list(pairs_of_frames([0], 0, 3)) == []


def test_a_worm_that_turned_its_head_is_no_missed_one():
    turned = worm(104, 110, 2)
    frames = {0: [worm(100, 100, 0)], 1: [worm(100, 100, 1)], 2: [turned], 3: [worm(100, 100, 3)]}
    assert expected_places(frames, [0, 1, 2, 3], 2, SETTINGS) == []


def test_the_table_lists_every_place_that_was_looked_at():
    there = [[worm(100, 100, t)] for t in range(5)]
    looks = looked([*there[:2], [], *there[3:]], drawn={2: []})
    table = look_table(look for at in looks.values() for look in at)
    assert list(table.columns) == list(LOOK_COLUMNS)
    assert table["outcome"].tolist() == [NOT_SEEN]
    assert table["instance"].isna().all()
    assert table.loc[0, ["near", "far"]].tolist() == [1, 3]
    assert list(look_table([]).columns) == list(LOOK_COLUMNS)


def test_ways_are_told_by_the_identifier():
    ways = [way_of(3 * 100_000 + k) for k in (0, 99, FIRST_CANDIDATE, FIRST_COPY + 4)]
    assert ways == ["", "", CANDIDATE, NEIGHBOUR]


def test_candidates_survive_the_file_and_other_readers_do_not_see_them(tmp_path):
    path = tmp_path / "masks/t000-t004.json"
    path.parent.mkdir()
    faint = worm(50, 60, 1, FIRST_CANDIDATE, score=0.25)
    write_masks(path, MaskSet("p", 9.74, SIDE, SIDE, (0, 1), (worm(10, 20, 0),), (faint,)))
    masks = read_masks(path)
    assert [one.identifier for one in masks.candidates] == [faint.identifier]
    assert np.array_equal(masks.candidates[0].mask, faint.mask)
    assert [one["id"] for one in json.loads(path.read_text())["annotations"]] == [0]
    assert masks.at(1) == []


def test_pages_read_the_sightings_of_their_own_block(tmp_path):
    masks = tmp_path / "masks/t000-t004.json"
    assert sightings_beside(masks) == []
    (tmp_path / "second_look").mkdir()
    two = (worm(50, 60, 4, FIRST_COPY), worm(50, 60, 5, FIRST_COPY))
    whole = MaskSet("p", 9.74, SIDE, SIDE, (4, 5), two)
    write_masks(tmp_path / "second_look/t000-t004.json", whole)
    assert [one.timepoint for one in sightings_beside(masks)] == [4]


def of_tile(one):
    return TileDetection(
        one.timepoint, one.identifier, one.top, one.left, one.mask, one.score, cut=False
    )


@pytest.mark.parametrize(
    ("objects", "expected"),
    [
        ([worm(200, 100, 1, score=0.3)], 1),
        ([worm(200, 100, 1, score=0.3), worm(201, 101, 1, score=0.2)], 1),
        ([worm(101, 101, 1, score=0.3)], 0),
        ([replace(worm(200, 100, 1), mask=np.ones((8, 10), dtype=bool))], 0),
    ],
    ids=["one", "twice", "the worm itself", "too short"],
)
def test_candidates_of_a_frame(objects, expected):
    found = candidates_of(
        [of_tile(one) for one in objects],
        [worm(100, 100, 1)],
        DetectSettings(),
        lambda one: True,
        9.74,
    )
    assert len(found) == expected
    assert all(way_of(one.identifier) == CANDIDATE for one in found)
    assert (
        candidates_of(
            [of_tile(one) for one in objects], [], DetectSettings(), lambda one: False, 9.74
        )
        == []
    )


def test_counts_and_tracks_say_which_sightings_are_of_the_second_look():
    from snakescope.healthspan.tracking.settings import TrackSettings
    from snakescope.healthspan.tracking.track import track_plate

    states = pd.DataFrame(
        [
            {
                "timepoint": t,
                "instance": t * 100_000 + (FIRST_COPY if t == 3 else 0),
                "y_px": 100.0,
                "x_px": 100.0,
                "area_px": 600,
                "p_healthy": 0.9 if t < 2 else 0.02,
                "p_immobile": 0.05 if t < 2 else 0.08,
                "p_dead": 0.05 if t < 2 else 0.9,
                "state": "healthy" if t < 2 else "dead",
                "second_look": NEIGHBOUR if t == 3 else "",
            }
            for t in range(8)
        ]
    )
    frames = pd.DataFrame(
        {"timepoint": range(8), "time_h": [12.0 * t for t in range(8)], "status": "registered"}
    )
    found = track_plate(states, frames, 1.0, 1, TrackSettings())
    assert found.counts["second_look"].tolist() == [0, 0, 0, 1, 0, 0, 0, 0]
    marked = found.tracks.set_index("timepoint")["second_look"]
    assert marked[3] == NEIGHBOUR
    assert (marked.drop(3) == "").all()


BLOCKS = {"t000-t002": range(3), "t003-t005": range(3, 6)}


@pytest.fixture
def plate(tmp_path):
    """Two blocks of raw frames of a corpse, whose mask is missing at timepoints 2 and 3."""
    description = {
        "timepoint": 0,
        "channel": "bright_field",
        "mark": {"found": False, "template": "m.png"},
        "dish_centre_px": [150, 150],
        "dish_radius_px": 300,
        "method": "frame",
    }
    (tmp_path / "reference.json").write_text(json.dumps(description))
    for name in ("masks", "registered", "second_look", "composites"):
        (tmp_path / name).mkdir()
    for block, timepoints in BLOCKS.items():
        pages = []
        for t in timepoints:
            grey = np.random.default_rng(t).normal(180, 2, (SIDE, SIDE))
            grey[100 : 100 + HEIGHT, 100 : 100 + WIDTH] -= np.linspace(90, 60, WIDTH)
            pages.append(np.clip(grey, 0, 255).astype(np.uint8))
        stack = tmp_path / f"registered/{block}.ome.tif"
        write_stack(stack, iter(pages), 3, ["bright_field"], SIDE, SIDE, np.uint8)
        table = pd.DataFrame(
            {
                "timepoint": timepoints,
                "time_h": [12.0 * t for t in timepoints],
                "page": range(3),
                "status": "registered",
            }
        )
        write_table(tmp_path / f"registered/{block}.tsv", table)
        found = tuple(worm(100, 100, t) for t in timepoints if t not in (2, 3))
        masks = MaskSet("p", 9.74, SIDE, SIDE, tuple(timepoints), found)
        write_masks(tmp_path / f"masks/{block}.json", masks)
    return tmp_path


def run(plate, module, block, *words):
    call(
        module,
        [
            *("--block", block, "--masks", *(f"{plate}/masks/{one}.json" for one in BLOCKS)),
            *("--tables", *(f"{plate}/registered/{one}.tsv" for one in BLOCKS)),
            *words,
        ],
    )


def look_step(plate, block):
    sightings = plate / f"second_look/{block}.json"
    run(
        *(plate, second_look_module, block),
        *("--frames", *(f"{plate}/registered/{one}.ome.tif" for one in BLOCKS)),
        *("--reference-description", f"{plate}/reference.json", "--pixel-size-um", "9.74"),
        *("--weighing", "{}", "--settings", "{}"),
        *("--sightings", f"{sightings}", "--looks", f"{sightings.with_suffix('.tsv')}"),
    )
    return sightings.read_bytes() + sightings.with_suffix(".tsv").read_bytes()


def test_both_blocks_see_a_worm_that_is_missed_across_their_border(plate):
    for block, own in (("t000-t002", 2), ("t003-t005", 3)):
        first = look_step(plate, block)
        assert look_step(plate, block) == first
        masks = read_masks(plate / f"second_look/{block}.json")
        assert [one.timepoint for one in masks.instances] == [2, 3]
        table = read_table(plate / f"second_look/{block}.tsv", LOOK_COLUMNS)
        assert table["timepoint"].tolist() == [own]
        index = plate / f"composites/{block}.tsv"
        run(
            *(plate, composite_module, block),
            *("--sightings", f"{plate}/second_look/{block}.json", "--settings", "{}"),
            *("--composites", f"{index.with_suffix('.tif')}", "--index", f"{index}"),
        )
        ways = read_table(index, text=("second_look",)).set_index("timepoint")["second_look"]
        assert ways.to_dict() == {t: NEIGHBOUR if t == own else "" for t in BLOCKS[block]}
