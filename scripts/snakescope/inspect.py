"""What a folder of raw data looks like to the trees, before there is a sheet.

Settings, such as a pattern of names, are those of config/config.yaml, where there is one.
"""

import argparse
from pathlib import Path

import yaml

from snakescope.run.settings import ClusterSettings
from snakescope.settings.files import check_config_files
from snakescope.settings.load import load_sections
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
    text = ""
    if options.config.exists():
        check_config_files([options.config])
        text = options.config.read_text(encoding="utf-8")
    sections = {name: tree.section for name, tree in TREES.items()}
    settings = load_sections(
        yaml.safe_load(text) or {}, {**sections, "cluster": ClusterSettings}, str(options.config)
    )
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
