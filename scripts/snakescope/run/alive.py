"""Which runs of Snakemake are at work on this machine."""

import os
import platform
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any


def alive(process: int) -> bool:
    """Whether a process of that number is a Snakemake that still runs."""
    try:
        state = Path(f"/proc/{process}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
        command = Path(f"/proc/{process}/cmdline").read_bytes()
    except OSError:
        return False
    return state[0] not in "ZX" and b"snakemake" in command


def at_work(folder: str | Path = ".") -> list[int]:
    """Return the processes of other Snakemakes in a working directory, not those of their jobs.

    Also of one that is still planning or making environments, and so has no event log yet.
    Without ``/proc``, as on macOS, none is seen.
    """
    where = Path(folder).resolve()
    found = []
    for path in Path("/proc").glob("[0-9]*"):
        try:
            words = (path / "cmdline").read_bytes().split(b"\0")
            same = (path / "cwd").readlink() == where
        except OSError:
            continue  # ended meanwhile, or another user's
        # python .../snakemake, or python -m snakemake; the process of a job has a mode.
        called = b"python" in words[0] and any(b"snakemake" in word for word in words[1:3])
        if same and called and b"--mode" not in words and int(path.name) != os.getpid():
            found.append(int(path.name))
    return sorted(found)


def works_here(
    folder: str | Path, processes: Sequence[int], start: Mapping[str, Any] | None = None
) -> str:
    """Return the one sentence on another run that works in a working directory.

    Args:
        processes: those of it.
        start: the first event of its log, if it has one yet; else it is of this machine.
    """
    host = start["host"] if start else platform.node()
    since = f" since {start['time'][:19]}Z" if start else ""
    return (
        f"{Path(folder).resolve()}: expected no run at work here, found one, process"
        f" {', '.join(map(str, processes))} on {host}{since};"
        " wait for it, or stop it first, by Ctrl-C or kill -INT"
    )
