"""What a run asks of the paper's tables while it is planned; imports nothing heavy."""

import os
from pathlib import Path

from snakescope.healthspan.evaluation.settings import EvaluateSettings
from snakescope.healthspan.paper.settings import PaperSettings
from snakescope.tree.costs import Size

DATA = "SNAKESCOPE_DATA"


def data_folder(settings: EvaluateSettings) -> str:
    """The folder of the real images, empty if it is not there.

    The environment variable ``SNAKESCOPE_DATA`` comes first.
    """
    folder = os.environ.get(DATA) or settings.data
    return folder if Path(folder).is_dir() else ""


def size_of_paper(step: str, settings: PaperSettings) -> Size:
    """How much a step works on: composites, optimiser steps, images, or detections of plates."""
    classifier, curves = settings.classifier, settings.curves
    amount = {
        "paper_classifier": 3 * (classifier.per_state + classifier.validation_per_state),
        "paper_semantic": settings.semantic.steps,
        "paper_states": 6 * (settings.states.per_state + settings.states.tuning_per_state),
        "paper_detection": 2 * (settings.detection.scenes + settings.detection.tuning_scenes),
        "paper_curves": curves.plates * curves.worms * curves.timepoints,
    }
    return Size("", {"frame": amount.get(step, 1)})
