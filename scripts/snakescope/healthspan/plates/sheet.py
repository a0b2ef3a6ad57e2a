"""The sample sheet: one row a plate.

Read by every process that parses the Snakefile, so it imports nothing heavy.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from snakescope.settings.sheet import check_name, read_sheet
from snakescope.settings.suggest import point_for_comma
from snakescope.step.errors import StepError

REQUIRED = ("plate", "experiment", "condition", "folder")
OPTIONAL = ("age_at_first_frame_d", "worms", "exclusion", "pixel_size_um", "well")
COLUMNS = (*REQUIRED, *OPTIONAL)
RESERVED_NAMES = ("experiments",)
OF_ADULTHOOD, SINCE_FIRST_FRAME = "day of adulthood", "days since first frame"


@dataclass(frozen=True)
class Plate:
    """A row of the sample sheet.

    Attributes:
        name: Name of the plate, unique in the sheet and legal in a path.
        experiment: Experiment it belongs to; conditions are compared within one.
        condition: Condition of the plate, as plots call it.
        folder: Folder of its raw images, as written in the sheet.
        age_at_first_frame_d: Age of the worms at the first frame (days of adulthood), or None
            where the sheet has none.
        worms: Number of worms put on the plate, or None where nobody counted.
        exclusion: Why the plate is left out; empty keeps it.
        pixel_size_um: Pixel size of its images (um), or None for the configured one.
        well: Which well, or well and image, of the folder is this plate; empty for the only one.
    """

    name: str
    experiment: str
    condition: str
    folder: str
    age_at_first_frame_d: float | None = None
    worms: int | None = None
    exclusion: str = ""
    pixel_size_um: float | None = None
    well: str = ""

    @property
    def excluded(self) -> bool:
        """Whether the plate is left out of everything."""
        return bool(self.exclusion)

    @property
    def first_d(self) -> float:
        """Day of the first frame: the age of the worms, or 0 where days count from that frame."""
        return 0.0 if self.age_at_first_frame_d is None else self.age_at_first_frame_d

    @property
    def time_axis(self) -> str:
        """What the days of the plate count from, as axes call it; an age of 0 is an age."""
        return SINCE_FIRST_FRAME if self.age_at_first_frame_d is None else OF_ADULTHOOD


def read_plates(path: str | Path) -> tuple[Plate, ...]:
    """Read the sample sheet, in its order; lines that start with ``#`` are comments.

    Raises:
        StepError: no such file, no plate, an unknown, duplicate or missing column, a
            duplicate plate, an empty required cell or a cell that cannot be read.
    """
    try:
        rows = list(read_sheet(path, COLUMNS, REQUIRED))
    except FileNotFoundError:
        raise StepError(
            f"{path}: expected the sample sheet, found no such file; write one, "
            f"tab-separated, with the columns {', '.join(REQUIRED)}"
        ) from None
    plates: dict[str, tuple[int, Plate]] = {}
    for number, row in rows:
        plate = _plate(f"{path}, line {number}", row)
        # Case alone does not tell two folders apart on every file system.
        first = plates.setdefault(plate.name.lower(), (number, plate))[0]
        if first != number:
            raise StepError(
                f"{path}, line {number}: expected every plate once, found plate "
                f"{plate.name!r} again (first on line {first}); rename or remove one"
            )
    if not plates:
        raise StepError(f"{path}: expected a header and one row a plate, found no row; add a plate")
    return tuple(plate for _, plate in plates.values())


def note_of_mixed_days(axes: Mapping[str, str]) -> str:
    """What is to be known of plates that are pooled and whose days count from other days.

    Args:
        axes: ``Plate.time_axis`` of each plate.

    Returns:
        One clause, or nothing where the days of all count from the same.
    """
    without = [plate for plate, axis in axes.items() if axis == SINCE_FIRST_FRAME]
    if not without or len(without) == len(axes):
        return ""
    shown = _some(without)
    return f"days of {shown} count from the first frame, those of other plates from adulthood"


def _some(names: Sequence[str], shown: int = 3) -> str:
    more = len(names) - shown
    return ", ".join(names[:shown]) + (f" and {more} more" if more > 0 else "")


def warnings_of_mixed_days(plates: Iterable[Plate]) -> list[str]:
    """One sentence for each experiment of which some plates have an age and some have none."""
    axes: dict[str, dict[str, str]] = {}
    for plate in plates:
        axes.setdefault(plate.experiment, {})[plate.name] = plate.time_axis
    notes = {experiment: note_of_mixed_days(own) for experiment, own in axes.items()}
    return [
        f"experiment {experiment}: {note}, and they are compared as they are; fill in the column "
        "age_at_first_frame_d of all of them, or of none"
        for experiment, note in notes.items()
        if note
    ]


def _plate(where: str, row: Mapping[str, str]) -> Plate:
    for name in REQUIRED:
        if not row[name]:
            raise StepError(f"{where}: expected a {name}, found an empty cell; fill it in")
    for name in ("plate", "experiment"):
        _check_name(where, name, row[name])
    worms = _number(where, row, "worms", minimum=0)
    if worms is not None and worms != int(worms):
        raise StepError(
            f"{where}: expected worms as a whole number, found {row['worms']!r}; "
            "correct the cell or leave it empty"
        )
    pixel_size_um = _number(where, row, "pixel_size_um", minimum=0)
    if pixel_size_um == 0:
        raise StepError(
            f"{where}: expected pixel_size_um above 0, found {row['pixel_size_um']!r}; "
            "correct the cell or leave it empty"
        )
    return Plate(
        name=row["plate"],
        experiment=row["experiment"],
        condition=row["condition"],
        folder=row["folder"],
        age_at_first_frame_d=_number(where, row, "age_at_first_frame_d", minimum=0),
        worms=None if worms is None else int(worms),
        exclusion=row.get("exclusion", ""),
        pixel_size_um=pixel_size_um,
        well=row.get("well", ""),
    )


def _check_name(where: str, column: str, name: str) -> None:
    """Plates and experiments name folders of results."""
    check_name(where, column, name, "plate1")
    if column == "plate" and name in RESERVED_NAMES:
        raise StepError(
            f"{where}: expected a plate name other than {name!r}, which names the folder of "
            "the experiments' results; rename the plate"
        )


def _number(where: str, row: Mapping[str, str], column: str, minimum: float) -> float | None:
    text = row.get(column, "")
    if not text:
        return None
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not (math.isfinite(value) and value >= minimum):
        raise StepError(
            f"{where}: expected {column} as a number not below {minimum:g}, found {text!r}"
            + (point_for_comma(text) or "; correct the cell or leave it empty")
        )
    return value
