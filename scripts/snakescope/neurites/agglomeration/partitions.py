"""Numbers of the fragments of a volume, merges of regions and the partitions that they make."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.sparse import csgraph


@dataclass(frozen=True)
class Numbering:
    """Consecutive numbers of all fragments, in the order of the blocks.

    Attributes:
        first_ids: per block, the id before its first fragment; ascending.
        offsets: per block and one more, the number of its first fragment.
    """

    first_ids: NDArray[np.int64]
    offsets: NDArray[np.int64]

    @property
    def total(self) -> int:
        """Number of fragments."""
        return int(self.offsets[-1])

    def __call__(self, ids: NDArray[np.uint64]) -> NDArray[np.int64]:
        """Return the numbers, from 0, of fragments by their ids."""
        signed = ids.astype(np.int64)
        block = np.searchsorted(self.first_ids, signed, side="left") - 1
        return self.offsets[block] + signed - self.first_ids[block] - 1

    def block_of(self, number: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return the block of every fragment, by its number."""
        return np.searchsorted(self.offsets, number, side="right") - 1


def numbering(first_ids: Sequence[int], counts: Sequence[int]) -> Numbering:
    """Number the fragments of blocks given in ascending order of ``first_ids``."""
    offsets = np.concatenate([[0], np.cumsum(np.asarray(counts, np.int64))])
    return Numbering(np.asarray(first_ids, np.int64), offsets)


class Merges(NamedTuple):
    """Merges in ascending order of their scores: region ``second`` is merged into ``first``."""

    first: NDArray[np.int64]
    second: NDArray[np.int64]
    scores: NDArray[np.float64]


def partition(nodes: int, merges: Merges, threshold: float) -> NDArray[np.int64]:
    """Return the region of every node after all merges whose score is below ``threshold``.

    Regions are numbered as by :func:`connected_components`.
    """
    end = int(np.searchsorted(merges.scores, threshold, side="left"))
    return connected_components(nodes, merges.first[:end], merges.second[:end])


def connected_components(
    nodes: int, first: NDArray[np.int64], second: NDArray[np.int64]
) -> NDArray[np.int64]:
    """Return the connected component of every node of the graph with edges ``first``, ``second``.

    Components are numbered from 0 without gaps, in the order of their lowest nodes.
    """
    edges = sparse.coo_array((np.ones(len(first), bool), (first, second)), shape=(nodes, nodes))
    _, components = csgraph.connected_components(edges, directed=False)
    return components.astype(np.int64)


def whole_fragments(cut: Iterable[NDArray[np.uint64]], numbers: Numbering) -> NDArray[np.int64]:
    """Reunite the fragments that faces of blocks have cut.

    Args:
        cut: per block, shape (K, 2), pairs of ids that are one fragment.

    Returns:
        Shape (fragments,), the whole fragment that each is a part of, numbered from 0.
    """
    pairs = numbers(np.concatenate([np.zeros((0, 2), np.uint64), *cut]).reshape(-1)).reshape(-1, 2)
    return connected_components(numbers.total, pairs[:, 0], pairs[:, 1])
