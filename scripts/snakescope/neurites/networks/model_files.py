"""Trained weights of affinity networks; their card describes the network."""

from pathlib import Path
from typing import Any

from snakescope.learning.weights import load_weights, with_tensors
from snakescope.neurites.networks.affinity_targets import NEAREST, OFFSETS
from snakescope.neurites.networks.networks import NeuriteNetwork
from snakescope.step.errors import StepError

MODEL = "affinities of neurites"


def load_network(path: str | Path, sha256: str | None) -> tuple[NeuriteNetwork, dict[str, Any]]:
    """The network of a weights file, for the nearest affinities only, and its card.

    Returns:
        A network in evaluation mode, (N, 1, z, y, x) to logits (N, 3, z, y, x) in the order of
        waterz: affinity of a voxel and the one before it along z, y, x.

    Raises:
        StepError: the file is no weights of an affinity network of this workflow.
    """
    tensors, card = load_weights(path, sha256)
    offsets = [list(offset) for offset in OFFSETS[:NEAREST]]
    if card.get("model") != MODEL or card.get("offsets_zyx", [])[:NEAREST] != offsets:
        raise StepError(
            f"{path}: expected weights of an affinity network whose first channels are the nearest"
            f" neighbours along z, y, x, found a card of {card.get('model', 'something else')};"
            " name another file in neurites: prediction: weights"
        )
    isotropic = card.get("cubes", False)
    network = NeuriteNetwork(
        card["network"], card["n"], "stored", card["features"], NEAREST, isotropic
    )
    for name in ("head.weight", "head.bias"):
        tensors[name] = tensors[name][:NEAREST]
    return with_tensors(network, tensors, path, card["network"]), card
