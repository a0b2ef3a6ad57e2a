"""Tiles: 7 x 7 of a frame, padded with ground, put together again without loss."""

import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from snakescope.healthspan.detection import tile
from snakescope.healthspan.detection.channel_overlay import GROUND, overlay
from snakescope.healthspan.detection.tile import (
    assemble,
    origins_of,
    plate_picture,
    plate_shape,
    resampled,
    tiles_of,
)
from snakescope.healthspan.registration.reference import Description, write_description
from snakescope.healthspan.registration.texture import Circle
from snakescope.imaging.stacks import Stack, read_stack, write_stack
from snakescope.step.command import call
from snakescope.step.errors import StepError

WHOLE = Description(0, "bright_field", None, "", Circle(99.5, 149.5, 200.0), False)


def test_a_frame_of_3080_px_gives_7_by_7_tiles_and_no_padding() -> None:
    picture = np.broadcast_to(np.arange(3080, dtype=np.uint16).astype(np.uint8), (3080, 3080))
    cut = list(tiles_of(picture, 440))
    assert [(row, column) for row, column, _ in cut] == [(r, c) for r in range(7) for c in range(7)]
    np.testing.assert_array_equal(cut[-1][2], picture[2640:, 2640:])
    assert len(origins_of([(0, 0)], 3080, 3080, 440)) == 49


def test_the_last_row_and_column_are_padded_with_ground() -> None:
    picture = np.full((150, 130), 200, np.uint8)
    cut = {(row, column): one for row, column, one in tiles_of(picture, 100)}
    assert set(cut) == {(0, 0), (0, 1), (1, 0), (1, 1)}
    assert (cut[1, 1][:50, :30] == 200).all()
    assert (cut[1, 1][50:] == GROUND).all() and (cut[1, 1][:, 30:] == GROUND).all()


def test_tiles_are_put_together_again() -> None:
    rng = np.random.default_rng(0)
    pictures = rng.integers(0, 255, (2, 150, 130), dtype=np.uint8)
    tiles = np.stack([one for picture in pictures for _, _, one in tiles_of(picture, 64)])
    origins = origins_of([(4, 0), (7, 1)], 150, 130, 64)
    np.testing.assert_array_equal(assemble(tiles, origins, 4), pictures[0])
    np.testing.assert_array_equal(assemble(tiles, origins, 7), pictures[1])
    with pytest.raises(StepError, match="expected some of timepoint 5"):
        assemble(tiles, origins, 5)
    with pytest.raises(StepError, match="expected 19500 px of timepoint 7"):
        assemble(tiles, origins.iloc[:-1], 7)


def test_resampling_keeps_brightness_and_size() -> None:
    frame = np.full((200, 300), 1000, np.uint16)
    frame[:, 150:] = 3000
    for scale in (0.5, 2.82 / 9.74, 30 / 9.74):
        small = resampled(frame, scale)
        assert small.shape == plate_shape(200, 300, scale) and small.dtype == np.uint16
        assert small.mean() == pytest.approx(2000, rel=0.02)
    assert resampled(frame, 1.0001) is frame


def test_beyond_the_edge_of_a_seen_dish_lies_ground() -> None:
    rng = np.random.default_rng(0)
    frame = rng.normal(1000, 20, (200, 300)).astype(np.uint16)
    frame[:, 250:254] = 100
    seen = Description(0, "bright_field", None, "", Circle(99.5, 149.5, 80.0), True)
    assert plate_picture({"bright_field": frame}, 2.0, WHOLE)[:, 502].mean() > GROUND + 20
    picture = plate_picture({"bright_field": frame}, 2.0, seen)
    assert picture.shape == (400, 600)
    assert (picture[:, 480:] == GROUND).all()
    assert (picture[100:300, 200:400] != GROUND).any()


@pytest.mark.parametrize("count", [2, 0])
def test_the_command_tiles_registered_frames(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, count: int
) -> None:
    frames = np.random.default_rng(0).normal(1000, 20, (2, 1, 200, 300)).astype(np.uint16)
    write_stack(
        tmp_path / "r.ome.tif", frames[:count], count, ["bright_field"], 200, 300, np.uint16
    )
    write_description(tmp_path / "reference.json", WHOLE)
    table = pd.DataFrame(
        {
            "timepoint": [0, 1, 2],
            "page": [0, None, 1] if count else [None, None, None],
            "status": ["registered", "missing", "registered"] if count else ["missing"] * 3,
        }
    )
    table.to_csv(tmp_path / "r.tsv", sep="\t", index=False)
    options = {
        "frames": "r.ome.tif",
        "table": "r.tsv",
        "reference-description": "reference.json",
        "tiles": "t.ome.tif",
        "origins": "t.tsv",
    }
    command = [part for k, v in options.items() for part in (f"--{k}", str(tmp_path / v))]
    settings = ["--settings", '{"size_px": 128}', "--pixel-size-um", "9.74"]
    monkeypatch.setattr(sys, "argv", ["tile", *command, *settings])
    call(tile)
    origins = pd.read_csv(tmp_path / "t.tsv", sep="\t")
    assert list(origins.columns) == list(tile.ORIGIN_COLUMNS)
    assert len(origins) == count * 6
    assert list(origins["timepoint"].unique()) == [0, 2][:count]
    if count == 0:
        assert len(read_stack(tmp_path / "t.ome.tif")) == 0
        return
    with Stack(tmp_path / "t.ome.tif") as tiles:
        whole = assemble(tiles, origins, 2)
    np.testing.assert_array_equal(whole, overlay({"bright_field": frames[1, 0]}, None))
