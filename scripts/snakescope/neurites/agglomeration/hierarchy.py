"""Agglomeration of a volume of any size, from single blocks to all of them, two parts at a time.

Mean affinities and quantiles have this property: when two regions are joined, the score of their
joint contact with a third lies between the two that it replaces. So two regions of which each is
the other's best contact are joined sooner or later, whatever happens elsewhere, and may be joined
at once wherever all contacts of both are known (Lu, Zlateski, Seung 2021, "Large-scale image
segmentation based on distributed clustering algorithms"). A part of the volume joins these, keeps
the contacts of all other regions, and hands those on. What is handed on grows with the part's
surface, not with its volume; the merges are those of the whole graph.
"""

from collections.abc import Callable, Iterator
from itertools import product
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from snakescope.neurites.agglomeration.merging import Contacts, merge_settled
from snakescope.neurites.agglomeration.partitions import Merges, Numbering
from snakescope.neurites.agglomeration.settings import quantile_of
from snakescope.neurites.fragments.region_graph import BlockGraph
from snakescope.neurites.volumes.blocks import Block, Box, Grid
from snakescope.step.progress import progress


class Part(NamedTuple):
    """What is left to decide in a part of the volume.

    Attributes:
        contacts: of regions that are named after a fragment of theirs, by its number.
        waits: shape (E,), the block in which the other region of a contact is, while it is not in
            the part; otherwise -1.
        border: shape (K, 3), a region, a block that it reaches into, the faces of that block
            it touches (see :attr:`snakescope.neurites.fragments.region_graph.BlockGraph.border`).
    """

    contacts: Contacts
    waits: NDArray[np.int64]
    border: NDArray[np.int64]


def parts_of(counts: tuple[int, int, int]) -> Iterator[Box]:
    """Ranges of blocks, halves before the whole that they make; at last, all blocks."""

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
    """Join the regions of a volume while a score is below ``until``.

    Args:
        graph_of: gives the graph of a block; called once a block.
        numbers: of the fragments.
        node_of: shape (fragments,), which region a fragment begins as.
        scoring: mean or a quantile.
        bins: bins of the histograms; read for quantiles only.
        watch: is shown every range of blocks and what is left to decide in it.

    Returns:
        All merges, in the order of their scores.
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
            part = _joined(first, second)
        merges, part = _settled(part, box, grid, quantile, until)
        watch(box, part)
        found.append(merges)
        waiting.append(part)
    columns = [np.concatenate(column) for column in zip(*found, strict=True)]
    # Stable: of equal scores, what was joined in a part comes before what follows from it.
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
    contacts = Contacts(
        node_of[one], node_of[other], graph.sums, graph.counts.astype(np.float64), histograms
    )
    touching = node_of[numbers(graph.border[:, 0])]
    border = np.stack(
        [touching, np.full(len(touching), block.index), graph.border[:, 1].astype(np.int64)], axis=1
    )
    return Part(contacts, np.where(beyond == block.index, -1, beyond), border)


def _joined(one: Part, other: Part) -> Part:
    return Part(
        one.contacts.and_those(other.contacts),
        np.concatenate([one.waits, other.waits]),
        np.concatenate([one.border, other.border]),
    )


def _inside(blocks: NDArray[np.int64], box: Box, grid: Grid) -> NDArray[np.bool_]:
    at = np.unravel_index(blocks, grid.counts)
    return np.logical_and.reduce(
        [(a >= begin) & (a < end) for a, (begin, end) in zip(at, box, strict=True)]
    )


def _open(border: NDArray[np.int64], box: Box, grid: Grid) -> NDArray[np.bool_]:
    """Which entries of a border touch a face that leads out of the part."""
    at = np.unravel_index(border[:, 1], grid.counts)
    leads_out = np.zeros(len(border), bool)
    for axis, side in product(range(3), range(2)):
        outermost = box[axis][1] - 1 if side else box[axis][0]
        touches = (border[:, 2] >> (2 * axis + side)) & 1 == 1
        leads_out |= touches & (at[axis] == outermost)
    return leads_out


def _settled(part: Part, box: Box, grid: Grid, quantile: int, until: float) -> tuple[Merges, Part]:
    """Join what can be decided within a part, and return what cannot."""
    border = part.border[_open(part.border, box, grid)]
    pending = part.waits >= 0
    pending[pending] = ~_inside(part.waits[pending], box, grid)
    names, inner = _numbered(part.contacts.those(~pending))
    frozen = np.zeros(len(names), bool)
    frozen[np.isin(names, border[:, 0])] = True
    merges, left = merge_settled(len(names), inner, quantile, until, frozen)
    left = left._replace(first=names[left.first], second=names[left.second])
    merges = merges._replace(first=names[merges.first], second=names[merges.second])
    outer = part.contacts.those(pending)
    waits = np.concatenate([np.full(len(left.first), -1, np.int64), part.waits[pending]])
    return merges, Part(left.and_those(outer), waits, border)


def _numbered(contacts: Contacts) -> tuple[NDArray[np.int64], Contacts]:
    """Names of the regions in contact, and the contacts by number, every pair once."""
    real = contacts.first != contacts.second
    contacts = contacts.those(real)
    names, ends = np.unique(np.concatenate([contacts.first, contacts.second]), return_inverse=True)
    one, other = ends.reshape(2, -1)
    pairs = np.minimum(one, other) * len(names) + np.maximum(one, other)
    unique, contact = np.unique(pairs, return_inverse=True)
    edges = len(unique)
    histograms = np.zeros((edges if len(contacts.histograms) else 0, contacts.histograms.shape[1]),
                          np.int32)  # fmt: skip
    if len(histograms):
        np.add.at(histograms, contact, contacts.histograms)
    return names, Contacts(
        unique // max(len(names), 1),
        unique % max(len(names), 1),
        np.bincount(contact, contacts.sums, edges).astype(np.float64),
        np.bincount(contact, contacts.counts, edges).astype(np.float64),
        histograms,
    )
