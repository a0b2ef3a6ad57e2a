"""Hierarchical agglomeration of a region graph, best contact first.

The algorithm of waterz (Funke et al. 2019, "Large scale image segmentation with structured loss
based deep learning for connectome reconstruction", section 3.2): the contact of the lowest score is
merged, the contacts of the two regions with a common neighbour become one, its score is computed
from their joint affinities, and so on. Here a changed score is entered into the queue at once
instead of when it is reached, and means are kept as exact sums, so the result does not depend on
the order in which contacts were counted.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from neurites.compiled import compiled

TIE = 1e-9
"""By so much at most, means tell scores apart that are equal as quantiles."""


class Merges(NamedTuple):
    """Merges in the order of their scores: region ``second`` goes into ``first``."""

    first: NDArray[np.int64]
    second: NDArray[np.int64]
    scores: NDArray[np.float64]


class Contacts(NamedTuple):
    """Contacts of regions.

    Attributes:
        first, second: shape (E,), the regions of every contact.
        sums, counts: shape (E,), affinities of the contact summed up (0 to 255 each); how many.
        histograms: shape (E, B), affinities by bin; or (0, 1) where no quantile is asked for.
    """

    first: NDArray[np.int64]
    second: NDArray[np.int64]
    sums: NDArray[np.float64]
    counts: NDArray[np.float64]
    histograms: NDArray[np.int32]

    def those(self, chosen: NDArray[np.bool_]) -> "Contacts":
        """Return some of the contacts; ``chosen`` of shape (E,)."""
        histograms = self.histograms[chosen] if len(self.histograms) else self.histograms
        first, second, sums, counts, _ = self
        return Contacts(first[chosen], second[chosen], sums[chosen], counts[chosen], histograms)

    def and_those(self, other: "Contacts") -> "Contacts":
        """Return these contacts and then others."""
        return Contacts(
            np.concatenate([self.first, other.first]),
            np.concatenate([self.second, other.second]),
            np.concatenate([self.sums, other.sums]),
            np.concatenate([self.counts, other.counts]),
            np.concatenate([self.histograms, other.histograms]),
        )


def merge_settled(
    nodes: int, contacts: Contacts, quantile: int, until: float, frozen: NDArray[np.bool_]
) -> tuple[Merges, Contacts]:
    """Merge the regions of which all contacts are known, as far as this decides for them.

    A region whose best contact is with one that is not decided on is not decided on either.

    Args:
        nodes: number of regions, which are 0 .. nodes - 1.
        contacts: each pair once.
        quantile, until: see :func:`merge_regions`.
        frozen: shape (nodes,), regions with contacts that are not among these. Changed in place.

    Returns:
        The merges, and the contacts between regions that are not decided on.
    """
    first, second = contacts.first.astype(np.int64), contacts.second.astype(np.int64)
    sums, counts = contacts.sums.astype(np.float64), contacts.counts.astype(np.float64)
    histograms = contacts.histograms.copy()
    *merged, dead = _merge(nodes, first, second, sums, counts, histograms, quantile, until, frozen)
    left = ~dead & frozen[first] & frozen[second]
    return Merges(*merged), Contacts(first, second, sums, counts, histograms).those(left)


def merge_regions(
    nodes: int,
    first: NDArray[np.int64],
    second: NDArray[np.int64],
    sums: NDArray[np.float64],
    counts: NDArray[np.int64],
    histograms: NDArray[np.int32],
    quantile: int,
    until: float,
) -> Merges:
    """Merge regions while the lowest score is below ``until``.

    Args:
        nodes: number of regions, which are 0 .. nodes - 1.
        first, second: shape (E,), the regions of every contact, each pair once.
        sums, counts: shape (E,), affinities of the contact summed up (0 to 255 each); how many.
        histograms: shape (E, B), affinities by bin; only read for a quantile.
        quantile: which quantile (percent) is one minus the score; -1 takes the mean.
        until: scores are 1 - affinity, 0 to 1.
    """
    contacts = Contacts(first, second, sums, counts.astype(np.float64), histograms)
    return merge_settled(nodes, contacts, quantile, until, np.zeros(nodes, np.bool_))[0]


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


@compiled
def _score(edge, sums, counts, histograms, quantile):  # type: ignore[no-untyped-def]
    if quantile < 0:
        return 1.0 - sums[edge] / (255.0 * counts[edge])
    bins = histograms.shape[1]
    # Quantiles of a few bins tie all the time, and which of two goes first then decides what is
    # joined later. Their means hardly ever tie and, unlike an order of contacts, are the same
    # whatever the blocks.
    tie = TIE * (1.0 - sums[edge] / (255.0 * counts[edge]))
    pivot = int(quantile * counts[edge]) // 100 + 1
    total = 0
    for at in range(bins):
        total += histograms[edge, at]
        if total >= pivot:
            return 1.0 - (at + 0.5) / bins + tie
    return 1.0


@compiled
def _before(scores, edges, one, other):  # type: ignore[no-untyped-def]
    if scores[one] != scores[other]:
        return scores[one] < scores[other]
    return edges[one] < edges[other]


@compiled
def _swap(scores, edges, versions, one, other):  # type: ignore[no-untyped-def]
    scores[one], scores[other] = scores[other], scores[one]
    edges[one], edges[other] = edges[other], edges[one]
    versions[one], versions[other] = versions[other], versions[one]


@compiled
def _rise(scores, edges, versions, at):  # type: ignore[no-untyped-def]
    while at > 0:
        parent = (at - 1) // 2
        if not _before(scores, edges, at, parent):
            return
        _swap(scores, edges, versions, at, parent)
        at = parent


@compiled
def _sink(scores, edges, versions, size):  # type: ignore[no-untyped-def]
    at = 0
    while True:
        child = 2 * at + 1
        if child >= size:
            return
        if child + 1 < size and _before(scores, edges, child + 1, child):
            child += 1
        if not _before(scores, edges, child, at):
            return
        _swap(scores, edges, versions, at, child)
        at = child


@compiled
def _find(keys, key):  # type: ignore[no-untyped-def]
    """The slot of a key, or the first free slot after where it would be; 1 marks a removed key."""
    mask = np.uint64(len(keys) - 1)
    slot = ((key * np.uint64(11400714819323198485)) >> np.uint64(20)) & mask
    while keys[slot] != 0 and keys[slot] != key:
        slot = (slot + np.uint64(1)) & mask
    return slot


@compiled
def _key(a, b):  # type: ignore[no-untyped-def]
    # One is added, so that no pair of nodes makes the keys 0 and 1.
    if a < b:
        return (np.uint64(a + 1) << np.uint64(32)) | np.uint64(b + 1)
    return (np.uint64(b + 1) << np.uint64(32)) | np.uint64(a + 1)


@compiled
def _merge(nodes, first, second, sums, counts, histograms, quantile, until, frozen):  # type: ignore[no-untyped-def]
    contacts = len(first)
    # Edges of a node as a chain of half edges: 2 e leaves first[e], 2 e + 1 leaves second[e].
    head = np.full(nodes, -1, np.int64)
    tail = np.full(nodes, -1, np.int64)
    following = np.full(2 * contacts, -1, np.int64)
    degree = np.zeros(nodes, np.int64)
    dead = np.zeros(contacts, np.bool_)
    version = np.zeros(contacts, np.int32)
    size = 16
    while size < 4 * contacts:
        size *= 2
    keys = np.zeros(size, np.uint64)
    places = np.zeros(size, np.int64)
    filled = contacts
    queue = 0
    heap_scores = np.empty(contacts + 16, np.float64)
    heap_edges = np.empty(contacts + 16, np.int64)
    heap_versions = np.empty(contacts + 16, np.int32)
    for edge in range(contacts):
        for side in range(2):
            node = first[edge] if side == 0 else second[edge]
            half = 2 * edge + side
            if head[node] < 0:
                head[node] = half
            else:
                following[tail[node]] = half
            tail[node] = half
            degree[node] += 1
        key = _key(first[edge], second[edge])
        slot = _find(keys, key)
        keys[slot] = key
        places[slot] = edge
        score = _score(edge, sums, counts, histograms, quantile)
        if score < until:
            heap_scores[queue] = score
            heap_edges[queue] = edge
            heap_versions[queue] = 0
            _rise(heap_scores, heap_edges, heap_versions, queue)
            queue += 1
    merged_first = np.empty(nodes, np.int64)
    merged_second = np.empty(nodes, np.int64)
    merged_scores = np.empty(nodes, np.float64)
    merges = 0
    while queue > 0:
        edge = heap_edges[0]
        score = heap_scores[0]
        current = heap_versions[0] == version[edge] and not dead[edge]
        queue -= 1
        _swap(heap_scores, heap_edges, heap_versions, 0, queue)
        _sink(heap_scores, heap_edges, heap_versions, queue)
        if not current:
            continue
        a, b = first[edge], second[edge]
        if frozen[a] or frozen[b]:
            # The best contact of both, and out of reach: neither can be decided on here.
            frozen[a] = True
            frozen[b] = True
            continue
        if degree[a] < degree[b]:
            a, b = b, a
        merged_first[merges] = a
        merged_second[merges] = b
        merged_scores[merges] = score
        merges += 1
        dead[edge] = True
        keys[_find(keys, _key(a, b))] = np.uint64(1)
        degree[a] -= 1
        half = head[b]
        while half >= 0:
            after = following[half]
            moved = half >> 1
            if dead[moved]:
                half = after
                continue
            other = second[moved] if half & 1 == 0 else first[moved]
            keys[_find(keys, _key(b, other))] = np.uint64(1)
            key = _key(a, other)
            slot = _find(keys, key)
            if keys[slot] == key:
                kept = places[slot]
                sums[kept] += sums[moved]
                counts[kept] += counts[moved]
                if quantile >= 0:
                    for at in range(histograms.shape[1]):
                        histograms[kept, at] += histograms[moved, at]
                dead[moved] = True
                degree[other] -= 1
                version[kept] += 1
                joint = _score(kept, sums, counts, histograms, quantile)
                if joint < until:
                    if queue == len(heap_scores):
                        heap_scores = np.concatenate((heap_scores, np.empty_like(heap_scores)))
                        heap_edges = np.concatenate((heap_edges, np.empty_like(heap_edges)))
                        heap_versions = np.concatenate(
                            (heap_versions, np.empty_like(heap_versions))
                        )
                    heap_scores[queue] = joint
                    heap_edges[queue] = kept
                    heap_versions[queue] = version[kept]
                    _rise(heap_scores, heap_edges, heap_versions, queue)
                    queue += 1
            else:
                keys[slot] = key
                places[slot] = moved
                filled += 1
                if half & 1 == 0:
                    first[moved] = a
                else:
                    second[moved] = a
                following[half] = -1
                if head[a] < 0:
                    head[a] = half
                else:
                    following[tail[a]] = half
                tail[a] = half
                degree[a] += 1
                if 10 * filled > 6 * len(keys):
                    # Removed keys have filled the table: enter those that are left anew.
                    keys[:] = 0
                    filled = 0
                    for one in range(contacts):
                        if not dead[one]:
                            entered = _key(first[one], second[one])
                            # Contacts of b that are still to move are found under b.
                            at = _find(keys, entered)
                            keys[at] = entered
                            places[at] = one
                            filled += 1
            half = after
    return merged_first[:merges], merged_second[:merges], merged_scores[:merges], dead
