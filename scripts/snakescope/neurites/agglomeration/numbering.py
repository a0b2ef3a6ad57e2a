"""The fragments of a volume, numbered without gaps in the order of the blocks."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from snakescope.neurites.agglomeration.partitions import dense, join


@dataclass(frozen=True)
class Numbering:
    """Which number a fragment has.

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

    def block_of(self, number: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return the blocks that fragments are in, by their numbers."""
        return np.searchsorted(self.offsets, number, side="right") - 1


def numbering(first_ids: Sequence[int], counts: Sequence[int]) -> Numbering:
    """Number the fragments of blocks given in ascending order of ``first_ids``."""
    offsets = np.concatenate([[0], np.cumsum(np.asarray(counts, np.int64))])
    return Numbering(np.asarray(first_ids, np.int64), offsets)


def whole_fragments(cut: Iterable[NDArray[np.uint64]], numbers: Numbering) -> NDArray[np.int64]:
    """Join the fragments that faces have cut.

    Args:
        cut: per block, shape (K, 2), pairs of ids that are one fragment.

    Returns:
        Shape (fragments,), the region that each is, or is a part of, numbered from 0.
    """
    pairs = numbers(np.concatenate([np.zeros((0, 2), np.uint64), *cut]).reshape(-1)).reshape(-1, 2)
    return dense(join(numbers.total, pairs[:, 0], pairs[:, 1]))
