"""Agglomeration part by part gives the merges of the whole graph."""

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from snakescope.neurites.agglomeration.hierarchy import Part, agglomerate, parts_of
from snakescope.neurites.agglomeration.partitions import (
    Merges,
    numbering,
    partition,
    whole_fragments,
)
from snakescope.neurites.fragments.region_graph import BlockGraph, Neighbour, block_graph
from snakescope.neurites.volumes.blocks import Block, Box, Grid, within

SHAPE = (6, 9, 10)


def lattice(block: tuple[int, int, int], kind: type) -> tuple[Grid, dict[str, BlockGraph]]:
    """Graphs of a volume in which every voxel is a fragment, and a few are cut by faces."""
    grid = Grid(SHAPE, block)
    rng = np.random.default_rng(3)
    affinities = rng.uniform(0, 255, (3, *SHAPE)).astype(kind)
    labels = {
        one.name: np.arange(1, np.prod(one.shape) + 1, dtype=np.int32).reshape(one.shape)
        for one in grid
    }
    graphs = {}
    for one in grid:
        before: list[Neighbour | None] = []
        for axis, other in enumerate(grid.before(one)):
            if other is None:
                before.append(None)
                continue
            faces = (np.take(labels[one.name], 0, axis), np.take(labels[other.name], -1, axis))
            own, theirs = (np.stack([face, np.zeros_like(face)]) for face in faces)
            first_id = other.index * grid.capacity
            before.append(Neighbour(own, theirs, first_id, int(labels[other.name].max())))
        inside = affinities[(slice(None), *within(one.box, ((0, 6), (0, 9), (0, 10))))]
        count = int(labels[one.name].max())
        first_id = one.index * grid.capacity
        graphs[one.name] = block_graph(
            labels[one.name],
            count,
            first_id,
            np.ascontiguousarray(inside),
            before,
            kind is np.uint8,
            grid.inner_faces(one),
        )
    return grid, graphs


def names(grid: Grid) -> NDArray[np.int64]:
    """Voxels in the order of the fragments' numbers."""
    at = np.arange(np.prod(SHAPE)).reshape(SHAPE)
    return np.concatenate([at[one.slices].reshape(-1) for one in grid])


def partitions(
    grid: Grid, graphs: dict[str, BlockGraph], scoring: str
) -> tuple[Merges, dict[float, NDArray[np.int64]], list[tuple[Box, Part]]]:
    """All merges, and the region of every voxel by threshold."""
    counts = [int(np.prod(one.shape)) for one in grid]
    numbers = numbering([one.index * grid.capacity for one in grid], counts)
    node_of = whole_fragments((graph.cut for graph in graphs.values()), numbers)
    seen: list[tuple[Box, Part]] = []

    def graph_of(block: Block) -> BlockGraph:
        return graphs[block.name]

    merges = agglomerate(
        grid, graph_of, numbers, node_of, scoring, 64, watch=lambda *at: seen.append(at)
    )
    found = {}
    for threshold in (0.0, 0.3, 0.5, 0.7, 1.0):
        of_node = partition(int(node_of.max()) + 1, merges, threshold)
        by_voxel = np.empty(len(node_of), np.int64)
        by_voxel[names(grid)] = of_node[node_of]
        found[threshold] = by_voxel
    return merges, found, seen


def same(one: NDArray[np.int64], other: NDArray[np.int64]) -> bool:
    pairs = len(np.unique(np.stack([one, other]), axis=1).T)
    return pairs == len(np.unique(one)) == len(np.unique(other))


@pytest.mark.parametrize("block", [(2, 3, 4), (6, 5, 3), (2, 9, 10)])
def test_parts_give_the_merges_of_the_whole(block: tuple[int, int, int]) -> None:
    whole_grid, whole = lattice(SHAPE, np.float32)
    reference, wanted, _ = partitions(whole_grid, whole, "mean")
    grid, graphs = lattice(block, np.float32)
    merges, found, seen = partitions(grid, graphs, "mean")
    assert len(seen) == 2 * len(grid) - 1
    # Something is decided early, something is left for later, and nothing at the end.
    contacts = sum(len(graph.first) for graph in graphs.values())
    of_blocks = [part for box, part in seen if all(end - begin == 1 for begin, end in box)]
    assert 0 < sum(len(part.edges.first) for part in of_blocks) < contacts
    assert len(seen[-1][1].edges.first) == len(seen[-1][1].border) == 0
    assert merges.scores == pytest.approx(reference.scores, abs=1e-12)
    for threshold, regions in wanted.items():
        assert same(found[threshold], regions)
    assert len(np.unique(found[0.5])) not in (1, len(found[0.5]))


def test_fragments_that_faces_cut_stay_one_in_every_part() -> None:
    grid, graphs = lattice((2, 3, 4), np.float32)
    voxel = {int(at): number for number, at in enumerate(names(grid))}
    numbers = numbering(
        [one.index * grid.capacity for one in grid], [int(np.prod(one.shape)) for one in grid]
    )
    # Voxels on both sides of faces along y and x, and a chain of three over two faces.
    index = np.arange(np.prod(SHAPE)).reshape(SHAPE)
    pairs = [(index[0, 2, 1], index[0, 3, 1]), (index[3, 4, 7], index[3, 4, 8]),
             (index[1, 0, 0], index[2, 0, 0]), (index[1, 2, 3], index[1, 2, 4]),
             (index[1, 2, 4], index[1, 3, 4])]  # fmt: skip

    def id_of(at: int) -> int:
        number = voxel[int(at)]
        block = int(numbers.block_of(np.array([number]))[0])
        return int(numbers.first_ids[block]) + number - int(numbers.offsets[block]) + 1

    cut = np.array([[id_of(a), id_of(b)] for a, b in pairs], np.uint64)
    first = next(iter(grid)).name
    graphs[first] = replace(graphs[first], cut=cut)
    _, many, _ = partitions(grid, graphs, "mean")
    whole_grid, whole = lattice(SHAPE, np.float32)
    name = next(iter(whole_grid)).name
    ids = np.array([[a + 1, b + 1] for a, b in pairs], np.uint64)
    whole[name] = replace(whole[name], cut=ids)
    _, one, _ = partitions(whole_grid, whole, "mean")
    assert many[0.0][pairs[3][0]] == many[0.0][pairs[4][1]]
    for threshold, regions in one.items():
        assert same(many[threshold], regions)


def test_quantiles_too() -> None:
    whole_grid, whole = lattice(SHAPE, np.uint8)
    reference, wanted, _ = partitions(whole_grid, whole, "quantile50")
    grid, graphs = lattice((3, 5, 5), np.uint8)
    merges, found, _ = partitions(grid, graphs, "quantile50")
    assert np.all(np.diff(merges.scores) >= 0)
    # 64 levels tie often, and the order among equals is nobody's to state.
    assert abs(len(merges.scores) - len(reference.scores)) <= 5
    for threshold in (0.3, 0.5):
        regions = [len(np.unique(one[threshold])) for one in (found, wanted)]
        assert abs(regions[0] - regions[1]) <= 0.1 * regions[1]


def test_parts_are_halves_of_each_other() -> None:
    parts = list(parts_of((1, 2, 3)))
    assert parts[-1] == ((0, 1), (0, 2), (0, 3))
    assert len(parts) == len(set(parts)) == 11
