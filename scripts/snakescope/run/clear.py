"""Clear up after a run that was killed: cancel its jobs on the cluster and remove its lock.

Jobs are waited for, so that none writes while the next run begins, which makes again what they had
not finished. Refused while a run works here; one of another machine is cleared there.
"""

import argparse
import platform
import shutil
import subprocess
import time
from pathlib import Path

from snakescope.run.events import read_events, runs
from snakescope.run.lock import LOCKS, at_work, locked
from snakescope.step.errors import StepError

PATIENCE_S = 300.0
"""How long cancelled jobs may take to end (s)."""


def killed_runs(folder: str | Path = ".") -> list[str]:
    """Return the Slurm names of the runs of this machine that never wrote their end."""
    names = []
    for path in runs(folder):
        found = {event["event"]: event for event in read_events(path)}
        here = found.get("run_started", {}).get("host") == platform.node()
        if here and "slurm_run" in found and "run_ended" not in found:
            names.append(str(found["slurm_run"]["name"]))
    return names


def cancel(name: str, patience_s: float = PATIENCE_S) -> int:
    """Cancel the Slurm jobs of that name, wait until they are gone, and return their number.

    Raises:
        StepError: some did not end in time.
    """
    found = _queued(name)
    if found:
        subprocess.run(["scancel", *found], check=False)
        print(f"waiting for {len(found)} jobs to end", flush=True)
    end = time.monotonic() + patience_s
    while left := _queued(name):
        if time.monotonic() > end:
            raise StepError(
                f"Slurm: expected jobs {', '.join(left)} to end within {patience_s:.0f} s of"
                " scancel, found them still there; call this again later"
            )
        time.sleep(1)
    return len(found)


def _queued(name: str) -> list[str]:
    words = ["squeue", "-h", "-o", "%A", "--name", name]
    answer = subprocess.run(words, capture_output=True, text=True, check=False)
    if answer.returncode:
        raise StepError(f"squeue: expected the queue, found {answer.stderr.strip()!r}; try again")
    return answer.stdout.split()


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command, of which there are none."""


def main(options: argparse.Namespace) -> None:
    """Cancel the jobs of killed runs and remove the lock."""
    if sentence := at_work():
        raise StepError(sentence)
    names = killed_runs()
    if names and shutil.which("squeue"):
        print(f"jobs cancelled: {sum(map(cancel, names))}")
    print("lock removed" if locked() else "no lock was held")
    shutil.rmtree(LOCKS, ignore_errors=True)
    print("Start Snakemake again as before; with --profile slurm, unfinished files are made anew.")
