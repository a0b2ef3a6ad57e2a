"""Clear up behind a run that was killed: its jobs on the cluster, and its lock.

python -m snakescope.run.clear               # in the folder where Snakemake ran

Refuses while the run is alive. The jobs are cancelled and waited for, so that none writes while
the next run begins; what they had begun is made again, what had been finished is not.
"""

import argparse
import platform
import shutil
import subprocess
import time
from pathlib import Path

from snakescope.run.alive import alive, at_work, works_here
from snakescope.run.events import read_events, runs
from snakescope.run.progress import events_of, latest
from snakescope.step.command import run_step
from snakescope.step.errors import StepError

PATIENCE_S = 300.0
"""How long cancelled jobs may take to end (s)."""

LOOK_S = 1.0
"""Between two looks at the queue (s)."""


def killed_run(path: Path) -> tuple[str | None, str]:
    """Return the Slurm name of a run that ended without saying so, and a sentence on it.

    Args:
        path: Its event log.

    Returns:
        None as the name where the run was not on Slurm.

    Raises:
        StepError: the run works, or may, on another machine; or the log has no start.
    """
    events = events_of(path)
    first = events[0]
    name = next((event["name"] for event in events if event["event"] == "slurm_run"), None)
    if events[-1]["event"] == "run_ended":
        return name, f"{path}: the run ended by itself"
    if first["host"] != platform.node():
        raise StepError(
            f"{path}: expected a run of this machine, found one of {first['host']}, process"
            f" {first['process']}; call this there"
        )
    if alive(first["process"]):
        raise StepError(
            f"{path}: expected a run that was killed, found its process {first['process']} alive;"
            " stop it first, by Ctrl-C or kill -INT"
        )
    return name, f"{path}: process {first['process']} is gone"


def killed_before(folder: str | Path = ".") -> set[str]:
    """Return the Slurm names of all runs of this machine that never told their end.

    Two that were asked for different files may have been at work when it went down.
    """
    names = set()
    for path in runs(folder):
        events = list(read_events(path))
        if events and events[0].get("host") == platform.node():
            told = {event["event"]: event for event in events}
            if "slurm_run" in told and "run_ended" not in told:
                names.add(str(told["slurm_run"]["name"]))
    return names


def refuse_beside_others(folder: str | Path = ".") -> None:
    """See that nobody else works in a working directory, whose lock would go as well.

    Raises:
        StepError: a Snakemake does.
    """
    if others := at_work(folder):
        raise StepError(works_here(folder, others))


def queued(name: str) -> list[str]:
    """Return the numbers of the jobs of that name that Slurm still has."""
    asked = subprocess.run(
        ["squeue", "-h", "-o", "%A", "--name", name], capture_output=True, text=True, check=False
    )
    if asked.returncode:
        raise StepError(f"squeue: expected the queue, found {asked.stderr.strip()!r}; try again")
    return asked.stdout.split()


def cancel(name: str, patience_s: float = PATIENCE_S) -> int:
    """Cancel the jobs of that name, wait until they are gone, and return how many they were.

    Raises:
        StepError: some did not end in time.
    """
    found = queued(name)
    if found:
        subprocess.run(["scancel", *found], check=False)
        print(f"waiting for {len(found)} jobs to end", flush=True)
    end = time.monotonic() + patience_s
    while left := queued(name):
        if time.monotonic() > end:
            raise StepError(
                f"Slurm: expected jobs {', '.join(left)} to end within {patience_s:.0f} s of"
                " scancel, found them still there; call this again later"
            )
        time.sleep(LOOK_S)
    return len(found)


def unlock(folder: str | Path = ".") -> bool:
    """Remove Snakemake's lock on a working directory and say whether there was one."""
    locks = Path(folder, ".snakemake/locks")
    held = any(locks.glob("*"))
    shutil.rmtree(locks, ignore_errors=True)
    return held


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.parse_args()
    name, sentence = killed_run(latest(None))
    refuse_beside_others()
    print(sentence)
    names = killed_before() | ({name} if name else set())
    if names and shutil.which("squeue"):
        print(f"jobs cancelled: {sum(cancel(one) for one in sorted(names))}")
    print("lock removed" if unlock() else "no lock was held")
    print("Start Snakemake again as before; with --profile slurm, unfinished files are made anew.")


if __name__ == "__main__":
    run_step(main)
