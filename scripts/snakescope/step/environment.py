"""What surrounds the command of every job, on whatever machine it runs."""

import shlex
import sys
from pathlib import Path

CPU_ALLOWED = "SNAKESCOPE_CPU_IN_PLACE_OF_GPU"
"""Environment variable that is set where a job with a GPU that cannot be used may do without."""


def shell_prefix(basedir: str | Path, conda: bool, cpu_allowed: bool = False) -> str:
    """Return what to put before every shell command, for ``shell.prefix``.

    Args:
        basedir: Folder of the Snakefile; its ``scripts/`` go on PYTHONPATH.
        conda: Whether Snakemake activates a conda environment, whose ``python`` is then the one
            to run. Otherwise ``python`` is the interpreter that runs Snakemake, activated or not.
        cpu_allowed: Whether a job that was given a GPU may run on the CPU where it cannot use it.
            Said here and not in the parameters of rules: where a model ran is no reason to run it
            again.
    """
    prefix = f"set -euo pipefail; export PYTHONPATH={shlex.quote(str(Path(basedir, 'scripts')))}; "
    if not conda:
        prefix += f'export PATH={shlex.quote(str(Path(sys.executable).parent))}:"$PATH"; '
    if cpu_allowed:
        prefix += f"export {CPU_ALLOWED}=1; "
    # Without a display, matplotlib must not look for one; braces are Snakemake's own.
    return (prefix + "export MPLBACKEND=Agg; ").replace("{", "{{").replace("}", "}}")
