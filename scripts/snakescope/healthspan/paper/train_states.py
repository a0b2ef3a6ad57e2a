"""One of the three classifiers of table 5, trained like the other two.

The training is that of the shipped classifier (Matsuo et al., sections 3.3.2 and 3.3.3) at a size
that three trainings in a row can afford.
"""

import argparse
from pathlib import Path

import cv2

from snakescope.healthspan.paper.settings import STATE_MODELS, PaperClassifierSettings
from snakescope.healthspan.training.settings import TrainClassifierSettings
from snakescope.healthspan.training.train_classifier import train_classifier
from snakescope.learning.weights import save_weights


def training_settings(
    settings: PaperClassifierSettings, architecture: str
) -> TrainClassifierSettings:
    """The training of an architecture; the three differ in it alone."""
    return TrainClassifierSettings.model_validate(
        {"architecture": architecture, **settings.model_dump()}
    )


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command."""
    parser.add_argument("--architecture", required=True, choices=STATE_MODELS)
    parser.add_argument("--settings", required=True, help="settings as JSON")
    parser.add_argument("--checkpoint", type=Path, help="resumed from, if it is there")
    parser.add_argument("--weights", required=True, type=Path, help="weights to write")


def main(arguments: argparse.Namespace) -> None:
    """Run the step."""
    settings = PaperClassifierSettings.model_validate_json(arguments.settings)
    cv2.setNumThreads(settings.threads)
    wanted = training_settings(settings, arguments.architecture)
    model, card = train_classifier(wanted, arguments.checkpoint)
    save_weights(arguments.weights, model, card)
