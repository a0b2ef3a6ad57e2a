"""Fragments and agglomeration: speed, memory and result beside those of waterz, in one run.

    python -m benchmarks.neurites.segmentation [--shape 128 512 512] [--threads 2]

writes docs/tables/neurites-segmentation.tsv; rows of other shapes and methods stay. Each method
runs in a process of its own on the same synthetic volume (uint8 affinities; waterz wants float32).
Seconds of the clock and of the processor are both given: on a machine that does other work, only
the latter say what the method costs.
"""

import argparse
import json
import os
import resource
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd

from benchmarks import ROOT
from benchmarks.neurites.volume import SyntheticVolume
from snakescope.neurites.scores.partition_scores import score_partition
from snakescope.neurites.volumes.blocks import Box
from snakescope.step.command import run_step
from snakescope.step.tables import read_table, write_table

SECTIONS = (30.0, 6.0, 6.0)
METHODS = ("ours, fragments in sections", "ours, fragments in 3-D", "waterz")
THRESHOLD = 0.5


def measure(method: str, shape: tuple[int, int, int], threads: int) -> dict[str, float | str]:
    """Segment the volume with one method, in this process.

    Memory is the peak of the process above what it held with the affinities in it, plus those.
    """
    z, y, x = shape
    box: Box = ((0, z), (0, y), (0, x))
    made = SyntheticVolume()
    affinities = np.concatenate(
        [made.affinities(((a, min(a + 8, z)), *box[1:])) for a in range(0, z, 8)], axis=1
    )
    voxels = affinities[0].size
    # numba compiles, or reads what it has compiled, at the first call; that is no part of the work.
    run(method, affinities[:, :4, :64, :64].copy(), threads)
    before = usage()
    started = time.monotonic()
    found = run(method, affinities, threads)
    seconds = time.monotonic() - started
    after = usage()
    truth = np.concatenate([made.labels(((a, min(a + 8, z)), *box[1:])) for a in range(0, z, 8)])
    scores = score_partition(found, truth)
    cpu = after[0] - before[0]
    return {
        "method": method,
        "voxels": voxels,
        "threads": threads if method != "waterz" else 1,
        "seconds": seconds,
        "cpu_seconds": cpu,
        "mvoxel_per_s": voxels / seconds / 1e6,
        "mvoxel_per_cpu_s": voxels / cpu / 1e6,
        "peak_bytes_per_voxel": (after[1] - before[2]) / voxels + affinities.nbytes / voxels,
        "arand": scores.arand,
        "voi": scores.voi,
        "load": os.getloadavg()[0],
    }


def usage() -> tuple[float, int, int]:
    """Seconds of the processor so far; peak and present memory (bytes)."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    present = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1]) * 4096
    return used.ru_utime + used.ru_stime, used.ru_maxrss * 1024, present


def run(method: str, affinities: np.ndarray, threads: int) -> np.ndarray:
    """Return the partition at THRESHOLD, shape (Z, Y, X)."""
    if method == "waterz":
        import waterz

        scaled = affinities.astype(np.float32) / np.float32(255)
        steps = waterz.agglomerate(
            scaled, [THRESHOLD], aff_threshold_low=0.01, aff_threshold_high=0.99
        )
        return next(iter(steps)).copy()
    from snakescope.neurites.agglomeration.segment import segment_blocks
    from snakescope.neurites.fragments.settings import FragmentsSettings

    z, y, x = affinities.shape[1:]
    dimensions = "3" if "3-D" in method else "2"
    settings = FragmentsSettings(dimensions=dimensions)
    # In 3-D, a block sees little of its neighbours in proportion when it is cut along y.
    block = (z, -(-y // threads), x)
    done = segment_blocks(affinities, block, settings, SECTIONS, threads=threads)
    return done.labels("mean", THRESHOLD)


def main() -> None:
    """Measure every method in a process of its own."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--shape", type=int, nargs=3, default=(128, 512, 512), help="z y x")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--methods", nargs="+", default=METHODS, choices=METHODS)
    parser.add_argument("--only", choices=METHODS, help="measure one method here, print JSON")
    parser.add_argument(
        "--table", type=Path, default=ROOT / "docs/tables/neurites-segmentation.tsv"
    )
    given = parser.parse_args()
    z, y, x = given.shape
    if given.only:
        print("\n" + json.dumps(measure(given.only, (z, y, x), given.threads)))
        return
    rows = []
    for method in given.methods:
        words = [
            sys.executable,
            "-m",
            "benchmarks.neurites.segmentation",
            "--only",
            method,
            "--threads",
            str(given.threads),
        ]
        words += ["--shape", *map(str, given.shape)]
        told = subprocess.run(words, cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True).stdout
        rows.append({"shape": f"{z}x{y}x{x}", **json.loads(told.splitlines()[-1])})
        print(rows[-1], file=sys.stderr, flush=True)
    table = pd.DataFrame(rows)
    if given.table.exists():
        old = read_table(given.table, ("shape", "method"))
        again = (old["shape"] + old["method"]).isin(table["shape"] + table["method"])
        table = pd.concat([old[~again], table])
    write_table(given.table, table)


if __name__ == "__main__":
    run_step(main)
