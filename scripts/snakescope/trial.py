"""Try the settings of one subject on a few of its images, before all of them are computed."""

import argparse
from pathlib import Path

import yaml

from snakescope import REPOSITORY
from snakescope.learning.registry import weights_file
from snakescope.run.settings import ClusterSettings
from snakescope.settings.files import check_config_files
from snakescope.settings.load import load_sections
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
    text = ""
    if options.config.exists():
        check_config_files([options.config])
        text = options.config.read_text(encoding="utf-8")
    sections = {name: tree.section for name, tree in TREES.items()}
    settings = load_sections(
        yaml.safe_load(text) or {}, {**sections, "cluster": ClusterSettings}, str(options.config)
    )
    known = []
    for name, tree in TREES.items():
        opened = tree(settings[name], weights_of=lambda path: weights_file(path, REPOSITORY))
        if options.subject in opened.sheet and tree.has_trial:
            print(*opened.trial(options.subject, options), sep="\n")
            return
        known += list(opened.sheet) if tree.has_trial else []
    raise StepError(
        f"{options.subject}: expected a subject of a sample sheet that can be tried, found"
        f" {', '.join(known[:8]) or 'none'}; `snakescope inspect FOLDER` writes a row"
    )
