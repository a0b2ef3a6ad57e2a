"""What a folder of raw data looks like to the trees, before there is a sheet.

Settings, such as a pattern of names, are those of config/config.yaml, where there is one.
"""

import argparse
from pathlib import Path

from snakescope.run.settings import read_settings
from snakescope.step.errors import StepError
from snakescope.trees import TREES


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command."""
    parser.add_argument("folder", help="folder of raw data")
    parser.add_argument(
        "--config", type=Path, default=Path("config/config.yaml"), help="configuration of the trees"
    )
    for tree in TREES.values():
        tree.add_inspect_options(parser)


def main(options: argparse.Namespace) -> None:
    """Print what each tree finds in the folder, and what to write into its sheet."""
    settings = read_settings(options.config, TREES)
    found = False
    for name, tree in TREES.items():
        if lines := tree(settings[name], rows=()).inspect(options.folder, options):
            found = True
            print(f"{name}:", *lines, sep="\n")
    if not found:
        raise StepError(
            f"{options.folder}: expected raw data that a tree knows, found none; config/README.md"
            " says what each tree takes"
        )
