"""Inputs as people have them: every kind of fault, its right value, and what was found.

    python -m benchmarks.workflow.inputs --base /tmp/base          # all cases
    python -m benchmarks.workflow.inputs --base /tmp/base --kind 4 7

The folder ``--base`` holds ``base/`` and ``nbase/``, a simulated plate and volume with their
results, as ``--generators`` describes; cases that are no generator of that folder are made here,
from the same base. Most are planned only or registered only, which is where their fault counts. The
results go to docs/tables/inputs.tsv.
"""

import argparse
import os
import re
import subprocess
import sys
import tempfile
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from benchmarks import ROOT
from benchmarks.workflow.inputs_cases import CASES as FIRST
from benchmarks.workflow.inputs_further import CASES as FURTHER
from benchmarks.workflow.inputs_made import Case
from benchmarks.workflow.inputs_odd import CASES as ODD
from benchmarks.workflow.inputs_sheets import CASES as SHEETS
from benchmarks.workflow.inputs_silent import CASES as SILENT
from benchmarks.workflow.planned import look
from snakescope.__main__ import main as snakescope
from snakescope.step.command import run_step
from snakescope.step.errors import StepError
from snakescope.step.tables import write_table

WITHOUT_RIGHTS = ("setpriv", "--bounding-set=-all", "--inh-caps=-all")
COLUMNS = ("kind", "case", "expected", "found", "ok")
CASES = tuple(sorted((*FIRST, *FURTHER, *SHEETS, *ODD, *SILENT), key=lambda case: case.kind))
NOISE = re.compile(r"^(?:ERROR|WARNING|WorkflowError:?)\b[: ]*")


@dataclass(frozen=True)
class Outcome:
    """What a run wrote and how it ended; ``folder`` is its working directory."""

    text: str
    status: int
    folder: Path


def run(case: Case, base: Path, generators: Path, work: Path) -> Outcome:
    """Make the input of a case beside its base and run the workflow on it."""
    for name in ("base", "nbase"):
        (work / name).symlink_to(base / name)
    maker = None
    if case.generator:
        script = next(generators.glob(f"{case.generator}_*.py"))
        words = [sys.executable, str(script), "d", *case.words]
        if case.during:
            maker = subprocess.Popen(words, cwd=work)
            _wait_for(work / case.during)
        else:
            subprocess.run(words, cwd=work, check=True)
    (work / "d").mkdir(exist_ok=True)
    if case.make:
        case.make(work)
    # The paths of the base are seen from the folder that holds it.
    for name in ("base", "nbase"):
        link = work / "d" / name
        if not link.exists():
            link.symlink_to(work / name)
    try:
        if case.step:
            return compared(work / "d")
        if case.command:
            return forked(lambda: snakescope(list(case.command)), work / "d")
        if case.dry:
            return planned(work / "d", case.plain)
        ended = _snakemake(work, case)
        if case.then:
            case.then(work)
            ended = _snakemake(work, case)
        return Outcome(ended.stdout + ended.stderr, ended.returncode, work / "d")
    finally:
        if maker:
            maker.terminate()
            maker.wait()


def planned(folder: Path, plain: bool = False) -> Outcome:
    """Look at the raw data as Snakemake does before it plans, in a process that costs little."""
    if not plain:
        return forked(lambda: run_step(lambda: look(Path("c.yaml"))), folder)
    folder.chmod(0o777)
    words = [*WITHOUT_RIGHTS, sys.executable, "-m", "benchmarks.workflow.planned", "c.yaml"]
    paths = os.pathsep.join(map(str, (ROOT, ROOT / "scripts")))
    ended = subprocess.run(
        words, cwd=folder, env={**os.environ, "PYTHONPATH": paths},
        capture_output=True, text=True, errors="replace", check=False, timeout=600,
    )  # fmt: skip
    return Outcome(ended.stdout + ended.stderr, ended.returncode, folder)


def compared(folder: Path) -> Outcome:
    """Compare the conditions of the experiment e in a folder of hand-made individuals."""
    plates = sorted(one.relative_to(folder) for one in (folder / "results/healthspan").iterdir())
    words = ["healthspan", "experiment", "--plates", "plates.tsv", "--experiment", "e"]
    for option, kind in (("--individuals", "individuals"), ("--summaries", "summary")):
        words += [option, *(str(plate / f"{kind}.tsv") for plate in plates)]
    for name in ("survival", "tests", "cox", "jmp"):
        words += [f"--{name}", f"{name}.tsv"]
    words += ["--figures", "c.svg", "c.png", "--oasis", "a", "b", "--prism", "p", "q"]
    ended = forked(lambda: snakescope(words), folder)
    cox = folder / "cox.tsv"
    text = cox.read_text(encoding="utf-8") if cox.exists() else ""
    return Outcome(ended.text + text, ended.status, folder)


def forked(command: Callable[[], object], folder: Path) -> Outcome:
    """Run a command in a copy of this process, which has loaded what it takes, within a folder."""
    with tempfile.TemporaryFile() as said:
        sys.stdout.flush()
        child = os.fork()
        if child == 0:
            os.chdir(folder)
            for stream in (1, 2):
                os.dup2(said.fileno(), stream)
            status = 0
            try:
                command()
            except SystemExit as end:
                status = end.code if isinstance(end.code, int) else bool(end.code)
            except BaseException:
                traceback.print_exc()
                status = 1
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(status)
        status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        said.seek(0)
        return Outcome(said.read().decode(errors="replace"), status, folder)


def _wait_for(path: Path) -> None:
    for _ in range(600):
        if path.exists() and path.stat().st_size:
            time.sleep(1)
            return
        time.sleep(0.1)
    raise StepError(f"{path}: expected the generator to write it, found nothing after a minute")


def _snakemake(work: Path, case: Case) -> subprocess.CompletedProcess[str]:
    words = [sys.executable, "-m", "snakemake", "--snakefile", str(ROOT / "Snakefile")]
    words += ["--directory", "d", "--configfile", "d/c.yaml", "--cores", "1", "--keep-going"]
    if case.plain:
        # An administrator may read everything; without capabilities not.
        (work / "d").chmod(0o777)
        words = [*WITHOUT_RIGHTS, *words]
    return subprocess.run(
        [*words, "--quiet", "rules", "--", *case.targets],
        cwd=work, env={**os.environ, "OMP_NUM_THREADS": "1", "HOME": str(work)},
        capture_output=True, text=True, errors="replace", check=False, timeout=1800,
    )  # fmt: skip


def row(case: Case, outcome: Outcome) -> tuple[int, str, str, str, str]:
    """A line of the table: what was found, and whether it is what is right."""
    if "Traceback" in outcome.text and "the system" not in case.expected:
        last = outcome.text.strip().splitlines()[-1]
        return case.kind, case.name, case.expected, f"a traceback: {last}", "no"
    found, good = case.check(outcome)
    return case.kind, case.name, case.expected, _short(found), "yes" if good else "no"


def _short(text: str) -> str:
    return " ".join(NOISE.sub("", line).strip() for line in text.splitlines())[:300]


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--base", type=Path, required=True)
    parser.add_argument("--generators", type=Path, default=ROOT.parent / "shared/faults")
    parser.add_argument("--kind", type=int, nargs="*", default=[])
    only = parser.add_mutually_exclusive_group()
    only.add_argument("--planned", action="store_true", help="only cases that run no job")
    only.add_argument("--run", action="store_true", help="only cases that run jobs")
    parser.add_argument("--case", default="", help="part of the name of cases")
    parser.add_argument("--odd", action="store_true", help="only cases of inputs_odd")
    parser.add_argument("--silent", action="store_true", help="only cases of inputs_silent")
    parser.add_argument("--table", type=Path, default=ROOT / "docs/tables/inputs.tsv")
    given = parser.parse_args()
    chosen = [c for c in CASES if not given.kind or c.kind in given.kind]
    chosen = [c for c in chosen if given.case in c.name and (not given.odd or c in ODD)]
    chosen = [c for c in chosen if not given.silent or c in SILENT]
    if given.planned or given.run:
        chosen = [c for c in chosen if (c.dry or c.step) == given.planned]
    rows: dict[tuple[int, str], tuple[int, str, str, str, str]] = {}
    if given.table.exists():
        old = pd.read_csv(given.table, sep="\t", keep_default_na=False)
        rows = {(int(r.kind), str(r.case)): tuple(r) for r in old.itertuples(index=False)}
    for case in chosen:
        with tempfile.TemporaryDirectory() as folder:
            work = Path(folder)
            try:
                line = row(case, run(case, given.base.resolve(), given.generators, work))
            except subprocess.TimeoutExpired:
                line = (case.kind, case.name, case.expected, "no end in half an hour", "no")
            finally:
                subprocess.run(["chmod", "-R", "u+rwX", folder], check=False)
                for name in ("base", "nbase"):
                    (work / name).unlink(missing_ok=True)
        print(*line, sep=" | ", flush=True)
        rows[case.kind, case.name] = line
        names = [(one.kind, one.name) for one in CASES]
        table = [rows[name] for name in names if name in rows]
        write_table(given.table, pd.DataFrame(table, columns=list(COLUMNS)))
    if not chosen:
        raise StepError(f"--kind, --case: expected some of {len(CASES)} cases, found none of them")


if __name__ == "__main__":
    run_step(main)
