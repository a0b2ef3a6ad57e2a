"""Region graph of a block: an edge for every two fragments that touch, with its affinities.

Edges across a face belong to the block above it, as the affinities there do. The same step finds
the fragments that the face has cut in two.
"""

import argparse
import json
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from snakescope.neurites.fragments.block_files import read_affinities, read_face, read_labels
from snakescope.neurites.fragments.pair_counts import Planes, contingency_table, count_edges
from snakescope.neurites.volumes.blocks import Grid
from snakescope.step.errors import StepError
from snakescope.step.output import atomic_write

SAME_FRAGMENT = 0.5


@dataclass(frozen=True)
class Neighbour:
    """Labels of the block before this one at the face between them.

    Attributes:
        own_face: shape (2, ., .), labels of this block on its outermost voxels and beyond.
        face: the same of the block before.
        first_id: the id before the first fragment of the block before.
        count: how many fragments the block before has.
    """

    own_face: NDArray[np.int32]
    face: NDArray[np.int32]
    first_id: int
    count: int


@dataclass(frozen=True)
class BlockGraph:
    """Edges between a block's fragments, by ids that are unique in the volume.

    Attributes:
        first, second: shape (E,), the fragments that an edge connects, each pair once.
        counts: shape (E,), number of affinities between them.
        sums: shape (E,), sum of these affinities, 0 to 255 each.
        bins: shape (N, 3), index of the edge, affinity (0 to 255), count; empty if no quantile is
            to be computed.
        cut: shape (K, 2), pairs of ids that are one fragment.
        border: shape (K, 2), ids that touch a face with another block, and the sum of
            1 << (2 axis + side) over these faces, side 0 towards the first voxel.
    """

    first: NDArray[np.uint64]
    second: NDArray[np.uint64]
    counts: NDArray[np.int64]
    sums: NDArray[np.float64]
    bins: NDArray[np.int64]
    cut: NDArray[np.uint64]
    border: NDArray[np.uint64]


def block_graph(
    labels: NDArray[np.int32],
    count: int,
    first_id: int,
    affinities: NDArray[np.uint8],
    before: Sequence[Neighbour | None],
    histograms: bool = False,
    inner_faces: Sequence[tuple[int, int]] = (),
) -> BlockGraph:
    """Find the edges of a block's fragments with each other and with the blocks before it.

    Args:
        labels: shape (Z, Y, X), 1 .. count, 0 where there is no fragment.
        first_id: the id before the block's first fragment.
        affinities: shape (3, Z, Y, X) of the block, to the voxel before along z, y and x, 0 to 255.
        before: the blocks before it along z, y and x.
        histograms: whether to count affinities by value, for quantiles.
        inner_faces: axis and side of the faces between this block and another.
    """
    ids = [np.zeros(1, np.uint64), _ids(first_id, count)]
    planes: list[Planes] = [_inner(labels, affinities[axis], axis) for axis in range(3)]
    cut = [np.zeros((0, 2), np.uint64)]
    codes = count
    for axis, neighbour in enumerate(before):
        if neighbour is None:
            continue
        theirs = neighbour.face[0]
        shifted = np.where(theirs > 0, theirs + codes, 0).astype(np.int32)
        planes.append(
            (
                np.expand_dims(shifted, axis),
                np.expand_dims(neighbour.own_face[0], axis),
                np.take(affinities[axis], [0], axis),
            )
        )
        ids.append(_ids(neighbour.first_id, neighbour.count))
        codes += neighbour.count
        pairs = cut_fragments(neighbour.face, neighbour.own_face).astype(np.uint64)
        cut.append(pairs + np.array([neighbour.first_id, first_id], np.uint64))
    edges = count_edges(planes, histograms)
    id_of = np.concatenate(ids)
    return BlockGraph(
        id_of[edges.first],
        id_of[edges.second],
        edges.counts,
        edges.sums,
        edges.histogram,
        np.concatenate(cut),
        _border(labels, count, first_id, inner_faces),
    )


def _border(
    labels: NDArray[np.int32], count: int, first_id: int, faces: Sequence[tuple[int, int]]
) -> NDArray[np.uint64]:
    touched = np.zeros(count + 1, np.uint64)
    for axis, side in faces:
        seen = np.zeros(count + 1, bool)
        seen[np.take(labels, -side, axis)] = True
        touched += seen.astype(np.uint64) << np.uint64(2 * axis + side)
    touched[0] = 0
    there = np.flatnonzero(touched)
    return np.stack([there.astype(np.uint64) + np.uint64(first_id), touched[there]], axis=1)


def _ids(first_id: int, count: int) -> NDArray[np.uint64]:
    return np.arange(first_id + 1, first_id + count + 1, dtype=np.uint64)


def _inner(labels: NDArray[np.int32], affinities: NDArray[np.uint8], axis: int) -> Planes:
    low = tuple(slice(-1) if a == axis else slice(None) for a in range(3))
    high = tuple(slice(1, None) if a == axis else slice(None) for a in range(3))
    return labels[low], labels[high], affinities[high]


def cut_fragments(low: NDArray[np.int32], high: NDArray[np.int32]) -> NDArray[np.int64]:
    """Find the fragments that the face between two blocks has cut in two.

    Both blocks label the voxels on both sides of the face. Two fragments are one where each is the
    other's largest overlap and their intersection over union is at least 0.5.

    Args:
        low: shape (2, ., .), labels of the block below the face: own side, far side.
        high: the same of the block above it.

    Returns:
        Shape (K, 2), label below and above.
    """
    # The own side of one is the far side of the other.
    a, b, shared = contingency_table(low, high[::-1].astype(np.int64))
    a_size = np.bincount(low.reshape(-1))
    b_size = np.bincount(high.reshape(-1))
    real = (a > 0) & (b > 0)
    a, b, shared = a[real], b[real], shared[real]
    union = a_size[a] + b_size[b] - shared
    best_of_a, best_of_b = np.zeros(len(a_size), np.int64), np.zeros(len(b_size), np.int64)
    np.maximum.at(best_of_a, a, shared)
    np.maximum.at(best_of_b, b, shared)
    same = (shared >= SAME_FRAGMENT * union) & (shared == best_of_a[a]) & (shared == best_of_b[b])
    return np.stack([a[same], b[same]], axis=1)


def write_graph(path: str | Path, graph: BlockGraph) -> None:
    """Write the region graph of a block."""
    with atomic_write(path) as partial, open(partial, "wb") as file:
        np.savez(file, **vars(graph))


def read_graph(path: str | Path) -> BlockGraph:
    """Read the region graph of a block.

    Raises:
        StepError: the file is absent or damaged.
    """
    return BlockGraph(**_arrays(path, [field.name for field in fields(BlockGraph)]))


def read_cut(path: str | Path) -> NDArray[np.uint64]:
    """Read the pairs of ids that are one fragment, and nothing else of a region graph."""
    return _arrays(path, ["cut"])["cut"]


def _arrays(path: str | Path, names: Sequence[str]) -> dict[str, NDArray[Any]]:
    try:
        with np.load(path) as file:
            return {name: file[name] for name in names}
    except FileNotFoundError:
        raise StepError(f"{path}: expected a region graph, found no such file") from None
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
        raise StepError(
            f"{path}: expected a whole region graph, found a damaged one "
            f"({type(error).__name__}); remove it and run again"
        ) from None


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command."""
    parser.add_argument("--fragments", type=Path, required=True, help="of the block")
    parser.add_argument(
        "--before", type=Path, nargs="*", default=[], help="of the blocks before it, by z, y, x"
    )
    parser.add_argument("--affinities", type=Path, required=True, help="of the block")
    parser.add_argument("--block", required=True, help="name of the block")
    parser.add_argument("--grid", required=True, help="JSON: shape, block, voxel_nm (z, y, x)")
    parser.add_argument("--histograms", choices=("yes", "no"), required=True, help="for quantiles")
    parser.add_argument("--graph", type=Path, required=True, help="npz file to write")


def main(given: argparse.Namespace) -> None:
    """Make the region graph of one block of a volume."""
    described = json.loads(given.grid)
    grid = Grid(tuple(described["shape"]), tuple(described["block"]))
    block = grid.by_name[given.block]
    files = iter(given.before)
    before: list[Neighbour | None] = []
    for axis, neighbour in enumerate(grid.before(block)):
        if neighbour is None:
            before.append(None)
            continue
        theirs = read_face(next(files), axis, 1)
        before.append(Neighbour(read_face(given.fragments, axis, 0)[0], *theirs))
    labels = read_labels(given.fragments)
    affinities = read_affinities([given.affinities], block.box)
    graph = block_graph(
        labels,
        int(labels.max()),
        block.index * grid.capacity,
        affinities,
        before,
        given.histograms == "yes",
        grid.inner_faces(block),
    )
    write_graph(given.graph, graph)
