"""A volume larger than memory: fragments, region graphs, agglomeration, stitched labels, by blocks.

    python benchmarks/neurites_scale.py [--shape 64 4096 4096] [--processes 2]

writes docs/tables/neurites-scale.tsv: seconds and peak memory of every stage, and the score of
the result. Affinities are made when a block is worked on and are not stored; the time this takes is
told apart. What is stored is what the steps store, by the same functions.
"""

import argparse
import os
import resource
import sys
import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import pandas as pd

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "scripts"), str(ROOT)]

from benchmarks.neurites_volume import SyntheticVolume  # noqa: E402
from neurites.agglomerate import (  # noqa: E402
    Agglomeration,
    agglomerate,
    numbering,
    volume_graph,
)
from neurites.block_files import (  # noqa: E402
    read_face,
    read_labels,
    read_statistics,
    write_fragments,
)
from neurites.blocks import Block, Grid  # noqa: E402
from neurites.fragment_context import context_of  # noqa: E402
from neurites.fragments import block_fragments  # noqa: E402
from neurites.pair_counts import overlaps  # noqa: E402
from neurites.partition_scores import scores_of_overlaps  # noqa: E402
from neurites.region_graph import Neighbour, block_graph, read_graph, write_graph  # noqa: E402
from neurites.segmentation import write_segmentation  # noqa: E402
from neurites.settings.fragments import FragmentsSettings  # noqa: E402
from neurites.settings.segmentation import SegmentationSettings  # noqa: E402
from step.command import run_step  # noqa: E402
from step.progress import progress  # noqa: E402
from step.tables import write_table  # noqa: E402

SECTIONS = (30.0, 6.0, 6.0)
SETTINGS = FragmentsSettings()
THRESHOLD = 0.5
Cost = tuple[float, float, float]


class Work:
    """Stages of one block; every process makes its own volume once."""

    def __init__(self, folder: Path, grid: Grid):
        """Work on the blocks of ``grid``, with files in ``folder``."""
        self.folder, self.grid = folder, grid
        self.volume: SyntheticVolume | None = None

    def __getstate__(self) -> tuple[Path, Grid]:
        """The volume is made anew, not sent."""
        return self.folder, self.grid

    def __setstate__(self, state: tuple[Path, Grid]) -> None:
        """See above."""
        self.__init__(*state)  # type: ignore[misc]

    def path(self, kind: str, block: Block) -> Path:
        """File of a block."""
        return self.folder / kind / block.name

    def made(self) -> SyntheticVolume:
        """The volume."""
        if self.volume is None:
            self.volume = SyntheticVolume()
        return self.volume

    def fragments(self, block: Block) -> Cost:
        """Fragments of a block; seconds of making affinities, of the work, peak memory (MB)."""
        window = self.grid.window(block, context_of(SETTINGS, SECTIONS))
        started = time.process_time()
        affinities = self.made().affinities(window)
        made = time.process_time()
        found = block_fragments(affinities, block.box, window, SETTINGS, SECTIONS)
        write_fragments(self.path("fragments", block), found, block, self.grid)
        return made - started, time.process_time() - made, peak_mb()

    def graph(self, block: Block) -> Cost:
        """Region graph of a block."""
        started = time.process_time()
        affinities = self.made().affinities(block.box)
        made = time.process_time()
        own = self.path("fragments", block)
        before = [
            None
            if other is None
            else Neighbour(
                read_face(own, axis, 0)[0], *read_face(self.path("fragments", other), axis, 1)
            )
            for axis, other in enumerate(self.grid.before(block))
        ]
        labels = read_labels(own)
        first_id = block.index * self.grid.capacity
        graph = block_graph(labels, int(labels.max()), first_id, affinities, before)
        write_graph(self.path("graphs", block), graph)
        return made - started, time.process_time() - made, peak_mb()

    def compared(self, block: Block) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Overlaps of a block's fragments with the truth."""
        return overlaps(read_labels(self.path("fragments", block)), self.made().labels(block.box))


def peak_mb() -> float:
    """Peak memory of this process (MB)."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def row(stage: str, wall: float, costs: Sequence[Cost], voxels: int) -> dict[str, object]:
    """A row of the table."""
    return {
        "stage": stage,
        "seconds": wall,
        "cpu_seconds": sum(cost[1] for cost in costs),
        "cpu_seconds_making_affinities": sum(cost[0] for cost in costs),
        "mvoxel_per_cpu_s": voxels / 1e6 / max(sum(cost[1] for cost in costs), 1e-9),
        "peak_mb_a_process": max(cost[2] for cost in costs),
    }


def main() -> None:
    """Segment a synthetic volume block by block."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--shape", type=int, nargs=3, default=(64, 4096, 4096), help="z y x")
    parser.add_argument("--block", type=int, nargs=3, default=(32, 512, 512), help="z y x")
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--table", type=Path, default=ROOT / "docs/tables/neurites-scale.tsv")
    given = parser.parse_args()
    z, y, x = given.shape
    a, b, c = given.block
    grid = Grid((z, y, x), (min(a, z), min(b, y), min(c, x)))
    voxels = z * y * x
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        work = Work(Path(folder), grid)
        blocks = list(grid)
        with ProcessPoolExecutor(given.processes, get_context("spawn")) as pool:
            for stage, step in (("fragments", work.fragments), ("region graphs", work.graph)):
                started = time.monotonic()
                mapped = pool.map(step, blocks)
                costs = [cost for cost, _ in zip(mapped, progress(blocks, stage), strict=True)]
                rows.append(row(stage, time.monotonic() - started, costs, voxels))
        started, cpu = time.monotonic(), time.process_time()
        files = [work.path("fragments", block) for block in blocks]
        counted = [read_statistics(path) for path in files]
        numbers = numbering([first for _, first in counted], [len(found) for found, _ in counted])
        graph = volume_graph([read_graph(work.path("graphs", block)) for block in blocks], numbers)
        result = Agglomeration(numbers, graph.node_of, {"mean": agglomerate(graph, "mean")})
        cost = (0.0, time.process_time() - cpu, peak_mb())
        rows.append(row("agglomeration", time.monotonic() - started, [cost], voxels))
        sizes = {"fragments": numbers.total, "contacts": len(graph.first)}
        del graph
        started, cpu = time.monotonic(), time.process_time()
        settings = SegmentationSettings(threshold=THRESHOLD)
        store = Path(folder, "v", "segmentation.ome.zarr")
        objects = write_segmentation(store, files, result, grid, SECTIONS, settings)
        cost = (0.0, time.process_time() - cpu, peak_mb())
        rows.append(row("stitched labels", time.monotonic() - started, [cost], voxels))
        regions = result.regions("mean", THRESHOLD)
        parts = []
        for block, offset in zip(blocks, numbers.offsets, strict=False):
            own, true, count = work.compared(block)
            named = np.where(own > 0, regions[np.maximum(own - 1, 0) + offset], 0)
            parts.append((named, true, count))
        scores = scores_of_overlaps(
            *(np.concatenate(column) for column in zip(*parts, strict=True))
        )
    table = pd.DataFrame(rows)
    table.insert(0, "shape", f"{z}x{y}x{x}")
    table["processes"] = given.processes
    table["fragments"], table["contacts"] = sizes["fragments"], sizes["contacts"]
    table["objects"], table["arand"] = len(objects), scores.arand
    table["load"] = os.getloadavg()[0]
    write_table(given.table, table)
    print(table.to_string(), file=sys.stderr)


if __name__ == "__main__":
    run_step(main)
