"""Membrane probabilities of a block of sections.

snakescope membranes predict --stack stack.json --sections 0:16 --weights w.safetensors
    --settings '{}' --probability z0000-0015.tif
"""

import argparse
from pathlib import Path

import numpy as np
import torch

from snakescope.imaging.volume_tiff import write_stack
from snakescope.learning.device import choose_device
from snakescope.learning.precision import arithmetic
from snakescope.membranes.networks.model_files import load_network
from snakescope.membranes.networks.networks import arranged
from snakescope.membranes.prediction.fusion import with_watershed
from snakescope.membranes.prediction.settings import PredictSettings
from snakescope.membranes.prediction.tiles import as_bytes, predict_section
from snakescope.membranes.stacks.manifest import read_manifest
from snakescope.membranes.stacks.sections import read_grey
from snakescope.step.progress import progress


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command."""
    parser.add_argument("--stack", type=Path, required=True, help="stack.json of the stack")
    parser.add_argument("--sections", required=True, help="BEGIN:END of the block")
    parser.add_argument("--weights", type=Path, required=True)
    parser.add_argument("--sha256", default="", help="that the weights must have")
    parser.add_argument("--settings", required=True, help="JSON of membranes.prediction")
    parser.add_argument("--probability", type=Path, required=True, help="TIFF stack to write")


def main(given: argparse.Namespace) -> None:
    """Predict a block."""
    settings = PredictSettings.model_validate_json(given.settings)
    torch.set_num_threads(settings.threads)
    network, described, _ = load_network(given.weights, given.sha256 or None)
    device = choose_device(settings.device)
    dtype = arithmetic(settings.precision, device)
    network = arranged(network.to(device), dtype)
    manifest = read_manifest(given.stack)
    begin, end = map(int, given.sections.split(":"))
    # With the neighbours that exist; at an end of the stack they are mirrored.
    first, last = (
        max(0, begin - described.neighbours),
        min(manifest.shape[0], end + described.neighbours),
    )
    grey = read_grey(manifest, first, last)
    found = np.zeros((end - begin, *manifest.shape[1:]), np.uint8)
    for z in progress(range(begin, end), "sections predicted"):
        planes = grey.planes(z - first, described.neighbours)
        probability = predict_section(
            network, described, planes, settings.tile_px, settings.turns, dtype
        )
        fused = with_watershed(probability, settings.watershed_weight, settings.join_below)
        found[z - begin] = as_bytes(fused)
    write_stack(given.probability, found)
