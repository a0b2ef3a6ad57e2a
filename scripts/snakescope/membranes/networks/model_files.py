"""Trained weights of membrane networks; the card in their header describes the network."""

from pathlib import Path
from typing import Any

from snakescope.learning.weights import load_weights, with_tensors
from snakescope.membranes.networks.networks import Network, build
from snakescope.membranes.networks.settings import NetworkSettings, of_description
from snakescope.step.errors import StepError

MODEL = "membranes of cells"


def load_network(
    path: str | Path, sha256: str | None
) -> tuple[Network, NetworkSettings, dict[str, Any]]:
    """The network of a weights file in evaluation mode, its settings, and its card.

    Raises:
        StepError: the file is no weights of a membrane network of this workflow.
    """
    tensors, card = load_weights(path, sha256)
    if card.get("model") != MODEL:
        raise StepError(
            f"{path}: expected weights of a network for membranes, found a card of"
            f" {card.get('model', 'something else')}; name another file in membranes: prediction:"
            " weights"
        )
    settings = of_description(card)
    network = with_tensors(build(settings), tensors, path, f"a {settings.architecture}")
    return network, settings, card
