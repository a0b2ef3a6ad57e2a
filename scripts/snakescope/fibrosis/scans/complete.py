"""Name the scans that could not be used, so that a run does not end as if all had been."""

import argparse
from pathlib import Path

from snakescope.step.errors import StepError
from snakescope.step.output import atomic_write
from snakescope.step.tables import read_table


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command."""
    parser.add_argument("--refused", required=True, type=Path, help="unusable scans (TSV)")
    parser.add_argument("--complete", required=True, type=Path, help="file to write: all were used")


def main(arguments: argparse.Namespace) -> None:
    """Run the step."""
    refused = read_table(arguments.refused, ["scan", "reason"], text="all")
    if len(refused):
        first = refused.iloc[0]
        more = f" ({len(refused) - 1} more: {arguments.refused})" if len(refused) > 1 else ""
        raise StepError(
            f"scan {first['scan']}: {first['reason']}; all others were used{more}; to leave a scan"
            " out for good, remove its row"
        )
    with atomic_write(arguments.complete) as path:
        path.write_text("", encoding="utf-8")
