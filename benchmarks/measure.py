"""Time and memory of programs, and of every step that a run of Snakemake calls."""

import json
import shlex
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks import ROOT
from snakescope.step.errors import StepError

WATCHED = ROOT / "benchmarks/watched.py"


@dataclass(frozen=True)
class Cost:
    """What a program took: seconds of the clock and of processors, peak resident memory (MB)."""

    seconds: float
    cpu_seconds: float
    peak_rss_mb: float


@dataclass(frozen=True)
class Call:
    """A call of a step: its tree, its name, its options, and what it took."""

    tree: str
    step: str
    words: tuple[str, ...]
    cost: Cost


def _cost(taken: Mapping[str, float]) -> Cost:
    # Linux counts kilobytes here, macOS bytes.
    unit = 1024 if sys.platform != "darwin" else 1024**2
    return Cost(taken["seconds"], taken["cpu_seconds"], taken["maxrss"] / unit)


def measure(command: Sequence[str], environment: Mapping[str, str]) -> Cost:
    """Run a command, given with the path of its program, and measure it.

    Raises:
        StepError: it ended with another status than 0; the sentence holds the end of its output.
    """
    with tempfile.TemporaryDirectory() as folder:
        record = Path(folder, "taken.json")
        ran = subprocess.run(
            [sys.executable, "-S", str(WATCHED), str(record), *command],
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            errors="replace",
        )
        taken = json.loads(record.read_text(encoding="utf-8"))
    if taken["status"]:
        lines = ran.stdout.strip().splitlines()
        raise StepError(
            f"{' '.join(command[1:5])}: expected it to finish, found status {taken['status']}:"
            f" {lines[-1] if lines else 'no output'}"
        )
    return _cost(taken)


def watching(folder: Path) -> dict[str, str]:
    """Return environment variables under which rules record every step that they call.

    Rules call ``python -m snakescope TREE STEP``. Bash reads the file that BASH_ENV names, and a
    function of the name ``python`` there comes before the program; so what is measured are the
    command lines of the rules, whatever they are. :func:`calls` reads what was recorded.
    """
    folder.mkdir(parents=True, exist_ok=True)
    watched, record = shlex.quote(str(WATCHED)), shlex.quote(str(folder / "steps.jsonl"))
    functions = folder / "functions.sh"
    functions.write_text(
        'python() { if [ "$2" = snakescope ]; then'
        f' command python -S {watched} {record} "$(type -P python)" "$@";'
        ' else command python "$@"; fi; }\n',
        encoding="utf-8",
    )
    return {"BASH_ENV": str(functions)}


def calls(folder: Path) -> list[Call]:
    """Return the steps called under :func:`watching`, in the order in which they ended."""
    lines = (folder / "steps.jsonl").read_text(encoding="utf-8").splitlines()
    made = []
    for taken in map(json.loads, lines):
        tree, step, *words = taken["words"][2:]
        made.append(Call(tree, step, tuple(words), _cost(taken)))
    return made
