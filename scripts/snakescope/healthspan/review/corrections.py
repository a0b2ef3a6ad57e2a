"""The corrections that a person makes of a plate: ``corrections/<plate>.<scorer>.tsv``.

Lines are appended and never changed: an undo is a line of its own. A line holds what was said of
which worm, and where the worm lay at a timepoint at which it was seen, so that it is found again
after a run with other weights, in which tracks have other numbers
(:mod:`snakescope.healthspan.review.association`).

Nothing here imports numpy or pandas, as the Snakefile looks for these files.
"""

import math
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

from snakescope.settings.sheet import LEGAL_NAME
from snakescope.step.errors import StepError, SystemFault, readable
from snakescope.step.numbers import number_of

COLUMNS = (
    "id",
    "time_utc",
    "scorer",
    "plate",
    "digest",
    "track",
    "timepoint",
    "anchor_timepoint",
    "y_px",
    "x_px",
    "action",
    "value",
    "reason",
    "machine_value",
    "blind",
    "time_h",
)
OLDER = COLUMNS[:-1]
"""Columns of a file that was begun before lines had their time."""

DEAD, LAST_HEALTHY, ALIVE, CENSORED = "dead", "last_healthy", "alive", "censored"
NOT_A_WORM, WORM, SEVERAL, SAME_AS = "not_a_worm", "worm", "several", "same_as"
CHECKED, EXCLUDE_PLATE, UNDO, REDO = "checked", "exclude_plate", "undo", "redo"
ACTIONS = {
    DEAD: "dead in the picture of this timepoint, alive in the one before",
    LAST_HEALTHY: "the last picture that shows healthy movement",
    ALIVE: "alive in this picture; what becomes of it later is not known",
    CENSORED: "watched up to this picture and no longer, with the reason",
    NOT_A_WORM: "no worm; it counts no longer",
    WORM: "a worm, though the machine did not count it",
    SEVERAL: "several worms in one; value is their number, 2 to 9",
    SAME_AS: "the worm of the track that is the value, which counts for both",
    CHECKED: "looked at, and as the machine says",
    EXCLUDE_PLATE: "the whole plate is left out, with the reason; track is 0",
    UNDO: "the line whose id is the value does not count",
    REDO: "the line whose id is the value counts again",
}
REASONS = ("lost", "bagged", "ruptured", "on the wall", "handled", "other")
"""Why a worm is no longer watched."""

PLATE_REASONS = ("contaminated", "fog", "moved or dropped", "wrong plate", "other")
"""Why a whole plate is left out."""

OTHER = re.compile(r"t(\d{1,12}) y(\d{1,12}\.\d) x(\d{1,12}\.\d)")
"""Where a worm that another is the same as was seen: timepoint and place, the reason of that."""

ADJUDICATED = "adjudicated"
"""The scorer whose file decides where others disagree."""

SCORER = re.compile(r"[A-Za-z0-9_-]{1,40}")
TEXT = re.compile(
    r"(?![=+@-])[^\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff\"]{0,100}"
)  # fmt: skip
"""Text that no spreadsheet takes for a formula, that needs no quotes, and that can be encoded."""
ENDING = re.compile(r"\.(?:tsv|csv|txt|xlsx?|ods)$", re.IGNORECASE)
"""What browsers and spreadsheets save a file of corrections as; such a one is told, if not used."""
TIME = "%Y-%m-%dT%H:%M:%SZ"
LARGEST = 10**12


@dataclass(frozen=True)
class Correction:
    """A line of a file of corrections, see ``ACTIONS``.

    Attributes:
        id: number of the line in its file, ascending.
        time_utc: when, as 2026-11-29T09:00:00Z.
        digest: of the tracks that the scorer saw.
        track: the number of the worm's track there; 0 of the whole plate.
        timepoint: of which it is said.
        anchor_timepoint: the nearest at which the worm was seen.
        y_px, x_px: its place there, plate coordinates (px).
        value: number of worms, track or id of a line; 0 without any.
        reason: why a worm is no longer watched, or a plate left out; where the other worm is.
        machine_value: timepoint of what the machine said, empty without one.
        blind: whether condition and machine were hidden.
        time_h: of the timepoint, since the first frame (h): numbers of timepoints change where a
            frame is added between others. None in a line that does not tell.
    """

    id: int
    time_utc: str
    scorer: str
    plate: str
    digest: str
    track: int
    timepoint: int
    anchor_timepoint: int
    y_px: float
    x_px: float
    action: str
    value: int
    reason: str
    machine_value: str
    blind: bool
    time_h: float | None = None

    def cells(self) -> list[str]:
        """The cells of the line, in the order of ``COLUMNS``."""
        own = {**vars(self), "blind": int(self.blind), "value": self.value or ""}
        own |= {"y_px": f"{self.y_px:.1f}", "x_px": f"{self.x_px:.1f}"}
        own["time_h"] = "" if self.time_h is None else f"{self.time_h:.10g}"
        return [str(own[name]) for name in COLUMNS]


def as_text(corrections: Iterable[Correction]) -> str:
    """Return the text of a file of corrections."""
    lines = ["\t".join(COLUMNS), *("\t".join(one.cells()) for one in corrections)]
    return "\n".join(lines) + "\n"


class _Refused(ValueError):
    """What is wrong with a line: what was expected, and what was found."""


def _whole(name: str, text: str, least: int = 0) -> int:
    if not re.fullmatch(r"[0-9]{1,12}", text) or int(text) < least:
        raise _Refused(f"expected {name} as a whole number of {least} or more, found {text!r}")
    return int(text)


def _number(name: str, text: str, unit: str) -> float:
    try:
        value = number_of(text)
    except ValueError:
        value = math.nan
    if not abs(value) < LARGEST:
        raise _Refused(f"expected {name} as a number of {unit}, found {text!r}")
    return value


def _correction(cells: Sequence[str], columns: int, plate: str, scorer: str) -> Correction:
    """Return the correction of a line, all of whose cells are checked."""
    if len(cells) != columns:
        raise _Refused(f"expected {columns} cells, found {len(cells)}")
    line = dict(zip(COLUMNS, [*cells, ""], strict=False))
    for name, expected in (("plate", plate), ("scorer", scorer)):
        if line[name] != expected:
            raise _Refused(
                f"expected {name} {expected} as in the file's name, found {line[name]!r}"
            )
    try:
        datetime.strptime(line["time_utc"], TIME)
    except ValueError:
        found = line["time_utc"]
        raise _Refused(f"expected time_utc as 2026-11-29T09:00:00Z, found {found!r}") from None
    action = line["action"]
    if action not in ACTIONS:
        raise _Refused(f"expected an action of {', '.join(ACTIONS)}, found {action!r}")
    if action in (UNDO, REDO):
        value = _whole("value", line["value"], 1)
    elif action == SEVERAL:
        value = _whole("value", line["value"], 2)
        if value > 9:
            raise _Refused(f"expected 2 to 9 worms in one, found {value}")
    elif action == SAME_AS:
        value = _whole("value", line["value"], 1)
        if not OTHER.fullmatch(line["reason"]):
            raise _Refused(
                f"expected where the worm of track {value} is, as t12 y840.0 x77.5, as the reason"
                f" of {SAME_AS}, found {line['reason']!r}"
            )
    elif line["value"]:
        raise _Refused(f"expected no value for {action}, found {line['value']!r}")
    else:
        value = 0
    if not TEXT.fullmatch(line["reason"]):
        raise _Refused(
            "expected a reason of at most 100 letters that does not begin with = + - @,"
            f" found {line['reason']!r}"
        )
    if action in (CENSORED, EXCLUDE_PLATE) and not line["reason"].strip():
        raise _Refused(f"expected a reason for {action}, found none")
    if line["blind"] not in ("", "0", "1"):
        raise _Refused(f"expected blind as 0 or 1, found {line['blind']!r}")
    if not re.fullmatch(r"[0-9a-f]{0,64}", line["digest"]):
        raise _Refused(f"expected the digest of a table of tracks, found {line['digest']!r}")
    if line["machine_value"]:
        _whole("machine_value", line["machine_value"])
    return Correction(
        id=_whole("id", line["id"], 1),
        time_utc=line["time_utc"],
        scorer=scorer,
        plate=plate,
        digest=line["digest"],
        track=_whole("track", line["track"], 0 if action in (EXCLUDE_PLATE, UNDO, REDO) else 1),
        timepoint=_whole("timepoint", line["timepoint"]),
        anchor_timepoint=_whole("anchor_timepoint", line["anchor_timepoint"]),
        y_px=_number("y_px", line["y_px"], "pixels"),
        x_px=_number("x_px", line["x_px"], "pixels"),
        action=action,
        value=value,
        reason=line["reason"],
        machine_value=line["machine_value"],
        blind=line["blind"] == "1",
        time_h=_number("time_h", line["time_h"], "hours") if line["time_h"] else None,
    )


def parse(text: str, plate: str, scorer: str) -> list[Correction]:
    """Return the lines of a file, in order.

    Raises:
        ValueError: a sentence on every line that cannot be used.
    """
    lines = text.removeprefix("\ufeff").splitlines()
    if not lines or tuple(lines[0].split("\t")) not in (COLUMNS, OLDER):
        found = repr(lines[0][:80]) if lines else "an empty file"
        raise ValueError(f"line 1: expected the columns {', '.join(COLUMNS)}, found {found}")
    columns = len(lines[0].split("\t"))
    found_lines: list[Correction] = []
    wrong: list[str] = []
    counts: dict[int, bool] = {}
    last = 0
    for number, line in enumerate(lines[1:], start=2):
        if not line.strip():
            continue
        try:
            one = _correction(line.split("\t"), columns, plate, scorer)
            if one.id <= last:
                raise _Refused(
                    f"expected an id above {last}, as lines are appended, found {one.id}"
                )
            last = one.id
            if one.action in (UNDO, REDO):
                # An undo takes back what counts, a redo what was taken back.
                if counts.get(one.value) is not (one.action == UNDO):
                    what = "counts" if one.action == UNDO else "was undone"
                    raise _Refused(
                        f"expected {one.action} of a line before it that {what}, found {one.value}"
                    )
                counts[one.value] = one.action == REDO
            else:
                counts[one.id] = True
            found_lines.append(one)
        except _Refused as refused:
            wrong.append(f"line {number}: {refused}")
    if wrong:
        raise ValueError("; ".join(wrong))
    return found_lines


def read(path: str | Path) -> list[Correction]:
    """Read a file of corrections.

    Raises:
        StepError: a sentence on every line that cannot be used. None of the lines counts then,
            since half of a person's corrections would be a wrong result.
    """
    named = named_file(path)
    if named is None:
        raise StepError(f"{path}: expected a name as PLATE.SCORER.tsv; rename the file")
    try:
        with readable(path):
            text = Path(path).read_text(encoding="utf-8")
        return parse(text, named.plate, named.scorer)
    except UnicodeDecodeError:
        raise StepError(
            f"{path}: expected text in UTF-8, found other bytes; save it again as it was"
        ) from None
    except ValueError as error:
        raise StepError(f"{path}: {error}; correct these lines, or remove them") from None


def replay(lines: Sequence[Correction]) -> tuple[list[Correction], list[Correction]]:
    """Return the corrections that count, in order, and those that were undone."""
    counts = {one.id: True for one in lines if one.action not in (UNDO, REDO)}
    for one in lines:
        if one.action in (UNDO, REDO):
            counts[one.value] = one.action == REDO
    own = [one for one in lines if one.id in counts]
    return [one for one in own if counts[one.id]], [one for one in own if not counts[one.id]]


def exclusion(paths: Iterable[str | Path]) -> str:
    """Return why people leave a plate out, from its files of corrections; empty if they do not.

    Where there is an adjudicated file, it decides. A file that cannot be read says nothing here:
    the step that applies it refuses it.
    """
    said = {}
    for path in paths:
        try:
            lines, _ = replay(read(path))
        except SystemFault:
            raise
        except StepError:
            continue
        scorer = Path(path).name.removesuffix(".tsv").rpartition(".")[2]
        said[scorer] = [one.reason for one in lines if one.action == EXCLUDE_PLATE]
    if ADJUDICATED in said:
        said = {ADJUDICATED: said[ADJUDICATED]}
    told = [f"{scorer}: {reasons[-1]}" for scorer, reasons in said.items() if reasons]
    return f"left out in its review ({'; '.join(told)})" if told else ""


class Named(NamedTuple):
    """What the name of a file of corrections says."""

    plate: str
    scorer: str
    path: str


def named_file(path: str | Path) -> Named | None:
    """Return plate and scorer of ``PLATE.SCORER.tsv``; None of another name."""
    stem, dot, scorer = Path(path).name.removesuffix(".tsv").rpartition(".")
    legal = dot and LEGAL_NAME.fullmatch(stem) and SCORER.fullmatch(scorer)
    return Named(stem, scorer, str(path)) if legal and str(path).endswith(".tsv") else None


def files_of(folder: str | Path) -> tuple[dict[str, list[Named]], list[str]]:
    """Return the files of corrections in a folder, by plate, and tables of other names.

    Names that begin with a dot are those of programs that are writing.
    """
    found: dict[str, list[Named]] = {}
    others: list[str] = []
    with readable(folder):
        paths = list(Path(folder).iterdir()) if Path(folder).is_dir() else []
    for path in sorted(paths):
        if path.name.startswith(".") or not ENDING.search(path.name):
            continue
        named = named_file(path) if path.is_file() else None
        if named is None:
            others.append(str(path))
        else:
            found.setdefault(named.plate, []).append(named)
    return found, others
