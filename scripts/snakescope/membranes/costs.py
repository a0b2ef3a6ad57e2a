"""What the steps of the tree take. Free of numpy, since the Snakefile imports it.

Amounts of a job: ``mpx``, million pixels of its sections; ``held``, million pixels of a tile or of
a batch times the channels of the first stage; ``work``, million pixels times channels that pass
through the network.
"""

from math import prod

from snakescope.membranes.networks.settings import NetworkSettings
from snakescope.membranes.prediction.settings import PredictSettings
from snakescope.membranes.stacks.manifest import Manifest
from snakescope.membranes.training.settings import TrainSettings
from snakescope.tree.costs import TRAINING_MINUTES, Cost, Size

MEGA = 1e6
MARGIN_PX = 80
"""Around a tile, the largest that a kernel makes."""

_TRAINING = {"mpx": 12.0, "held": 90.0}

COSTS = {
    "simulate": Cost(120, {"mpx": 30}, 5, {"mpx": 3}),
    "train": Cost(600, _TRAINING, 60, {"work": 0.3, "mpx": 2}, TRAINING_MINUTES),
    "fold": Cost(600, _TRAINING, 60, {"work": 0.3, "mpx": 8}, TRAINING_MINUTES),
    "folds": Cost(250),
    "learning_point": Cost(600, _TRAINING, 60, {"work": 0.3, "mpx": 8}, TRAINING_MINUTES),
    "learning_curve": Cost(250),
    "trial": Cost(600, _TRAINING, 60, {"work": 0.3, "mpx": 2}, TRAINING_MINUTES),
    "select": Cost(150),
    "search": Cost(250),
    "paper": Cost(350, s=300),
    "predict": Cost(500, {"mpx": 4, "held": 24}, 10, {"work": 0.1}),
    "assemble": Cost(150, {"mpx": 1.5}, 5, {"mpx": 0.1}),
    "evaluate": Cost(300, {"mpx": 6}, 10, {"mpx": 20}),
    "features": Cost(600, {"mpx": 8}, 20, {"mpx": 2}),
    "page": Cost(150),
    "pictures": Cost(350, {"mpx": 2}, 10, {"mpx": 0.2}),
}


def of_stack(manifest: Manifest) -> Size:
    """A job that works on a whole stack."""
    return Size("", {"mpx": prod(manifest.shape) / MEGA})


def of_prediction(manifest: Manifest, sections: int, settings: PredictSettings, width: int) -> Size:
    """A block of sections."""
    side = settings.tile_px + 2 * MARGIN_PX
    seen = sections * manifest.shape[1] * manifest.shape[2] / MEGA
    held = min(side**2, manifest.shape[1] * manifest.shape[2]) / MEGA * width
    return Size("", {"mpx": seen, "held": held, "work": seen * width * settings.turns})


def of_training(manifests: list[Manifest], settings: TrainSettings) -> Size:
    """A training on some stacks."""
    batch = settings.batch * settings.crop_px**2 / MEGA * _channels(settings.network)
    pixels = sum(prod(one.shape) for one in manifests) / MEGA
    return Size("", {"mpx": pixels, "held": batch, "work": batch * settings.steps})


def _channels(network: NetworkSettings) -> int:
    return network.width * (1 if network.architecture == "dcn" else 2)
