"""Segmentation of affinities in memory, by the functions of the steps."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from snakescope.neurites.agglomeration.agglomerate import Agglomeration
from snakescope.neurites.agglomeration.hierarchy import agglomerate
from snakescope.neurites.agglomeration.partitions import numbering, whole_fragments
from snakescope.neurites.agglomeration.settings import quantile_of
from snakescope.neurites.fragments.block_files import as_bytes
from snakescope.neurites.fragments.context import context_of
from snakescope.neurites.fragments.fragments import BlockFragments, block_fragments
from snakescope.neurites.fragments.region_graph import BlockGraph, Neighbour, block_graph
from snakescope.neurites.fragments.settings import FragmentsSettings
from snakescope.neurites.volumes.blocks import Block, Grid, Zyx, slices


@dataclass(frozen=True)
class Segmented:
    """Fragments of every block of a volume, and all partitions of them."""

    grid: Grid
    fragments: dict[str, BlockFragments]
    agglomeration: Agglomeration

    def labels(self, scoring: str, threshold: float) -> NDArray[np.uint64]:
        """Return the partition at a threshold, shape (Z, Y, X), regions numbered from 1."""
        regions = self.agglomeration.regions(scoring, threshold)
        whole = np.zeros(self.grid.shape, np.uint64)
        for block in self.grid:
            own = self.agglomeration.of_block(regions, block.index * self.grid.capacity)
            whole[block.slices] = own[self.fragments[block.name].labels]
        return whole


def segment_blocks(
    affinities: NDArray[np.uint8],
    block: Zyx,
    settings: FragmentsSettings,
    voxel_nm: Sequence[float],
    scorings: Sequence[str] = ("mean",),
    bins: int = 64,
    threads: int = 1,
) -> Segmented:
    """Find fragments block by block and agglomerate them.

    Args:
        affinities: shape (3, Z, Y, X), to the voxel before along z, y and x, 0 to 255.
        block: voxels of a block along z, y and x.
        voxel_nm: size of a voxel along z, y and x (nm).
        bins: bins of the histograms for quantiles.
        threads: number of blocks processed in parallel.
    """
    z, y, x = affinities.shape[1:]
    grid = Grid((z, y, x), block)
    context = context_of(settings, voxel_nm)
    histograms = any(quantile_of(scoring) >= 0 for scoring in scorings)

    def find(one: Block) -> BlockFragments:
        window = grid.window(one, context)
        seen = affinities[(slice(None), *slices(window))]
        return block_fragments(seen, one.box, window, settings, voxel_nm)

    def connect(one: Block) -> BlockGraph:
        own = found[one.name]
        before = [
            None
            if other is None
            else Neighbour(
                own.faces[axis, 0],
                found[other.name].faces[axis, 1],
                other.index * grid.capacity,
                found[other.name].count,
            )
            for axis, other in enumerate(grid.before(one))
        ]
        inside = affinities[(slice(None), *one.slices)]
        first_id = one.index * grid.capacity
        faces = grid.inner_faces(one)
        return block_graph(own.labels, own.count, first_id, inside, before, histograms, faces)

    with ThreadPoolExecutor(threads) as pool:
        found = dict(zip((one.name for one in grid), pool.map(find, grid), strict=True))
        graphs = dict(zip((one.name for one in grid), pool.map(connect, grid), strict=True))
    numbers = numbering(
        [one.index * grid.capacity for one in grid], [found[one.name].count for one in grid]
    )
    node_of = whole_fragments((graph.cut for graph in graphs.values()), numbers)

    def graph_of(one: Block) -> BlockGraph:
        return graphs[one.name]

    merges = {
        scoring: agglomerate(grid, graph_of, numbers, node_of, scoring, bins)
        for scoring in scorings
    }
    return Segmented(grid, found, Agglomeration(numbers, node_of, merges))


def segment(
    affinities: NDArray[np.uint8] | NDArray[np.float32],
    thresholds: Sequence[float],
    fragments: FragmentsSettings | None = None,
    scoring: str = "mean",
    voxel_nm: Sequence[float] = (30.0, 6.0, 6.0),
) -> dict[float, NDArray[np.uint64]]:
    """Segment a small volume as one block.

    Args:
        affinities: shape (3, Z, Y, X), to the voxel before along z, y and x; 0 to 255, or 0 to 1.
        thresholds: regions are joined while 1 - affinity is below.

    Returns:
        By threshold, shape (Z, Y, X), regions numbered from 1.
    """
    seen = as_bytes(affinities, "affinities")
    z, y, x = seen.shape[1:]
    settings = fragments or FragmentsSettings()
    done = segment_blocks(seen[:3], (z, y, x), settings, voxel_nm, (scoring,))
    return {threshold: done.labels(scoring, threshold) for threshold in thresholds}
