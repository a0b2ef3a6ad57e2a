"""What a run asks of fine-tuning while it is planned; imports nothing heavy."""

from snakescope.healthspan.fine_tuning.settings import FineTuningSettings
from snakescope.healthspan.fine_tuning.sheet import AnnotatedImage
from snakescope.settings.sheet import read_sheet
from snakescope.tree.costs import Size


def files_of(sheet: str) -> list[str]:
    """The sheet of annotated images, and the images and masks of its rows that are there.

    Raises:
        StepError: there is no such sheet, or it has no row.
    """
    rows = read_sheet(sheet, AnnotatedImage, needed=True).rows
    files = (path for row in rows if not row.exclusion for path in row.files())
    return list(dict.fromkeys([sheet, *files]))


def size_of_fine_tuning(step: str, settings: FineTuningSettings) -> Size:
    """How much a step works on: steps of the training, or images of the sheet."""
    if step == "fine_tune":
        return Size("", {"frame": settings.detector.steps})
    return Size("", {"frame": len(read_sheet(settings.sheet, AnnotatedImage).rows)})
