"""Manifests: one file a block, rewritten only where its content changed."""

import os
from pathlib import Path

import pytest

from snakescope.healthspan.plates.manifest import (
    PlateFrames,
    block_range,
    blocks,
    read_manifest,
    read_manifest_files,
    write_manifests,
)
from snakescope.healthspan.plates.scan import PlateScanner
from snakescope.healthspan.plates.settings import IngestSettings
from snakescope.healthspan.plates.sheet import Plate
from snakescope.step.errors import StepError


def scan(raw: Path, timepoints: range, **settings: object) -> PlateFrames:
    raw.mkdir(exist_ok=True)
    for timepoint in timepoints:
        days, hours = divmod(timepoint * 12, 24)
        frame = raw / f"E2_1_{days:02d}d{hours:02d}h07m.tif"
        if not frame.exists():
            frame.write_bytes(b"image")
    found = PlateScanner(IngestSettings.model_validate(settings)).scan(
        Plate(name="007", experiment="e1", condition="N2", folder=str(raw))
    )
    assert isinstance(found, PlateFrames)
    return found


def stamps(folder: Path) -> dict[str, int]:
    return {path.name: path.stat().st_mtime_ns for path in folder.iterdir()}


def test_blocks_have_their_full_range() -> None:
    assert blocks(0, 10) == []
    assert blocks(1, 10) == ["t000-t009"]
    assert blocks(10, 10) == ["t000-t009"]
    assert blocks(11, 10) == ["t000-t009", "t010-t019"]
    assert blocks(2, 1) == ["t000-t000", "t001-t001"]
    assert blocks(1001, 500)[-1] == "t1000-t1499"
    assert block_range("t1000-t1499") == range(1000, 1500)
    with pytest.raises(StepError, match="t1-t2: expected the name of a block"):
        block_range("t1-t2")


def test_manifest_says_what_was_scanned(tmp_path: Path) -> None:
    frames = scan(tmp_path / "raw", range(12), interval_h=12)
    assert write_manifests(tmp_path / "m", frames, 10) == ["t000-t009", "t010-t019"]
    table = read_manifest(tmp_path / "m/t010-t019.tsv")
    assert list(table["timepoint"]) == [10, 11]
    assert list(table["time_h"]) == [120.0, 132.0]
    assert set(table["plate"]) == {"007"}
    assert set(table["reason"]) == {""}
    paths = read_manifest_files(tmp_path / "m/t010-t019.tsv")
    assert paths == [frame.path for frame in frames.frames[10:]]
    assert Path(paths[0]).exists()


def test_missing_frames_have_no_file_to_wait_for(tmp_path: Path) -> None:
    scan(tmp_path / "raw", range(3))
    (tmp_path / "raw/E2_1_00d12h07m.tif").write_bytes(b"")
    frames = scan(tmp_path / "raw", range(0), max_missing_fraction=0.5)
    write_manifests(tmp_path / "m", frames, 10)
    assert len(read_manifest_files(tmp_path / "m/t000-t009.tsv")) == 2


@pytest.mark.parametrize("interval_h", [None, 12])
def test_later_timepoint_leaves_earlier_blocks_alone(
    tmp_path: Path, interval_h: float | None
) -> None:
    folder = tmp_path / "m"
    write_manifests(folder, scan(tmp_path / "raw", range(7), interval_h=interval_h), 3)
    before = stamps(folder)
    for path in folder.iterdir():
        os.utime(path, ns=(1, 1))
    write_manifests(folder, scan(tmp_path / "raw", range(8), interval_h=interval_h), 3)
    assert list(before) and stamps(folder) == {
        "t000-t002.tsv": 1,
        "t003-t005.tsv": 1,
        "t006-t008.tsv": stamps(folder)["t006-t008.tsv"],
    }
    assert stamps(folder)["t006-t008.tsv"] != 1


def test_blocks_that_no_longer_exist_are_removed(tmp_path: Path) -> None:
    frames = scan(tmp_path / "raw", range(12))
    write_manifests(tmp_path / "m", frames, 5)
    write_manifests(tmp_path / "m", frames, 10)
    assert sorted(stamps(tmp_path / "m")) == ["t000-t009.tsv", "t010-t019.tsv"]


def test_names_with_tabs_survive(tmp_path: Path) -> None:
    raw = tmp_path / 'a\tb "c"'
    frames = scan(raw, range(1))
    write_manifests(tmp_path / "m", frames, 10)
    assert read_manifest_files(tmp_path / "m/t000-t009.tsv") == [frames.frames[0].path]


def test_other_files_are_no_manifest(tmp_path: Path) -> None:
    path = tmp_path / "t000-t009.tsv"
    with pytest.raises(StepError, match=r"t000-t009.tsv: expected a frame manifest, found no such"):
        read_manifest(path)
    path.write_text("plate\tpath\n")
    with pytest.raises(StepError, match="found plate, path; remove it"):
        read_manifest(path)
