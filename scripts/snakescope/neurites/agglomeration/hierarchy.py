"""Hierarchical, block-wise agglomeration of a volume of any size.

Mean affinities and quantiles are reducible: when two regions are merged, the score of their joint
edge to a third region lies between the scores of the two edges that it replaces. So two regions
that are each other's best neighbour are merged sooner or later, and can be merged at once as soon
as all edges of both are known (Lu, Zlateski, Seung 2021, "Large-scale image segmentation based on
distributed clustering algorithms"). A part of the volume merges such regions and passes the edges
of all others to the next larger part. Their number grows with the surface of the part, not with its
volume. The merges equal those of the whole graph.
"""

from collections.abc import Callable, Iterator
from itertools import product
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from snakescope.neurites.agglomeration.merging import Edges, merge_settled
from snakescope.neurites.agglomeration.partitions import Merges, Numbering
from snakescope.neurites.agglomeration.settings import quantile_of
from snakescope.neurites.fragments.region_graph import BlockGraph
from snakescope.neurites.volumes.blocks import Block, Box, Grid
from snakescope.step.progress import progress


class Part(NamedTuple):
    """The undecided regions of a part of the volume.

    Attributes:
        edges: between regions, which are named after the number of one of their fragments.
        outside: shape (E,), the block of the region of an edge that is outside of the part; -1 if
            both are inside.
        border: shape (K, 3), a region, a block that it reaches into, and the faces of that block
            that it touches (see
            :attr:`snakescope.neurites.fragments.region_graph.BlockGraph.border`).
    """

    edges: Edges
    outside: NDArray[np.int64]
    border: NDArray[np.int64]


def parts_of(counts: tuple[int, int, int]) -> Iterator[Box]:
    """Yield ranges of blocks, both halves before their union; the last is the whole volume."""

    def halved(box: Box) -> Iterator[Box]:
        sides = [end - begin for begin, end in box]
        longest = max(range(3), key=lambda axis: sides[axis])
        if sides[longest] > 1:
            begin, end = box[longest]
            middle = (begin + end) // 2
            for half in ((begin, middle), (middle, end)):
                z, y, x = (half if a == longest else side for a, side in enumerate(box))
                yield from halved((z, y, x))
        yield box

    z, y, x = counts
    return halved(((0, z), (0, y), (0, x)))


def agglomerate(
    grid: Grid,
    graph_of: Callable[[Block], BlockGraph],
    numbers: Numbering,
    node_of: NDArray[np.int64],
    scoring: str,
    bins: int = 0,
    until: float = 1.0,
    watch: Callable[[Box, Part], None] = lambda box, part: None,
) -> Merges:
    """Merge the regions of a volume in ascending order of scores, up to ``until``.

    Args:
        graph_of: returns the graph of a block; called once a block.
        numbers: of the fragments.
        node_of: shape (fragments,), the initial region of every fragment.
        scoring: mean or a quantile.
        bins: bins of the histograms; read for quantiles only.
        watch: called with every range of blocks and its undecided regions.

    Returns:
        All merges, in ascending order of their scores.
    """
    quantile = quantile_of(scoring)
    blocks = list(grid)
    order = list(parts_of(grid.counts))
    waiting: list[Part] = []
    found: list[Merges] = []
    for box in progress(order, "parts joined"):
        if all(end - begin == 1 for begin, end in box):
            block = blocks[int(np.ravel_multi_index([begin for begin, _ in box], grid.counts))]
            part = _of_block(graph_of(block), block, numbers, node_of, bins if quantile >= 0 else 0)
        else:
            second, first = waiting.pop(), waiting.pop()
            part = _concatenated(first, second)
        merges, part = _merged_inside(part, box, grid, quantile, until)
        watch(box, part)
        found.append(merges)
        waiting.append(part)
    columns = [np.concatenate(column) for column in zip(*found, strict=True)]
    # Stable: of equal scores, merges of a part come before those that depend on them.
    sequence = np.argsort(columns[2], kind="stable")
    return Merges(*(column[sequence] for column in columns))


def _of_block(
    graph: BlockGraph,
    block: Block,
    numbers: Numbering,
    node_of: NDArray[np.int64],
    bins: int,
) -> Part:
    one, other = numbers(graph.first), numbers(graph.second)
    homes = numbers.block_of(one), numbers.block_of(other)
    beyond = np.where(homes[0] != block.index, homes[0], homes[1])
    histograms = np.zeros((len(one) if bins else 0, max(bins, 1)), np.int32)
    if bins:
        # Bins of 256 levels as waterz has them: level v of 0 .. 255 is its bin v.
        at = graph.bins[:, 1] * bins // 256
        np.add.at(histograms, (graph.bins[:, 0], at), graph.bins[:, 2].astype(np.int32))
    edges = Edges(
        node_of[one], node_of[other], graph.sums, graph.counts.astype(np.float64), histograms
    )
    touching = node_of[numbers(graph.border[:, 0])]
    border = np.stack(
        [touching, np.full(len(touching), block.index), graph.border[:, 1].astype(np.int64)], axis=1
    )
    return Part(edges, np.where(beyond == block.index, -1, beyond), border)


def _concatenated(one: Part, other: Part) -> Part:
    return Part(
        one.edges.concatenated(other.edges),
        np.concatenate([one.outside, other.outside]),
        np.concatenate([one.border, other.border]),
    )


def _inside(blocks: NDArray[np.int64], box: Box, grid: Grid) -> NDArray[np.bool_]:
    at = np.unravel_index(blocks, grid.counts)
    return np.logical_and.reduce(
        [(a >= begin) & (a < end) for a, (begin, end) in zip(at, box, strict=True)]
    )


def _open(border: NDArray[np.int64], box: Box, grid: Grid) -> NDArray[np.bool_]:
    """Return which entries of a border touch an outer face of the part."""
    at = np.unravel_index(border[:, 1], grid.counts)
    leads_out = np.zeros(len(border), bool)
    for axis, side in product(range(3), range(2)):
        outermost = box[axis][1] - 1 if side else box[axis][0]
        touches = (border[:, 2] >> (2 * axis + side)) & 1 == 1
        leads_out |= touches & (at[axis] == outermost)
    return leads_out


def _merged_inside(
    part: Part, box: Box, grid: Grid, quantile: int, until: float
) -> tuple[Merges, Part]:
    """Merge the regions that are decided within a part; return the others as a part."""
    border = part.border[_open(part.border, box, grid)]
    pending = part.outside >= 0
    pending[pending] = ~_inside(part.outside[pending], box, grid)
    names, inner = _numbered(part.edges.select(~pending))
    frozen = np.zeros(len(names), bool)
    frozen[np.isin(names, border[:, 0])] = True
    merges, left = merge_settled(len(names), inner, quantile, until, frozen)
    left = left._replace(first=names[left.first], second=names[left.second])
    merges = merges._replace(first=names[merges.first], second=names[merges.second])
    outer = part.edges.select(pending)
    outside = np.concatenate([np.full(len(left.first), -1, np.int64), part.outside[pending]])
    return merges, Part(left.concatenated(outer), outside, border)


def _numbered(edges: Edges) -> tuple[NDArray[np.int64], Edges]:
    """Return the names of the connected regions, and their edges by index, each pair once."""
    real = edges.first != edges.second
    edges = edges.select(real)
    names, ends = np.unique(np.concatenate([edges.first, edges.second]), return_inverse=True)
    one, other = ends.reshape(2, -1)
    pairs = np.minimum(one, other) * len(names) + np.maximum(one, other)
    unique, edge = np.unique(pairs, return_inverse=True)
    count = len(unique)
    bins = edges.histograms.shape[1]
    histograms = np.zeros((count if len(edges.histograms) else 0, bins), np.int32)
    if len(histograms):
        np.add.at(histograms, edge, edges.histograms)
    return names, Edges(
        unique // max(len(names), 1),
        unique % max(len(names), 1),
        np.bincount(edge, edges.sums, count).astype(np.float64),
        np.bincount(edge, edges.counts, count).astype(np.float64),
        histograms,
    )
