"""Cases of :mod:`benchmarks.workflow.inputs` that were once used without a word."""

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks.workflow.inputs_made import Case, says, volume
from benchmarks.workflow.inputs_odd import HEAD, LOOK, numbers, one, small, then, timed, told

NAMES = numbers("day{}.tif", count=4)
AGES = HEAD.replace("folder", "folder\tage_at_first_frame_d")
FOUR = says("4 timepoints, every 24 h", status=0)
ROWS = (["p1", "e", "N2", "raw"], ["p2", "e", "N2", "raw"])
PATTERN = "pattern: 'day{days}'"


def book(mark: Callable[[Any], None]) -> Any:
    """Two plates in a workbook, of which something is struck out or hidden."""

    def make(work: Path) -> None:
        import openpyxl

        small(NAMES, PATTERN)(work)
        made = openpyxl.Workbook()
        for cells in (HEAD.split(), *ROWS):
            made.active.append(cells)
        mark(made)
        made.save(work / "d/plates.xlsx")
        config = work / "d/c.yaml"
        config.write_text(config.read_text().replace("plates.tsv", "plates.xlsx"))

    return make


def _struck(made: Any) -> None:
    from openpyxl.styles import Font

    made.active["A3"].font = Font(strike=True)


def _hidden_row(made: Any) -> None:
    made.active.row_dimensions[3].hidden = True


def _hidden_column(made: Any) -> None:
    made.active.column_dimensions["C"].hidden = True


def _hidden_sheet(made: Any) -> None:
    made.create_sheet("lists").append(["N2"])
    made.active.title = "plates"
    made.active = 1
    made["plates"].sheet_state = "hidden"


def _books() -> tuple[Case, ...]:
    return (
        Case(16, "Excel: a row that is struck out", one, says("'p2' in A3 struck out", status=0),
             make=book(_struck)),
        Case(16, "Excel: a row that a filter hides", one, says("found one that is hidden",
                                                               status=0), make=book(_hidden_row)),
        Case(16, "Excel: a hidden column", one, says("in the hidden column C"),
             make=book(_hidden_column)),
        Case(16, "Excel: a hidden sheet", one, says("found that plates is hidden"),
             make=book(_hidden_sheet)),
    )  # fmt: skip


def aged(cell: str) -> Any:
    def make(work: Path) -> None:
        small(NAMES, PATTERN)(work)
        (work / "d/plates.tsv").write_text(f"{AGES}p1\te\tN2\traw\t{cell}\n", encoding="utf-8")

    return make


def _numbers() -> tuple[Case, ...]:
    bad = (("1_0", "1_0"), ("0x10", "0x10"), ("nan", "nan"), ("1 000", "1 000"))
    good = (("\uff11\uff10", "10 in digits of full width"), ("1e1", "1e1"), ("-0", "-0"))
    column = "column age_at_first_frame_d"
    hexadecimal = "healthspan: {plates: {pixel_size_um: 0x10}}\n"
    return (
        *(Case(16, f"an age of {name}", one, says(column, "number", status=0), make=aged(cell))
          for cell, name in bad),
        *(Case(16, f"an age of {name}", "4 timepoints, every 24 h", FOUR, make=aged(cell))
          for cell, name in good),
        Case(16, "pixel_size_um: 0x10", one, says("found 0x10, which YAML reads as another"),
             make=then(small(NAMES), lambda raw: (raw.parent / "c.yaml").write_text(hexadecimal))),
        Case(16, "--dish-mm 1_0", one, says("found '1_0'", status=2), make=small(NAMES),
             command=("inspect", "raw", "--print-only", "--dish-mm", "1_0")),
        Case(16, "table of times: 1,500 and 3,000 hours", one, says("which may be 1500 or 1.500",
                                                                    status=0),
             make=timed("hours", "0", "1,500", "3,000")),
        Case(16, "table of times: 0,5 and 1,000 hours", "3 timepoints, every 0.5 h",
             says("3 timepoints, every 0.5 h", status=0), make=timed("hours", "0", "0,5", "1,000")),
    )  # fmt: skip


def _days() -> tuple[Case, ...]:
    daily = "4 timepoints, every 24 h"
    words = ("3 Nov 2026", "Nov 4, 2026", "5. November 2026", "2026\u5e7411\u67086\u65e5")
    others = (
        "3. M\u00e4rz 2026",
        "4 mars 2026",
        "5 de marzo de 2026",
        "2026\ub144 3\uc6d4 6\uc77c",
    )
    return (
        Case(16, "table of times: months in words", daily, FOUR, make=timed("date", *words)),
        Case(16, "table of times: months of other languages", daily, FOUR,
             make=timed("date", *others)),
        Case(16, "table of times: AM and PM in a column of their own", daily, FOUR, make=timed(
            "date\ttime", *(f"Nov {d}, 2026\t8:30 PM" for d in (3, 4, 5, 6)))),
        Case(16, "table of times: 11/10/2026 to 11/13/2026", daily, FOUR,
             make=timed("date", *(f"11/{d}/2026" for d in (10, 11, 12, 13)))),
        Case(16, "table of times: 11/03/2026 to 11/06/2026", one, says(
            "found '11/03/2026', of which no", status=0),
             make=timed("date", *(f"11/0{d}/2026" for d in (3, 4, 5, 6)))),
        Case(16, "table of times: day first and month first", one, says("begins with the month",
                                                                        status=0),
             make=timed("date", "13/11/2026", "11/14/2026")),
    )  # fmt: skip


def _grey() -> tuple[Case, ...]:
    import numpy as np
    import tifffile

    stack = np.random.default_rng(0).integers(1, 255, (16, 64, 48)).astype(np.uint8)
    some = stack.copy()
    some[4:6] = 128

    def neurites(values: Any) -> Any:
        def make(work: Path) -> None:
            (work / "d").mkdir(exist_ok=True)
            tifffile.imwrite(work / "d/v.tif", values)
            volume(work, "v\tv.tif\t30 6 6")

        return make

    def membranes(values: Any) -> Any:
        def make(work: Path) -> None:
            neurites(values)(work)
            (work / "d/stacks.tsv").write_text("stack\timage\tvoxel_nm\ns\tv.tif\t30 6 6\n")
            (work / "d/c.yaml").write_text("membranes: {sheet: stacks.tsv}\n")

        return make

    flat = says("expected an image with contrast", "v.tif", status=0)
    named = says("sections 4 to 5 of 16 (from 0) hold one grey value each", status=0)
    return (
        Case(4, "volume of one grey value (neurites)", one, flat,
             make=neurites(np.full_like(stack, 7))),
        Case(4, "volume of one grey value (membranes)", one, flat,
             make=membranes(np.full_like(stack, 7))),
        Case(4, "two sections of one value (neurites)", told, named, make=neurites(some)),
        Case(4, "two sections of one value (membranes)", told, named, make=membranes(some)),
    )  # fmt: skip


def _cut(raw: Path) -> None:
    import numpy as np
    from PIL import Image

    for number, path in enumerate(sorted(raw.iterdir())):
        stream = io.BytesIO()
        image = np.random.default_rng(number).integers(60, 200, (256, 256)).astype(np.uint8)
        Image.fromarray(image).save(stream, "JPEG")
        data = stream.getvalue()
        path.write_bytes(data[: 2 * len(data) // 3] + b"\xff\xd9" if number == 0 else data)


def _folders() -> tuple[Case, ...]:
    look = (*LOOK, "--interval-h", "12")
    opera = [f"r01c01f01p01-ch{c}sk{t}fk1fl1.tiff" for t in range(1, 6) for c in (1, 2)]
    waves = [f"exp1_w{c}_s1_t{t}.TIF" for t in range(1, 6) for c in ("1BF", "2GFP")]
    return (
        Case(1, "a JPEG cut off, with an end marker behind it", told,
             says("UNREADABLE    day1.jpg", status=0), command=LOOK,
             make=then(small(numbers("day{}.jpg", count=4)), _cut)),
        Case(16, "Opera: two channels, ch1 and ch2", "asked for, no row", says(
            "STILL NEEDED", "plates.channel_names", without=["rows of the sample sheet"], status=0),
             make=small(opera), command=look),
        Case(16, "MetaMorph: w1BF and w2GFP", "two channels, 5 timepoints", says(
            "bright field and dark field", "5 timepoints", status=0), make=small(waves),
             command=look),
    )  # fmt: skip


CASES = (*_books(), *_numbers(), *_days(), *_grey(), *_folders())
