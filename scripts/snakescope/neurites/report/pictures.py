"""Pictures of a volume: sections with the segmentation over them, the largest neurites in 3-D."""

import argparse
import json
from pathlib import Path

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import zarr
from matplotlib.colors import hsv_to_rgb
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from mpl_toolkits.mplot3d.art3d import Poly3DCollection
from numpy.typing import NDArray
from skimage.measure import marching_cubes

from snakescope.imaging.style import figure_style, save_figure
from snakescope.neurites.report.settings import PicturesSettings
from snakescope.step.tables import read_table

NM_PER_UM = 1000.0
TINT = 0.45
# Okabe and Ito's colours, which stay apart for readers with any colour vision.
SERIES = ("#0072b2", "#e69f00", "#009e73", "#cc79a7", "#56b4e9", "#d55e00", "#f0e442", "#666666")
LARGEST_MESH = 96


def label_colours(labels: NDArray[np.uint64]) -> NDArray[np.float64]:
    """A colour for every label, the same in every picture; shape (..., 3), 0 to 1.

    Neighbouring ids fall on hues far apart (steps of the golden ratio) and on three lightnesses,
    by which they stay apart where hues do not.
    """
    ids = labels.astype(np.float64)
    hue = (ids * 0.6180339887) % 1
    value = np.choose((labels % np.uint64(3)).astype(int), (1.0, 0.8, 0.6))
    saturation = np.choose(((labels // np.uint64(3)) % np.uint64(2)).astype(int), (0.9, 0.55))
    return np.asarray(hsv_to_rgb(np.stack([hue, saturation, value], axis=-1)))


def overlay(image: NDArray[np.uint8], labels: NDArray[np.uint64]) -> NDArray[np.float64]:
    """Lay labels over a section, their borders drawn; shape (Y, X, 3), 0 to 1."""
    grey = np.repeat(image[..., None] / 255.0, 3, axis=-1)
    mixed = np.where(labels[..., None] > 0, (1 - TINT) * grey + TINT * label_colours(labels), grey)
    border = np.zeros(labels.shape, bool)
    border[1:] |= labels[1:] != labels[:-1]
    border[:, 1:] |= labels[:, 1:] != labels[:, :-1]
    mixed[border] = label_colours(labels)[border] * 0.55
    return mixed


def draw_sections(
    image: zarr.Array,
    segmentation: zarr.Array,
    voxel_nm: tuple[float, float, float],
    settings: PicturesSettings,
    volume: str,
) -> Figure:
    """Draw sections evenly through the volume, each without and with the segmentation over it."""
    depth, height, width = image.shape
    count = min(settings.sections, depth)
    wanted = [int((2 * at + 1) * depth / (2 * count)) for at in range(count)]
    side_y, side_x = min(settings.side_px, height), min(settings.side_px, width)
    y, x = (height - side_y) // 2, (width - side_x) // 2
    extent = (0, side_x * voxel_nm[2] / NM_PER_UM, side_y * voxel_nm[1] / NM_PER_UM, 0)
    with figure_style():
        figure, axes = plt.subplots(
            2, count, figsize=(3.1 * count, 6.6), constrained_layout=True, squeeze=False
        )
        for column, z in enumerate(wanted):
            where = (z, slice(y, y + side_y), slice(x, x + side_x))
            section, labels = np.asarray(image[where]), np.asarray(segmentation[where])
            axes[0, column].imshow(section, cmap="gray", vmin=0, vmax=255, extent=extent)
            axes[1, column].imshow(overlay(section, labels), extent=extent)
            axes[0, column].set_title(f"{volume}: section {z}" if column == 0 else f"section {z}")
            for axis in axes[:, column]:
                axis.grid(False)
            axes[1, column].set_xlabel("x (µm)")
        for axis in axes[:, 0]:
            axis.set_ylabel("y (µm)")
    return figure


def draw_neurites(
    segmentation: zarr.Array,
    objects: pd.DataFrame,
    voxel_nm: tuple[float, float, float],
    settings: PicturesSettings,
    volume: str,
) -> Figure:
    """Draw the surfaces of the largest objects in the frame of the volume."""
    shape = segmentation.shape
    stride = tuple(max(1, -(-n // LARGEST_MESH)) for n in shape)
    # Read by slabs, so that a large volume is never held at full resolution.
    coarse = np.concatenate(
        [
            np.asarray(segmentation[z : z + 1, :: stride[1], :: stride[2]])
            for z in range(0, shape[0], stride[0])
        ]
    )
    spacing = np.array(voxel_nm) * stride / NM_PER_UM
    size = np.array(shape) * voxel_nm / NM_PER_UM
    with figure_style():
        figure = plt.figure(figsize=(7.5, 6.5), constrained_layout=True)
        axis = figure.add_subplot(projection="3d")
        for colour, name in zip(
            SERIES * (settings.neurites // len(SERIES) + 1),
            objects["object"].head(settings.neurites),
            strict=False,
        ):
            mask = np.pad(coarse == np.uint64(name), 1).astype(np.float32)
            if mask.sum() < 4:
                continue
            corners, faces, _, _ = marching_cubes(mask, 0.5, spacing=tuple(spacing))
            corners = corners - spacing
            surface = Poly3DCollection(
                corners[:, ::-1][faces], facecolors=colour, shade=True, linewidths=0
            )
            axis.add_collection3d(surface)
        axis.set(
            xlim=(0, size[2]),
            ylim=(0, size[1]),
            zlim=(0, size[0]),
            xlabel="x (µm)",
            ylabel="y (µm)",
            zlabel="z (µm)",
            title=f"{volume}: the {min(settings.neurites, len(objects))} largest of "
            f"{len(objects)} objects",
        )
        # In true proportions; a flat volume has no room for many numbers along z.
        axis.set_box_aspect(size[::-1], zoom=0.92)
        for each, length in zip((axis.zaxis, axis.yaxis, axis.xaxis), size, strict=True):
            each.set_major_locator(MaxNLocator(max(1, round(7 * length / size.max()))))
    return figure


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command."""
    parser.add_argument("--image", required=True, help="Zarr array")
    parser.add_argument("--segmentation", required=True, help="OME-Zarr")
    parser.add_argument("--objects", type=Path, required=True, help="TSV")
    parser.add_argument("--grid", required=True, help="JSON: shape, block, voxel_nm (z, y, x)")
    parser.add_argument("--settings", required=True, help="JSON of neurites.pictures")
    parser.add_argument("--sections", type=Path, required=True, help="PNG to write")
    parser.add_argument("--neurites", type=Path, required=True, help="PNG to write")


def main(given: argparse.Namespace) -> None:
    """Draw the pictures of a volume."""
    settings = PicturesSettings.model_validate_json(given.settings)
    image = zarr.open_array(given.image, mode="r")
    segmentation = zarr.open_array(f"{given.segmentation}/0", mode="r")
    z, y, x = map(float, json.loads(given.grid)["voxel_nm"])
    volume = given.sections.parent.name
    figure = draw_sections(image, segmentation, (z, y, x), settings, volume)
    save_figure(figure, given.sections)
    objects = read_table(given.objects, ("object", "voxels"))
    save_figure(draw_neurites(segmentation, objects, (z, y, x), settings, volume), given.neurites)
