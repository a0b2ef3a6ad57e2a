"""What jobs take, for estimates, and what a plate leaves on the disk: of a plate as it is.

    python -m benchmarks.healthspan.full_geometry       # first: time and memory of every step
    python -m benchmarks.healthspan.measured_costs      # then: 3080 px, 10 timepoints, two channels

Runs the real workflow on a simulated plate and on a tiny one. Sizes of outputs, and what a job
takes once, are those of these runs. Time and memory of the steps are those of
docs/tables/full-geometry.tsv, of its largest frames: Snakemake looks at a job every 30 s only and
misses the peaks. Writes docs/tables/measured.tsv, docs/tables/storage.tsv and
docs/benchmarks/storage.md; rows of other rules and devices are kept. With --folder, a plate that
was computed before is not computed again.
"""

import argparse
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd

from benchmarks import ROOT
from benchmarks.healthspan.full_geometry import BLOCK, COLUMNS, PLATE, WORMS, simulated
from benchmarks.run import workflow
from benchmarks.workflow.measured import CPU, CUDA, Row, read_rows, rows_of, text_of
from snakescope.report.pages import markdown, write_text
from snakescope.run.events import read_events, runs
from snakescope.step.command import run_step
from snakescope.step.tables import read_table, write_table

STEPS_OF = {
    "healthspan_reference": ("reference",),
    "healthspan_register": ("register",),
    "healthspan_detect": ("tile", "detect"),
    "healthspan_classify": ("second_look", "composite", "evidence", "classify"),
    "healthspan_track": ("frames_table", "states_table", "track"),
    "healthspan_curves": ("curves",),
    "healthspan_pages": ("contact_sheet", "quality"),
}
"""Steps that a rule runs in one job, as docs/tables/full-geometry.tsv calls them."""

BY_BLOCK = ("healthspan_register", "healthspan_detect", "healthspan_classify")
GPU_SECONDS: dict[str, tuple[float, str]] = {
    "healthspan_detect": (2.0, "2 s a timepoint assumed for a GPU"),
}
"""Seconds a timepoint on a GPU as long as nobody has measured them, and why."""

TINY = (400, 3)
"""Side (px) and timepoints of the plate that is next to nothing."""

STORAGE = ("what", "files", "megabytes", "share_of_raw")
OF_A_PLATE = "tables, pictures and pages"


def computed(folder: Path, frame_px: int, timepoints: int, worms: int) -> list[dict[str, Any]]:
    """Simulate a plate, run the whole workflow on it, and return the events of all its runs."""
    simulated(folder, frame_px, timepoints, worms, {})
    workflow(folder)
    events = (event for log in runs(folder) for event in read_events(log))
    return [event for event in events if event.get("rule") != "healthspan_simulate"]


def with_geometry(rows: Sequence[Row], geometry: pd.DataFrame, timepoints: int) -> list[Row]:
    """Return rows with time and memory as they were measured on the largest frames.

    Args:
        rows: Rows of the run of the workflow.
        geometry: Table of benchmarks/healthspan/full_geometry.py, one row a step.
        timepoints: Timepoints of the plate of ``geometry``.
    """
    steps = geometry.set_index("step")
    blocks = -(-timepoints // BLOCK)
    made = []
    for row in rows:
        named = [step for step in STEPS_OF.get(row.rule, ()) if step in steps.index]
        if not named or len(named) < len(STEPS_OF[row.rule]):
            made.append(row)
            continue
        found = steps.loc[named]
        total = float(found["cpu_seconds_per_frame"].sum()) * timepoints
        jobs, units = (blocks, timepoints) if row.rule in BY_BLOCK else (1, 1)
        start_s = min(row.start_s, total / jobs)
        seconds = (total - jobs * start_s) / units
        cost = replace(
            row.cost, seconds=seconds, cpu_seconds=seconds,
            max_rss_mb=float(found["peak_rss_mb"].max()),
            source=f"{row.cost.source}; processor time of {timepoints} timepoints",
        )  # fmt: skip
        made.append(replace(row, start_s=start_s, cost=cost))
    return made


def with_gpus(rows: Sequence[Row], old: Sequence[Row]) -> list[Row]:
    """Return rows, and assumed ones of rules on a GPU that nobody measured there.

    Args:
        rows: Rows on the CPU.
        old: Rows of the table as it was; measured ones of a GPU are left to it.
    """
    measured = {row.rule for row in old if row.device == CUDA and not row.cost.assumed}
    made = list(rows)
    for row in rows:
        if row.rule in GPU_SECONDS and row.rule not in measured:
            seconds, why = GPU_SECONDS[row.rule]
            source = f"{why}; memory and start as on the CPU; not measured on the cards themselves"
            cost = replace(
                row.cost, seconds=seconds, cpu_seconds=seconds, source=source, assumed=True
            )
            made.append(replace(row, device=CUDA, cost=cost))
    return made


def storage(folder: Path) -> pd.DataFrame:
    """One row for each kind of file that the plate leaves: count, size (MB), share of the raw."""
    raw = [path for path in (folder / "simulated" / PLATE / "raw").rglob("*") if path.is_file()]
    raw_mb = megabytes(raw)
    results = folder / "results/healthspan" / PLATE
    kinds: dict[str, list[Path]] = {}
    for path in sorted(results.rglob("*")):
        if path.is_file():
            inner = path.relative_to(results).parts
            kind = inner[0] if len(inner) > 1 else OF_A_PLATE
            kinds.setdefault("reference" if "reference" in inner[0] else kind, []).append(path)
    rows = [("raw images", len(raw), raw_mb)]
    rows += [(kind, len(paths), megabytes(paths)) for kind, paths in kinds.items()]
    kept = [path for paths in kinds.values() for path in paths]
    rows += [("all results", len(kept), megabytes(kept))]
    registered = sum(path.stat().st_size for path in results.glob("registered/*.tif")) / 1e6
    images = len(list(results.glob("registered/*.tif")))
    rows += [("all results, keep_registered: false", len(kept) - images, rows[-1][2] - registered)]
    made = [(what, count, round(size, 3), round(size / raw_mb, 4)) for what, count, size in rows]
    return pd.DataFrame(made, columns=list(STORAGE))


def megabytes(paths: Sequence[Path]) -> float:
    """Sum of the sizes of files (MB, 10^6 bytes)."""
    return sum(path.stat().st_size for path in paths) / 1e6


def page(table: pd.DataFrame, frame_px: int, timepoints: int) -> str:
    """The table of storage as a page of the documentation."""
    names = {"megabytes": "MB", "share_of_raw": "share of the raw images"}
    formats = {"MB": ".1f", "share of the raw images": ".2f"}
    share = float(table.set_index("what").loc["all results", "share_of_raw"])
    return f"""# What a plate leaves on the disk

```
.venv/bin/python -m benchmarks.healthspan.measured_costs
```

A simulated plate of {timepoints} timepoints of {frame_px} x {frame_px} px in two channels of 8 bit,
100 worms, with the settings as they come:

{markdown(table.rename(columns=names), formats)}

The results take {share:.2f} of the raw images.
Everything but the reference, which is there once, grows in proportion to the timepoints or slower,
so the share of a longer plate is no greater. Raw images that an instrument compressed are smaller,
and the share is then greater. Tiles are written and removed within a job. How to keep less:
[Storage](../operate/storage.md). The same as a table: [tables/storage.tsv](../tables/storage.tsv).
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--timepoints", type=int, default=10)
    parser.add_argument("--frame-px", type=int, default=3080)
    parser.add_argument("--worms", type=int, default=WORMS)
    parser.add_argument("--folder", type=Path, help="keep the plates here; else they are removed")
    parser.add_argument(
        "--geometry", type=Path, default=ROOT / "docs/tables/full-geometry.tsv",
        help="table of benchmarks/healthspan/full_geometry.py",
    )  # fmt: skip
    parser.add_argument("--write", type=Path, default=ROOT / "docs/tables/measured.tsv")
    parser.add_argument("--table", type=Path, default=ROOT / "docs/tables/storage.tsv")
    parser.add_argument("--page", type=Path, default=ROOT / "docs/benchmarks/storage.md")
    given = parser.parse_args()
    geometry = read_table(given.geometry, COLUMNS)
    geometry = geometry[geometry["device"] == CPU]
    geometry = geometry[geometry["frame_px"] == geometry["frame_px"].max()]
    with tempfile.TemporaryDirectory() as temporary:
        folder = given.folder or Path(temporary)
        whole = computed(folder / "whole", given.frame_px, given.timepoints, given.worms)
        tiny = computed(folder / "tiny", *TINY, 3)
        table = storage(folder / "whole")
    source = (
        f"{given.timepoints} timepoints of {given.frame_px} px, 2 channels, simulated; one core"
    )
    rows = rows_of(whole, tiny, CPU, source)
    for timepoints, part in geometry.groupby("timepoints"):
        rows = with_geometry(rows, part, int(timepoints))
    old = read_rows(given.write) if given.write.exists() else []
    rows = with_gpus(rows, old)
    new = {(row.rule, row.device) for row in rows}
    kept = [row for row in old if (row.rule, row.device) not in new]
    write_text(given.write, text_of([*rows, *kept]))
    write_table(given.table, table)
    write_text(given.page, page(table, given.frame_px, given.timepoints))
    print(table.to_string(index=False))


if __name__ == "__main__":
    run_step(main)
