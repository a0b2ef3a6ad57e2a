"""The table of steps of a tree."""

import os
import subprocess
import sys
from typing import NamedTuple

from snakescope import REPOSITORY
from snakescope.settings.strict import Settings


class Step(NamedTuple):
    """What a rule needs to know of a step; importing it loads neither torch nor numpy.

    Attributes:
        module: dotted path of the module with ``add_arguments`` and ``main``. No command line holds
            it, so that a module may move without a reason to compute results again.
        settings: the model of the step's settings, which states the version of its results.
    """

    module: str
    settings: type[Settings]

    @property
    def version(self) -> int:
        """Version of the step's results, raised when they change."""
        return self.settings.version


def run_outside_a_job(tree: str, step: str, *words: str) -> str:
    """Run a step of a tree on this machine; return its error, empty if it succeeded."""
    command = [sys.executable, "-m", "snakescope", tree, step, *words]
    environment = {**os.environ, "PYTHONPATH": str(REPOSITORY / "scripts"), "MPLBACKEND": "Agg"}
    ended = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    lines = ended.stderr.strip().splitlines() or [f"exit status {ended.returncode}"]
    return lines[-1].removeprefix("error: ") if ended.returncode else ""
