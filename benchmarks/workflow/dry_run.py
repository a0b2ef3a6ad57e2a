"""Time and memory that Snakemake takes to plan: dry runs, and a run with nothing to do.

    python -m benchmarks.workflow.dry_run                 # 300 and 1,000 plates of 50 timepoints
    python -m benchmarks.workflow.dry_run --plates 30     # fewer
    python -m benchmarks.workflow.dry_run --times 1       # each once, not the median of three

Raw folders are filled with empty names, and the results are pretended (snakemake --touch), so
that only the planning is measured. The dry run of many plates is `snakemake -n --quiet`, which
prints no jobs; one that prints every job is measured beside it. The results go to
docs/tables/dry-run.tsv and docs/benchmarks/dry-run.md.
"""

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Sequence
from pathlib import Path
from statistics import median

import pandas as pd

from benchmarks import ROOT
from benchmarks.measure import Cost, measure
from snakescope.report.pages import markdown, write_text
from snakescope.step.command import run_step
from snakescope.step.errors import StepError
from snakescope.step.tables import write_table

COLUMNS = (
    "what",
    "plates",
    "timepoints",
    "jobs",
    "seconds",
    "seconds_least",
    "seconds_most",
    "cpu_seconds",
    "peak_rss_mb",
)
TIMEPOINTS_PER_BLOCK = 10
PER_EXPERIMENT = 30
OUTPUTS = re.compile(r"^    output: (.+)$", re.MULTILINE)
TEMPORARY = re.compile(r"^Would remove temporary output (.+)$", re.MULTILINE)


def write_raw(raw: Path, timepoints: int) -> None:
    """Write files named as the images of a plate; only to be planned."""
    raw.mkdir(parents=True, exist_ok=True)
    for timepoint in range(timepoints):
        days, hours = divmod(12 * timepoint, 24)
        for channel in ("Phase", "Green"):
            (raw / f"{channel}_A1_1_{days:02d}d{hours:02d}h00m.tif").write_bytes(b"x")


def prepare(folder: Path, plates: int, timepoints: int) -> None:
    """Write the configuration, the sample sheet and the raw folders."""
    rows = ["plate\texperiment\tcondition\tfolder\tage_at_first_frame_d\tworms"]
    for number in range(plates):
        name = f"P{number:04d}"
        experiment, condition = number // PER_EXPERIMENT, "AB"[number % 2]
        rows.append(f"{name}\tE{experiment}\t{condition}\traw/{name}\t1\t60")
        write_raw(folder / "raw" / name, timepoints)
    (folder / "config").mkdir()
    (folder / "config/plates.tsv").write_text("\n".join(rows) + "\n")
    (folder / "config/config.yaml").write_text(
        f"healthspan:\n  timepoints_per_block: {TIMEPOINTS_PER_BLOCK}\n"
    )


def snakemake(folder: Path, *options: str) -> list[str]:
    """The command of a run in ``folder``."""
    words = [sys.executable, "-m", "snakemake", "--snakefile", str(ROOT / "Snakefile")]
    return [*words, "--directory", str(folder), "--cores", "1", *options]


def outputs_of(planned: str) -> list[list[str]]:
    """The outputs of every job of a dry run, as Snakemake prints them."""
    return [found.split(", ") for found in OUTPUTS.findall(planned)]


def kept_files(folder: Path, planned: str, plate: str) -> tuple[int, int]:
    """Count the files that a plate has once its jobs are done.

    Returns:
        Those of results/healthspan/<plate>/, manifests among them and temporary ones not; and
        those that each of its jobs has beside, its log and its benchmark.
    """
    made = {name for job in outputs_of(planned) for name in job}
    kept = {name for name in made if name.startswith(f"results/healthspan/{plate}/")}
    manifests = list((folder / "results/healthspan" / plate / "manifest").iterdir())
    beside = re.findall(rf"^    (?:log|benchmark): \S+/{plate}[./]\S+$", planned, re.MULTILINE)
    return len(kept - set(TEMPORARY.findall(planned))) + len(manifests), len(beside)


def pretend(folder: Path, outputs: Iterable[Iterable[str]], environment: dict[str, str]) -> None:
    """Make every output as an empty file, and have Snakemake take it for made by its rule."""
    for job in outputs:
        for name in job:
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.touch()
    subprocess.run(
        snakemake(folder, "--touch", "--quiet", "all"),
        env=environment, check=True, capture_output=True,
    )  # fmt: skip


def row(
    what: str, plates: int, timepoints: int, jobs: int, costs: Sequence[Cost]
) -> tuple[object, ...]:
    """A line of the table: the medians of what the same run cost several times."""
    seconds = [cost.seconds for cost in costs]
    cpu = median(cost.cpu_seconds for cost in costs)
    times = (round(one, 1) for one in (median(seconds), min(seconds), max(seconds), cpu))
    return (what, plates, timepoints, jobs, *times, round(max(c.peak_rss_mb for c in costs)))


def page(table: pd.DataFrame, files: tuple[int, int], times: int) -> str:
    """The table as a page of the documentation, with the files that a plate has."""
    shown = pd.DataFrame(
        {
            "run": table["what"],
            "plates x timepoints": [
                f"{one.plates} x {one.timepoints}" for one in table.itertuples()
            ],
            "jobs": table["jobs"],
            "processor seconds": table["cpu_seconds"],
            "wall seconds": [
                f"{one.seconds:.1f} ({one.seconds_least:.1f} to {one.seconds_most:.1f})"
                for one in table.itertuples()
            ],
            "memory (MB)": table["peak_rss_mb"],
        }
    )
    return f"""# How long Snakemake plans

```
.venv/bin/python -m benchmarks.workflow.dry_run
```

{markdown(shown, {"processor seconds": ".1f", "memory (MB)": ".0f"})}

Before the first job starts, Snakemake scans the raw folders and works out what is to be done; this
takes as long as a dry run. `first` and `again` are `snakemake -n --quiet`, which prints no
jobs; `printed` is `snakemake -n`, which prints every job with its files and its reason
(`--quiet all` does not keep a dry run from it). Seconds are the median of {times} runs, the wall's
with the least and the most; memory is the most. The same as a table:
[tables/dry-run.tsv](../tables/dry-run.tsv).

A plate of {table.timepoints[0]} timepoints has {files[0]} files of results, and {files[1]} logs and
benchmarks of its jobs.
"""


def measured(
    plates: int, timepoints: int, times: int
) -> tuple[list[tuple[object, ...]], tuple[int, int]]:
    """Measure the runs on ``plates`` plates: lines of the table, and the files of a plate."""
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        prepare(folder, plates, timepoints)
        planning = snakemake(folder, "--dry-run", "--quiet")
        printing = snakemake(folder, "--dry-run")
        kinds = ("first", "again", "printed", "nothing to do")
        costs: dict[str, list[Cost]] = {kind: [] for kind in kinds}
        for _ in range(times):
            for name in ("results", "logs", ".snakemake"):
                shutil.rmtree(folder / name, ignore_errors=True)
            # Twice, since only the first writes the manifests and reads the sizes of the frames.
            for what, command in (("first", planning), ("again", planning), ("printed", printing)):
                costs[what].append(measure(command, environment))
        planned = subprocess.run(printing, env=environment, capture_output=True, text=True)
        outputs = outputs_of(planned.stdout + planned.stderr)
        if not outputs:
            raise StepError(f"snakemake --dry-run: expected jobs, found none: {planned.stderr}")
        files = kept_files(folder, planned.stdout + planned.stderr, "P0000")
        pretend(folder, outputs, environment)
        again = snakemake(folder, "--quiet", "all")
        costs["nothing to do"] = [measure(again, environment) for _ in range(times)]
    jobs = {kind: 0 if kind == "nothing to do" else len(outputs) for kind in kinds}
    return [row(w, plates, timepoints, jobs[w], cost) for w, cost in costs.items()], files


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--plates", type=int, nargs="+", default=[300, 1000])
    parser.add_argument("--timepoints", type=int, default=50)
    parser.add_argument("--times", type=int, default=3, help="runs of each kind")
    parser.add_argument("--table", type=Path, default=ROOT / "docs/tables/dry-run.tsv")
    parser.add_argument("--page", type=Path, default=ROOT / "docs/benchmarks/dry-run.md")
    given = parser.parse_args()
    rows: list[tuple[object, ...]] = []
    for plates in given.plates:
        lines, files = measured(plates, given.timepoints, given.times)
        rows += lines
    table = pd.DataFrame(rows, columns=list(COLUMNS))
    write_table(given.table, table)
    write_text(given.page, page(table, files, given.times))
    print(table.to_string(index=False))


if __name__ == "__main__":
    run_step(main)
