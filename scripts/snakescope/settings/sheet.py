"""Sample sheets: tab-separated text, one row a subject, each row a pydantic model.

Read by every process that parses the Snakefile, so nothing heavy is imported here.
"""

import csv
import difflib
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, ClassVar, TypeVar, get_args

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, field_validator
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails, PydanticCustomError

from snakescope.settings.load import did_you_mean, expected_value, point_for_comma
from snakescope.step.errors import StepError

LEGAL_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]*")
"""Names of subjects and of whatever else names a folder of results."""


def _legal(name: str) -> str:
    """Refuse what a file system or a command line may not take, such as a leading dash."""
    if not LEGAL_NAME.fullmatch(name):
        legal = re.sub(r"[^A-Za-z0-9._-]+", "_", name).lstrip(".-") or "name1"
        raise PydanticCustomError(
            "name",
            "a name of letters, digits, '.', '_' and '-', the first a letter, digit or '_'",
            {"remedy": f"write for example {legal}"},
        )
    return name


Name = Annotated[str, AfterValidator(_legal)]
"""A cell that names a folder of results."""


class Row(BaseModel):
    """A row of a sample sheet; a tree's own row model adds a field for each of its columns.

    A cell that is empty has the default of its field. Cells of text stay as they are written:
    ``007`` is no number.

    Attributes:
        name: name of the subject, unique in the sheet; its column is called as the subject is.
        extra: cells of columns that no field describes, in the order of the header.
    """

    model_config = ConfigDict(
        extra="forbid", frozen=True, populate_by_name=True, allow_inf_nan=False
    )

    taken: ClassVar[frozenset[str]] = frozenset()
    """Columns of the tables that ``extra`` is written to; no column of a user may be called so."""

    reserved: ClassVar[tuple[str, ...]] = ()
    """Folders of other results of the tree; no subject may be called so."""

    name: Name
    extra: dict[str, str] = Field({}, exclude=True)

    @field_validator("name")
    @classmethod
    def _not_reserved(cls, name: str) -> str:
        if name in cls.reserved:
            raise PydanticCustomError(
                "reserved",
                f"a name other than {', '.join(cls.reserved)}, as other results are called",
                {"remedy": "choose another name"},
            )
        return name

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


def read_rows(path: str | Path, model: type[R], needed: bool = False) -> tuple[R, ...]:
    """Read a sample sheet, in its order.

    Text is UTF-8 or UTF-16. Lines that start with ``#``, lines without text and empty columns
    behind the last one are ignored, cells are stripped, and cells that a row lacks are empty.
    Columns that ``model`` does not describe are kept in ``extra``.

    Args:
        path: sheet with a header; lines are counted from 1 in messages.
        model: row model; the first of its columns names the subject.
        needed: refuse a sheet that is absent or has no rows; else it has none.

    Raises:
        StepError: no text; a column that is missing, repeated, or nearly called as one of the
            model's; a cell that its field refuses; or a subject twice, where case does not count.
    """
    subject, *_ = model.columns()
    if not needed and not Path(path).exists():
        return ()
    lines = _lines(path, model)
    header = lines[0][1] if lines else []
    if lines:
        _check_header(f"{path}, line {lines[0][0]}", header, model)
    if needed and len(lines) < 2:
        raise StepError(
            f"{path}: expected a header and one row a {subject}, found no row; add a {subject} "
            "(columns: config/README.md)"
        )
    rows: dict[str, tuple[int, R]] = {}
    for number, cells in lines[1:]:
        where = f"{path}, line {number}"
        if len(cells) > len(header):
            raise StepError(
                f"{where}: expected {len(header)} cells as in the header, found {len(cells)}; "
                "remove a tab"
            )
        row = _row(where, dict(zip(header, cells + [""] * len(header), strict=False)), model)
        # Case alone does not tell two folders apart on every file system.
        first = rows.setdefault(row.name.lower(), (number, row))[0]
        if first != number:
            raise StepError(
                f"{where}: expected every {subject} once, found {subject} {row.name!r} again "
                f"(first on line {first}); rename or remove one"
            )
    return tuple(row for _, row in rows.values())


def extra_columns(rows: Sequence[Row]) -> list[str]:
    """Return the names of the columns of a sheet that its row model does not describe."""
    return list(dict.fromkeys(name for row in rows for name in row.extra))


def _lines(path: str | Path, model: type[Row]) -> list[tuple[int, list[str]]]:
    """The header and the rows with the numbers of their lines, without empty cells at the end."""
    lines = []
    for number, line in enumerate(_text(path, model).splitlines(), start=1):
        cells = [cell.strip() for cell in next(csv.reader([line], delimiter="\t"), [])]
        while cells and not cells[-1]:
            cells.pop()
        if cells and not line.lstrip().startswith("#"):
            lines.append((number, cells))
    return lines


def _text(path: str | Path, model: type[Row]) -> str:
    """The "Unicode Text" of Excel, its one tab-separated form for every letter, is UTF-16."""
    try:
        content = Path(path).read_bytes()
        utf16 = content.startswith((b"\xff\xfe", b"\xfe\xff"))
        return content.decode("utf-16" if utf16 else "utf-8-sig")
    except FileNotFoundError:
        raise StepError(
            f"{path}: expected a sample sheet, found no such file; write one, tab-separated, with "
            f"the columns {', '.join(model.required())}"
        ) from None
    except UnicodeDecodeError as error:
        raise StepError(
            f"{path}: expected text in UTF-8, found byte {error.object[error.start]:#04x} "
            f"at {error.start}; save the sheet as tab-separated text in UTF-8"
            " (in Excel: Unicode Text)"
        ) from None


def _check_header(where: str, header: list[str], model: type[Row]) -> None:
    columns = list(model.columns())
    absent = [name for name in columns if name not in header]
    if len(header) == 1 and any(mark in header[0] for mark in ",; "):
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
    for column in columns:
        ratio = difflib.SequenceMatcher(None, name.lower(), column.lower()).ratio()
        alike = len(column) > 3 and name.lower().startswith(column[:4].lower())
        if ratio >= (0.5 if alike else 0.75):
            return column
    return ""


def _row(where: str, cells: dict[str, str], model: type[R]) -> R:
    columns = model.columns()
    known = {name: cell for name, cell in cells.items() if name in columns and cell}
    extra = {name: cell for name, cell in cells.items() if name not in columns}
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
