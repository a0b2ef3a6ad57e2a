"""Merges of regions, and the partitions that they make."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from snakescope.neurites.fragments.compiled import compiled


class Merges(NamedTuple):
    """Merges in the order of their scores: region ``second`` goes into ``first``."""

    first: NDArray[np.int64]
    second: NDArray[np.int64]
    scores: NDArray[np.float64]


def dense(lowest: NDArray[np.int64]) -> NDArray[np.int64]:
    """Number regions without gaps, from 0; ``lowest`` names each after its lowest node."""
    own = lowest == np.arange(len(lowest))
    return (np.cumsum(own) - 1)[lowest]


def partition(nodes: int, merges: Merges, threshold: float) -> NDArray[np.int64]:
    """Return the region of every node after all merges whose score is below ``threshold``.

    A region is named after the lowest node in it.
    """
    until = int(np.searchsorted(merges.scores, threshold, side="left"))
    return join(nodes, merges.first[:until], merges.second[:until])


@compiled
def join(nodes, first, second):  # type: ignore[no-untyped-def]
    """Return for every node the lowest node that pairs ``first``, ``second`` connect it to."""
    root = np.arange(nodes)
    for at in range(len(first)):
        a = first[at]
        while root[a] != a:
            root[a] = root[root[a]]
            a = root[a]
        b = second[at]
        while root[b] != b:
            root[b] = root[root[b]]
            b = root[b]
        if a < b:
            root[b] = a
        elif b < a:
            root[a] = b
    for node in range(nodes):
        # Parents are lower than their children, so they are done already.
        root[node] = root[root[node]]
    return root
