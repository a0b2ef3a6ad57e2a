"""The models that a run needs, looked at before its first job.

Without its weights every block of every plate would end with the same sentence, hours later.
"""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from configuration.weights import weights_checksum
from learning.checksums import check_sha256
from step.errors import StepError

MODELS = {
    "healthspan_detect": ("healthspan: detect: weights", "detector"),
    "healthspan_classify": ("healthspan: classify: weights", "classifier"),
}
"""Rule -> where its weights are named in the configuration, and what trains such ones."""
UNSHIPPED = ("resnet_rs", "vit")
"""Architectures of the classifier that may be chosen, and have to be trained first."""


def training_command(model: str, weights: str) -> str:
    """The command that trains weights to take the place of ``weights``, which are not there."""
    command = f"snakemake --cores 2 results/healthspan/models/{model}.safetensors"
    wanted = [name for name in UNSHIPPED if name in Path(weights).stem]
    if model == "classifier" and wanted:
        chosen = f'healthspan={{"train_classifier": {{"architecture": "{wanted[0]}"}}}}'
        command += f" --config '{chosen}'"
    return command


def check_models(rules: Iterable[str], weights: Mapping[str, str]) -> None:
    """Refuse weights that planned jobs need and that are absent, or other than their card says.

    Args:
        rules: names of the rules of all planned jobs.
        weights: the weights file of every rule in :data:`MODELS`.

    Raises:
        StepError: the file or its card is absent, or the checksum differs.
    """
    for rule in sorted(set(rules) & set(MODELS)):
        key, model = MODELS[rule]
        path = weights[rule]
        card = Path(path).with_suffix(".json")
        train = f"train others ({training_command(model, path)}) and name that file in {key}"
        stated = weights_checksum(path)
        if stated == "unknown" and Path(path).is_file():
            raise StepError(
                f"{card}: expected the card of the weights {path} with their sha256 ({key}), found"
                f" none; copy it there with the weights, or {train}"
            )
        check_sha256(path, stated, f"restore the file and its card ({card.name}), or {train}")


def problem_of_models(jobs: Iterable[Any], weights: Mapping[str, str]) -> str | None:
    """Return what is wrong with the weights that planned Snakemake jobs need, in one sentence."""
    try:
        check_models((job.rule.name for job in jobs), weights)
    except StepError as error:
        return str(error)
    return None
