"""Shell prefix of the command of every job."""

import shlex
import sys
from pathlib import Path

CPU_ALLOWED = "SNAKESCOPE_CPU_IN_PLACE_OF_GPU"
"""Environment variable that allows jobs to run on the CPU if their GPU cannot be used."""


def shell_prefix(basedir: str | Path, conda: bool, cpu_allowed: bool = False) -> str:
    """Return the prefix of every shell command, for ``shell.prefix``.

    Args:
        basedir: folder of the Snakefile; its ``scripts/`` is put on PYTHONPATH.
        conda: whether Snakemake activates a conda environment and so chooses ``python``. Otherwise
            ``python`` is the interpreter that runs Snakemake.
        cpu_allowed: whether a job may run on the CPU if its GPU cannot be used. This is no
            parameter of rules, since the device is no reason to rerun a job.
    """
    prefix = f"set -euo pipefail; export PYTHONPATH={shlex.quote(str(Path(basedir, 'scripts')))}; "
    if not conda:
        prefix += f'export PATH={shlex.quote(str(Path(sys.executable).parent))}:"$PATH"; '
    if cpu_allowed:
        prefix += f"export {CPU_ALLOWED}=1; "
    # Without a display, matplotlib must not look for one; braces are Snakemake's own.
    return (prefix + "export MPLBACKEND=Agg; ").replace("{", "{{").replace("}", "}}")
