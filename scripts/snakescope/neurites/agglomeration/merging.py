"""Hierarchical agglomeration of a region graph: the edge of the lowest score is merged first.

The algorithm of waterz (Funke et al. 2019, "Large scale image segmentation with structured loss
based deep learning for connectome reconstruction", section 3.2): the two regions of the edge with
the lowest score are merged, their edges to a common neighbour are merged into one, whose score is
computed from the affinities of both, and so on. Here a changed score enters the queue at once
instead of when its old entry is reached, and means are kept as exact sums, so the result does not
depend on the order of the edges.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from snakescope.neurites.agglomeration.partitions import Merges
from snakescope.neurites.fragments.compiled import compiled, inlined

TIE = 1e-9
"""Weight of the mean in the score of a quantile: it breaks ties of quantiles and nothing else."""


class Edges(NamedTuple):
    """Edges of a region graph.

    Attributes:
        first, second: shape (E,), the regions that an edge connects.
        sums, counts: shape (E,), sum and number of the affinities of an edge (0 to 255 each).
        histograms: shape (E, B), histogram of these affinities; (0, 1) if only means are needed.
    """

    first: NDArray[np.int64]
    second: NDArray[np.int64]
    sums: NDArray[np.float64]
    counts: NDArray[np.float64]
    histograms: NDArray[np.int32]

    def select(self, chosen: NDArray[np.bool_]) -> "Edges":
        """Return the edges where ``chosen``, shape (E,), is True."""
        histograms = self.histograms[chosen] if len(self.histograms) else self.histograms
        first, second, sums, counts, _ = self
        return Edges(first[chosen], second[chosen], sums[chosen], counts[chosen], histograms)

    def concatenated(self, other: "Edges") -> "Edges":
        """Return these edges, followed by ``other``."""
        return Edges(
            np.concatenate([self.first, other.first]),
            np.concatenate([self.second, other.second]),
            np.concatenate([self.sums, other.sums]),
            np.concatenate([self.counts, other.counts]),
            np.concatenate([self.histograms, other.histograms]),
        )


def merge_settled(
    nodes: int, edges: Edges, quantile: int, until: float, frozen: NDArray[np.bool_]
) -> tuple[Merges, Edges]:
    """Merge the regions all edges of which are known, as far as these determine the merges.

    A region whose best edge leads to an undecided region is undecided as well.

    Args:
        nodes: number of regions, which are 0 .. nodes - 1.
        edges: each pair once.
        quantile, until: see :func:`merge_regions`.
        frozen: shape (nodes,), regions with edges that are not among these, undecided from the
            start. Changed in place.

    Returns:
        The merges, and the edges between undecided regions.
    """
    changed = Edges(
        edges.first.astype(np.int64),
        edges.second.astype(np.int64),
        edges.sums.astype(np.float64),
        edges.counts.astype(np.float64),
        edges.histograms.copy(),
    )
    *merged, dead = _merge(nodes, changed, quantile, until, frozen)
    left = ~dead & frozen[changed.first] & frozen[changed.second]
    return Merges(*merged), changed.select(left)


@compiled
def _score(edge, sums, counts, histograms, quantile):  # type: ignore[no-untyped-def]
    if quantile < 0:
        return 1.0 - sums[edge] / (255.0 * counts[edge])
    bins = histograms.shape[1]
    # Quantiles of few bins often tie, and the order of tied edges changes later merges. Means
    # hardly ever tie and, unlike the order of the edges, do not depend on the blocks.
    tie = TIE * (1.0 - sums[edge] / (255.0 * counts[edge]))
    pivot = int(quantile * counts[edge]) // 100 + 1
    total = 0
    for at in range(bins):
        total += histograms[edge, at]
        if total >= pivot:
            return 1.0 - (at + 0.5) / bins + tie
    return 1.0


class _Queue(NamedTuple):
    """Binary heap of edges, lowest score first; of equal scores, lowest index first.

    ``size`` has one element, the number of entries. An edge whose score changes is pushed again
    with a higher version; entries of earlier versions are skipped when they are popped.
    """

    scores: NDArray[np.float64]
    edges: NDArray[np.int64]
    versions: NDArray[np.int32]
    size: NDArray[np.int64]


class _Graph(NamedTuple):
    """Adjacency lists of a region graph and the state of its edges.

    The edges of a region are a linked list of half-edges: 2 e starts at first[e], 2 e + 1 at
    second[e].

    Attributes:
        head, tail, degree: shape (nodes,), ends of the lists, -1 for none; number of live edges.
        following: shape (2 E,), the next half-edge of a list, -1 after the last.
        dead, version: shape (E,), whether an edge is merged away; how often its score changed.
    """

    head: NDArray[np.int64]
    tail: NDArray[np.int64]
    degree: NDArray[np.int64]
    following: NDArray[np.int64]
    dead: NDArray[np.bool_]
    version: NDArray[np.int32]


class _Pairs(NamedTuple):
    """Hash table from two regions to their edge, with open addressing and linear probing.

    ``keys`` are 0 for a free slot and 1 for a removed pair; ``filled`` has one element, the number
    of slots that are not free.
    """

    keys: NDArray[np.uint64]
    edges: NDArray[np.int64]
    filled: NDArray[np.int64]


@compiled
def _before(queue, one, other):  # type: ignore[no-untyped-def]
    if queue.scores[one] != queue.scores[other]:
        return queue.scores[one] < queue.scores[other]
    return queue.edges[one] < queue.edges[other]


@compiled
def _swap(queue, one, other):  # type: ignore[no-untyped-def]
    scores, edges, versions, _ = queue
    scores[one], scores[other] = scores[other], scores[one]
    edges[one], edges[other] = edges[other], edges[one]
    versions[one], versions[other] = versions[other], versions[one]


@inlined
def _push(queue, score, edge, version):  # type: ignore[no-untyped-def]
    at = queue.size[0]
    queue.scores[at] = score
    queue.edges[at] = edge
    queue.versions[at] = version
    queue.size[0] += 1
    while at > 0:
        parent = (at - 1) // 2
        if not _before(queue, at, parent):
            return
        _swap(queue, at, parent)
        at = parent


@inlined
def _pop(queue):  # type: ignore[no-untyped-def]
    """Remove the first entry and return its index, valid until the next push."""
    queue.size[0] -= 1
    size = queue.size[0]
    _swap(queue, 0, size)
    at = 0
    while True:
        child = 2 * at + 1
        if child >= size:
            return size
        if child + 1 < size and _before(queue, child + 1, child):
            child += 1
        if not _before(queue, child, at):
            return size
        _swap(queue, at, child)
        at = child


@compiled
def _slot(keys, key):  # type: ignore[no-untyped-def]
    """Return the slot of a key, or the free slot where it would be inserted."""
    mask = np.uint64(len(keys) - 1)
    slot = ((key * np.uint64(11400714819323198485)) >> np.uint64(20)) & mask
    while keys[slot] != 0 and keys[slot] != key:
        slot = (slot + np.uint64(1)) & mask
    return slot


@compiled
def _key(a, b):  # type: ignore[no-untyped-def]
    # One is added, so that no pair of nodes has the key 0 or 1.
    if a < b:
        return (np.uint64(a + 1) << np.uint64(32)) | np.uint64(b + 1)
    return (np.uint64(b + 1) << np.uint64(32)) | np.uint64(a + 1)


@inlined
def _enter(pairs, key, slot, edge):  # type: ignore[no-untyped-def]
    pairs.keys[slot] = key
    pairs.edges[slot] = edge
    pairs.filled[0] += 1


@inlined
def _remove(pairs, a, b):  # type: ignore[no-untyped-def]
    pairs.keys[_slot(pairs.keys, _key(a, b))] = np.uint64(1)


@compiled
def _enter_anew(pairs, edges, dead):  # type: ignore[no-untyped-def]
    """Rebuild a table that removed pairs have filled."""
    pairs.keys[:] = 0
    pairs.filled[0] = 0
    for edge in range(len(dead)):
        if not dead[edge]:
            # Edges that _move_edges has not moved yet keep the key of their old region.
            key = _key(edges.first[edge], edges.second[edge])
            _enter(pairs, key, _slot(pairs.keys, key), edge)


@inlined
def _append(graph, node, half):  # type: ignore[no-untyped-def]
    """Append a half-edge to the list of a node."""
    graph.following[half] = -1
    if graph.head[node] < 0:
        graph.head[node] = half
    else:
        graph.following[graph.tail[node]] = half
    graph.tail[node] = half
    graph.degree[node] += 1


@inlined
def _offer(queue, edges, version, edge, quantile, until):  # type: ignore[no-untyped-def]
    """Push an edge if its score is below the limit."""
    score = _score(edge, edges.sums, edges.counts, edges.histograms, quantile)
    if score < until:
        _push(queue, score, edge, version)


@compiled
def _opened(nodes, edges, quantile, until):  # type: ignore[no-untyped-def]
    """Return the graph, the hash table and the queue before the first merge."""
    count = len(edges.first)
    graph = _Graph(
        np.full(nodes, -1, np.int64),
        np.full(nodes, -1, np.int64),
        np.zeros(nodes, np.int64),
        np.full(2 * count, -1, np.int64),
        np.zeros(count, np.bool_),
        np.zeros(count, np.int32),
    )
    size = 16
    while size < 4 * count:
        size *= 2
    pairs = _Pairs(np.zeros(size, np.uint64), np.zeros(size, np.int64), np.zeros(1, np.int64))
    # An edge is pushed at the start, and once for every edge that is merged into it.
    most = 2 * count + 1
    queue = _Queue(
        np.empty(most, np.float64),
        np.empty(most, np.int64),
        np.empty(most, np.int32),
        np.zeros(1, np.int64),
    )
    for edge in range(count):
        first, second = edges.first[edge], edges.second[edge]
        _append(graph, first, 2 * edge)
        _append(graph, second, 2 * edge + 1)
        key = _key(first, second)
        _enter(pairs, key, _slot(pairs.keys, key), edge)
        _offer(queue, edges, 0, edge, quantile, until)
    return graph, pairs, queue


@inlined
def _make_one(edges, graph, kept, moved, quantile):  # type: ignore[no-untyped-def]
    """Add an edge to another between the same two regions."""
    edges.sums[kept] += edges.sums[moved]
    edges.counts[kept] += edges.counts[moved]
    if quantile >= 0:
        for at in range(edges.histograms.shape[1]):
            edges.histograms[kept, at] += edges.histograms[moved, at]
    graph.dead[moved] = True
    graph.version[kept] += 1


@inlined
def _move_edges(edges, graph, pairs, queue, a, b, quantile, until):  # type: ignore[no-untyped-def]
    """Move the edges of region ``b`` to ``a``; two edges to a common neighbour become one."""
    half = graph.head[b]
    while half >= 0:
        after = graph.following[half]
        moved, leaves_first = half >> 1, half & 1 == 0
        if not graph.dead[moved]:
            other = edges.second[moved] if leaves_first else edges.first[moved]
            _remove(pairs, b, other)
            key = _key(a, other)
            slot = _slot(pairs.keys, key)
            if pairs.keys[slot] == key:
                kept = pairs.edges[slot]
                _make_one(edges, graph, kept, moved, quantile)
                graph.degree[other] -= 1
                _offer(queue, edges, graph.version[kept], kept, quantile, until)
            else:
                if leaves_first:
                    edges.first[moved] = a
                else:
                    edges.second[moved] = a
                _append(graph, a, half)
                _enter(pairs, key, slot, moved)
                if 10 * pairs.filled[0] > 6 * len(pairs.keys):
                    _enter_anew(pairs, edges, graph.dead)
        half = after


@compiled
def _merge(nodes, edges, quantile, until, frozen):  # type: ignore[no-untyped-def]
    """Return the merges in order, and which edges are merged away; ``edges`` change in place."""
    graph, pairs, queue = _opened(nodes, edges, quantile, until)
    merged_first = np.empty(nodes, np.int64)
    merged_second = np.empty(nodes, np.int64)
    merged_scores = np.empty(nodes, np.float64)
    merges = 0
    while queue.size[0] > 0:
        entry = _pop(queue)
        edge = queue.edges[entry]
        if graph.dead[edge] or queue.versions[entry] != graph.version[edge]:
            continue
        a, b = edges.first[edge], edges.second[edge]
        if frozen[a] or frozen[b]:
            # The best edge of both leads to unknown edges, so neither can be decided here.
            frozen[a] = True
            frozen[b] = True
            continue
        if graph.degree[a] < graph.degree[b]:
            a, b = b, a
        merged_first[merges] = a
        merged_second[merges] = b
        merged_scores[merges] = queue.scores[entry]
        merges += 1
        graph.dead[edge] = True
        graph.degree[a] -= 1
        _remove(pairs, a, b)
        _move_edges(edges, graph, pairs, queue, a, b, quantile, until)
    return merged_first[:merges], merged_second[:merges], merged_scores[:merges], graph.dead
