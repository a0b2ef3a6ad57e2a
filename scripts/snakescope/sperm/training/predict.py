"""Grade the clips of a fold by a network that saw none of their donors."""

import argparse

import numpy as np
import torch
from numpy.typing import NDArray

from snakescope.learning.cross_validation.folds import (
    add_predict_options,
    read_fold,
    write_predictions,
)
from snakescope.learning.device import choose_device
from snakescope.learning.weights import load_weights
from snakescope.sperm.networks.build import build
from snakescope.sperm.networks.heads import GradeNetwork
from snakescope.sperm.training.data import Clips, load, tensors
from snakescope.sperm.training.settings import FitSettings
from snakescope.sperm.videos.sheet import GRADES

add_arguments = add_predict_options


def network_of(weights: str, device: torch.device) -> tuple[GradeNetwork, int]:
    """A trained network in evaluation mode, and the side of the frames it sees (px)."""
    tensors_of, card = load_weights(weights)
    network = build(card["network"], card["size"], card["size_px"])
    network.load_state_dict(tensors_of)
    return network.to(device).eval(), int(card["size_px"])


@torch.no_grad()
def graded(network: GradeNetwork, clips: Clips, batch: int = 16) -> NDArray[np.float64]:
    """Probabilities of the grades A to E, shape (N, 5)."""
    device = next(network.parameters()).device
    found = [np.zeros((0, len(GRADES)))]
    for first in range(0, len(clips.frames), batch):
        rows = np.arange(first, min(first + batch, len(clips.frames)))
        frames, motion, _ = tensors(clips, rows, device)
        found.append(network(frames, motion).exp().double().cpu().numpy())
    whole = np.concatenate(found)
    return whole / whole.sum(axis=1, keepdims=True)


def main(arguments: argparse.Namespace) -> None:
    """Run the step."""
    settings = FitSettings.model_validate_json(arguments.settings)
    torch.set_num_threads(settings.threads)
    items = read_fold(arguments.items, arguments.splits, arguments.fold)
    test = items[items["role"] == "test"].reset_index(drop=True)
    network, size_px = network_of(str(arguments.weights), choose_device(settings.device))
    found = graded(network, load(test, size_px))
    write_predictions(arguments, list(test["item"]), GRADES, found)
