"""Feature maps of the branches of a network on a stack: pictures and statistics.

snakescope membranes features --stack stack.json --weights w.safetensors --settings '{}'
    --table features.tsv --figure features.png
"""

import argparse
from collections.abc import Mapping
from pathlib import Path

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from numpy.typing import NDArray

from snakescope.imaging.style import figure_style, save_figure
from snakescope.membranes.features.settings import FeaturesSettings
from snakescope.membranes.features.statistics import Map, as_rows, logits_of, middle, statistics_of
from snakescope.membranes.networks.model_files import load_network
from snakescope.membranes.stacks.manifest import Manifest, read_manifest
from snakescope.membranes.stacks.sections import read_grey, read_membrane
from snakescope.step.errors import StepError
from snakescope.step.tables import write_table

NM_PER_UM = 1000.0


def labelled_sections(manifest: Manifest, count: int) -> list[int]:
    """Sections to look at: of the tuning ones, else of the test or training ones, evenly.

    Raises:
        StepError: there is no labelled section.
    """
    for part in ("tune", "test", "train"):
        sections = manifest.parts[part]
        if sections:
            places = np.linspace(0, len(sections) - 1, min(count, len(sections)))
            return [sections[round(place)] for place in places]
    raise StepError(
        f"{manifest.name}: expected labelled sections to look at feature maps with, found none;"
        " name labels in the sample sheet"
    )


def draw(
    section: NDArray[np.generic], logits: Mapping[str, Map], manifest: Manifest, z: int
) -> Figure:
    """A section, the map of every branch and their sum, logits of membrane minus other."""
    maps = {name: one[1] - one[0] for name, one in logits.items()}
    maps = {**maps, "sum": np.sum(list(maps.values()), axis=0)}
    size = [
        side * nm / NM_PER_UM for side, nm in zip(section.shape, manifest.voxel_nm[1:], strict=True)
    ]
    extent = (0, size[1], size[0], 0)
    with figure_style():
        figure, axes = plt.subplots(
            1, len(maps) + 1, figsize=(3.6 * (len(maps) + 1), 3.1), constrained_layout=True
        )
        axes[0].imshow(section, cmap="gray", extent=extent)
        axes[0].set(title=f"{manifest.name}, section {z}", ylabel="y (µm)")
        for axis, (name, one) in zip(axes[1:], maps.items(), strict=True):
            limit = max(float(np.percentile(np.abs(one), 99)), 1e-6)
            shown = axis.imshow(one, cmap="PuOr_r", vmin=-limit, vmax=limit, extent=extent)
            figure.colorbar(shown, ax=axis, shrink=0.8, label="membrane minus other (logits)")
            axis.set_title(name)
        for axis in axes:
            axis.grid(False)
            axis.set_xlabel("x (µm)")
    return figure


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command."""
    parser.add_argument("--stack", type=Path, required=True, help="stack.json of the stack")
    parser.add_argument("--weights", type=Path, required=True)
    parser.add_argument("--sha256", default="", help="that the weights must have")
    parser.add_argument("--settings", required=True, help="JSON of membranes.features")
    parser.add_argument("--table", type=Path, required=True, help="TSV to write")
    parser.add_argument("--figure", type=Path, required=True, help="PNG to write")


def main(given: argparse.Namespace) -> None:
    """Look at the feature maps of a network."""
    settings = FeaturesSettings.model_validate_json(given.settings)
    network, described, _ = load_network(given.weights, given.sha256 or None)
    manifest = read_manifest(given.stack)
    wanted = labelled_sections(manifest, settings.sections)
    rows, columns = middle(*manifest.shape[1:])
    grey = read_grey(manifest)
    logits, truth = [], []
    for z in wanted:
        logits.append(logits_of(network, grey.planes(z, described.neighbours, rows, columns)))
        truth.append(read_membrane(manifest, z, z + 1)[0][rows, columns])
    table = pd.DataFrame(as_rows(statistics_of(logits, truth)))
    table.insert(0, "stack", manifest.name)
    write_table(given.table, table.assign(sections=len(wanted)))
    figure = draw(grey.image[wanted[0]][rows, columns], logits[0], manifest, wanted[0])
    save_figure(figure, given.figure)
