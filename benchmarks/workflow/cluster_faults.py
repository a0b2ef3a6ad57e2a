"""What becomes of a run when the cluster misbehaves, on the real Slurm of tests/slurm.

    python -m benchmarks.workflow.cluster_faults
    python -m benchmarks.workflow.cluster_faults --only lost   # tests of that name only

Runs tests/slurm, which must pass, and writes their figures to docs/tables/cluster-faults.tsv and
docs/benchmarks/cluster-faults.md. Needs the packages that tests/slurm/start.sh --check names.
"""

import argparse
import csv
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pandas as pd

from benchmarks import ROOT
from snakescope.report.pages import markdown, write_text
from snakescope.step.command import run_step
from snakescope.step.errors import StepError

COLUMNS = ("case", "metric", "value", "unit")


def rows_of(path: Path) -> list[dict[str, str]]:
    """Read a table of figures."""
    with open(path, encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file, delimiter="\t"))


def merged(old: list[dict[str, str]], new: list[dict[str, str]]) -> list[dict[str, str]]:
    """Return the new rows, and the old ones of other cases, sorted by case."""
    cases = {row["case"] for row in new}
    return sorted(
        [row for row in old if row["case"] not in cases] + new, key=lambda row: row["case"]
    )


def text_of(rows: list[dict[str, str]]) -> str:
    """Return the table as TSV."""
    lines = ["\t".join(row[name] for name in COLUMNS) for row in rows]
    return "\n".join(["\t".join(COLUMNS), *lines]) + "\n"


def page(rows: list[dict[str, str]]) -> str:
    """The table as a page of the documentation."""
    table = pd.DataFrame(rows, columns=list(COLUMNS)).rename(columns={"metric": "figure"})
    return f"""# When the cluster misbehaves

Every row was measured on a real Slurm, started on one host by `tests/slurm`: two CPU nodes, two
nodes with an rtx2080ti and one with a titanxp (counted, not real). The faults and what is
checked are in `tests/slurm/test_faults.py` and `test_plates.py`.

{markdown(table)}

The overhead of a job is what its allocation takes in addition to the step: two Snakemake processes
on the node, and Slurm's own start and end, in wall time (`ElapsedRaw`) and, where Slurm reports it,
in processor time (`TotalCPU`); the median of all jobs of the demo, and of those of every rule. It
hardly depends on the step, so a block should take much longer than that:
[Hundreds of plates](cluster-scale.md) shows what follows.

Made by `.venv/bin/python -m benchmarks.workflow.cluster_faults`; times are those of the machine it
ran on, with whatever else ran there. The same as a table:
[tables/cluster-faults.tsv](../tables/cluster-faults.tsv).
"""


def figures_of_tests(only: str | None) -> list[dict[str, str]]:
    """Run the tests on Slurm, or those that ``only`` names, and return their figures.

    Raises:
        StepError: a test failed, or all were skipped.
    """
    chosen = ["-k", only] if only else []
    with tempfile.TemporaryDirectory() as folder:
        figures = Path(folder, "figures.tsv")
        ended = subprocess.run(
            [sys.executable, "-m", "pytest", "-q", "-rs", "--tb=short", *chosen, "tests/slurm"],
            cwd=ROOT,
            env={**os.environ, "SNAKESCOPE_FIGURES": str(figures)},
            check=False,
        )
        if ended.returncode or not figures.exists():
            raise StepError("tests/slurm: expected all to pass, found failures or a skip")
        return rows_of(figures)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--table", type=Path, default=ROOT / "docs/tables/cluster-faults.tsv")
    parser.add_argument("--page", type=Path, default=ROOT / "docs/benchmarks/cluster-faults.md")
    parser.add_argument("--only", help="run the tests that this expression of pytest -k names")
    parser.add_argument(
        "--figures",
        type=Path,
        help="figures of tests that ran already, with SNAKESCOPE_FIGURES set",
    )
    given = parser.parse_args()
    rows = rows_of(given.figures) if given.figures else figures_of_tests(given.only)
    if given.only and given.table.exists():
        rows = merged(rows_of(given.table), rows)
    for path, content in ((given.table, text_of(rows)), (given.page, page(rows))):
        write_text(path, content)


if __name__ == "__main__":
    run_step(main)
