"""What surrounds the command of every job, on whatever machine it runs."""

import shlex
import sys
from pathlib import Path


def shell_prefix(basedir: str | Path, conda: bool) -> str:
    """Return what to put before every shell command, for ``shell.prefix``.

    Args:
        basedir: Folder of the Snakefile; its ``scripts/`` go on PYTHONPATH.
        conda: Whether Snakemake activates a conda environment, whose ``python`` is then the one
            to run. Otherwise ``python`` is the interpreter that runs Snakemake, activated or not.
    """
    prefix = f"set -euo pipefail; export PYTHONPATH={shlex.quote(str(Path(basedir, 'scripts')))}; "
    if not conda:
        prefix += f'export PATH={shlex.quote(str(Path(sys.executable).parent))}:"$PATH"; '
    # Without a display, matplotlib must not look for one; braces are Snakemake's own.
    return (prefix + "export MPLBACKEND=Agg; ").replace("{", "{{").replace("}", "}}")
