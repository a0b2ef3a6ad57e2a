"""Commands that train the models of the tree, for messages."""

from pathlib import Path

UNSHIPPED = ("resnet_rs", "vit")
"""Architectures of the classifier that may be chosen, and have to be trained first."""


def training_command(model: str, weights: str) -> str:
    """The command that trains weights to take the place of ``weights``, which are not there."""
    command = f"snakemake --cores 2 results/healthspan/models/{model}.safetensors"
    wanted = [name for name in UNSHIPPED if name in Path(weights).stem]
    if model == "classifier" and wanted:
        chosen = f'healthspan={{"training": {{"classifier": {{"architecture": "{wanted[0]}"}}}}}}'
        command += f" --config '{chosen}'"
    return command
