"""``snakescope TREE STEP ...`` for rules, other commands for people."""

import sys
from collections.abc import Sequence

from snakescope.step.command import run_module


def main(arguments: Sequence[str] | None = None) -> None:
    """Run a step of a tree."""
    from snakescope.trees import TREES

    tree, step, *words = sys.argv[1:] if arguments is None else arguments
    run_module(TREES[tree].steps[step].module, f"snakescope {tree} {step}", words)


if __name__ == "__main__":
    main()
