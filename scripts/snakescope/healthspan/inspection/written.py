"""Rows and files of settings written beside what a person has written there."""

import csv
import hashlib
import os
import re
import tempfile
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from snakescope.healthspan.inspection.proposals import settings_text
from snakescope.healthspan.plates.sheet import Plate
from snakescope.settings.files import check_config_files
from snakescope.settings.sheet_files import sheet_lines
from snakescope.step.errors import StepError
from snakescope.step.output import atomic_write

MARK = "proposed by: snakescope"
SHEETS = (".tsv", ".txt", ".csv")
CONFIGURATION = "config/config.yaml"
_AS_PROPOSED = re.compile(r" \[as proposed: ([0-9a-f]{12})\]$")


def own_file(name: str, ending: str = ".yaml") -> str:
    """Return where a file of a plate is proposed to be; never the configuration itself."""
    stem = f"plate_{name}" if name.lower() == "config" else name
    return f"config/{stem}{ending}"


def write_proposed(path: Path, text: str) -> str:
    """Write a proposed file, if there is none or one as it was proposed; say what was done.

    The first line of the file, a comment, keeps a digest of the others, by which a person's
    corrections are known.
    """
    first, _, rest = text.partition("\n")
    text = f"{first} [as proposed: {_digest(rest)}]\n{rest}"
    if path.exists():
        before = path.read_text(encoding="utf-8-sig", errors="replace")
        if before == text:
            return f"{path} is as it was"
        if not _is_as_proposed(before):
            return (
                f"{path} was not written: it is there, and not as snakescope inspect proposed it;"
                " compare them, or move it away to have it written anew"
            )
    path.parent.mkdir(parents=True, exist_ok=True)
    with atomic_write(path) as partial:
        partial.write_text(text, encoding="utf-8")
    return f"{path} was written"


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def _is_as_proposed(text: str) -> bool:
    first, _, rest = text.partition("\n")
    match = _AS_PROPOSED.search(first)
    return match is not None and match[1] == _digest(rest)


@dataclass(frozen=True)
class _SheetText:
    """A sample sheet of text as it stands, to be added to.

    Attributes:
        lines: as they are; at: index of the header, None without one.
        columns: of the header; rows: cells by index of their line, below the header.
        separator, encoding, end: of cells, of the file and of its lines.
    """

    lines: list[str]
    at: int | None
    columns: list[str]
    rows: Mapping[int, list[str]]
    separator: str
    encoding: str
    end: str

    def cell(self, index: int, column: str) -> str:
        """Return a cell of a row, empty where it has none."""
        cells = self.rows[index]
        place = self.columns.index(column) if column in self.columns else len(cells)
        return cells[place] if place < len(cells) else ""

    def write(self, path: Path, lines: Sequence[str]) -> None:
        """Write other lines with the encoding and the ends of these."""
        with atomic_write(path) as partial:
            partial.write_bytes((self.end.join(lines) + self.end).encode(self.encoding))


def _sheet_text(path: Path) -> _SheetText:
    """Read a sample sheet of text, which may be absent, as the run reads it.

    Raises:
        StepError: it cannot be read, or its header has no column of plates.
    """
    comma = path.suffix.lower() == ".csv"
    if not path.exists():
        return _SheetText([], None, [], {}, "," if comma else "\t", "utf-8", "\n")
    read, wrong = sheet_lines(path, "plate", "plates")
    if wrong:
        number, problem = next(iter(wrong.items()))
        raise StepError(f"{path}, line {number}: {problem}")
    content = path.read_bytes()
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        encoding = "utf-16"
    else:
        encoding = "utf-8-sig" if content.startswith(b"\xef\xbb\xbf") else "utf-8"
    text = content.decode(encoding)
    lines = re.split("\r\n|\n|\r", text)
    if not lines[-1]:
        lines.pop()
    end = "\r\n" if "\r\n" in text else "\n"
    at = read[0][0] - 1 if read else None
    header = lines[at] if at is not None else ""
    separator = max(",;\t", key=header.count) if comma else "\t"
    columns = read[0][1] if read else []
    if read and "plate" not in columns:
        raise StepError(
            f"{path}, line {read[0][0]}: expected a header with a column plate, found"
            f" {', '.join(columns)[:80]}; nothing was written into it"
        )
    rows = {number - 1: cells for number, cells in read[1:]}
    return _SheetText(lines, at, columns, rows, separator, encoding, end)


def check_free(sheet: Path, rows: Sequence[Mapping[str, str]], files: Collection[str]) -> None:
    """Refuse names and files that the sheet has for plates of other folders.

    Args:
        rows: to be added, with plate and folder; files: of settings, to be written.

    Raises:
        StepError: a plate or a file is that of another folder.
    """
    if sheet.suffix.lower() not in SHEETS:
        return
    text = _sheet_text(sheet)
    folders = {row["plate"].lower(): row["folder"] for row in rows}
    own = {os.path.realpath(folder) for folder in folders.values()}
    named = {os.path.realpath(file) for file in files}
    for index in text.rows:
        plate, folder = text.cell(index, "plate"), text.cell(index, "folder")
        wanted = folders.get(plate.lower())
        if wanted and folder and os.path.realpath(folder) != os.path.realpath(wanted):
            raise StepError(
                f"{sheet}, line {index + 1}: expected the plate {plate} to be that of {wanted},"
                f" found it with the folder {folder}; give another name with --plate NAME"
            )
        file = text.cell(index, "settings")
        if file and os.path.realpath(file) in named and os.path.realpath(folder) not in own:
            raise StepError(
                f"{sheet}, line {index + 1}: expected {file} to be free for {next(iter(own))},"
                f" found it with {plate} of {folder}; give another name with --plate NAME"
            )


def write_row(path: Path, rows: Sequence[Mapping[str, str]]) -> list[str]:
    """Add rows to a sample sheet of text, with the columns that it lacks; say what was done.

    Rows of plates that are there already stay as they are, and so does a sheet that cannot be read.
    """
    if path.suffix.lower() not in SHEETS:
        return [f"{path}: add the rows above by hand; only sheets of text are written"]
    try:
        sheet = _sheet_text(path)
    except StepError as error:
        return [str(error), f"{path}: nothing was written; add the rows above by hand"]
    usual = ["plate", "experiment", "condition", "folder", "age_at_first_frame_d", "worms"]
    columns = sheet.columns or usual
    needed = dict.fromkeys(key for row in rows for key in row if row[key])
    columns = [*columns, *(name for name in needed if name not in columns)]
    there = {sheet.cell(index, "plate").lower() for index in sheet.rows}
    new = [row for row in rows if row["plate"].lower() not in there]
    said = [
        f"{path}: {row['plate']} is there already, its row stays" for row in rows if row not in new
    ]
    if new:
        mark, text = sheet.separator, list(sheet.lines)
        header = mark.join(_cell(name, mark) for name in columns)
        if sheet.at is None:
            text.append(header)
        elif columns != sheet.columns:
            text[sheet.at] = header
        text += [mark.join(_cell(row.get(name, ""), mark) for name in columns) for row in new]
        sheet.write(path, text)
        said.append(f"{path}: {len(new)} row{'s' * (len(new) > 1)} added")
    return said


def _cell(text: str, separator: str) -> str:
    quoted = '"' + text.replace('"', '""') + '"'
    return quoted if separator in text or '"' in text else text


def set_keys(
    path: Path,
    name: str,
    keys: Mapping[str, Any],
    notes: Mapping[str, str],
    head: str,
    start: Path | None = None,
    check: Callable[[str], object] | None = None,
) -> list[str]:
    """Set settings in a file, comments of other keys kept as far as they stand above a key.

    Where other comments go, the file as it was is kept beside it. Nothing is written where the
    result is refused.

    Args:
        name: of the tree; keys, notes: values and comments by dotted key; head: of a new file.
        start: the file that the settings are added to, by default the same.
        check: refuses the path of a file with the result by a StepError.

    Raises:
        StepError: the file is the configuration, holds more than the settings of a plate, or is
            refused.
    """
    start = start or path
    text = start.read_text(encoding="utf-8-sig") if start.exists() else ""
    check_config_files([start])
    stated = yaml.safe_load(text) or {}
    if os.path.realpath(path) == os.path.realpath(CONFIGURATION):
        raise StepError(
            f"{path}: expected a file of the plate's own settings, found the configuration of all;"
            " name another file in the column settings of its row"
        )
    others = [str(key) for key in stated if key != name] if isinstance(stated, Mapping) else ["?"]
    if others or not isinstance(stated.get(name) or {}, Mapping):
        raise StepError(
            f"{path}: expected one section {name}:, found {', '.join(others) or 'no keys in it'};"
            " nothing was written, move the rest to the configuration"
        )
    flat = dict(_flat(stated.get(name) or {}))
    kept = _comments(text)
    first = text.partition("\n")[0]
    head = first.removeprefix("# ") if first.startswith("#") else head
    comments = {key: kept.get(f"{name}.{key}", "") for key in flat} | dict(notes)
    after = settings_text(name, flat | dict(keys), comments, head)
    if check is not None:
        _checked(path, after, check)
    said = [f"{path} was written"]
    path.parent.mkdir(parents=True, exist_ok=True)
    if start == path and _words_of_comments(text) - _words_of_comments(after):
        before = _free(path.with_name(f"{path.stem}_before{path.suffix}"))
        with atomic_write(before) as partial:
            partial.write_text(text, encoding="utf-8")
        said.append(f"{before} is the file as it was, with comments that are not in it any more")
    with atomic_write(path) as partial:
        partial.write_text(after, encoding="utf-8")
    return said


def _checked(path: Path, text: str, check: Callable[[str], object]) -> None:
    """Let a text be refused before it becomes a file.

    Raises:
        StepError: it is refused, in words of the file that it was to become.
    """
    with tempfile.TemporaryDirectory() as scratch:
        tried = Path(scratch, path.name)
        tried.write_text(text, encoding="utf-8")
        try:
            check(str(tried))
        except StepError as error:
            said = str(error).replace(str(tried), str(path))
            raise StepError(f"{said}; nothing was written") from None


def _free(path: Path) -> Path:
    """Return the path, or with the first number behind it by which there is no file yet."""
    for number in range(2, 1000):
        if not path.exists():
            return path
        path = path.with_name(f"{path.stem.rstrip('0123456789').rstrip('_')}_{number}{path.suffix}")
    raise StepError(f"{path}: expected no such file, found one; remove what is not needed")


def _words_of_comments(text: str) -> Counter[str]:
    found = re.findall(r"(?:^|\s)#+(.*)$", text, re.MULTILINE)
    return Counter(word for comment in found for word in comment.split())


def file_to_accept(row: Plate, others: Mapping[str, str]) -> tuple[str, list[str]]:
    """Return the plate's own file of settings: that of its row, or another where plates share it.

    Args:
        others: files of settings of the other plates of the sheet, by plate.

    Returns:
        The file, and the plates that share the one in the row.
    """
    if not row.settings:
        return own_file(row.name), []
    here = os.path.realpath(row.settings)
    sharing = [name for name, file in others.items() if file and os.path.realpath(file) == here]
    if not sharing:
        return row.settings, []
    return str(_free(Path(own_file(row.name)))), sharing


def _flat(section: Mapping[str, Any], above: str = "") -> Iterator[tuple[str, Any]]:
    for key, value in section.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{above}{key}.")
        else:
            yield f"{above}{key}", value


def _comments(text: str) -> dict[str, str]:
    """Return the comment above every key, by dotted key, of a file that is indented evenly."""
    found: dict[str, str] = {}
    above: list[tuple[int, str]] = []
    comment: list[str] = []
    for line in text.splitlines():
        bare = line.strip()
        if bare.startswith("#"):
            comment.append(bare.lstrip("# "))
        elif ":" in bare:
            depth = len(line) - len(line.lstrip())
            above = [one for one in above if one[0] < depth]
            above.append((depth, bare.partition(":")[0]))
            found[".".join(name for _, name in above)] = " ".join(comment)
            comment = []
    return found


def set_settings_of_row(path: Path, plate: str, file: str) -> list[str]:
    """Name a file of settings in the row of a plate; say what was done."""
    by_hand = f"write {file} into the column settings of {plate} by hand"
    if path.suffix.lower() not in SHEETS:
        return [f"{path}: {by_hand}"]
    try:
        sheet = _sheet_text(path)
    except StepError as error:
        return [str(error), f"{path}: nothing was written; {by_hand}"]
    columns, mark, lines = list(sheet.columns), sheet.separator, list(sheet.lines)
    index = next((k for k in sheet.rows if sheet.cell(k, "plate") == plate), None)
    if sheet.at is None or index is None:
        return [f"{path}: expected a row of {plate}, found none; {by_hand}"]
    if "settings" not in columns:
        columns.append("settings")
        lines[sheet.at] = mark.join(_cell(name, mark) for name in columns)
    if mark == "\t" and path.suffix.lower() != ".csv":
        cells = lines[index].split(mark)
    else:
        cells = [_cell(cell, mark) for cell in next(csv.reader([lines[index]], delimiter=mark))]
    cells += [""] * (len(columns) - len(cells))
    cells[columns.index("settings")] = _cell(file, mark)
    lines[index] = mark.join(cells)
    sheet.write(path, lines)
    return [f"{path}: {plate} names {file}"]
