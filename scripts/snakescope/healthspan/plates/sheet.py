"""The sample sheet of plates: one row a plate.

Read by every process that parses the Snakefile, so it imports nothing heavy.
"""

import re
import unicodedata
from collections.abc import Iterable, Mapping
from typing import ClassVar

from pydantic import Field, field_validator
from pydantic_core import PydanticCustomError

from snakescope.healthspan.plates.naming import compile_pattern
from snakescope.settings.alike import notes_of_alike
from snakescope.settings.sheet import Name, PathCell, Reason, Row
from snakescope.tree.notes import some

LOOK_ALIKE = str.maketrans(
    "АВЕКМНОРСТХаеорсухіѕΑΒΕΖΗΙΚΜΝΟΡΤΥΧοµ", "ABEKMHOPCTXaeopcyxisABEZHIKMNOPTYXoμ"
)
"""Letters of Cyrillic and Greek that look like Latin ones, and the two signs of micro."""
OF_ADULTHOOD, SINCE_FIRST_FRAME = "day of adulthood", "days since first frame"


class Plate(Row):
    """A plate: where its raw images are and what it is compared with."""

    # fmt: off
    taken: ClassVar[frozenset[str]] = frozenset((
        # Of the table of plates, of survival.tsv and of jmp.csv.
        "status", "reason", "remarks", "warnings", "frames", "usable", "missing",
        "unreadable", "unregistered", "median_score", "median_agreement",
        "largest_shift_px", "largest_rotation_deg", "deaths", "dead_at_start", "static",
        "censored_share", "lost_share", "put_on", "first_count", "mean_confidence",
        "unknown_share", "found", "dropped", "outcome", "individual", "after_d",
        "before_d", "day", "event", "censor_reason", "censored", "count", "second_look",
    ))
    # fmt: on

    reserved: ClassVar[tuple[str, ...]] = (
        "experiments", "models", "training", "paper", "status.tsv", "plates.tsv", "plates.html",
        "failures.tsv", "configuration.yaml",
    )  # fmt: skip

    name: Name = Field(
        alias="plate",
        description="name of the plate, once in the sheet: letters, digits, `_`, `.` and `-`, the"
        " last two not first; names its folder of results",
    )
    experiment: Name = Field(
        description="experiment it belongs to, named in the same way; conditions are compared"
        " within one"
    )
    condition: str = Field(
        description="strain, dose or whatever is compared, as the plots shall call it"
    )
    folder: PathCell = Field(
        description="folder of its raw images, absolute or relative to where `snakemake` is run"
    )
    age_at_first_frame_d: float | None = Field(
        None,
        ge=0,
        le=365,
        description="age of the worms at the first frame (days of adulthood); left empty, days"
        " count from the first frame. Give it for all plates of an experiment or for none: days"
        " are pooled as they are, and the run warns",
    )
    worms: int | None = Field(
        None,
        ge=0,
        description="number of worms put on the plate (count); empty estimates it from the images."
        " Needed to count worms that were dead before the first picture",
    )
    exclusion: Reason = Field(
        "",
        description="why the plate is left out, such as `fogged`; empty keeps it, as do words of"
        " refusal such as `no`, `FALSE`, `0` or `-`",
    )
    pixel_size_um: float | None = Field(
        None,
        ge=0.05,
        le=500,
        description="pixel size of this plate's images (um); empty takes that of the configuration",
    )
    pattern: str = Field(
        "",
        description="naming of this plate's images, as `plates: pattern:` in the configuration;"
        " empty takes that of the configuration",
    )
    settings: PathCell = Field(
        "",
        description="settings of this plate, where they differ from the configuration: a file as"
        " `config.yaml` with the sections plates, registration, detection, states, tracking and"
        " report; empty takes the configuration. Plates of one instrument may share it",
    )
    well: str = Field(
        "",
        description="which images of the folder are this plate, if there are those of several:"
        " `E11`, `E11_5`, or `1957/E11_5`",
    )

    @field_validator("pattern")
    @classmethod
    def _pattern_compiles(cls, pattern: str) -> str:
        if pattern:
            try:
                compile_pattern(pattern, plate="plate", timed=False)
            except ValueError as error:
                raise PydanticCustomError("pattern", "{said}", {"said": str(error)}) from None
        return pattern

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
    shown = some(without)
    return f"days of {shown} count from the first frame, those of other plates from adulthood"


def warnings_of_conditions(plates: Iterable[Plate]) -> list[str]:
    """What is to be known of the conditions and the days of plates that are compared."""
    every = list(plates)
    return [
        *warnings_of_mixed_days(every),
        *warnings_of_alike_conditions(every),
        *warnings_of_alike_experiments(every),
    ]


def warnings_of_alike_experiments(plates: Iterable[Plate]) -> list[str]:
    """One sentence for experiments that differ in case or marks: one that was spelt in two ways."""
    names = (plate.experiment for plate in plates)
    return notes_of_alike("experiments", names, "are different ones, whose plates are not compared")


def _plain(condition: str) -> str:
    """A condition without case, blanks, marks, and zeros behind a point; a micro sign is a u."""
    name = unicodedata.normalize("NFKC", condition).translate(LOOK_ALIKE).casefold()
    name = re.sub(r"\d+[.,]\d+", lambda found: f"{float(found[0].replace(',', '.')):g}", name)
    # A point in a number and signs of their own tell conditions apart: 1.5 and 15, (+) and (-).
    kept = re.findall(r"(?<=\d)\.(?=\d)|\+|(?<![^\W_])-(?![^\W_])|[^\W_]", name)
    return "".join(kept).replace("\u03bc", "u") or condition


def warnings_of_alike_conditions(plates: Iterable[Plate]) -> list[str]:
    """One sentence for conditions of an experiment that differ in case, blanks or marks alone.

    Or in letters of other alphabets that look the same.
    """
    found: dict[tuple[str, str], dict[str, None]] = {}
    for plate in plates:
        plain = _plain(plate.condition)
        found.setdefault((plate.experiment, plain), {})[plate.condition] = None
    return [
        f"experiment {experiment}: the conditions {' and '.join(map(repr, names))} are compared as"
        " different ones; spell them alike if they are one"
        + (
            " (some letters are of another alphabet)"
            if any(name.translate(LOOK_ALIKE) != name for name in names)
            else ""
        )
        for (experiment, _), names in found.items()
        if len(names) > 1
    ]


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
