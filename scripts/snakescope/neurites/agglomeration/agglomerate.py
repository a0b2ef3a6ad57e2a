"""Agglomeration of the region graphs of all blocks.

See :mod:`snakescope.neurites.agglomeration.hierarchy`. The result holds every merge with its score,
from which the partition at any threshold follows.
"""

import argparse
import json
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import h5py
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from snakescope.neurites.agglomeration.hierarchy import Part, agglomerate
from snakescope.neurites.agglomeration.partitions import (
    Merges,
    Numbering,
    numbering,
    partition,
    whole_fragments,
)
from snakescope.neurites.agglomeration.settings import AgglomerateSettings
from snakescope.neurites.fragments.block_files import open_block, read_count
from snakescope.neurites.fragments.region_graph import BlockGraph, read_cut, read_graph
from snakescope.neurites.volumes.blocks import Block, Box, Grid
from snakescope.step.errors import StepError
from snakescope.step.output import atomic_write
from snakescope.step.progress import progress
from snakescope.step.tables import write_table


@dataclass(frozen=True)
class Agglomeration:
    """Partitions of the fragments of a volume at all thresholds.

    Attributes:
        numbers: of the fragments.
        node_of: shape (fragments,), the initial region of every fragment.
        merges: by scoring.
    """

    numbers: Numbering
    node_of: NDArray[np.int64]
    merges: dict[str, Merges]

    @property
    def nodes(self) -> int:
        """Number of regions before the first merge."""
        return int(self.node_of.max()) + 1 if len(self.node_of) else 0

    def regions(self, scoring: str, threshold: float) -> NDArray[np.int64]:
        """Return the region of every fragment, numbered from 1 without gaps.

        Raises:
            StepError: this scoring was not computed.
        """
        if scoring not in self.merges:
            raise StepError(
                f"neurites.agglomeration.segmentation.scoring: expected one of agglomerate.scoring "
                f"({', '.join(self.merges)}), found {scoring}; add it there or take one of them"
            )
        return (partition(self.nodes, self.merges[scoring], threshold) + 1)[self.node_of]

    def of_block(self, regions: NDArray[np.int64], first_id: int) -> NDArray[np.int64]:
        """Return the lookup table from a block's labels 0, 1, 2, ... to regions; 0 stays 0."""
        at = int(np.searchsorted(self.numbers.first_ids, first_id))
        own = regions[self.numbers.offsets[at] : self.numbers.offsets[at + 1]]
        return np.concatenate([np.zeros(1, np.int64), own])


def write_agglomeration(path: str | Path, agglomeration: Agglomeration) -> None:
    """Write all merges of a volume (HDF5)."""
    with atomic_write(path) as partial, h5py.File(partial, "w") as file:
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


def agglomerate_files(
    fragments: Path,
    graphs: Path,
    grid: Grid,
    scorings: Sequence[str],
    bins: int,
    watch: Callable[[Box, Part], None] = lambda box, part: None,
) -> Agglomeration:
    """Agglomerate a volume with a few blocks in memory at a time.

    Args:
        fragments, graphs: folders of the files of all blocks.
        bins: bins of the histograms for quantiles.
        watch: see :func:`snakescope.neurites.agglomeration.hierarchy.agglomerate`.

    Raises:
        StepError: no block has a fragment.
    """
    counted = [
        read_count(fragments / f"{block.name}.h5") for block in progress(list(grid), "blocks seen")
    ]
    numbers = numbering(*zip(*counted, strict=True))
    if numbers.total == 0:
        raise StepError(
            f"{fragments}: expected fragments, found none in any block: hardly any affinity reaches"
            " neurites: fragments: boundary_affinity; train the network longer or lower it"
        )
    cut = (read_cut(graphs / f"{block.name}.npz") for block in grid)
    node_of = whole_fragments(cut, numbers)

    def graph_of(block: Block) -> BlockGraph:
        return read_graph(graphs / f"{block.name}.npz")

    merges = {
        scoring: agglomerate(grid, graph_of, numbers, node_of, scoring, bins, watch=watch)
        for scoring in scorings
    }
    return Agglomeration(numbers, node_of, merges)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command."""
    parser.add_argument("--fragments", type=Path, required=True, help="folder, of every block")
    parser.add_argument("--graphs", type=Path, required=True, help="folder, of every block")
    parser.add_argument("--grid", required=True, help="JSON: shape, block, voxel_nm (z, y, x)")
    parser.add_argument("--settings", required=True, help="JSON of neurites.agglomerate")
    parser.add_argument("--agglomeration", type=Path, required=True, help="HDF5 file to write")
    parser.add_argument("--table", type=Path, required=True, help="regions by threshold, TSV")


def main(given: argparse.Namespace) -> None:
    """Agglomerate a volume."""
    settings = AgglomerateSettings.model_validate_json(given.settings)
    described = json.loads(given.grid)
    grid = Grid(tuple(described["shape"]), tuple(described["block"]))
    result = agglomerate_files(
        given.fragments, given.graphs, grid, settings.scoring, settings.histogram_bins
    )
    write_agglomeration(given.agglomeration, result)
    print(f"{result.numbers.total} fragments, {result.nodes} regions", file=sys.stderr)
    rows = [
        (scoring, threshold, result.nodes - int(np.count_nonzero(found.scores < threshold)))
        for scoring, found in result.merges.items()
        for threshold in settings.thresholds
    ]
    write_table(given.table, pd.DataFrame(rows, columns=["scoring", "threshold", "regions"]))
