"""One point of the learning curve of a stack: train with some of its labelled sections, score.

snakescope membranes learning_point --stack stack.json --sections 3 --neighbours 1 --draw 0
    --settings '{}' --training '{}' --checkpoint training/point.ckpt --scores sections3.json

The sections are those of the column train, or some of them; thresholds are chosen on those of tune,
and those of test are scored, the same for all points.
"""

import argparse
from dataclasses import replace
from pathlib import Path

from snakescope.learning.checkpoints import Identity, path_of
from snakescope.membranes.cross_validation.fold import run_parts
from snakescope.membranes.cross_validation.settings import LearningCurveSettings
from snakescope.membranes.stacks.folds import drawn
from snakescope.membranes.stacks.manifest import Manifest, read_manifest
from snakescope.membranes.training.settings import TrainSettings
from snakescope.step.errors import StepError
from snakescope.step.output import write_json


def with_fewer(manifest: Manifest, count: int, draw: int, draws: int) -> Manifest:
    """A stack of which only some of the training sections are labelled.

    Raises:
        StepError: there are fewer training sections, none to test with, or fewer draws.
    """
    train, test = manifest.parts["train"], manifest.parts["test"]
    if not 0 < count <= len(train) or not test:
        raise StepError(
            f"stack {manifest.name}: expected {max(count, 1)} sections to train with and some to"
            f" test with, found {len(train)} and {len(test)}; fill the columns train, tune and test"
            " of the sample sheet, or lower membranes: learning_curve: sections"
        )
    if not 0 <= draw < draws:
        raise StepError(
            f"stack {manifest.name}: expected a draw from 0 to {draws - 1}, found {draw}; raise"
            " membranes: learning_curve: draws"
        )
    parts = {**manifest.parts, "train": drawn(train, count, draw, draws)}
    return replace(manifest, parts=parts)


def of_neighbours(training: TrainSettings, architecture: str, neighbours: int) -> TrainSettings:
    """The training of a network that sees so many sections on either side."""
    changed = {"architecture": architecture, "neighbours": neighbours}
    return training.model_copy(update={"network": training.network.model_copy(update=changed)})


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command."""
    parser.add_argument("--stack", type=Path, required=True, help="stack.json of the stack")
    parser.add_argument("--sections", type=int, required=True, help="to train with (count)")
    parser.add_argument("--neighbours", type=int, required=True, help="seen on either side")
    parser.add_argument("--draw", type=int, required=True, help="which sections, from 0")
    parser.add_argument("--settings", required=True, help="JSON of membranes.learning_curve")
    parser.add_argument("--training", required=True, help="JSON of membranes.training")
    parser.add_argument("--checkpoint", type=Path, required=True)
    parser.add_argument("--scores", type=Path, required=True, help="JSON to write")


def main(given: argparse.Namespace) -> None:
    """Make a point."""
    settings = LearningCurveSettings.model_validate_json(given.settings)
    training = TrainSettings.model_validate_json(given.training)
    whole = read_manifest(given.stack)
    manifest = with_fewer(whole, given.sections, given.draw, settings.draws)
    chosen = of_neighbours(training, settings.network, given.neighbours)
    identity: Identity = {"stack": manifest.name, "sections": list(manifest.parts["train"])}
    kept = chosen.model_dump(mode="json", exclude={"device", "threads", "report_steps"})
    checkpoint = path_of(given.checkpoint, {**identity, **kept})
    found, _ = run_parts(manifest, chosen, settings.turns, identity, checkpoint)
    write_json(
        given.scores,
        {
            "network": settings.network, "sections_trained": given.sections,
            "neighbours": given.neighbours, "draw": given.draw,
            "trained": list(manifest.parts["train"]), **found,
        },
    )  # fmt: skip
