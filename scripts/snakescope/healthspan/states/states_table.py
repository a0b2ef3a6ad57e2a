"""The states of all blocks of a plate in one table."""

import argparse
from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from snakescope.step.errors import StepError
from snakescope.step.tables import read_table, write_table

KEYS = ("timepoint", "instance")


def join_states(paths: Sequence[str | Path]) -> pd.DataFrame:
    """Join the tables of a plate's blocks, in order of timepoint and instance.

    Cells stay text, and so as the classifier wrote them.

    Raises:
        StepError: a table is absent or lacks a column, or a worm is in two tables.
    """
    tables = [read_table(path, KEYS, text="all") for path in paths]
    states = pd.concat(tables, ignore_index=True)
    states = states.sort_values(list(KEYS), key=lambda text: text.astype(int), kind="stable")
    twice = states[states["instance"].duplicated()]
    if len(twice):
        raise StepError(
            f"{paths[0]}: expected every instance in one block, found {twice.iloc[0]['instance']} "
            "in two; remove the states of this plate and run again"
        )
    return states.reset_index(drop=True)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command."""
    parser.add_argument("--tables", nargs="+", required=True, help="states/{block}.tsv")
    parser.add_argument("--frames", help="frames.tsv; states of frames without use are left out")
    parser.add_argument("--states", required=True, help="table to write")


def main(options: argparse.Namespace) -> None:
    """Join the tables of a plate."""
    states = join_states(options.tables)
    if options.frames:
        frames = read_table(options.frames, ("timepoint", "status"))
        usable = set(frames.loc[frames["status"] == "registered", "timepoint"].astype(int))
        states = states[states["timepoint"].astype(int).isin(usable)]
    write_table(options.states, states)
