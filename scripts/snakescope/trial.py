"""Try the settings of one subject on a few of its images, before all of them are computed."""

import argparse
from pathlib import Path

from snakescope import REPOSITORY
from snakescope.learning.registry import weights_file
from snakescope.run.settings import read_settings
from snakescope.step.errors import StepError
from snakescope.trees import TREES


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command."""
    parser.add_argument("subject", help="name of a plate in the sample sheet")
    parser.add_argument(
        "--config", type=Path, default=Path("config/config.yaml"), help="configuration of the trees"
    )
    parser.add_argument(
        "--accept",
        action="store_true",
        help="take what the last trial proposed into the file of settings of the subject",
    )


def main(options: argparse.Namespace) -> None:
    """Run the trial of the tree whose sheet has the subject, and print what it says."""
    settings = read_settings(options.config, TREES)
    known = []
    for name, tree in TREES.items():
        opened = tree(settings[name], weights_of=lambda path: weights_file(path, REPOSITORY))
        if options.subject in opened.sheet and tree.has_trial:
            print(*opened.trial(options.subject, options), sep="\n")
            return
        known += list(opened.sheet) if tree.has_trial else []
    raise StepError(
        f"{options.subject}: expected a name in a sample sheet that can be tried (there are:"
        f" {', '.join(known[:8]) or 'none'}), found none like it; `snakescope inspect FOLDER`"
        " writes a row"
    )
