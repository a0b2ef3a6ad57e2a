"""What a run asks of fine-tuning while it is planned; imports nothing heavy."""

from pathlib import Path

from snakescope.healthspan.fine_tuning.settings import FineTuningSettings
from snakescope.healthspan.fine_tuning.sheet import AnnotatedImage
from snakescope.settings.sheet import read_sheet
from snakescope.step.errors import StepError
from snakescope.tree.costs import Size


def files_of(sheet: str) -> list[str]:
    """The sheet of annotated images, and the images and masks of its rows that are there.

    Of a sheet that is absent or damaged only itself: Snakemake names an absent one, and the step
    says in a sentence what is wrong with a damaged one.

    Raises:
        StepError: the sheet has no rows, or leaves all of them out.
    """
    rows = rows_of(sheet)
    if is_empty(sheet):
        raise StepError(
            f"{sheet}: expected a row for every annotated image, found none to use; fill it, or let"
            " `snakemake healthspan_annotations` make pictures to annotate and a sheet of them"
        )
    files = (path for row in rows if not row.exclusion for path in row.files())
    return list(dict.fromkeys([sheet, *files]))


def rows_of(sheet: str) -> list[AnnotatedImage]:
    """The rows of the sheet, none of one that cannot be read."""
    try:
        return list(read_sheet(sheet, AnnotatedImage).rows)
    except StepError:
        return []


def is_empty(sheet: str) -> bool:
    """Whether a sheet that is right has no rows to use; refused ones are told by the step."""
    try:
        found = read_sheet(sheet, AnnotatedImage) if Path(sheet).exists() else None
    except StepError:
        return False
    return found is not None and not found.refused and all(row.exclusion for row in found.rows)


def size_of_fine_tuning(step: str, settings: FineTuningSettings) -> Size:
    """How much a step works on: steps of the training, or images of the sheet."""
    if step == "fine_tune":
        return Size("", {"frame": settings.detector.steps})
    if step == "fine_tune_states":
        return Size("", {"frame": settings.states.steps})
    return Size("", {"frame": len(rows_of(settings.sheet))})
