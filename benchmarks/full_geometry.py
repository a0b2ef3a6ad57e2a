"""Seconds a frame and peak memory of every step, on one plate of the full geometry.

Seconds are given twice: as the wall has them, and as the processor spent them on the step. On a
machine that is shared, only the latter can be compared.

    python benchmarks/full_geometry.py                  # 3080 px, 50 timepoints, two channels
    python benchmarks/full_geometry.py --timepoints 10  # a shorter series, the same frames

A plate is simulated, then every step runs through its command line, block by block, as the
workflow runs it. The results go to docs/tables/full-geometry.tsv and docs/full-geometry.md;
rows of other devices or thread counts are kept.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "scripts"))

from snakescope.healthspan.detection.settings import DetectSettings  # noqa: E402
from snakescope.healthspan.plates.manifest import PlateProblem, blocks, write_manifests  # noqa: E402
from snakescope.healthspan.plates.scan import scan_plate  # noqa: E402
from snakescope.healthspan.plates.settings import IngestSettings  # noqa: E402
from snakescope.healthspan.plates.sheet import Plate  # noqa: E402
from snakescope.healthspan.states.settings import ClassifySettings  # noqa: E402
from snakescope.tree.models import weights_checksum  # noqa: E402
from snakescope.step.command import run_step  # noqa: E402
from snakescope.step.errors import StepError  # noqa: E402
from snakescope.step.output import atomic_write  # noqa: E402
from snakescope.step.tables import read_table, write_table  # noqa: E402

PLATE = "full"
PIXEL_SIZE_UM = 9.74
COLUMNS = (
    "step",
    "seconds_per_frame",
    "cpu_seconds_per_frame",
    "peak_rss_mb",
    "threads",
    "device",
    "frame_px",
    "timepoints",
)
MODELS = ("detect", "classify")
JOINING = {"frames": "frames_table", "states": "states_table"}
"""Steps that join the tables of blocks, and their modules."""

LIMIT_MB = 4096
"""No job may take more (MB)."""


@dataclass(frozen=True)
class Run:
    """One call of a step: its name, and what follows ``python -m``."""

    step: str
    words: tuple[str, ...]


@dataclass(frozen=True)
class Cost:
    """What a call took: seconds by the wall and of processors, greatest resident memory (MB)."""

    seconds: float
    cpu_seconds: float
    peak_rss_mb: float


WATCH = """
import os, sys, time
started = time.perf_counter()
to_log = [(os.POSIX_SPAWN_DUP2, 2, 1)]
child = os.posix_spawn(sys.argv[1], sys.argv[1:], os.environ, file_actions=to_log)
_, status, usage = os.wait4(child, 0)
cpu = usage.ru_utime + usage.ru_stime
print(time.perf_counter() - started, cpu, usage.ru_maxrss, os.waitstatus_to_exitcode(status))
"""
"""Linux counts the memory of the parent into the peak of what it starts, so a bare one does it."""


def measure(command: Sequence[str], environment: dict[str, str]) -> Cost:
    """Run a command, given with the path of its program, and measure it.

    Raises:
        StepError: it ended with another status than 0; the end of what it wrote is told.
    """
    watched = subprocess.run(
        [sys.executable, "-S", "-c", WATCH, *command],
        env=environment,
        capture_output=True,
        encoding="utf-8",
        errors="replace",
        check=True,
    )
    seconds, cpu, peak, status = watched.stdout.split()
    if int(status):
        lines = watched.stderr.strip().splitlines()
        raise StepError(
            f"{' '.join(command[1:3])}: expected it to finish, found status"
            f" {status}: {lines[-1] if lines else 'no word'}"
        )
    # Linux counts kilobytes here, macOS bytes.
    unit = 1024 if sys.platform != "darwin" else 1024**2
    return Cost(float(seconds), float(cpu), int(peak) / unit)


def runs(
    folder: Path, block_names: Sequence[str], weights: dict[str, Path], device: str
) -> list[Run]:
    """Every call of every step for the plate in ``folder``, in the order of the workflow."""
    of_model = json.dumps({"device": device})
    reference = str(folder / "reference.ome.tif")
    description = str(folder / "reference.json")

    def path(kind: str, block: str, end: str) -> str:
        return str(folder / kind / f"{block}{end}")

    def paths(kind: str, end: str, names: Sequence[str] = block_names) -> list[str]:
        return [path(kind, block, end) for block in names]

    def table(name: str) -> str:
        return str(folder / f"{name}.tsv")

    made: list[Run] = []

    def add(step: str, *words: str) -> None:
        module = JOINING.get(step, step)
        made.append(Run(step, (f"healthspan.{module}", *words)))

    add(
        "reference",
        "--manifest", path("manifest", block_names[0], ".tsv"), "--settings", "{}",
        "--image", reference, "--description", description,
    )  # fmt: skip
    for block in block_names:
        add(
            "register",
            "--manifest", path("manifest", block, ".tsv"), "--reference", reference,
            "--description", description, "--settings", "{}",
            "--frames", path("registered", block, ".ome.tif"),
            "--table", path("registered", block, ".tsv"),
        )  # fmt: skip
    add(
        "frames",
        "--plate", PLATE, "--tables", *paths("registered", ".tsv"),
        "--max-missing-fraction", "0.5", "--frames", table("frames"),
    )  # fmt: skip
    for block in block_names:
        add(
            "tile",
            "--frames", path("registered", block, ".ome.tif"),
            "--table", path("registered", block, ".tsv"), "--reference-description", description,
            "--pixel-size-um", str(PIXEL_SIZE_UM), "--settings", "{}",
            "--tiles", path("tiles", block, ".ome.tif"), "--origins", path("tiles", block, ".tsv"),
        )  # fmt: skip
    for block in block_names:
        add(
            "detect",
            "--tiles", path("tiles", block, ".ome.tif"), "--origins", path("tiles", block, ".tsv"),
            "--reference-description", description, "--plate", PLATE,
            "--pixel-size-um", str(PIXEL_SIZE_UM), "--weights", str(weights["detect"]),
            "--sha256", weights_checksum(weights["detect"]), "--settings", of_model,
            "--masks", path("masks", block, ".json"),
            "--dropped", path("masks", block, ".dropped.tsv"),
        )  # fmt: skip
    for number, block in enumerate(block_names):
        near = block_names[max(number - 1, 0) : number + 2]
        add(
            "composite",
            "--block", block, "--masks", *paths("masks", ".json", near),
            "--tables", *paths("registered", ".tsv", near), "--settings", "{}",
            "--composites", path("composites", block, ".tif"),
            "--index", path("composites", block, ".tsv"),
        )  # fmt: skip
    for block in block_names:
        add(
            "classify",
            "--composites", path("composites", block, ".tif"),
            "--index", path("composites", block, ".tsv"), "--weights", str(weights["classify"]),
            "--sha256", weights_checksum(weights["classify"]), "--settings", of_model,
            "--states", path("states", block, ".tsv"),
        )  # fmt: skip
    add("states", "--tables", *paths("states", ".tsv"), "--states", table("states"))
    add(
        "track",
        "--states", table("states"), "--frames", table("frames"), "--worms", "unknown",
        "--age-at-first-frame-d", "1", "--settings", "{}", "--tracks", table("tracks"),
        "--individuals", table("individuals"), "--counts", table("counts"),
    )  # fmt: skip
    add(
        "curves",
        "--individuals", table("individuals"), "--counts", table("counts"), "--plate", PLATE,
        "--experiment", PLATE, "--condition", "N2", "--settings", "{}",
        "--curves", table("curves"), "--summary", table("summary"),
        "--figures", str(folder / "curves.svg"), str(folder / "curves.png"),
    )  # fmt: skip
    add(
        "contact_sheet",
        "--tracks", table("tracks"), "--individuals", table("individuals"),
        "--frames", table("frames"), "--masks", *paths("masks", ".json"),
        "--registered", *paths("registered", ".ome.tif"),
        "--pixel-size-um", str(PIXEL_SIZE_UM), "--settings", "{}",
        "--image", str(folder / "contact_sheet.png"), "--page", str(folder / "contact_sheet.html"),
    )  # fmt: skip
    add(
        "quality",
        "--plate", PLATE, "--frames", table("frames"), "--counts", table("counts"),
        "--states", table("states"), "--tracks", table("tracks"), "--summary", table("summary"),
        "--masks", *paths("masks", ".json"),
        "--registered", *paths("registered", ".ome.tif"), "--settings", "{}",
        "--page", str(folder / "quality.html"), "--image", str(folder / "quality.png"),
        "--row", table("quality"),
    )  # fmt: skip
    return made


def costs_table(
    made: Sequence[tuple[Run, Cost]], frame_px: int, frames: int, threads: int, device: str
) -> pd.DataFrame:
    """One row a step: seconds of all its calls per frame of the plate, its greatest memory."""
    steps = list(dict.fromkeys(run.step for run, _ in made))
    rows = []
    for step in steps:
        costs = [cost for run, cost in made if run.step == step]
        rows.append(
            {
                "step": step,
                "seconds_per_frame": round(sum(cost.seconds for cost in costs) / frames, 3),
                "cpu_seconds_per_frame": round(sum(cost.cpu_seconds for cost in costs) / frames, 3),
                "peak_rss_mb": round(max(cost.peak_rss_mb for cost in costs)),
                "threads": threads,
                "device": device if step in MODELS else "cpu",
                "frame_px": frame_px,
                "timepoints": frames,
            }
        )
    return pd.DataFrame(rows, columns=list(COLUMNS))


def merged(old: pd.DataFrame | None, new: pd.DataFrame) -> pd.DataFrame:
    """``new`` before those rows of ``old`` that measure something else."""
    if old is None:
        return new
    key = ["step", "threads", "device", "frame_px"]
    kept = old[~old.set_index(key).index.isin(new.set_index(key).index)]
    return pd.concat([new, kept], ignore_index=True) if len(kept) else new


def page(table: pd.DataFrame) -> str:
    """The table as a page of the documentation."""
    head = "| step | processor seconds a frame | wall seconds a frame | peak memory (MB)"
    head += " | threads | device | frames |"
    rows = [
        f"| {row.step} | {row.cpu_seconds_per_frame:.2f} | {row.seconds_per_frame:.2f}"
        f" | {row.peak_rss_mb:.0f} | {row.threads} | {row.device}"
        f" | {row.timepoints} of {row.frame_px} px |"
        for row in table.itertuples()
    ]
    lines = "\n".join([head, "|---|---:|---:|---:|---:|---|---|", *rows])
    return f"""# A plate of the full geometry

```
.venv/bin/python benchmarks/full_geometry.py
```

What every step of the `healthspan` tree takes for one simulated plate with about 100 worms and two
channels. Seconds are those of all calls of the step, with the start of Python and the loading of
models, divided by the frames of the plate. Processor seconds are what the step itself needed; wall
seconds are longer where other programs ran beside it, as on the machine of this table. Memory is
the greatest resident set of one call. No call may take more than {LIMIT_MB} MB.

{lines}

Rows of another device, number of threads or size are kept from earlier runs. The same as a
table: [tables/full-geometry.tsv](tables/full-geometry.tsv).
"""


def simulated(folder: Path, frame_px: int, timepoints: int, call: Callable[..., Cost]) -> list[str]:
    """Simulate the plate, write its manifests, and return the names of its blocks."""
    settings = {"frame_px": frame_px, "timepoints": timepoints, "worms": 100, "missing_share": 0}
    raw = folder / "simulated"
    if not (raw / PLATE / "truth" / "masks.json").exists():
        words = ("--plate", PLATE, "--seed", "1", "--folder", str(raw))
        call(
            (
                "snakescope.healthspan.simulation.simulate",
                "--settings",
                json.dumps(settings),
                *words,
            )
        )
    found = scan_plate(
        Plate(name=PLATE, experiment=PLATE, condition="N2", folder=str(raw / PLATE / "raw")),
        IngestSettings(),
    )
    if isinstance(found, PlateProblem):
        raise StepError(found.reason)
    write_manifests(folder / PLATE / "manifest", found, 10)
    return blocks(found.timepoint_count, 10)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--timepoints", type=int, default=50)
    parser.add_argument("--frame-px", type=int, default=3080)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--device", choices=("cpu", "cuda"), default="cpu")
    detector, classifier = ROOT / DetectSettings().weights, ROOT / ClassifySettings().weights
    parser.add_argument("--detector", type=Path, default=detector)
    parser.add_argument("--classifier", type=Path, default=classifier)
    parser.add_argument("--folder", type=Path, help="keep the plate here; else it is removed")
    parser.add_argument("--table", type=Path, default=ROOT / "docs/tables/full-geometry.tsv")
    parser.add_argument("--page", type=Path, default=ROOT / "docs/full-geometry.md")
    given = parser.parse_args()
    threads = str(given.threads)
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "scripts"), "OMP_NUM_THREADS": threads}

    def call(words: Sequence[str]) -> Cost:
        print(words[0], end=" ", flush=True)
        cost = measure([sys.executable, "-m", *words], environment)
        print(
            f"{cost.seconds:.1f} s, {cost.cpu_seconds:.1f} s of processors,"
            f" {cost.peak_rss_mb:.0f} MB",
            flush=True,
        )
        return cost

    with tempfile.TemporaryDirectory() as temporary:
        folder = given.folder or Path(temporary)
        names = simulated(folder, given.frame_px, given.timepoints, call)
        weights = {"detect": given.detector, "classify": given.classifier}
        wanted = runs(folder / PLATE, names, weights, given.device)
        made = [(run, call(run.words)) for run in wanted]
    new = costs_table(made, given.frame_px, given.timepoints, given.threads, given.device)
    table = merged(read_table(given.table, COLUMNS) if given.table.exists() else None, new)
    write_table(given.table, table)
    with atomic_write(given.page) as partial:
        partial.write_text(page(table), encoding="utf-8")
    heavy = new[new["peak_rss_mb"] > LIMIT_MB]["step"].tolist()
    if heavy:
        raise StepError(f"expected at most {LIMIT_MB} MB a call, found more in {', '.join(heavy)}")


if __name__ == "__main__":
    run_step(main)
