"""Weights of affinity networks, with the card that rebuilds the network."""

from pathlib import Path
from typing import Any

from snakescope.learning.weights import load_weights
from snakescope.neurites.networks.affinity_targets import CUBE_OFFSETS, NEAREST, OFFSETS
from snakescope.neurites.networks.networks import NeuriteNetwork
from snakescope.neurites.training.settings import TrainSettings
from snakescope.step.errors import StepError

MODEL = "affinities of neurites"


def offsets_of(settings: TrainSettings) -> tuple[tuple[int, int, int], ...]:
    """Distance (z, y, x; voxels) of the pair of every channel that the settings train."""
    return CUBE_OFFSETS if settings.cubes else OFFSETS


def build(settings: TrainSettings) -> NeuriteNetwork:
    """The network that the settings describe, with fresh weights."""
    memory = settings.memory if settings.network == "revnet" else "stored"
    channels = len(offsets_of(settings))
    return NeuriteNetwork(
        settings.network, settings.n, memory, settings.features, channels, settings.cubes
    )


def description(settings: TrainSettings) -> dict[str, Any]:
    """What a card has to say so that :func:`load_network` can rebuild the network."""
    return {
        "model": MODEL,
        "network": settings.network,
        "n": settings.n,
        "features": list(settings.features),
        "cubes": settings.cubes,
        "offsets_zyx": [list(offset) for offset in offsets_of(settings)],
        "patch_zyx": list(settings.patch_zyx),
    }


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
    cubes = card.get("cubes", False)
    network = NeuriteNetwork(card["network"], card["n"], "stored", card["features"], NEAREST, cubes)
    for name in ("head.weight", "head.bias"):
        tensors[name] = tensors[name][:NEAREST]
    try:
        network.load_state_dict(tensors)
    except RuntimeError:
        raise StepError(
            f"{path}: expected the tensors of {card['network']} as its card describes it, found"
            " others; restore the file"
        ) from None
    return network.eval(), card
