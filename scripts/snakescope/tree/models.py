"""The models that jobs need: where their weights are, and whether they are what their cards say.

Checked before the first job: without its weights, every block of every subject would fail hours
later, each with the same sentence.
"""

import json
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from snakescope.step.checksum import check_sha256
from snakescope.step.errors import StepError


@dataclass(frozen=True)
class Model:
    """Weights that a rule needs.

    Attributes:
        weights: path of the file.
        key: where it is named in the configuration.
        training: the command that trains such ones.
    """

    weights: str
    key: str
    training: str


def weights_file(named: str, repository: str | Path) -> str:
    """Return the path of weights that the configuration names.

    The user's own file, seen from the working directory, comes before the repository's.
    """
    if Path(named).is_absolute() or Path(named).exists():
        return named
    return os.path.relpath(Path(repository, named))


def weights_checksum(weights: str | Path) -> str:
    """Return the SHA-256 that the card beside ``weights`` states.

    It stands in for the file among what a step depends on. Without a card it is ``unknown``,
    and the step that wants the weights says what is missing.
    """
    try:
        card = json.loads(Path(weights).with_suffix(".json").read_text(encoding="utf-8"))
        return str(card["sha256"])
    except (FileNotFoundError, KeyError, json.JSONDecodeError):
        return "unknown"


def check_models(rules: Iterable[str], models: Mapping[str, Model]) -> None:
    """Refuse weights that planned jobs need and that are absent, or other than their card says.

    Args:
        rules: names of the rules of all planned jobs.
        models: the model of every rule that needs one.

    Raises:
        StepError: the file or its card is absent, or the checksum differs.
    """
    for rule in sorted(set(rules) & set(models)):
        model = models[rule]
        card = Path(model.weights).with_suffix(".json")
        train = f"train others ({model.training}) and name that file in {model.key}"
        stated = weights_checksum(model.weights)
        if stated == "unknown" and Path(model.weights).is_file():
            raise StepError(
                f"{card}: expected the card of the weights {model.weights} with their sha256"
                f" ({model.key}), found none; copy it there with the weights, or {train}"
            )
        remedy = f"restore the file and its card ({card.name}), or {train}"
        check_sha256(model.weights, stated, remedy)
