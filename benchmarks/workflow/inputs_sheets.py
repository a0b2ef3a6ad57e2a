"""Further cases of :mod:`benchmarks.workflow.inputs`: sheets, days, and ends of worms."""

from datetime import datetime, timedelta
from typing import Any

from benchmarks.workflow import inputs_further_made as make
from benchmarks.workflow.inputs_further import ROW, one, plan_ok, planned
from benchmarks.workflow.inputs_made import HEAD, Case, configured, says


def _cells() -> tuple[Case, ...]:
    text = HEAD + ROW
    good = ["p1", "e", "N2", "raw", 1, 8]
    return (
        Case(16, "UTF-16 without a byte order mark", planned, plan_ok,
             make=make.sheet_bytes(text.encode("utf-16-le"))),
        Case(16, "Latin-1", one, says("expected text in UTF-8"),
             make=make.sheet_bytes(text.replace("N2", "M\u00fc").encode("latin-1"))),
        Case(16, "lines that end in CR", planned, plan_ok,
             make=make.sheet_bytes(text.replace("\n", "\r").encode())),
        Case(16, "tabs behind the last column", planned, plan_ok,
             make=make.sheet_bytes(text.replace("\n", "\t\t\n").encode())),
        Case(16, "blanks that do not break, and none that is seen", planned, plan_ok,
             make=make.sheet_bytes(text.replace("p1", "\u200bp1\u00a0").encode())),
        Case(16, "an age of 1,5", one, says("write 1.5, with a point"),
             make=make.sheet_bytes(text.replace("\t1\t", "\t1,5\t").encode())),
        Case(16, "1.000 worms", one, says("which may be 1 or 1000"),
             make=make.sheet_bytes(text.replace("\t8", "\t1.000").encode())),
        Case(16, "a header twice", one, says("expected every column once"),
             make=make.sheet_bytes(text.replace("worms", "Condition").encode())),
        Case(16, "a .csv that begins with sep=;", planned, plan_ok,
             make=make.sheet_bytes(("sep=;\r\n" + text.replace("\t", ";")).encode(), "p.csv")),
        Case(16, "a workbook called .tsv", one, says("found a workbook; save it as .xlsx"),
             make=make.sheet_bytes(b"PK\3\4" + bytes(99))),
        Case(16, "sheet as .xls", one, says("an old workbook of Excel"),
             make=make.sheet_bytes(b"\xd0\xcf\x11\xe0" + bytes(99), "plates.xls")),
        Case(16, "Excel: a date for a name", one, says("found the date"),
             make=make.book([datetime(2024, 3, 1), *good[1:]])),
        Case(16, "Excel: cells that were merged", one, says("condition: expected a value"),
             make=make.book(good, ["p2", "e", None, "raw", 1, 8])),
        Case(16, "Excel: a formula never calculated", one, says("that was never calculated"),
             make=make.book([*good[:4], "=1+0", 8])),
        Case(16, "Excel: #REF!", one, says("found the error #REF!"),
             make=make.book([*good[:2], "#REF!", *good[3:]])),
        Case(16, "Excel: a title above the header", one, says("remove lines above the header"),
             make=make.book(good, title="My plates")),
        Case(16, "settings with a tab", one, says("error: c.yaml"),
             make=configured("healthspan:\n\tplates: plates.tsv\n")),
    )  # fmt: skip


def _days() -> tuple[Case, ...]:
    def date(form: str, begin: datetime, hours: float) -> Any:
        return lambda k: (begin + timedelta(hours=hours * k)).strftime(form) + ".tif"

    day = "{year}-{month}-{day}_{hours}-{minutes}{any}"
    table = "".join(f"IMG_{k}.tif\t{k}\n" for k in range(10))
    days = (f"2024-03-{30 + k // 2} {12 * (k % 2):02d}:00:00+01:00" for k in range(4))
    zone = "".join(f"IMG_{k}.tif\t{day}\n" for k, day in enumerate(days))
    zone = zone.replace("31 12:00:00+01", "31 13:00:00+02")
    ten = says("10 timepoints, every 12 h")
    return (
        Case(16, "images across the new year", "10 timepoints, every 12 h", ten, make=make.named(
            day, date("%Y-%m-%d_%H-%M", datetime(2023, 12, 31), 12))),
        Case(16, "years 99 and 00", "10 timepoints, every 24 h", says("10 timepoints, every 24 h"),
             make=make.named("{year}{month}{day}", date("%y%m%d", datetime(1999, 12, 28), 24))),
        Case(16, "hours with AM and PM", "10 timepoints, every 6 h", says("every 6 h"),
             make=make.named(day, date("%Y-%m-%d_%I-%M%p", datetime(2024, 3, 1, 9), 6))),
        Case(16, "day1, day02, day3: mixed zero padding", "10 timepoints, every 24 h",
             says("10 timepoints, every 24 h"),
             make=make.named("day{days}", lambda k: f"day{k:0{1 + k % 2}d}.tif")),
        Case(16, "day1 and day01", one, says("found two for t000"),
             make=make.named("day{days}", lambda k: f"day{max(k, 1):0{1 + (k > 0)}d}.tif")),
        Case(16, "images across summer time, on a schedule", "10 timepoints", says("10 timepoints"),
             make=make.named(day, lambda k: date("%Y-%m-%d_%H-%M", datetime(2024, 3, 30, k > 1),
                                                 12)(k), ", interval_h: 12")),
        Case(16, "table of times with zones, summer time", "4 timepoints, every 12 h",
             says("4 timepoints, every 12 h"), make=make.timed(b"file\tdate\n" + zone.encode())),
        Case(16, "table of times in UTF-16", "10 timepoints, every 24 h",
             says("10 timepoints, every 24 h"),
             make=make.timed(("file\tdays\n" + table).encode("utf-16"))),
        Case(16, "table of times with paths of Windows", "10 timepoints, every 24 h",
             says("10 timepoints, every 24 h"), make=make.timed(
                 ("file\tdays\n" + table.replace("IMG", "C:\\raw\\IMG")).encode())),
        Case(16, "table of times that is a workbook", one, says("found a workbook"),
             make=make.timed(b"PK\3\4" + bytes(99), "times.xlsx")),
        Case(16, "table of times with dates as 3/31/2024", one, says("found '3/1/2024'"),
             make=make.timed(("file\tdate\n" + table.replace("\t", "\t3/").replace(
                 "\n", "/2024\n")).replace("3/0/", "3/1/").encode())),
    )  # fmt: skip


def _survival() -> tuple[Case, ...]:
    usual = [[(1 + k / 2, 1.5 + k / 2) for k in range(6)], [(1.5 + k / 2, 2 + k / 2)
                                                           for k in range(6)]]  # fmt: skip
    late = [[(2 + k / 2, 2.5 + k / 2) for k in range(6)], [(3 + k / 2, 3.5 + k / 2)
                                                          for k in range(6)]]  # fmt: skip
    alive: Any = [[(3, "")] * 6] * 2
    none = "no p to quote"
    return (
        Case(16, "all deaths in one interval (38)", "neither limits nor p",
             says("plates do not differ at all", none), "38", ("tie",), step=True),
        Case(16, "all deaths at time 0 (38)", "neither limits nor p",
             says("plates do not differ at all", none), "38", ("zero",), step=True),
        Case(16, "every worm censored (38)", none, says("no event in this condition"), "38",
             ("censored",), step=True),
        Case(16, "one worm a plate, curves apart (38)", none, says("did not converge"), "38",
             ("one",), step=True),
        Case(16, "conditions called day, =SUM(A1), NA (38)", "compared as called",
             says("quote this p"), "38", ("names",), step=True),
        Case(16, "no worm dies in one condition", none, says("no event in this condition"),
             make=make.individuals(N2=usual, drug=alive), step=True),
        Case(16, "plates without a worm in one condition", none, says("0 and 2 plates"),
             make=make.individuals(N2=usual, drug=[[], []]), step=True),
        Case(16, "one plate in a condition", none, says("1 and 2 plates", none),
             make=make.individuals(N2=usual, drug=late[:1]), step=True),
        Case(16, "one condition alone", none, says("one condition only"),
             make=make.individuals(N2=usual), step=True),
        Case(16, "two plates a condition", "a p, with the number of plates",
             says("plates as replicates (2 and 2 plates)"),
             make=make.individuals(N2=usual, drug=late), step=True),
    )  # fmt: skip


CASES = (*_cells(), *_days(), *_survival())
