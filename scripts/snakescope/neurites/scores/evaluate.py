"""Evaluation: scores of the partition at every threshold against the truth.

The contingency table of fragments and true objects is counted once, block by block;
that of a partition is a sum over its rows.
"""

import argparse
import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from itertools import cycle
from pathlib import Path

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import zarr
from matplotlib.figure import Figure
from numpy.typing import NDArray

from snakescope.imaging.style import SERIES_COLOURS, figure_style, save_figure
from snakescope.learning.partition_scores import PartitionScores, scores_of_table
from snakescope.neurites.agglomeration.agglomerate import Agglomeration, read_agglomeration
from snakescope.neurites.agglomeration.settings import AgglomerateSettings, SegmentationSettings
from snakescope.neurites.fragments.block_files import (
    box_of,
    open_block,
    read_labels,
    read_statistics,
)
from snakescope.neurites.fragments.pair_counts import contingency_table
from snakescope.neurites.scores.settings import EvaluateSettings
from snakescope.neurites.volumes.blocks import Grid, slices
from snakescope.neurites.volumes.sheet import TRAINED_ON
from snakescope.step.errors import StepError
from snakescope.step.progress import progress
from snakescope.step.tables import write_table

ContingencyTable = tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]


def fragment_table(
    fragments: Iterable[Path], labels: zarr.Array, agglomeration: Agglomeration, ignore_zero: bool
) -> ContingencyTable:
    """Count the voxels of every fragment in every true object.

    Returns:
        Number of the fragment (-1 for voxels in none), true label, voxels.
    """
    numbers = agglomeration.numbers
    parts: list[ContingencyTable] = []
    for path in fragments:
        with open_block(path) as file:
            box, first_id = box_of(file), int(file.attrs["first_id"])
        truth = np.asarray(labels[slices(box)]).astype(np.int64)
        own, true, voxels = contingency_table(read_labels(path), truth)
        known = true != 0 if ignore_zero else np.ones(len(true), bool)
        offset = numbers.offsets[np.searchsorted(numbers.first_ids, first_id)]
        number = np.where(own > 0, own - 1 + offset, -1)
        parts.append((number[known], true[known], voxels[known]))
    number, true, voxels = (np.concatenate(column) for column in zip(*parts, strict=True))
    return number, true, voxels


def score_table(
    contingency: ContingencyTable,
    agglomeration: Agglomeration,
    thresholds: Sequence[float],
    written: SegmentationSettings,
    sizes: NDArray[np.int64],
) -> pd.DataFrame:
    """Score the partitions of every scoring at every threshold, and the one that is written.

    Args:
        sizes: shape (fragments,), voxels of every fragment.

    Returns:
        A row per partition: scoring, threshold, whether it is the one written, its scores. At
        every threshold, regions below the minimum size are part of the background segment.
    """
    rows = []
    number, true, voxels = contingency
    for scoring in agglomeration.merges:
        every = set(thresholds)
        if scoring == written.scoring:
            every.add(written.threshold)
        for threshold in sorted(every):
            regions = agglomeration.regions(scoring, threshold)
            too_small = np.bincount(regions, sizes)[regions] < written.min_voxels
            regions = np.where(too_small, 0, regions)
            chosen = (scoring, threshold) == (written.scoring, written.threshold)
            scores = scores_of_table(np.concatenate([regions, [0]])[number], true, voxels)
            rows.append(
                {
                    "scoring": scoring,
                    "threshold": threshold,
                    "written": "yes" if chosen else "no",
                    **row(scores),
                }
            )
    return pd.DataFrame(rows)


def row(scores: PartitionScores) -> dict[str, float]:
    """Return scores as cells of a table."""
    return {**asdict(scores), "voi": scores.voi}


def draw_scores(table: pd.DataFrame, volume: str) -> Figure:
    """Draw adapted Rand error and variation of information over the threshold, best points
    marked. Scorings differ in colour and in the shape of their points.
    """
    with figure_style():
        height = 3.6 + 0.2 * table["scoring"].nunique()
        figure, axes = plt.subplots(1, 2, figsize=(9.5, height), constrained_layout=True)
        looks = zip(cycle(SERIES_COLOURS), cycle("os^DvPX*"), strict=False)
        for (colour, marker), (scoring, part) in zip(
            looks, table.groupby("scoring", sort=False), strict=False
        ):
            for panel, error, places, x, y in (
                (axes[0], "arand", ".4f", "threshold", "arand"),
                (axes[1], "voi", ".3f", "voi_split", "voi_merge"),
            ):
                best = part.iloc[int(part[error].argmin())]
                bits = " bits" if error == "voi" else ""
                label = f"{scoring}: {best[error]:{places}}{bits} at {best['threshold']:g}"
                panel.plot(part[x], part[y], marker=marker, ms=4, color=colour, label=label)
                panel.plot(best[x], best[y], "o", ms=10, mfc="none", color=colour)
        axes[0].set(
            title=f"{volume}: adapted Rand error",
            xlabel="threshold (1 - affinity)",
            ylabel="adapted Rand error",
            ylim=(0, None),
        )
        axes[1].set(
            title="Variation of information",
            xlabel="split (bits)",
            ylabel="merge (bits)",
            xlim=(0, None),
            ylim=(0, None),
        )
        for one in axes:
            # Below the axes, where the legend covers nothing.
            one.legend(
                title="rings: best", title_fontsize=8, loc="upper left", bbox_to_anchor=(0, -0.18)
            )
    return figure


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command."""
    parser.add_argument("--agglomeration", type=Path, required=True)
    parser.add_argument("--fragments", type=Path, required=True, help="folder, of every block")
    parser.add_argument("--grid", required=True, help="JSON: shape, block, voxel_nm (z, y, x)")
    parser.add_argument("--labels", required=True, help="Zarr array of true labels")
    parser.add_argument("--settings", required=True, help="JSON of neurites.evaluate")
    parser.add_argument("--agglomerate-settings", required=True, help="JSON of that section")
    parser.add_argument("--segmentation-settings", required=True, help="JSON of that section")
    parser.add_argument("--set", required=True, help="what the labels are for: train, ...")
    parser.add_argument(
        "--extra", default="{}", help="JSON: cells of the volume in the sheet's further columns"
    )
    parser.add_argument("--scores", type=Path, required=True, help="TSV to write")
    parser.add_argument("--curve", type=Path, required=True, help="PNG to write")


def main(given: argparse.Namespace) -> None:
    """Score the partitions of a volume."""
    settings = EvaluateSettings.model_validate_json(given.settings)
    thresholds = AgglomerateSettings.model_validate_json(given.agglomerate_settings).thresholds
    written = SegmentationSettings.model_validate_json(given.segmentation_settings)
    agglomeration = read_agglomeration(given.agglomeration)
    labels = zarr.open_array(given.labels, mode="r")
    described = json.loads(given.grid)
    grid = Grid(tuple(described["shape"]), tuple(described["block"]))
    files = [given.fragments / f"{block.name}.h5" for block in grid]
    contingency = fragment_table(
        progress(files, "blocks compared"),
        labels,
        agglomeration,
        settings.ignore_truth_zero,
    )
    if not contingency[2].sum():
        raise StepError(
            f"{given.labels}: expected true labels, found 0 in every voxel; leave labels empty in "
            "the sample sheet or set neurites.scores.ignore_truth_zero to false"
        )
    sizes = np.concatenate([read_statistics(path)[0][:, 0] for path in files])
    table = score_table(contingency, agglomeration, thresholds, written, sizes)
    write_table(given.scores, table.assign(set=given.set, **json.loads(given.extra)))
    name = given.scores.parent.name + (f" ({TRAINED_ON})" if given.set == "train" else "")
    save_figure(draw_scores(table, name), given.curve)
