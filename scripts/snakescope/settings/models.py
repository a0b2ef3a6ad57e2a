"""The models that a run needs, looked at before its first job.

Without its weights every block of every plate or volume would end with the same sentence, hours
later.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from snakescope.settings.weights import weights_checksum
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


def problem_of_models(jobs: Iterable[Any], models: Mapping[str, Model]) -> str | None:
    """Return what is wrong with the weights that planned Snakemake jobs need, in one sentence."""
    try:
        check_models((job.rule.name for job in jobs), models)
    except StepError as error:
        return str(error)
    return None
