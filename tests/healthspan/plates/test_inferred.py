"""Plates that name the same images are refused, and only those."""

import os
from pathlib import Path

import numpy as np
import pytest
import tifffile

from snakescope.healthspan.plates.inferred import (
    Look,
    check_one_picture,
    copies,
    of_pixel_size,
    same_images,
)
from snakescope.healthspan.plates.manifest import write_frame_size
from snakescope.healthspan.plates.scan import PlateScanner
from snakescope.healthspan.plates.settings import IngestSettings
from snakescope.healthspan.plates.sheet import Plate
from snakescope.step.errors import StepError


def look_at(folder: Path, name: str) -> Look:
    plate = Plate(name=name, experiment="e", condition="N2", folder=str(folder))
    frames = PlateScanner(IngestSettings(max_missing_fraction=0.9)).scan(plate)
    return Look(plate, frames, write_frame_size(folder / "manifest", frames), 10.0)


def images(folder: Path, value: int) -> Path:
    folder.mkdir()
    for day in range(3):
        path = folder / f"E2_1_0{day}d00h00m.tif"
        path.write_bytes(bytes([value + day]) * 100)
        os.utime(path, (1_000_000 + day, 1_000_000 + day))
    return folder


def test_names_sizes_and_times_that_agree_by_chance_are_no_copy(tmp_path: Path) -> None:
    folders = {"p1": 1, "p2": 50, "p3": 50}
    found = {name: look_at(images(tmp_path / name, v), name) for name, v in folders.items()}
    clashes = same_images(found, "plates.tsv", str(tmp_path / "results"))
    assert set(clashes) == {"p2", "p3"}
    assert "found those of p3" in clashes["p2"]


def test_the_file_that_was_read_is_named(tmp_path: Path) -> None:
    (tmp_path / "E2_1_00d00h00m.tif").write_bytes(b"no image")
    tifffile.imwrite(
        tmp_path / "E2_1_01d00h00m.tif", np.ones((3, 8, 8), np.uint8), photometric="minisblack"
    )
    with pytest.raises(StepError, match=r"E2_1_01d00h00m\.tif: expected one picture a file"):
        check_one_picture(look_at(tmp_path, "p1"))


def test_copies_with_other_times_and_names_are_told(tmp_path: Path) -> None:
    found = {}
    for name, value in (("p1", 7), ("p2", 7), ("p3", 8)):
        folder = images(tmp_path / name, value)
        for number, path in enumerate(sorted(folder.iterdir())):
            renamed = path.rename(path.with_name(path.name.replace("E2_1", f"{name}_E2_1")))
            os.utime(renamed, (number + value, ord(name[1])))
        found[name] = look_at(folder, name)
    assert not same_images(found, "plates.tsv", str(tmp_path / "results"))
    (note,) = copies(list(found.values()))
    assert note.startswith("p2: ") and "those of p1 in" in note


def test_pixels_that_are_not_square_are_told(tmp_path: Path) -> None:
    metadata = {"axes": "YX", "PhysicalSizeX": 10.0, "PhysicalSizeY": 5.0}
    picture = np.arange(64, dtype=np.uint8).reshape(8, 8)
    tifffile.imwrite(tmp_path / "E2_1_00d00h00m.tif", picture, ome=True, metadata=metadata)
    (note,) = of_pixel_size(look_at(tmp_path, "p1"))
    assert "the images say 10 x 5 um" in str(note)
