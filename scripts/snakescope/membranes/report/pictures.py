"""Pictures of a stack: sections, their membrane probabilities, and the cells between.

snakescope membranes pictures --stack stack.json --membranes membranes.tif --settings '{}'
    --scores scores.tsv --sections sections.png
"""

import argparse
from pathlib import Path

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.colors import hsv_to_rgb
from matplotlib.figure import Figure
from numpy.typing import NDArray

from snakescope.imaging.style import figure_style, save_figure
from snakescope.imaging.volumes import Source, describe, read
from snakescope.membranes.report.settings import PicturesSettings
from snakescope.membranes.scores.partitions import basins
from snakescope.membranes.scores.pixels import level_of
from snakescope.membranes.scores.stack_scores import DEFAULT_THRESHOLD
from snakescope.membranes.stacks.manifest import Manifest, read_manifest
from snakescope.membranes.stacks.sections import read_grey, read_membrane
from snakescope.step.tables import read_table

NM_PER_UM = 1000.0
TINT = 0.4
TRUE_ONLY, FOUND_ONLY = (0.0, 0.45, 0.70), (0.90, 0.62, 0.0)
"""Blue and orange of Okabe and Ito, apart for readers with any colour vision."""


def cell_colours(cells: NDArray[np.int64]) -> NDArray[np.float64]:
    """A colour for every cell, shape (Y, X, 3); numbers that follow differ in hue and lightness."""
    hue = (cells * 0.6180339887) % 1
    value = np.choose(cells % 3, (1.0, 0.8, 0.6))
    return np.asarray(hsv_to_rgb(np.stack([hue, np.full(cells.shape, 0.8), value], axis=-1)))


def cells_over(section: NDArray[np.float64], cells: NDArray[np.int64]) -> NDArray[np.float64]:
    """Cells over a section (0 to 1), lines between them black; shape (Y, X, 3)."""
    grey = np.repeat(section[..., None], 3, axis=-1)
    mixed = (1 - TINT) * grey + TINT * cell_colours(cells)
    mixed[cells == 0] = 0
    return mixed


def differences_over(
    section: NDArray[np.float64], found: NDArray[np.bool_], true: NDArray[np.bool_]
) -> NDArray[np.float64]:
    """Membranes that are only true (blue) or only found (orange) over a section."""
    mixed = np.repeat(0.5 + 0.5 * section[..., None], 3, axis=-1)
    mixed[found & true] = 0
    mixed[true & ~found] = TRUE_ONLY
    mixed[found & ~true] = FOUND_ONLY
    return mixed


def grey_share(section: NDArray[np.generic]) -> NDArray[np.float64]:
    """Grey values from 0 (dark) to 1, stretched between their percentiles."""
    grey = section.astype(np.float64)
    low, high = np.percentile(grey, [0.5, 99.5])
    return np.asarray(((grey - low) / max(float(high - low), 1e-6)).clip(0, 1), np.float64)


def draw_sections(
    manifest: Manifest,
    membranes: Source,
    threshold: float,
    pixels: float,
    settings: PicturesSettings,
) -> Figure:
    """Draw sections: micrograph, probability, cells at a threshold, and errors where labelled."""
    depth, height, width = manifest.shape
    labelled = manifest.parts["test"]
    shown = list(labelled) if len(labelled) else list(range(depth))
    count = min(settings.sections, len(shown))
    wanted = [shown[int((2 * at + 1) * len(shown) / (2 * count))] for at in range(count)]
    sides = [min(settings.side_px, side) for side in (height, width)]
    rows, columns = (
        slice((side - part) // 2, (side - part) // 2 + part)
        for side, part in zip((height, width), sides, strict=True)
    )
    size = [part * nm / NM_PER_UM for part, nm in zip(sides, manifest.voxel_nm[1:], strict=True)]
    extent = (0, size[1], size[0], 0)
    titles = ["micrograph", "probability of membrane", f"cells at {threshold:g}"]
    titles += [f"membranes at {pixels:g}\n(orange: only found, blue: only true)"] * bool(labelled)
    with figure_style():
        figure, axes = plt.subplots(
            len(titles), count, figsize=(3.6 * count, 3.75 * len(titles)),
            constrained_layout=True, squeeze=False,
        )  # fmt: skip
        for column, z in enumerate(wanted):
            section = grey_share(read_grey(manifest, z, z + 1).image[0][rows, columns])
            probability = read(membranes, z, z + 1)[0]
            cells = basins(probability < level_of(threshold))[rows, columns]
            pictures = [section, probability[rows, columns] / 255, cells_over(section, cells)]
            if labelled:
                true = read_membrane(manifest, z, z + 1)[0][rows, columns]
                found = probability[rows, columns] >= level_of(pixels)
                pictures.append(differences_over(section, found, true))
            for axis, picture in zip(axes[:, column], pictures, strict=True):
                axis.imshow(picture, cmap="gray", vmin=0, vmax=1, extent=extent)
                axis.grid(False)
            axes[0, column].set_title(f"section {z}")
            axes[-1, column].set_xlabel("x (µm)")
        for axis, title in zip(axes[:, 0], titles, strict=True):
            axis.set_ylabel(f"{title}\ny (µm)")
        figure.suptitle(manifest.name)
    return figure


def thresholds_of(scores: Path | None) -> tuple[float, float]:
    """Thresholds of cells and of pixels in a table of scores; 0.5 without one."""
    if scores is None:
        return DEFAULT_THRESHOLD, DEFAULT_THRESHOLD
    table = read_table(scores, ("network", "metric", "threshold"))
    rows = table[table["network"] == "network"].set_index("metric")["threshold"]
    return float(rows["v_rand"]), float(rows["iou"])


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command."""
    parser.add_argument("--stack", type=Path, required=True, help="stack.json of the stack")
    parser.add_argument("--membranes", required=True, help="TIFF stack of probabilities")
    parser.add_argument("--scores", type=Path, nargs="*", help="TSV with thresholds, if any")
    parser.add_argument("--settings", required=True, help="JSON of membranes.report")
    parser.add_argument("--sections", type=Path, required=True, help="PNG to write")


def main(given: argparse.Namespace) -> None:
    """Draw the pictures of a stack."""
    settings = PicturesSettings.model_validate_json(given.settings)
    manifest = read_manifest(given.stack)
    cells, pixels = thresholds_of(given.scores[0] if given.scores else None)
    figure = draw_sections(manifest, describe(given.membranes), cells, pixels, settings)
    save_figure(figure, given.sections)
