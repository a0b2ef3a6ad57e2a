"""All clips of a run in one table, a dish after the other."""

import argparse
from pathlib import Path

import pandas as pd

from snakescope.sperm.results.dish import COLUMNS
from snakescope.step.tables import read_table, write_table

TEXT = ["clip", "video", "dish", "grade", "rank", "grader", "flags", "not_graded", "path"]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command."""
    parser.add_argument("--dishes", required=True, nargs="+", type=Path, help="their tables (TSV)")
    parser.add_argument("--table", required=True, type=Path, help="table to write")


def main(arguments: argparse.Namespace) -> None:
    """Run the step."""
    tables = [read_table(one, COLUMNS, text=TEXT) for one in arguments.dishes]
    kept = [one.astype(object) for one in tables if len(one)]
    whole = pd.concat(kept, ignore_index=True) if kept else tables[0]
    write_table(arguments.table, whole.infer_objects())
