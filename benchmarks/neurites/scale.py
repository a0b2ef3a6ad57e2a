"""A volume larger than memory: fragments, region graphs, agglomeration, stitched labels, by blocks.

    python -m benchmarks.neurites.scale [--shape 64 4096 4096] [--processes 2] [--folder scale]

writes docs/tables/neurites-scale.tsv: seconds, peak memory and disk of every stage, and the score
of the result; and docs/tables/neurites-scale-parts.tsv: what the agglomeration hands on, by size
of the part. Rows of other shapes stay. Affinities are made when a block is worked on and are not
stored; the time this takes is told apart. What is stored is what the steps store, by the same
functions. With --folder, a run that was interrupted goes on with the blocks that are missing.
"""

import argparse
import json
import os
import resource
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import pandas as pd

from benchmarks import ROOT
from benchmarks.neurites.volume import SyntheticVolume
from snakescope.learning.partition_scores import scores_of_table
from snakescope.neurites.agglomeration.agglomerate import (
    agglomerate_files,
    read_agglomeration,
    write_agglomeration,
)
from snakescope.neurites.agglomeration.hierarchy import Part
from snakescope.neurites.agglomeration.segmentation import write_segmentation
from snakescope.neurites.agglomeration.settings import SegmentationSettings
from snakescope.neurites.fragments.block_files import read_face, read_labels, write_fragments
from snakescope.neurites.fragments.context import context_of
from snakescope.neurites.fragments.fragments import block_fragments
from snakescope.neurites.fragments.pair_counts import contingency_table
from snakescope.neurites.fragments.region_graph import (
    Neighbour,
    block_graph,
    read_graph,
    write_graph,
)
from snakescope.neurites.fragments.settings import FragmentsSettings
from snakescope.neurites.volumes.blocks import Block, Box, Grid, within
from snakescope.step.command import run_step
from snakescope.step.output import atomic_write
from snakescope.step.progress import progress
from snakescope.step.tables import read_table, write_table

SECTIONS = (30.0, 6.0, 6.0)
SETTINGS = FragmentsSettings()
THRESHOLD = 0.5


@dataclass
class Cost:
    """Processor seconds of the work and of making affinities, peak memory (MB)."""

    cpu: float = 0.0
    making: float = 0.0
    peak_mb: float = 0.0


def usage() -> list[resource.struct_rusage]:
    """What this process has used, and what those have that it started and that have ended."""
    return [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]


def used_s() -> float:
    """Processor seconds of them."""
    return sum(one.ru_utime + one.ru_stime for one in usage())


class Clock:
    """Tells the seconds of making what is worked on from those of the work."""

    def __init__(self) -> None:
        self.cost, self.started = Cost(), used_s()

    @contextmanager
    def making(self) -> Iterator[None]:
        """Within, seconds are no part of the work."""
        started = used_s()
        yield
        self.cost.making += used_s() - started

    def stopped(self) -> Cost:
        """The cost so far."""
        self.cost.cpu = used_s() - self.started - self.cost.making
        self.cost.peak_mb = max(one.ru_maxrss for one in usage()) / 1024
        return self.cost


class Work:
    """The stages; files are kept in a folder, with what each has cost."""

    def __init__(self, folder: Path, grid: Grid, processes: int):
        """Work on the blocks of ``grid``; ``processes`` write labels at a time."""
        self.folder, self.grid, self.processes = folder, grid, processes

    def path(self, kind: str, block: Block) -> Path:
        """File of a block."""
        suffix = "h5" if kind == "fragments" else "npz"
        return self.folder / kind / f"{block.name}.{suffix}"

    def once(self, name: str, work: Callable[[Clock], None]) -> Cost:
        """Do what was not done before; return what it has cost."""
        stamp = self.folder / "costs" / f"{name}.json"
        if not stamp.exists():
            clock = Clock()
            work(clock)
            with atomic_write(stamp) as partial:
                partial.write_text(json.dumps(asdict(clock.stopped())))
        return Cost(**json.loads(stamp.read_text()))

    def fragments(self, block: Block) -> Cost:
        """Fragments of a block, and their overlaps with the truth."""

        def work(clock: Clock) -> None:
            window = self.grid.window(block, context_of(SETTINGS, SECTIONS))
            with clock.making():
                truth, affinities = volume().both(window)
            found = block_fragments(affinities, block.box, window, SETTINGS, SECTIONS)
            write_fragments(self.path("fragments", block), found, block, self.grid)
            with clock.making(), atomic_write(self.path("truth", block)) as partial:
                inside = np.ascontiguousarray(truth[within(block.box, window)])
                np.savez(partial, *contingency_table(found.labels, inside))

        return self.once(f"fragments-{block.index}", work)

    def graph(self, block: Block) -> Cost:
        """Region graph of a block."""

        def work(clock: Clock) -> None:
            with clock.making():
                affinities = volume().affinities(block.box)
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
            faces = self.grid.inner_faces(block)
            graph = block_graph(
                labels, int(labels.max()), first_id, affinities, before, inner_faces=faces
            )
            write_graph(self.path("graphs", block), graph)

        return self.once(f"graph-{block.index}", work)

    def agglomeration(self) -> Cost:
        """The region graph of the volume, part by part."""

        def work(_: Clock) -> None:
            rows = []

            def watch(box: Box, part: Part) -> None:
                blocks = int(np.prod([end - begin for begin, end in box]))
                regions = len(np.unique(np.concatenate(part.edges[:2])))
                rows.append((blocks, regions, len(part.edges.first)))

            folders = self.folder / "fragments", self.folder / "graphs"
            result = agglomerate_files(*folders, self.grid, ["mean"], 0, watch)
            write_agglomeration(self.folder / "agglomeration.h5", result)
            table = pd.DataFrame(rows, columns=["blocks", "regions", "contacts"])
            write_table(self.folder / "parts.tsv", table)

        return self.once("agglomeration", work)

    def labels(self) -> Cost:
        """The labels of the volume, from the fragments of its blocks."""

        def work(_: Clock) -> None:
            settings = SegmentationSettings(threshold=THRESHOLD)
            files = [self.path("fragments", block) for block in self.grid]
            result = read_agglomeration(self.folder / "agglomeration.h5")
            store = self.folder / "segmentation.ome.zarr"
            objects = write_segmentation(
                store, files, result, self.grid, SECTIONS, settings, self.processes
            )
            write_table(self.folder / "objects.tsv", objects)

        return self.once("labels", work)


_volume: list[SyntheticVolume] = []


def volume() -> SyntheticVolume:
    """The volume, made once a process."""
    if not _volume:
        _volume.append(SyntheticVolume())
    return _volume[0]


def disk_mb(*paths: Path) -> float:
    """What files and folders take on disk (MB)."""
    every = [file for path in paths for file in (path, *path.rglob("*")) if file.is_file()]
    return sum(file.stat().st_size for file in every) / 1e6


def in_processes(
    count: int, stage: str, step: Callable[..., Cost], of: Sequence[tuple[Block, ...]], clock: Path
) -> tuple[list[Cost], float]:
    """Costs of a stage, in processes of its own, and seconds of the clock.

    Those of runs before this one are kept in ``clock`` and count.
    """
    before = float(clock.read_text()) if clock.exists() else 0.0
    started = time.monotonic()
    with ProcessPoolExecutor(count, get_context("spawn")) as pool:
        waiting = [pool.submit(step, *given) for given in of]
        costs = [one.result() for one in progress(waiting, stage)]
    wall = before + time.monotonic() - started
    with atomic_write(clock) as partial:
        partial.write_text(f"{wall:.1f}")
    return costs, wall


def main() -> None:
    """Segment a synthetic volume block by block."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--shape", type=int, nargs=3, default=(64, 4096, 4096), help="z y x")
    parser.add_argument("--block", type=int, nargs=3, default=(32, 512, 512), help="z y x")
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--folder", type=Path, help="where to keep the files; removed without")
    tables = ROOT / "docs/tables"
    parser.add_argument("--table", type=Path, default=tables / "neurites-scale.tsv")
    parser.add_argument("--parts", type=Path, default=tables / "neurites-scale-parts.tsv")
    given = parser.parse_args()
    z, y, x = given.shape
    a, b, c = given.block
    grid = Grid((z, y, x), (min(a, z), min(b, y), min(c, x)))
    with tempfile.TemporaryDirectory() as temporary:
        work = Work(given.folder or Path(temporary), grid, given.processes)
        table, parts = measured(work)
    for path, found in ((given.table, table), (given.parts, parts)):
        found.insert(0, "shape", f"{z}x{y}x{x}")
        if path.exists():
            earlier = read_table(path, ("shape",))
            found = pd.concat([earlier[earlier["shape"] != found["shape"][0]], found])
        write_table(path, found)
        print(found.to_string(), file=sys.stderr)


def measured(work: Work) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Do the work; a row a stage, and a row a size of parts."""
    blocks, folder, processes = list(work.grid), work.folder, work.processes
    every = [(block,) for block in blocks]
    stages = (
        ("fragments", work.fragments, every, processes, folder / "fragments"),
        ("region graphs", work.graph, every, processes, folder / "graphs"),
        ("agglomeration", work.agglomeration, [()], 1, folder / "agglomeration.h5"),
        ("stitched labels", work.labels, [()], 1, folder / "segmentation.ome.zarr"),
    )
    voxels = float(np.prod(work.grid.shape))
    rows = []
    for stage, step, of, count, made in stages:
        clock = folder / "costs" / f"{stage.replace(' ', '-')}.seconds"
        costs, wall = in_processes(count, stage, step, of, clock)
        cpu = sum(cost.cpu for cost in costs)
        rows.append(
            {
                "stage": stage,
                "seconds": wall,
                "cpu_seconds": cpu,
                "cpu_seconds_making_affinities": sum(cost.making for cost in costs),
                "mvoxel_per_cpu_s": voxels / 1e6 / max(cpu, 1e-9),
                "processes": processes if stage == "stitched labels" else count,
                "peak_mb_a_process": max(cost.peak_mb for cost in costs),
                "disk_mb": disk_mb(made),
            }
        )
    result = read_agglomeration(folder / "agglomeration.h5")
    regions = result.regions("mean", THRESHOLD)
    counted = []
    for block, offset in zip(blocks, result.numbers.offsets, strict=False):
        with np.load(work.path("truth", block)) as stored:
            own, true, voxel_counts = (stored[name] for name in stored.files)
        named = np.where(own > 0, regions[np.maximum(own - 1, 0) + offset], 0)
        counted.append((named, true, voxel_counts))
    scores = scores_of_table(*map(np.concatenate, zip(*counted, strict=True)))
    table = pd.DataFrame(rows)
    table["fragments"] = result.numbers.total
    table["contacts"] = sum(len(read_graph(work.path("graphs", one)).first) for one in blocks)
    table["objects"] = len(read_table(folder / "objects.tsv", ("object",)))
    table["arand"], table["load"] = scores.arand, os.getloadavg()[0]
    left = read_table(folder / "parts.tsv", ("blocks", "regions", "contacts"))
    by_size = left.groupby("blocks")
    parts = pd.DataFrame(
        {
            "parts": by_size.size(),
            "regions_left": by_size["regions"].mean(),
            "contacts_left": by_size["contacts"].mean(),
            "most_contacts_left": by_size["contacts"].max(),
        }
    ).reset_index()
    parts["voxels"] = parts["blocks"] * float(np.prod(work.grid.block))
    return table, parts


if __name__ == "__main__":
    run_step(main)
