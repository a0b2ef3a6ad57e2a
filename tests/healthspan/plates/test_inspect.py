"""What a folder of raw images looks like before there is a sheet."""

from pathlib import Path

import numpy as np
import pytest
import tifffile

from snakescope.healthspan.plates.inspect import inspect_folder
from snakescope.healthspan.plates.settings import IngestSettings
from snakescope.step.errors import StepError

SETTINGS = IngestSettings()


def draw(folder: Path, *names: str) -> None:
    image = np.arange(20 * 30, dtype=np.uint16).reshape(20, 30)
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        tifffile.imwrite(folder / name, image)


def scans(well: str, *hours: int) -> list[str]:
    return [f"x_{ch}_{well}_1_00d{h:02d}h00m.tif" for ch in ("Phase", "Green") for h in hours]


def test_one_well_is_one_row_of_the_sheet(tmp_path: Path) -> None:
    folder = tmp_path / "my plate"
    draw(folder, *scans("A1", 0, 2, 4, 6, 12))
    naming, plate, gap, head, columns, row = inspect_folder(str(folder), SETTINGS)
    assert naming.startswith("10 of 10 images named as by an IncuCyte, such as x_")
    assert "5 timepoints over 12 h, every 2 h; channels bright_field and dark_field" in plate
    assert "0 images missing; first frame 30 x 20 px, uint16" in plate
    assert "no image for 6 h after the one at 6 h" in gap
    assert head == "rows of the sample sheet:"
    assert columns.split("\t") == ["plate", "experiment", "condition", "folder"]
    assert row.split("\t") == ["my_plate", "experiment", "condition", str(folder)]


def test_of_several_wells_each_is_a_row(tmp_path: Path) -> None:
    draw(tmp_path, *scans("A1", 0, 2), *scans("B2", 0, 2), "notes.tif")
    lines = inspect_folder(str(tmp_path), SETTINGS)
    assert lines[0].startswith("8 of 9 images")
    rows = [line.split("\t") for line in lines if "\t" in line]
    assert rows[0][-1] == "well" and [row[-1] for row in rows[1:]] == ["A1_1", "B2_1"]
    assert rows[1][0] == f"{tmp_path.name}_A1_1"


def test_what_cannot_be_used_is_said_with_what_to_do(tmp_path: Path) -> None:
    assert inspect_folder(str(tmp_path), SETTINGS) == []
    with pytest.raises(StepError, match="expected a folder of images"):
        inspect_folder(str(tmp_path / "absent"), SETTINGS)
    draw(tmp_path, "day1.tif")
    naming, problem = inspect_folder(str(tmp_path), SETTINGS)
    assert naming.startswith("0 of 1 images") and "plates.pattern" in problem
    assert "rows of the sample sheet:" in inspect_folder(
        str(tmp_path), IngestSettings(pattern="day{days}")
    )
