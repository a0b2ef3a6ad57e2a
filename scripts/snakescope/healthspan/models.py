"""The models of the healthspan tree, and how others are trained."""

from pathlib import Path

from snakescope.settings.models import Model

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


def models(detector: str, classifier: str) -> dict[str, Model]:
    """The model of every rule that needs one, by the paths of the weights."""
    return {
        "healthspan_detect": Model(
            detector, "healthspan: detect: weights", training_command("detector", detector)
        ),
        "healthspan_classify": Model(
            classifier, "healthspan: classify: weights", training_command("classifier", classifier)
        ),
    }
