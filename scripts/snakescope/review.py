"""Open the page of review of a plate, and save what is corrected there beside the results.

The server answers this machine only. Over a network, forward its port:
``ssh -L 8123:127.0.0.1:8123 HOST``.
"""

import argparse
from pathlib import Path

from snakescope.run.settings import read_settings
from snakescope.step.errors import StepError
from snakescope.trees import TREES


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command."""
    parser.add_argument("plate", nargs="+", help="names of plates in the sample sheet")
    parser.add_argument("--port", type=int, default=8123, help="port of this machine (8123)")
    parser.add_argument(
        "--config",
        "--configfile",
        type=Path,
        default=Path("config/config.yaml"),
        help="configuration of the trees",
    )


def main(options: argparse.Namespace) -> None:
    """Serve the pages of review of plates until interrupted."""
    settings = read_settings(options.config, TREES)
    known = []
    for name, tree in TREES.items():
        opened = tree(settings[name])
        # The trees whose subjects are reviewed have this.
        reviews = getattr(opened, "review", None)
        if reviews is None:
            continue
        if set(options.plate) <= set(opened.sheet):
            reviews.serve(options.plate, options.port)
            return
        known += list(opened.sheet)
    absent = ", ".join(one for one in options.plate if one not in known)
    raise StepError(
        f"{absent}: expected plates of the sample sheet that {options.config} names, found"
        f" {', '.join(known[:8]) or 'none'}; --config names another configuration"
    )
