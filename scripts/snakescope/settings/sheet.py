"""Sample sheets (.tsv, .csv, .xlsx), one row a subject, each row a pydantic model.

Read by every process that parses the Snakefile, so nothing heavy is imported here.
"""

import difflib
import json
import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, ClassVar, Generic, TypeVar, get_args

from pydantic import (
    AfterValidator,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    field_validator,
)
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails, PydanticCustomError

from snakescope.settings.load import did_you_mean, expected_value, point_for_comma
from snakescope.settings.sheet_files import sheet_lines
from snakescope.settings.strict import Strict
from snakescope.step.errors import StepError
from snakescope.step.numbers import number_of

LEGAL_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]*")
"""Names of subjects and of whatever else names a folder of results."""
LONGEST_NAME = 100
DEVICE = re.compile(r"(?:con|prn|aux|nul|com\d|lpt\d)(?:\..*)?", re.IGNORECASE)
"""Names that Windows keeps for devices, on whose shares results may lie."""
RESULT_FILES = (".tsv", ".html", ".yaml", ".json", ".png", ".svg", ".txt")
"""Endings of files that may lie beside the folders of subjects."""


def _legal(name: str) -> str:
    """Refuse what a file system or a command line may not take, such as a leading dash."""
    if not LEGAL_NAME.fullmatch(name):
        legal = re.sub(r"[^A-Za-z0-9._-]+", "_", name).lstrip(".-") or "name1"
        raise PydanticCustomError(
            "name",
            "a name of letters, digits, '.', '_' and '-', the first a letter, digit or '_'",
            {"remedy": f"write for example {legal}"},
        )
    if len(name) > LONGEST_NAME or DEVICE.fullmatch(name) or name.endswith("."):
        raise PydanticCustomError(
            "name",
            f"a name that every file system takes, of {LONGEST_NAME} letters at most, with no dot"
            " at its end and none of Windows' own, such as CON",
            {"remedy": "write another name"},
        )
    return name


Name = Annotated[str, AfterValidator(_legal)]
"""A cell that names a folder of results."""

NameOrEmpty = Annotated[str, AfterValidator(lambda cell: _legal(cell) if cell else cell)]
"""The same, or an empty cell."""

NO_REASON = {
    "", "false", "no", "n", "f", "0", "0.0", "-", "--", "\u2013", "\u2014", "n/a", "na", "n.a.",
    "none", "nan", "null", "nein", "non", "keep", "include", "included", "ok", "kein", "keine",
    "keiner", "nee", "nej", "nei", "aucun", "aucune", "ninguno", "ninguna", "nessuno", "nessuna",
    "\u043d\u0435\u0442", "\u5426", "\u65e0", "\u7121", "\u306a\u3057", "\uc544\ub2c8\uc624",
    "\uc5c6\uc74c", "./.", "\u2212", "0,0", "falsch", "faux", "falso",
}  # fmt: skip
"""What a cell for a reason holds where people mean that there is none, in small letters."""


def _reason(cell: str) -> str:
    plain = cell.strip().lower()
    return "" if {plain, plain.rstrip(".!")} & NO_REASON else cell


Reason = Annotated[str, AfterValidator(_reason)]
"""A cell that holds a reason, or nothing; words of refusal count as nothing."""


def on_disk(cell: str) -> str:
    """Return a path as the disk spells it: with the home folder, and letters composed or not.

    A Mac keeps the parts of a letter such as an umlaut or a Korean syllable apart, a spreadsheet
    does not.
    """
    path = str(Path(cell).expanduser()) if cell.startswith("~") else cell
    forms = (path, *(unicodedata.normalize(form, path) for form in ("NFC", "NFD")))
    try:
        return next((one for one in dict.fromkeys(forms) if Path(one).exists()), path)
    except (OSError, ValueError):  # the scan says why it cannot be read
        return path


PathCell = Annotated[str, AfterValidator(on_disk)]
"""A cell that names a file or a folder."""


def _sizes(cell: Any) -> Any:
    if not isinstance(cell, str):
        return cell
    try:
        sizes = tuple(number_of(part) for part in cell.replace(",", " ").split())
    except ValueError:
        sizes = ()
    if len(sizes) != 3 or not all(size > 0 for size in sizes):
        raise PydanticCustomError(
            "voxel",
            "the size of a voxel along z, y and x in nm, such as 30 6 6",
            {"remedy": "give three numbers above 0, with decimal points"},
        )
    return sizes


VoxelCell = Annotated[tuple[float, float, float], BeforeValidator(_sizes)]
"""A cell with the size of a voxel along z, y and x (nm): ``30 6 6`` or ``30,6,6``."""

UNIT = re.compile(r"[\s_.]*[\[(]?(?:d|days?|tage?|h|hours?|[uµμ]m|nm|px|count|n)?[\])]?$")
"""A unit at the end of the name of a column, and what is around it."""
THOUSANDS = re.compile(r"\d{1,3}\.\d{3}")
"""A number that is one thing or another by where it was typed."""
REFUSED = "_line_"
"""What stands in the place of the name of a row that cannot be used, before its line."""


class Row(Strict):
    """A row of a sample sheet; a tree's own row model adds a field for each of its columns.

    A cell that is empty has the default of its field. Cells of text stay as they are written:
    ``007`` is no number.

    Attributes:
        name: name of the subject, unique in the sheet; its column is called as the subject is.
        extra: cells of columns that no field describes, in the order of the header.
    """

    model_config = ConfigDict(populate_by_name=True)

    taken: ClassVar[frozenset[str]] = frozenset()
    """Columns of the tables that ``extra`` is written to; no column of a user may be called so."""

    reserved: ClassVar[tuple[str, ...]] = ()
    """Folders of other results of the tree; no subject may be called so."""

    name: Name
    extra: dict[str, str] = Field({}, exclude=True)

    @field_validator("name")
    @classmethod
    def _not_reserved(cls, name: str) -> str:
        if name.lower() in {one.lower() for one in cls.reserved}:
            raise PydanticCustomError(
                "reserved",
                f"a name other than {', '.join(cls.reserved)}, as other results are called",
                {"remedy": "choose another name"},
            )
        if name.lower().endswith(RESULT_FILES) or name.startswith(REFUSED):
            raise PydanticCustomError(
                "reserved",
                f"a name that does not end in {', '.join(RESULT_FILES)}, as files of results do,"
                f" nor begin with {REFUSED}",
                {"remedy": "choose another name"},
            )
        return name

    @property
    def extra_json(self) -> str:
        """Cells of further columns, as command lines take them."""
        return json.dumps(self.extra)

    @classmethod
    def columns(cls) -> dict[str, FieldInfo]:
        """Return the field of every column, by the name that stands in the header."""
        return {
            field.alias or name: field
            for name, field in cls.model_fields.items()
            if name != "extra"
        }

    @classmethod
    def required(cls) -> list[str]:
        """Return the columns that must stand in the header, without an empty cell."""
        return [name for name, field in cls.columns().items() if field.is_required()]


R = TypeVar("R", bound=Row)


@dataclass(frozen=True)
class Refused:
    """A row that cannot be used: the number of its line, and one sentence that says why."""

    line: int
    reason: str

    @property
    def name(self) -> str:
        """What stands in the place of its name, which may be what is wrong with it."""
        return f"{REFUSED}{self.line}"


@dataclass(frozen=True)
class Sheet(Generic[R]):
    """A sample sheet, in its order: the rows that can be used, and the others."""

    rows: tuple[R, ...] = ()
    refused: tuple[Refused, ...] = ()


def read_rows(path: str | Path, model: type[R], needed: bool = False) -> tuple[R, ...]:
    """Read a sample sheet of which every row can be used; see :func:`read_sheet`.

    Raises:
        StepError: as :func:`read_sheet`, or of the first row that cannot be used.
    """
    sheet = read_sheet(path, model, needed)
    if sheet.refused:
        raise StepError(sheet.refused[0].reason)
    return sheet.rows


def read_sheet(path: str | Path, model: type[R], needed: bool = False) -> Sheet[R]:
    """Read a sample sheet, row by row: one that cannot be used does not stop the others.

    Text is UTF-8 or UTF-16. Lines that start with ``#``, lines without text and empty columns
    behind the last one are ignored, cells are stripped, and cells that a row lacks are empty.
    Columns that ``model`` does not describe are kept in ``extra``.

    Args:
        path: sheet with a header; lines are counted from 1 in messages.
        model: row model; the first of its columns names the subject.
        needed: refuse a sheet that is absent or has no rows; else it has none.

    Returns:
        The rows, and of those that cannot be used why: a cell that its field refuses, a line
        break or an open quotation mark, or a subject twice, where case does not count; of those
        neither is used, as nobody knows which is meant.

    Raises:
        StepError: no text; a column that is missing, repeated, or nearly called as one of the
            model's.
    """
    subject, *_ = model.columns()
    if not needed and not Path(path).exists():
        return Sheet()
    names = list(model.columns())
    lines, wrong = sheet_lines(path, ", ".join(model.required()), f"{subject}s", names)
    header = lines[0][1] if lines else []
    if lines:
        if lines[0][0] in wrong:
            raise StepError(f"{path}, line {lines[0][0]}: {wrong[lines[0][0]]}")
        _check_header(f"{path}, line {lines[0][0]}", header, model)
    if needed and len(lines) < 2:
        raise StepError(
            f"{path}: expected a header and one row a {subject}, found no row; add a {subject} "
            "(columns: config/README.md)"
        )
    rows: dict[str, list[tuple[int, R]]] = {}
    refused: list[Refused] = []
    for number, cells in lines[1:]:
        try:
            row = _read_row(f"{path}, line {number}", cells, wrong.get(number, ""), header, model)
        except StepError as error:
            refused.append(Refused(number, str(error)))
            continue
        # Case alone does not tell two folders apart on every file system.
        rows.setdefault(row.name.lower(), []).append((number, row))
    for first, *others in rows.values():
        for number, row in (*others, first) if others else ():
            again = f"again (first on line {first[0]})"
            if number == first[0]:
                again = f"on line {others[0][0]} as well"
            refused.append(
                Refused(
                    number,
                    f"{path}, line {number}: expected every {subject} once, found {subject}"
                    f" {row.name!r} {again}; rename or remove one",
                )
            )
    good = tuple(same[0][1] for same in rows.values() if not same[1:])
    return Sheet(good, tuple(refused))


def _read_row(where: str, cells: list[str], wrong: str, header: list[str], model: type[R]) -> R:
    if wrong:
        raise StepError(f"{where}: {wrong}")
    if len(cells) > len(header):
        raise StepError(
            f"{where}: expected {len(header)} cells as in the header, found {len(cells)}; "
            "remove a tab"
        )
    return _row(where, dict(zip(header, cells + [""] * len(header), strict=False)), model)


def extra_columns(rows: Sequence[Row]) -> list[str]:
    """Return the names of the columns of a sheet that its row model does not describe."""
    return list(dict.fromkeys(name for row in rows for name in row.extra))


def _check_header(where: str, header: list[str], model: type[Row]) -> None:
    columns = list(model.columns())
    absent = [name for name in columns if name not in header]
    if len(header) == 1 and any(mark in header[0] for mark in ",; "):
        if re.search(r"\.(?:csv|xls[xm]), line", where):
            raise StepError(
                f"{where}: expected a header with the columns {', '.join(model.required())}, found"
                f" {header[0]!r}; remove lines above the header"
            )
        raise StepError(
            f"{where}: expected columns separated by tabs, found {header[0]!r}; "
            "save the sheet as tab-separated text"
        )
    lower = [name.lower() for name in header]
    for name in header:
        if lower.count(name.lower()) > 1 or not name:
            raise StepError(
                f"{where}: expected every column once and named, found {name!r} "
                f"{lower.count(name.lower())} times; rename or remove it"
            )
        if name not in columns and (meant := _nearly(name, absent)):
            raise StepError(
                f"{where}: expected the columns {', '.join(columns)}, found {name!r}; did you "
                f"mean {meant}? Rename the column, or call one of your own less alike"
            )
        if name not in columns and name.lower() in model.taken:
            raise StepError(
                f"{where}: expected columns unlike those of the results, found {name!r}, which "
                "tables of results have as well; rename the column"
            )
    missing = [name for name in model.required() if name not in header]
    if missing:
        raise StepError(
            f"{where}: expected the columns {', '.join(model.required())}, "
            f"found no {', '.join(missing)}; add it"
        )


def _nearly(name: str, columns: Sequence[str]) -> str:
    """The column that ``name`` is likely to mean; names with the same beginning may be farther."""
    first = UNIT.sub("", name.lower())
    for column in columns:
        # "age (d)" is age_at_first_frame_d.
        if "_" in column and first == column.split("_")[0]:
            return column
        ratio = difflib.SequenceMatcher(None, name.lower(), column.lower()).ratio()
        alike = len(column) > 3 and name.lower().startswith(column[:4].lower())
        if ratio >= (0.5 if alike else 0.75):
            return column
    return ""


def _row(where: str, cells: dict[str, str], model: type[R]) -> R:
    columns = model.columns()
    known = {name: cell for name, cell in cells.items() if name in columns and cell}
    extra = {name: cell for name, cell in cells.items() if name not in columns}
    for name, cell in known.items():
        kinds = (columns[name].annotation, *get_args(columns[name].annotation))
        if int in kinds and THOUSANDS.fullmatch(cell):
            raise StepError(
                f"{where}, column {name}: expected a whole number, found {cell!r}, which may be"
                f" {int(float(cell))} or {int(cell.replace('.', ''))}; write it without a point"
            )
    try:
        return model.model_validate({**known, "extra": extra})
    except ValidationError as error:
        details = error.errors(include_url=False)[0]
    if not details["loc"]:
        raise StepError(f"{where}: expected {expected_value(details)}")
    column = str(details["loc"][0])
    cell = cells.get(column, "")
    raise StepError(
        f"{where}, column {column}: expected {expected_value(details)}, found "
        f"{repr(cell) if cell else 'an empty cell'}{_remedy(details, cell, columns[column])}"
    )


def _remedy(details: ErrorDetails, cell: str, field: FieldInfo) -> str:
    if remedy := details.get("ctx", {}).get("remedy"):
        return f"; {remedy}"
    if not cell:
        return "; fill it in"
    if meant := did_you_mean(cell, [a for a in get_args(field.annotation) if isinstance(a, str)]):
        return meant
    leave = "" if field.is_required() else " or leave it empty"
    return point_for_comma(cell) or f"; correct the cell{leave}"
