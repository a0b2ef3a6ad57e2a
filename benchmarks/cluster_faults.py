"""What becomes of a run when the cluster misbehaves, on the real Slurm of tests/slurm.

    python benchmarks/cluster_faults.py

Runs tests/slurm, which must pass, and writes their figures to docs/tables/cluster-faults.tsv and
docs/cluster-faults.md. Needs the packages that tests/slurm/start.sh --check names.
"""

import argparse
import csv
import os
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "scripts"))

from step.command import run_step  # noqa: E402
from step.errors import StepError  # noqa: E402
from step.output import whole_file  # noqa: E402


def page(rows: list[dict[str, str]]) -> str:
    """The table as a page of the documentation."""
    body = "\n".join(
        f"| {row['case']} | {row['metric']} | {row['value']} | {row['unit']} |" for row in rows
    )
    return f"""# When the cluster misbehaves

Every row was measured on a real Slurm, started on one host by `tests/slurm`: two CPU nodes, two
nodes with an rtx2080ti and one with a titanxp (counted, not real). What is done to the run, and
what is asked of it, stands in `tests/slurm/test_faults.py` and `test_plates.py`.

| case | figure | value | unit |
|---|---|---:|---|
{body}

Made by `python benchmarks/cluster_faults.py`; times are those of the machine it ran on, with
whatever else ran there. The same as a table:
[tables/cluster-faults.tsv](tables/cluster-faults.tsv).
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--table", type=Path, default=ROOT / "docs/tables/cluster-faults.tsv")
    parser.add_argument("--page", type=Path, default=ROOT / "docs/cluster-faults.md")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        figures = Path(folder, "figures.tsv")
        ended = subprocess.run(
            [sys.executable, "-m", "pytest", "-q", "-rs", "tests/slurm"],
            cwd=ROOT,
            env={**os.environ, "SNAKESCOPE_FIGURES": str(figures)},
            check=False,
        )
        if ended.returncode or not figures.exists():
            raise StepError(
                "tests/slurm: expected all to pass, found failures or a skip; see above"
            )
        text = figures.read_text(encoding="utf-8")
    rows = list(csv.DictReader(text.splitlines(), delimiter="\t"))
    for path, content in ((given.table, text), (given.page, page(rows))):
        with whole_file(path) as partial:
            partial.write_text(content, encoding="utf-8")


if __name__ == "__main__":
    run_step(main)
