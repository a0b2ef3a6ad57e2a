"""The contact sheet shows the right worm, state and place in every cell."""

import re
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from snakescope.healthspan.report import contact_sheet
from snakescope.healthspan.report.contact_sheet import Sheet, draw_sheet, write_sheet
from snakescope.healthspan.report.contact_sheet_drawing import (
    GAP_PX,
    LIFT,
    PURE_TONE,
    RULE_TONE,
    TONES,
    cell_side,
    palette,
)
from snakescope.healthspan.report.contact_sheet_rows import Cell, interval, sorted_by_death
from snakescope.healthspan.report.settings import ContactSheetSettings
from snakescope.step.command import call
from snakescope.step.errors import StepError
from snakescope.step.tables import read_table
from tests.healthspan.drawn_plate import DrawnPlate, draw_plate

SETTINGS = ContactSheetSettings.model_validate({"max_cell_px": 48})


@pytest.fixture(scope="module")
def plate(tmp_path_factory: pytest.TempPathFactory) -> DrawnPlate:
    return draw_plate(tmp_path_factory.mktemp("drawn"))


def drawn(plate: DrawnPlate, pixel_size_um: float = 9.74) -> Sheet:
    tracks, individuals, frames = (
        read_table(plate.folder / f"{name}.tsv") for name in ("tracks", "individuals", "frames")
    )
    return draw_sheet(
        tracks,
        individuals,
        frames,
        plate.masks,
        plate.registered,
        pixel_size_um,
        2.0,
        SETTINGS,
    )


@pytest.fixture(scope="module")
def sheet(plate: DrawnPlate) -> Sheet:
    return drawn(plate)


def cell(sheet: Sheet, row: int, column: int) -> np.ndarray:
    end = sheet.side - GAP_PX
    top, left = row * sheet.side, column * sheet.side
    return sheet.pixels[top : top + end, left : left + end]


def test_rows_are_the_stopped_worms_sorted_by_death(sheet: Sheet) -> None:
    assert [row.individual for row in sheet.rows] == [1, 2, 3, 4, 5]
    assert sheet.rows[0].fate == "died day 3.5\N{EN DASH}4.0"
    assert "1 more never seen to stop" in sheet.title


def test_the_censored_come_last() -> None:
    individuals = pd.DataFrame(
        {
            "individual": [1, 2, 3, 4],
            "track": [1, 2, 3, None],
            "first_timepoint": [0, 0, 0, 0],
            "death_after_d": [4.0, 9.0, 3.0, 1.0],
            "death_before_d": [None, 9.5, 3.5, 1.5],
            "death_censored": [1, 0, 0, 0],
        }
    )
    assert sorted_by_death(individuals)["individual"].tolist() == [3, 2, 1]


def test_every_cell_says_what_is_known(sheet: Sheet) -> None:
    first = [Cell(value) for value in sheet.rows[0].cells]
    assert first == [
        Cell.BEFORE,
        Cell.BEFORE,
        Cell.IMMOBILE,
        Cell.NO_FRAME,
        Cell.DEAD,
        Cell.DEAD,
        Cell.DEAD,
        Cell.NO_FRAME,
        Cell.DEAD,
        Cell.NOT_FOUND,
        Cell.DEAD,
        Cell.DEAD,
    ]


def test_cells_are_tinted_over_the_mask_in_the_colour_of_the_state(sheet: Sheet) -> None:
    for number, row in enumerate(sheet.rows):
        for column, kind in enumerate(row.cells):
            inks = cell(sheet, number, column)[:-3] // TONES
            expected = {Cell.IMMOBILE: 2, Cell.DEAD: 3}.get(Cell(kind))
            if expected is None:
                assert not inks.any()
            else:
                assert set(np.unique(inks)) == {0, expected}
                assert 20 < np.count_nonzero(inks) < 400
                assert (cell(sheet, number, column)[-2:] == expected * TONES + PURE_TONE).all()


def test_the_tint_lies_on_the_worm(sheet: Sheet) -> None:
    picture = cell(sheet, 2, 6)[:-3]
    tinted, tone = picture // TONES > 0, picture % TONES
    assert tone[tinted].mean() - LIFT < tone[~tinted].mean() - 10


def test_a_found_worm_is_in_the_middle_of_its_cell(sheet: Sheet) -> None:
    ys, xs = np.nonzero(cell(sheet, 1, 8)[:-3] // TONES)
    assert abs(ys.mean() - 23) < 4 and abs(xs.mean() - 23) < 4


def test_cells_without_a_worm_are_paler_than_those_with_one(sheet: Sheet) -> None:
    before, lost, found = (np.median(cell(sheet, 0, c)[:-3] % TONES) for c in (0, 9, 8))
    assert lost > before > found
    assert (cell(sheet, 0, 3) == RULE_TONE).all()


def test_raw_pixels_of_another_size_show_the_same_place(tmp_path: Path, sheet: Sheet) -> None:
    coarse = drawn(draw_plate(tmp_path, scale=2.0, dtype=np.uint16), pixel_size_um=19.48)
    for row, column in ((1, 8), (3, 10)):
        fine = cell(sheet, row, column)[:-3] // TONES > 0
        picture = cell(coarse, row, column)[:-3]
        inked = picture // TONES > 0
        assert np.count_nonzero(inked & fine) > 0.9 * np.count_nonzero(fine)
        tone = picture % TONES
        assert tone[inked].mean() - LIFT < tone[~inked].mean() - 8


def test_a_sheet_of_many_worms_shrinks_its_cells() -> None:
    assert cell_side(100, 50, 96, 24, 12_000_000) == 48
    assert cell_side(10, 20, 96, 24, 12_000_000) == 96
    assert cell_side(2000, 100, 96, 24, 12_000_000) == 24


def test_the_palette_has_grey_and_three_colours() -> None:
    colours = palette().astype(int)
    assert colours.shape == (256, 3)
    assert (np.ptp(colours[:TONES], axis=1) == 0).all()
    assert (np.ptp(colours[TONES:], axis=1) > 40).all()


def test_intervals_stay_open_where_nothing_is_known() -> None:
    assert interval(3.0, 3.5) == "3.0\N{EN DASH}3.5"
    assert interval(3.0, float("nan")) == "after 3.0"
    assert interval(float("nan"), 3.5) == "before 3.5"


def test_the_command_writes_a_picture_and_a_page_that_stands_alone(
    plate: DrawnPlate, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    image, page = tmp_path / "sheet.png", tmp_path / "sheet.html"
    words = ["contact_sheet"]
    for name in ("tracks", "individuals", "frames"):
        words += [f"--{name}", str(plate.folder / f"{name}.tsv")]
    words += ["--masks", *map(str, plate.masks), "--registered", *map(str, plate.registered)]
    words += ["--pixel-size-um", "9.74", "--age-at-first-frame-d", "2"]
    words += ["--image", str(image), "--page", str(page)]
    monkeypatch.setattr(sys, "argv", words)
    call(contact_sheet)
    with Image.open(image) as picture:
        assert picture.mode == "P" and picture.size[0] > 12 * 96
    text = page.read_text(encoding="utf-8")
    assert len(re.findall(r'src="data:image/jpeg;base64,', text)) == 5
    assert not re.findall(r'(?:src|href)="(?!data:)', text)
    assert text.index('id="worm1"') < text.index('id="worm5"')
    assert "7.5</span>" in text


def test_a_plate_where_no_worm_stopped_has_an_empty_sheet(
    plate: DrawnPlate, tmp_path: Path
) -> None:
    tracks = read_table(plate.folder / "tracks.tsv").iloc[:0]
    individuals = read_table(plate.folder / "individuals.tsv").iloc[5:]
    sheet = draw_sheet(
        tracks, individuals, plate.frames, plate.masks, plate.registered, 9.74, 0.0, SETTINGS
    )
    write_sheet(sheet, tmp_path / "sheet.png", tmp_path / "sheet.html", SETTINGS)
    assert sheet.rows == []
    assert "No worm of this plate was seen to stop" in (tmp_path / "sheet.html").read_text()


def test_a_stack_not_named_after_its_block_is_refused(plate: DrawnPlate, tmp_path: Path) -> None:
    odd = tmp_path / "frames.ome.tif"
    odd.write_bytes(plate.registered[0].read_bytes())
    with pytest.raises(StepError, match="named after its block"):
        draw_sheet(
            plate.tracks, plate.individuals, plate.frames, plate.masks, [odd], 9.74, 0.0, SETTINGS
        )
