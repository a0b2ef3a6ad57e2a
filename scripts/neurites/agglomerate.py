"""Agglomeration: the block graphs become one graph of the volume, its regions are joined.

What is kept is every merge with its score, so that the partition at any threshold is a lookup.
"""

import argparse
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import h5py
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from neurites.block_files import open_block, read_statistics
from neurites.merging import Merges, join, merge_regions, partition
from neurites.region_graph import BlockGraph, read_graph
from neurites.settings.agglomerate import AgglomerateSettings, quantile_of
from step.command import run_step
from step.errors import StepError
from step.output import whole_file
from step.progress import progress
from step.tables import write_table

VERSION = 1


@dataclass(frozen=True)
class Numbering:
    """Fragments of a volume numbered without gaps, in the order of the blocks.

    Attributes:
        first_ids: per block, the id before its first fragment; ascending.
        offsets: per block and one more, the number of its first fragment.
    """

    first_ids: NDArray[np.int64]
    offsets: NDArray[np.int64]

    @property
    def total(self) -> int:
        """How many fragments there are."""
        return int(self.offsets[-1])

    def __call__(self, ids: NDArray[np.uint64]) -> NDArray[np.int64]:
        """Return the numbers, from 0, of fragments by their ids."""
        signed = ids.astype(np.int64)
        block = np.searchsorted(self.first_ids, signed, side="left") - 1
        return self.offsets[block] + signed - self.first_ids[block] - 1


def numbering(first_ids: Sequence[int], counts: Sequence[int]) -> Numbering:
    """Number the fragments of blocks given in ascending order of ``first_ids``."""
    offsets = np.concatenate([[0], np.cumsum(np.asarray(counts, np.int64))])
    return Numbering(np.asarray(first_ids, np.int64), offsets)


@dataclass(frozen=True)
class VolumeGraph:
    """The region graph of a volume.

    Attributes:
        nodes: how many regions there are, 0 .. nodes - 1.
        node_of: shape (fragments,), the region that a fragment is, or is a part of.
        first, second: shape (E,), regions in contact, each pair once, first < second.
        counts, sums: shape (E,), how many affinities, and their sum (0 to 255 each).
        histograms: shape (E, B) affinities by bin, or (0, 1).
    """

    nodes: int
    node_of: NDArray[np.int64]
    first: NDArray[np.int64]
    second: NDArray[np.int64]
    counts: NDArray[np.int64]
    sums: NDArray[np.float64]
    histograms: NDArray[np.int32]


def volume_graph(graphs: Sequence[BlockGraph], numbers: Numbering, bins: int = 0) -> VolumeGraph:
    """Merge the graphs of all blocks: cut fragments become one, their contacts add up.

    Args:
        graphs: of every block, in any order.
        numbers: of the fragments.
        bins: bins of the histograms; 0 makes none.
    """
    cut = numbers(np.concatenate([graph.cut for graph in graphs]).reshape(-1)).reshape(-1, 2)
    lowest = join(numbers.total, cut[:, 0], cut[:, 1])
    roots, node_of = np.unique(lowest, return_inverse=True)
    nodes = len(roots)
    ends = [
        np.stack([node_of[numbers(graph.first)], node_of[numbers(graph.second)]])
        for graph in graphs
    ]
    one, other = np.concatenate(ends, axis=1)
    keys = np.minimum(one, other) * nodes + np.maximum(one, other)
    real = one != other
    unique, contact = np.unique(keys[real], return_inverse=True)
    counts = np.concatenate([graph.counts for graph in graphs])[real]
    sums = np.concatenate([graph.sums for graph in graphs])[real]
    contact_counts = np.zeros(len(unique), np.int64)
    np.add.at(contact_counts, contact, counts)
    histograms = np.zeros((0, 1), np.int32)
    if bins:
        edge_of = np.full(len(keys), -1, np.int64)
        edge_of[real] = contact
        histograms = _histograms(graphs, edge_of, len(unique), bins)
    return VolumeGraph(
        nodes,
        node_of.astype(np.int64),
        unique // nodes,
        unique % nodes,
        contact_counts,
        np.bincount(contact, weights=sums, minlength=len(unique)).astype(np.float64),
        histograms,
    )


def _histograms(
    graphs: Sequence[BlockGraph], edge_of: NDArray[np.int64], edges: int, bins: int
) -> NDArray[np.int32]:
    histograms = np.zeros((edges, bins), np.int32)
    before = 0
    for graph in graphs:
        edge = edge_of[before + graph.bins[:, 0]]
        there = edge >= 0
        # Bins of 256 levels as waterz has them: level v of 0 .. 255 is its bin v.
        at = graph.bins[there, 1] * bins // 256
        np.add.at(histograms, (edge[there], at), graph.bins[there, 2].astype(np.int32))
        before += len(graph.first)
    return histograms


def agglomerate(graph: VolumeGraph, scoring: str, until: float = 1.0) -> Merges:
    """Join the regions of a volume while a score is below ``until``."""
    return merge_regions(
        graph.nodes,
        graph.first,
        graph.second,
        graph.sums,
        graph.counts,
        graph.histograms.copy(),
        quantile_of(scoring),
        until,
    )


@dataclass(frozen=True)
class Agglomeration:
    """All partitions of a volume's fragments.

    Attributes:
        numbers: of the fragments.
        node_of: shape (fragments,), which region a fragment begins as.
        merges: by scoring.
    """

    numbers: Numbering
    node_of: NDArray[np.int64]
    merges: dict[str, Merges]

    def regions(self, scoring: str, threshold: float) -> NDArray[np.int64]:
        """Return the region of every fragment, numbered from 1 without gaps.

        Raises:
            StepError: this scoring was not computed.
        """
        if scoring not in self.merges:
            raise StepError(
                f"neurites.segmentation.scoring: expected one of neurites.agglomerate.scoring "
                f"({', '.join(self.merges)}), found {scoring}; add it there or take one of them"
            )
        nodes = int(self.node_of.max()) + 1 if len(self.node_of) else 0
        lowest = partition(nodes, self.merges[scoring], threshold)
        return np.unique(lowest, return_inverse=True)[1].astype(np.int64)[self.node_of] + 1

    def of_block(self, regions: NDArray[np.int64], first_id: int) -> NDArray[np.int64]:
        """Return the regions of a block's fragments 1, 2, ..., led by 0 for what is none."""
        at = int(np.searchsorted(self.numbers.first_ids, first_id))
        own = regions[self.numbers.offsets[at] : self.numbers.offsets[at + 1]]
        return np.concatenate([np.zeros(1, np.int64), own])


def write_agglomeration(path: str | Path, agglomeration: Agglomeration) -> None:
    """Write all merges of a volume (HDF5)."""
    with whole_file(path) as partial, h5py.File(partial, "w") as file:
        file["first_ids"] = agglomeration.numbers.first_ids
        file["offsets"] = agglomeration.numbers.offsets
        file["node_of"] = agglomeration.node_of
        for scoring, merges in agglomeration.merges.items():
            for name, column in merges._asdict().items():
                file[f"merges/{scoring}/{name}"] = column


def read_agglomeration(path: str | Path) -> Agglomeration:
    """Read all merges of a volume.

    Raises:
        StepError: the file is absent or damaged.
    """
    with open_block(path) as file:
        merges = {
            scoring: Merges(*(group[name][...] for name in Merges._fields))
            for scoring, group in file["merges"].items()
        }
        numbers = Numbering(file["first_ids"][...], file["offsets"][...])
        return Agglomeration(numbers, file["node_of"][...], merges)


def main() -> None:
    """Agglomerate a volume."""
    parser = argparse.ArgumentParser(prog="python -m neurites.agglomerate", description=__doc__)
    parser.add_argument("--fragments", type=Path, nargs="+", required=True, help="of every block")
    parser.add_argument("--graphs", type=Path, nargs="+", required=True, help="of every block")
    parser.add_argument("--settings", required=True, help="JSON of neurites.agglomerate")
    parser.add_argument("--agglomeration", type=Path, required=True, help="HDF5 file to write")
    parser.add_argument("--table", type=Path, required=True, help="regions by threshold, TSV")
    given = parser.parse_args()
    settings = AgglomerateSettings.model_validate_json(given.settings)
    counted = sorted((first, len(rows)) for rows, first in map(read_statistics, given.fragments))
    numbers = numbering([first for first, _ in counted], [count for _, count in counted])
    graphs = [read_graph(path) for path in progress(given.graphs, "region graphs")]
    quantiles = any(quantile_of(scoring) >= 0 for scoring in settings.scoring)
    graph = volume_graph(graphs, numbers, settings.histogram_bins if quantiles else 0)
    del graphs
    print(
        f"{numbers.total} fragments, {graph.nodes} regions, {len(graph.first)} contacts",
        file=sys.stderr,
    )
    merges = {scoring: agglomerate(graph, scoring) for scoring in settings.scoring}
    result = Agglomeration(numbers, graph.node_of, merges)
    write_agglomeration(given.agglomeration, result)
    rows = [
        (scoring, threshold, graph.nodes - int(np.count_nonzero(found.scores < threshold)))
        for scoring, found in merges.items()
        for threshold in settings.thresholds
    ]
    write_table(given.table, pd.DataFrame(rows, columns=["scoring", "threshold", "regions"]))


if __name__ == "__main__":
    run_step(main)
