"""Memory and time of the steps of the neurites tree that work on blocks, by the size of the block.

    python benchmarks/neurites_memory.py

Runs the command lines of the steps on synthetic blocks of two sizes, with fragments within
sections, in 3-D, and by waterz, and writes docs/tables/neurites-memory.tsv. What jobs ask for
(scripts/neurites/resources.py) is held against it by a test.
"""

import argparse
import json
import os
import sys
import tempfile
from pathlib import Path

import pandas as pd

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "scripts"), str(ROOT)]

from benchmarks.full_geometry import measure  # noqa: E402
from benchmarks.neurites_volume import SyntheticVolume  # noqa: E402
from neurites.block_files import write_block_array  # noqa: E402
from neurites.blocks import Grid, Zyx, box_shape  # noqa: E402
from neurites.resources import kind_of  # noqa: E402
from neurites.settings.fragments import FragmentsSettings  # noqa: E402
from step.command import run_step  # noqa: E402
from step.tables import write_table  # noqa: E402

COLUMNS = ("step", "fragments", "mvoxel", "cpu_seconds", "peak_rss_mb")
BLOCKS: tuple[Zyx, ...] = ((16, 256, 256), (32, 512, 512))
VOXEL_NM = {"sections": (30.0, 6.0, 6.0), "3-D": (6.0, 6.0, 6.0), "waterz": (6.0, 6.0, 6.0)}


def measured(folder: Path, shape: Zyx, kind: str) -> list[tuple[object, ...]]:
    """Run the steps on one block that is a whole volume; one row a step."""
    grid = Grid(shape, shape)
    (block,) = grid
    assert box_shape(block.box) == shape
    settings = FragmentsSettings(method="waterz") if kind == "waterz" else FragmentsSettings()
    assert kind_of(settings, VOXEL_NM[kind]) == kind
    affinities = folder / "affinities.h5"
    write_block_array(affinities, "affinities", SyntheticVolume().affinities(block.box), block.box)
    described = json.dumps({"shape": shape, "block": shape, "voxel_nm": VOXEL_NM[kind]})
    common = ("--block", block.name, "--grid", described)
    fragments, graph = str(folder / "fragments.h5"), str(folder / "graph.npz")
    steps = {
        "fragments": ("--affinities", str(affinities), "--settings",
                      settings.model_dump_json(exclude_defaults=True), "--fragments", fragments),
        "region_graph": ("--fragments", fragments, "--affinities", str(affinities),
                         "--histograms", "yes", "--graph", graph),
    }  # fmt: skip
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "scripts"), "OMP_NUM_THREADS": "1"}
    rows: list[tuple[object, ...]] = []
    for step, words in steps.items():
        command = [sys.executable, "-m", f"neurites.{step}", *words, *common]
        # Numba compiles once and keeps what it made; jobs find it there.
        measure(command, environment)
        cost = measure(command, environment)
        z, y, x = shape
        rows.append((step, kind, round(z * y * x / 1e6, 3), round(cost.cpu_seconds, 2),
                     round(cost.peak_rss_mb)))  # fmt: skip
        print(rows[-1], flush=True)
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--table", type=Path, default=ROOT / "docs/tables/neurites-memory.tsv")
    given = parser.parse_args()
    rows = []
    for kind in VOXEL_NM:
        for shape in BLOCKS:
            with tempfile.TemporaryDirectory() as folder:
                rows += measured(Path(folder), shape, kind)
    write_table(given.table, pd.DataFrame(rows, columns=list(COLUMNS)))


if __name__ == "__main__":
    run_step(main)
