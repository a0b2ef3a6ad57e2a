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

from snakescope.neurites.agglomeration.partitions import Merges
from snakescope.neurites.fragments.compiled import compiled, inlined

TIE = 1e-9
"""By so much at most, means tell scores apart that are equal as quantiles."""


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
    changed = Contacts(
        contacts.first.astype(np.int64),
        contacts.second.astype(np.int64),
        contacts.sums.astype(np.float64),
        contacts.counts.astype(np.float64),
        contacts.histograms.copy(),
    )
    *merged, dead = _merge(nodes, changed, quantile, until, frozen)
    left = ~dead & frozen[changed.first] & frozen[changed.second]
    return Merges(*merged), changed.those(left)


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


class _Queue(NamedTuple):
    """A binary heap of contacts, that of the lowest score first; of equal ones the lower number.

    ``size`` has one element, the number of entries. A contact whose score changes is entered again,
    at a higher version; entries of earlier versions are passed over when they come up.
    """

    scores: NDArray[np.float64]
    edges: NDArray[np.int64]
    versions: NDArray[np.int32]
    size: NDArray[np.int64]


class _Graph(NamedTuple):
    """What changes of a region graph, beside its contacts, as regions are merged.

    Contacts of a region are a chain of half edges: 2 e leaves first[e], 2 e + 1 leaves second[e].

    Attributes:
        head, tail, degree: shape (nodes,), ends of the chains, -1 for none; contacts alive.
        following: shape (2 E,), the next half edge of a chain, -1 behind the last.
        dead, version: shape (E,), whether a contact is merged away; how often its score changed.
    """

    head: NDArray[np.int64]
    tail: NDArray[np.int64]
    degree: NDArray[np.int64]
    following: NDArray[np.int64]
    dead: NDArray[np.bool_]
    version: NDArray[np.int32]


class _Pairs(NamedTuple):
    """Which contact is that of two regions: an open-addressing table with linear probing.

    ``keys`` are 0 where a slot is free and 1 where a pair was removed; ``filled`` has one element,
    the number of slots that are not free.
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
    """Remove the first entry and return its place, where it can be read until the next push."""
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
    """The slot of a key, or the first free slot after where it would be."""
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


@inlined
def _enter(pairs, key, slot, edge):  # type: ignore[no-untyped-def]
    pairs.keys[slot] = key
    pairs.edges[slot] = edge
    pairs.filled[0] += 1


@inlined
def _remove(pairs, a, b):  # type: ignore[no-untyped-def]
    pairs.keys[_slot(pairs.keys, _key(a, b))] = np.uint64(1)


@compiled
def _enter_anew(pairs, contacts, dead):  # type: ignore[no-untyped-def]
    """Enter the contacts that are left into an empty table: removed pairs have filled it."""
    pairs.keys[:] = 0
    pairs.filled[0] = 0
    for edge in range(len(dead)):
        if not dead[edge]:
            # Contacts of a region whose contacts are being moved are still found under it.
            key = _key(contacts.first[edge], contacts.second[edge])
            _enter(pairs, key, _slot(pairs.keys, key), edge)


@inlined
def _append(graph, node, half):  # type: ignore[no-untyped-def]
    """Append a half edge to the contacts of a node."""
    graph.following[half] = -1
    if graph.head[node] < 0:
        graph.head[node] = half
    else:
        graph.following[graph.tail[node]] = half
    graph.tail[node] = half
    graph.degree[node] += 1


@inlined
def _offer(queue, contacts, version, edge, quantile, until):  # type: ignore[no-untyped-def]
    """Enter a contact into the queue where its score is low enough."""
    score = _score(edge, contacts.sums, contacts.counts, contacts.histograms, quantile)
    if score < until:
        _push(queue, score, edge, version)


@compiled
def _opened(nodes, contacts, quantile, until):  # type: ignore[no-untyped-def]
    """The graph, the pairs and the queue of contacts before any merge."""
    edges = len(contacts.first)
    graph = _Graph(
        np.full(nodes, -1, np.int64),
        np.full(nodes, -1, np.int64),
        np.zeros(nodes, np.int64),
        np.full(2 * edges, -1, np.int64),
        np.zeros(edges, np.bool_),
        np.zeros(edges, np.int32),
    )
    size = 16
    while size < 4 * edges:
        size *= 2
    pairs = _Pairs(np.zeros(size, np.uint64), np.zeros(size, np.int64), np.zeros(1, np.int64))
    # A contact is entered at first, and once for every one that becomes one with it.
    most = 2 * edges + 1
    queue = _Queue(
        np.empty(most, np.float64),
        np.empty(most, np.int64),
        np.empty(most, np.int32),
        np.zeros(1, np.int64),
    )
    for edge in range(edges):
        first, second = contacts.first[edge], contacts.second[edge]
        _append(graph, first, 2 * edge)
        _append(graph, second, 2 * edge + 1)
        key = _key(first, second)
        _enter(pairs, key, _slot(pairs.keys, key), edge)
        _offer(queue, contacts, 0, edge, quantile, until)
    return graph, pairs, queue


@inlined
def _make_one(contacts, graph, kept, moved, quantile):  # type: ignore[no-untyped-def]
    """Add a contact to another of the same two regions."""
    contacts.sums[kept] += contacts.sums[moved]
    contacts.counts[kept] += contacts.counts[moved]
    if quantile >= 0:
        for at in range(contacts.histograms.shape[1]):
            contacts.histograms[kept, at] += contacts.histograms[moved, at]
    graph.dead[moved] = True
    graph.version[kept] += 1


@inlined
def _move_contacts(contacts, graph, pairs, queue, a, b, quantile, until):  # type: ignore[no-untyped-def]
    """Give the contacts of region ``b`` to ``a``; those with a common neighbour become one."""
    half = graph.head[b]
    while half >= 0:
        after = graph.following[half]
        moved, leaves_first = half >> 1, half & 1 == 0
        if not graph.dead[moved]:
            other = contacts.second[moved] if leaves_first else contacts.first[moved]
            _remove(pairs, b, other)
            key = _key(a, other)
            slot = _slot(pairs.keys, key)
            if pairs.keys[slot] == key:
                kept = pairs.edges[slot]
                _make_one(contacts, graph, kept, moved, quantile)
                graph.degree[other] -= 1
                _offer(queue, contacts, graph.version[kept], kept, quantile, until)
            else:
                if leaves_first:
                    contacts.first[moved] = a
                else:
                    contacts.second[moved] = a
                _append(graph, a, half)
                _enter(pairs, key, slot, moved)
                if 10 * pairs.filled[0] > 6 * len(pairs.keys):
                    _enter_anew(pairs, contacts, graph.dead)
        half = after


@compiled
def _merge(nodes, contacts, quantile, until, frozen):  # type: ignore[no-untyped-def]
    """Merges in their order, and which contacts are merged away; all others changed in place."""
    graph, pairs, queue = _opened(nodes, contacts, quantile, until)
    merged_first = np.empty(nodes, np.int64)
    merged_second = np.empty(nodes, np.int64)
    merged_scores = np.empty(nodes, np.float64)
    merges = 0
    while queue.size[0] > 0:
        entry = _pop(queue)
        edge = queue.edges[entry]
        if graph.dead[edge] or queue.versions[entry] != graph.version[edge]:
            continue
        a, b = contacts.first[edge], contacts.second[edge]
        if frozen[a] or frozen[b]:
            # The best contact of both, and out of reach: neither can be decided on here.
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
        _move_contacts(contacts, graph, pairs, queue, a, b, quantile, until)
    return merged_first[:merges], merged_second[:merges], merged_scores[:merges], graph.dead
