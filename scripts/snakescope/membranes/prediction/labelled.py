"""Predictions of labelled sections, to be scored."""

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray

from snakescope.membranes.networks.networks import Network, arranged
from snakescope.membranes.networks.settings import NetworkSettings
from snakescope.membranes.prediction.tiles import as_bytes, predict_section
from snakescope.membranes.stacks.sections import Labelled
from snakescope.step.progress import progress


def predict_labelled(
    network: Network,
    settings: NetworkSettings,
    stacks: Sequence[Labelled],
    turns: int = 1,
    dtype: torch.dtype = torch.float32,
) -> list[tuple[NDArray[np.uint8], NDArray[np.bool_]]]:
    """Probabilities (bytes) and true membranes, shape (Y, X) both, of the sections of stacks."""
    found = []
    network = arranged(network, dtype)
    for stack, z in progress([(a, z) for a in stacks for z in a.sections], "sections predicted"):
        planes = stack.grey.planes(z, settings.neighbours)
        probability = predict_section(network, settings, planes, turns=turns, dtype=dtype)
        found.append((as_bytes(probability), stack.membrane[z]))
    return found
