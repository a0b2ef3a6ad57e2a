"""All frames of a plate in one table, and the end of a plate that has too few."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from snakescope.healthspan.registration.repeats import mark_repeats
from snakescope.step.errors import StepError
from snakescope.step.tables import read_table, write_table

COLUMNS = (
    "timepoint",
    "time_h",
    "page",
    "status",
    "reason",
    "shift_y_px",
    "shift_x_px",
    "rotation_deg",
    "score",
    "method",
)


def join_frames(paths: Sequence[str | Path]) -> pd.DataFrame:
    """Join the registered tables of a plate's blocks, in order of time.

    Returns:
        The columns of the tables, as text and so to the last digit as they were written; frames
        that repeat one of another block are unreadable.

    Raises:
        StepError: a table lacks a column, or a timepoint is in two tables.
    """
    tables = [read_table(path, COLUMNS, text="all").assign(_table=str(path)) for path in paths]
    frames = pd.concat(tables, ignore_index=True)
    frames = frames.sort_values("timepoint", key=lambda text: text.astype(int), kind="stable")
    twice = frames[frames["timepoint"].duplicated(keep=False)]
    if len(twice):
        raise StepError(
            f"{twice.iloc[1]['_table']}: expected timepoint {twice.iloc[1]['timepoint']} once, "
            f"found it in {twice.iloc[0]['_table']} too; remove both and run again"
        )
    return mark_repeats(frames.drop(columns="_table").reset_index(drop=True))


def losses(frames: pd.DataFrame) -> list[str]:
    """Return one phrase for every frame that is not registered: timepoint, status, reason."""
    lost = frames.loc[frames["status"] != "registered", ["timepoint", "status", "reason"]]
    return [
        f"t{int(timepoint):03d} {status}" + (f" ({reason})" if reason else "")
        for timepoint, status, reason in lost.to_numpy()
    ]


def check_enough(plate: str, frames: pd.DataFrame, max_missing_fraction: float) -> None:
    """Refuse a plate of which too many frames are missing, unreadable or unregistered.

    Raises:
        StepError: more than ``max_missing_fraction`` of the frames, or all of them.
    """
    lost = losses(frames)
    if len(lost) > max_missing_fraction * len(frames) or len(lost) == len(frames):
        shown = "; ".join(lost[:3]) + ("; ..." if len(lost) > 3 else "")
        raise StepError(
            f"plate {plate}: expected at most {max_missing_fraction:.0%} of {len(frames)} frames "
            "missing, unreadable or unregistered (plates.max_missing_fraction), found "
            f"{len(lost)}: {shown}; look at the log of its register jobs, then exclude the plate "
            "with this reason, mend its frames or raise the limit"
        )


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command."""
    parser.add_argument("--tables", nargs="+", required=True, help="registered/{block}.tsv")
    parser.add_argument("--plate", required=True, help="name of the plate")
    parser.add_argument(
        "--max-missing-fraction", type=float, required=True, help="setting of ingest (0 to 1)"
    )
    parser.add_argument("--frames", required=True, help="table to write")


def main(options: argparse.Namespace) -> None:
    """Join the tables of a plate, warn of every frame lost after ingest, and count."""
    frames = join_frames(options.tables)
    for phrase in losses(frames[frames["status"] != "missing"]):
        print(f"warning: plate {options.plate}: frame {phrase} is left out", file=sys.stderr)
    check_enough(options.plate, frames, options.max_missing_fraction)
    write_table(options.frames, frames)
