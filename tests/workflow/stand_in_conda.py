"""Stands in for conda, which is not there where tests run: makes environments at once.

What Snakemake asks of conda is answered as conda would; an environment is a ``python`` that notes
with which words it was called, and is the one that runs the tests.
"""

import os
import sys
from pathlib import Path

CONDA = """\
#!/bin/bash
set -eu
case "$*" in
  "info --json") echo '{{"conda_prefix": "{root}", "platform": "linux-64"}}' ;;
  "--version") echo "conda 25.1.1" ;;
  "config --get channel_priority --json") echo '{{"get": {{"channel_priority": "strict"}}}}' ;;
  "env create"*)
    while [ $# -gt 0 ]; do
      case $1 in --file) file=$2 ;; --prefix) prefix=$2 ;; esac
      shift
    done
    mkdir -p "$prefix/bin"
    cp "$file" "{root}/asked.yaml"
    cp "{root}/python" "$prefix/bin/python" ;;
  "clean"*) ;;
  *) echo "conda: not expected: $*" >&2; exit 1 ;;
esac
"""
ACTIVATE = 'export CONDA_PREFIX="$1" PATH="$1/bin:$PATH"\n'
PYTHON = """\
#!/bin/bash
echo "$@" >> "{root}/called.txt"
exec "{python}" "$@"
"""


class StandInConda:
    """A conda of its own below ``root``."""

    def __init__(self, root: Path):
        self.root = root
        (root / "bin").mkdir(parents=True)
        for name, text in (("bin/conda", CONDA), ("bin/activate", ACTIVATE), ("python", PYTHON)):
            path = root / name
            path.write_text(
                text if name == "bin/activate" else text.format(root=root, python=sys.executable)
            )
            path.chmod(0o755)

    def path(self, environment: dict[str, str]) -> str:
        """PATH of an environment in which this conda is found."""
        return f"{self.root / 'bin'}:{environment['PATH']}"

    @property
    def asked(self) -> str:
        """The file of the environment that was made last."""
        return (self.root / "asked.yaml").read_text(encoding="utf-8")

    @property
    def called(self) -> str:
        """What the environment's interpreter was called with, line by line."""
        path = self.root / "called.txt"
        return path.read_text(encoding="utf-8") if path.exists() else ""


def conda_here(root: Path) -> tuple[StandInConda, dict[str, str]]:
    """Return a stand-in and the environment variables that make it found."""
    conda = StandInConda(root)
    return conda, {"PATH": conda.path(dict(os.environ))}
