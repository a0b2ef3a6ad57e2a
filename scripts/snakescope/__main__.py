"""The command ``snakescope``: what people call, and the steps that rules call."""

import os
import sys
from collections.abc import Mapping, Sequence
from importlib import import_module
from typing import Any, NoReturn

from snakescope import REPOSITORY, __version__
from snakescope.step.command import run_module

COMMANDS = {
    "inspect": "FOLDER: what a folder of raw data looks like to the trees, before there is a sheet",
    "trial": "PLATE: try the settings of a plate on three of its frames; one page, with proposals",
    "review": "PLATE: look through a plate and correct it, in a browser on this machine",
    "estimate": "-- ARGUMENTS: what `snakescope run ARGUMENTS` will take: hours, memory, disk",
    "run": "ARGUMENTS: run the workflow; Snakemake with these arguments, going on after failures",
    "progress": "how far the latest run in this folder is",
    "summary": "what that run used and what failed",
    "clear": "clear up after a run that was killed: its jobs on the cluster, and its lock",
}

MODULES = {
    "inspect": "snakescope.inspect",
    "trial": "snakescope.trial",
    "review": "snakescope.review",
    **{name: f"snakescope.run.{name}" for name in ("estimate", "progress", "summary", "clear")},
}

EXAMPLES = """examples:
  snakescope inspect /data/plate7
  snakescope trial plate7
  snakescope estimate --cores 64 --gpus 4 -- --profile slurm
  snakescope run --profile slurm
  snakescope run --cores 8 results/healthspan/plate7/curves.png"""


RUN_HELP = """usage: snakescope run [ARGUMENTS]

Runs the workflow in this folder: Snakemake, with the Snakefile of this checkout and
--keep-going, and with the arguments that follow. The usual ones:

  --cores N            processors to use here
  --profile slurm      submit jobs to a cluster (docs/operate/cluster.md)
  -n                   say what would be done, and do nothing
  --configfile FILE    settings that come before those of config/config.yaml
  TREE or FILE         what to make: healthspan, neurites, results/healthspan/plate7/curves.tsv

All arguments: snakemake --help"""

OWN_OF_ESTIMATE = ("--cores", "--gpus", "--snakefile")


def for_snakemake(words: Sequence[str]) -> list[str]:
    """Put what is not an option of ``snakescope estimate`` behind ``--``, where nobody has."""
    if "--" in words or {"-h", "--help"} & set(words):
        return list(words)
    own: list[str] = []
    others: list[str] = []
    takes = False
    for word in words:
        name = word.partition("=")[0]
        if takes or name in OWN_OF_ESTIMATE:
            own.append(word)
            takes = not takes and "=" not in word
        else:
            others.append(word)
    return [*own, "--", *others] if others else own


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Run a command, or a step of a tree, and leave the process."""
    name, *words = (sys.argv[1:] if arguments is None else arguments) or ["--help"]
    help_asked = {"-h", "--help"} & {name, *words[:1]}
    if name == "run" and not help_asked:
        run(words)
    if name == "run" and words:
        sys.exit(print(RUN_HELP))
    if name == "estimate":
        words = for_snakemake(words)
    if name in MODULES:
        run_module(MODULES[name], f"snakescope {name}", words)
    if name == "--version":
        sys.exit(print(f"snakescope {__version__}"))
    steps = {} if name in COMMANDS or name.startswith("-") else steps_of(name)
    if words and words[0] in steps:
        run_module(steps[words[0]].module, f"snakescope {name} {words[0]}", words[1:])
    if help_asked:
        sys.exit(print(usage(name, steps)))
    print(f"error: no such command: snakescope {' '.join([name, *words[:1]])}\n", file=sys.stderr)
    print(usage(name, steps), file=sys.stderr)
    sys.exit(2)


def run(words: Sequence[str]) -> NoReturn:
    """Become Snakemake, with the Snakefile of this checkout."""
    command = [sys.executable, "-m", "snakemake", "--snakefile", str(REPOSITORY / "Snakefile")]
    os.execv(sys.executable, [*command, "--keep-going", *words])


def steps_of(tree: str) -> Mapping[str, Any]:
    """Return the steps of a tree, none where there is no such tree."""
    try:
        # Without all that trees import, which takes a step longer than its options.
        return import_module(f"snakescope.{tree}.steps").STEPS
    except ModuleNotFoundError:
        from snakescope.trees import TREES

        return TREES[tree].steps if tree in TREES else {}


def usage(name: str, steps: Mapping[str, Any]) -> str:
    """Return what can be called, of a tree with ``steps`` those."""
    if steps:
        return f"usage: snakescope {name} STEP ...\n\nsteps: {', '.join(steps)}"
    lines = [f"  {command:<10} {text}" for command, text in COMMANDS.items()]
    lines.append(f"  {'TREE STEP':<10} ...: one step of a tree, as the rules call it")
    head = "usage: snakescope COMMAND ...   (each with --help; run takes what snakemake takes)"
    return "\n".join([head, "", *lines, "", EXAMPLES])


if __name__ == "__main__":
    main()
