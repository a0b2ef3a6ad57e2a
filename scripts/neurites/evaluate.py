"""Evaluation: every threshold's partition against the truth.

The overlaps of fragments with true objects are counted once, block by block; what they come to at a
threshold is a sum over them.
"""

import argparse
import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from pathlib import Path

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import zarr
from matplotlib.figure import Figure
from numpy.typing import NDArray

from imaging.style import FAINT_INK, SERIES_COLOURS, figure_style, save_figure
from neurites.agglomerate import Agglomeration, read_agglomeration
from neurites.block_files import box_of, open_block, read_labels
from neurites.blocks import Grid, slices
from neurites.pair_counts import overlaps
from neurites.partition_scores import PartitionScores, scores_of_overlaps
from neurites.settings.agglomerate import AgglomerateSettings
from neurites.settings.evaluate import EvaluateSettings
from neurites.settings.segmentation import SegmentationSettings
from step.command import run_step
from step.errors import StepError
from step.progress import progress
from step.tables import write_table

VERSION = 1

Overlaps = tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]


def fragment_overlaps(
    fragments: Iterable[Path], labels: zarr.Array, agglomeration: Agglomeration, ignore_zero: bool
) -> Overlaps:
    """Count the voxels of every fragment in every true object.

    Returns:
        Number of the fragment (-1 for voxels in none), true label, voxels.
    """
    numbers = agglomeration.numbers
    parts: list[Overlaps] = []
    for path in fragments:
        with open_block(path) as file:
            box, first_id = box_of(file), int(file.attrs["first_id"])
        truth = np.asarray(labels[slices(box)]).astype(np.int64)
        own, true, voxels = overlaps(read_labels(path), truth)
        known = true != 0 if ignore_zero else np.ones(len(true), bool)
        offset = numbers.offsets[np.searchsorted(numbers.first_ids, first_id)]
        number = np.where(own > 0, own - 1 + offset, -1)
        parts.append((number[known], true[known], voxels[known]))
    number, true, voxels = (np.concatenate(column) for column in zip(*parts, strict=True))
    return number, true, voxels


def score_table(
    counted: Overlaps,
    agglomeration: Agglomeration,
    thresholds: Sequence[float],
    written: tuple[str, float],
) -> pd.DataFrame:
    """Score every scoring at every threshold, and the partition that is written.

    Returns:
        A row a partition: scoring, threshold, whether it is the one written, its scores.
    """
    rows = []
    number, true, voxels = counted
    for scoring in agglomeration.merges:
        every = set(thresholds)
        if scoring == written[0]:
            every.add(written[1])
        for threshold in sorted(every):
            regions = np.concatenate([agglomeration.regions(scoring, threshold), [0]])
            scores = scores_of_overlaps(regions[number], true, voxels)
            chosen = "yes" if (scoring, threshold) == written else "no"
            rows.append(
                {"scoring": scoring, "threshold": threshold, "written": chosen, **row(scores)}
            )
    return pd.DataFrame(rows)


def row(scores: PartitionScores) -> dict[str, float]:
    """Scores as cells of a table."""
    return {**asdict(scores), "voi": scores.voi}


def draw_scores(table: pd.DataFrame, volume: str) -> Figure:
    """Draw adapted Rand error and variation of information over the threshold, best points
    marked.
    """
    with figure_style():
        figure, axes = plt.subplots(1, 2, figsize=(9.5, 3.6), constrained_layout=True)
        for colour, (scoring, part) in zip(
            SERIES_COLOURS, table.groupby("scoring", sort=False), strict=False
        ):
            best = part.iloc[int(part["arand"].argmin())]
            axes[0].plot(part["threshold"], part["arand"], marker="o", ms=3.5, color=colour)
            axes[0].plot(best["threshold"], best["arand"], "o", ms=10, mfc="none", color=colour)
            axes[0].annotate(
                f"{scoring}: {best['arand']:.4f} at {best['threshold']:g}",
                (best["threshold"], best["arand"]),
                xytext=(0, -16),
                textcoords="offset points",
                ha="center",
                color=colour,
                fontsize=8,
            )
            axes[1].plot(part["voi_split"], part["voi_merge"], marker="o", ms=3.5, color=colour)
            best = part.iloc[int(part["voi"].argmin())]
            axes[1].plot(best["voi_split"], best["voi_merge"], "o", ms=10, mfc="none", color=colour)
            axes[1].annotate(
                f"{scoring}: {best['voi']:.3f} bits at {best['threshold']:g}",
                (best["voi_split"], best["voi_merge"]),
                xytext=(8, 6),
                textcoords="offset points",
                color=colour,
                fontsize=8,
            )
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
        figure.text(0.995, 0.005, "rings: best", ha="right", color=FAINT_INK, fontsize=7)
    return figure


def main() -> None:
    """Score the partitions of a volume."""
    parser = argparse.ArgumentParser(prog="python -m neurites.evaluate", description=__doc__)
    parser.add_argument("--agglomeration", type=Path, required=True)
    parser.add_argument("--fragments", type=Path, required=True, help="folder, of every block")
    parser.add_argument("--grid", required=True, help="JSON: shape, block, voxel_nm (z, y, x)")
    parser.add_argument("--labels", required=True, help="Zarr array of true labels")
    parser.add_argument("--settings", required=True, help="JSON of neurites.evaluate")
    parser.add_argument("--agglomerate-settings", required=True, help="JSON of that section")
    parser.add_argument("--segmentation-settings", required=True, help="JSON of that section")
    parser.add_argument("--scores", type=Path, required=True, help="TSV to write")
    parser.add_argument("--curve", type=Path, required=True, help="PNG to write")
    given = parser.parse_args()
    settings = EvaluateSettings.model_validate_json(given.settings)
    thresholds = AgglomerateSettings.model_validate_json(given.agglomerate_settings).thresholds
    written = SegmentationSettings.model_validate_json(given.segmentation_settings)
    agglomeration = read_agglomeration(given.agglomeration)
    labels = zarr.open_array(given.labels, mode="r")
    described = json.loads(given.grid)
    grid = Grid(tuple(described["shape"]), tuple(described["block"]))
    files = [given.fragments / f"{block.name}.h5" for block in grid]
    counted = fragment_overlaps(
        progress(files, "blocks compared"),
        labels,
        agglomeration,
        settings.ignore_truth_zero,
    )
    if not counted[2].sum():
        raise StepError(
            f"{given.labels}: expected true labels, found 0 in every voxel; leave labels empty in "
            "the sample sheet or set neurites.evaluate.ignore_truth_zero to false"
        )
    table = score_table(counted, agglomeration, thresholds, (written.scoring, written.threshold))
    write_table(given.scores, table)
    save_figure(draw_scores(table, given.scores.parent.name), given.curve)


if __name__ == "__main__":
    run_step(main)
