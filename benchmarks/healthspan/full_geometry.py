"""Seconds a frame and peak memory of every step, on one plate of the full geometry.

    python -m benchmarks.healthspan.full_geometry                  # 3080 px, 50 timepoints
    python -m benchmarks.healthspan.full_geometry --timepoints 10  # fewer frames, as large

Seconds are given twice: as the wall has them, and as the processor spent them on the step. On a
machine that is shared, only the latter can be compared. A plate is simulated, then the workflow
itself runs, and every step that its rules call is measured. The results go to
docs/tables/full-geometry.tsv and docs/benchmarks/full-geometry.md; rows of other devices, threads
and sizes are kept.
"""

import argparse
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from benchmarks import ROOT
from benchmarks.measure import Call, calls, watching
from benchmarks.run import configure, workflow
from snakescope.report.pages import markdown, write_text
from snakescope.step.command import run_step
from snakescope.step.errors import StepError
from snakescope.step.tables import read_table, write_table

PLATE = "full"
BLOCK = 10
"""Timepoints of a block."""

WORMS = 100
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
RULES = ("reference", "register", "detect", "classify", "track", "curves", "pages")
PAGES = tuple(
    f"results/healthspan/{PLATE}/{name}"
    for name in ("curves.svg", "contact_sheet.html", "quality.html")
)
"""What is asked for: everything of the plate, nothing of experiments."""

LIMIT_MB = 4096
"""No job may take more (MB)."""


def simulated(
    folder: Path,
    frame_px: int,
    timepoints: int,
    worms: int,
    settings: Mapping[str, Any],
) -> None:
    """Simulate the plate in the working directory ``folder``, with its sheet and configuration.

    Args:
        folder: of the run.
        frame_px, timepoints, worms: of the plate.
        settings: further keys of the section ``healthspan`` of the configuration.
    """
    section = {
        "timepoints_per_block": BLOCK,
        "plates": {"interval_h": 12},
        "simulation": {
            "frame_px": frame_px,
            "timepoints": timepoints,
            "worms": worms,
            "missing_share": 0,
        },
        **settings,
    }
    configure(folder, section, [(PLATE, "e", "N2", f"simulated/{PLATE}/raw", 1, worms)])
    workflow(folder, [f"simulated/{PLATE}/truth/worms.tsv"])


def costs_table(
    made: Sequence[Call], frame_px: int, frames: int, threads: int, device: str
) -> pd.DataFrame:
    """One row a step: seconds of all its calls per frame of the plate, its greatest memory."""
    rows = []
    for step in dict.fromkeys(call.step for call in made):
        costs = [call.cost for call in made if call.step == step]
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
    shown = pd.DataFrame(
        {
            "step": table["step"],
            "processor seconds a frame": table["cpu_seconds_per_frame"],
            "wall seconds a frame": table["seconds_per_frame"],
            "peak memory (MB)": table["peak_rss_mb"],
            "threads": table["threads"],
            "device": table["device"],
            "frames": [f"{row.timepoints} of {row.frame_px} px" for row in table.itertuples()],
        }
    )
    formats = {"processor seconds a frame": ".2f", "wall seconds a frame": ".2f"}
    return f"""# A plate of the full geometry

```
.venv/bin/python -m benchmarks.healthspan.full_geometry
```

What every step of the `healthspan` tree takes for one simulated plate with about 100 worms and two
channels. Seconds are those of all calls of the step, with the start of Python and the loading of
models, divided by the frames of the plate. Processor seconds are what the step itself needed; wall
seconds are longer where other programs ran beside it, as on the machine of this table. Memory is
the greatest resident set of one call. No call may take more than {LIMIT_MB} MB.

{markdown(shown, {**formats, "peak memory (MB)": ".0f"})}

Rows of another device, number of threads or size are kept from earlier runs. The same as a
table: [tables/full-geometry.tsv](../tables/full-geometry.tsv).
"""


def measured(
    folder: Path,
    frame_px: int,
    timepoints: int,
    worms: int,
    threads: int,
    settings: Mapping[str, Any],
) -> list[Call]:
    """Run the workflow on a simulated plate in ``folder``; return the calls of its steps."""
    simulated(folder, frame_px, timepoints, worms, settings)
    options = ["--cores", str(threads), "--set-threads"]
    options += [f"healthspan_{rule}={threads}" for rule in RULES]
    workflow(folder, PAGES, options, watching(folder / "steps"))
    return calls(folder / "steps")


def main() -> None:
    """Measure the steps and write the table and the page."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--timepoints", type=int, default=50)
    parser.add_argument("--frame-px", type=int, default=3080)
    parser.add_argument("--worms", type=int, default=WORMS)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--device", choices=("cpu", "cuda"), default="cpu")
    parser.add_argument("--detector", type=Path, help="weights; default: those that are shipped")
    parser.add_argument("--classifier", type=Path, help="weights; default: those that are shipped")
    parser.add_argument("--folder", type=Path, help="a new folder, where the plate is kept")
    parser.add_argument("--table", type=Path, default=ROOT / "docs/tables/full-geometry.tsv")
    parser.add_argument("--page", type=Path, default=ROOT / "docs/benchmarks/full-geometry.md")
    given = parser.parse_args()
    detect, classify = (
        {"device": given.device, **({"weights": str(weights.resolve())} if weights else {})}
        for weights in (given.detector, given.classifier)
    )
    settings = {"detection": {"detect": detect}, "states": {"classify": classify}}
    with tempfile.TemporaryDirectory() as temporary:
        made = measured(
            given.folder or Path(temporary),
            given.frame_px,
            given.timepoints,
            given.worms,
            given.threads,
            settings,
        )
    new = costs_table(made, given.frame_px, given.timepoints, given.threads, given.device)
    table = merged(read_table(given.table, COLUMNS) if given.table.exists() else None, new)
    write_table(given.table, table)
    write_text(given.page, page(table))
    print(new.to_string(index=False))
    heavy = new[new["peak_rss_mb"] > LIMIT_MB]["step"].tolist()
    if heavy:
        raise StepError(f"expected at most {LIMIT_MB} MB a call, found more in {', '.join(heavy)}")


if __name__ == "__main__":
    run_step(main)
