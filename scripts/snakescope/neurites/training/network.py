"""Networks as the settings of a training describe them."""

from typing import Any

from snakescope.neurites.networks.affinity_targets import ISOTROPIC_OFFSETS, OFFSETS
from snakescope.neurites.networks.model_files import MODEL
from snakescope.neurites.networks.networks import NeuriteNetwork
from snakescope.neurites.training.settings import TrainSettings


def offsets_of(settings: TrainSettings) -> tuple[tuple[int, int, int], ...]:
    """Return the offset (z, y, x; voxels) of the voxel pair of every channel."""
    return ISOTROPIC_OFFSETS if settings.isotropic else OFFSETS


def build(settings: TrainSettings) -> NeuriteNetwork:
    """Return the network with random weights."""
    memory = settings.memory if settings.network == "revnet" else "stored"
    channels = len(offsets_of(settings))
    return NeuriteNetwork(
        settings.network, settings.n, memory, settings.features, channels, settings.isotropic
    )


def description(settings: TrainSettings) -> dict[str, Any]:
    """Return the entries of a model card from which ``load_network`` rebuilds the network."""
    return {
        "model": MODEL,
        "network": settings.network,
        "n": settings.n,
        "features": list(settings.features),
        "cubes": settings.isotropic,
        "offsets_zyx": [list(offset) for offset in offsets_of(settings)],
        "patch_zyx": list(settings.patch_zyx),
    }
