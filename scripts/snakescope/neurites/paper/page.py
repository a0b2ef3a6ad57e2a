"""Table 1 of Koyama et al. next to our figures, as a table and as a page.

snakescope neurites paper_page --table docs/tables/neurites-paper.tsv
    --page docs/benchmarks/neurites-paper.md
    base.tsv revnet_1.tsv ...
"""

import argparse
from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from snakescope.neurites.paper.paper import COLUMNS
from snakescope.report.pages import markdown, write_text
from snakescope.step.tables import read_table, write_table

PAPER = {
    ("base", 0): ("2.2M", "1h20m", "3.8G", "91.0"),
    ("revnet", 1): ("1.4M", "2h10m", "2.7G", "91.0"),
    ("revnet", 2): ("2.2M", "3h20m", "2.7G", "91.3"),
    ("revnet", 3): ("3.0M", "4h30m", "2.7G", "90.8"),
    ("revnet", 4): ("3.7M", "5h40m", "2.7G", "90.9"),
}
"""Koyama et al., table 1: param, time, memory, acc; for comparison only."""

COMMON = {
    "steps": "Steps of each training",
    "patch": "Patches of a step (count, z, y, x)",
    "train_voxels": "Voxels to train with",
    "volume": "Scored on volume",
    "voxels": "Voxels of it",
    "device": "Device",
    "arithmetic": "Arithmetic",
    "peak_is_of": "Peak memory is that of",
}
"""Columns that mostly have one value, and their captions below the table."""
ENOUGH = 20_000
"""Minimum number of steps at which scores compare networks."""


def joined(rows: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """Concatenate rows in the order of the paper's table, then by random seed."""
    return pd.concat(rows, ignore_index=True).sort_values(
        ["network", "n", "seed"], na_position="first", ignore_index=True
    )


def _budget(table: pd.DataFrame) -> str:
    """Return a paragraph on how far the rows can be compared."""
    steps = int(table["steps"].min())
    if steps >= ENOUGH:
        return (
            f"Every network saw {steps:,} steps; rows of one network that differ in the seed"
            " show how far scores differ by chance."
        )
    more = "" if (table["peak_is_of"] != "the process").any() else (
        " Seconds are of one processor; peak memory is of the process, with torch itself in it, so"
        " `kept` is the column that compares networks."
    )  # fmt: skip
    if (table["arithmetic"] == "bfloat16").any():
        more += (
            " In bfloat16 base keeps half of what it keeps in float32, and the reversible networks"
            " keep their stream in float32: [neurites-networks.md](neurites-networks.md) has both"
            " in float32."
        )
    return (
        f"**A small budget**: {steps} steps are 1 / {ENOUGH // steps:,} of the rule's default"
        f" ({ENOUGH:,}). Parameters, time and memory are what they are; accuracy, ARAND and VOI"
        f" are of networks that still learn: they do not rank them.{more} With a GPU,"
        " `snakemake neurites_paper --configfile config/examples/snemi3d/config.yaml --cores all`"
        " trains them on SNEMI3D for the full number of steps, patches and arithmetic as in the"
        " paper (on a cluster with `--profile slurm`: five jobs, a GPU each)."
    )


def _shown(table: pd.DataFrame, base_kept: float) -> str:
    """Return our figures, each next to that of the paper, as a Markdown table."""
    blocks = table["n"].fillna(0).astype(int)
    paper = [PAPER.get(row, ("",) * 4) for row in zip(table["network"], blocks, strict=True)]
    parameters, epoch, memory, accuracy = (pd.Series(one) for one in zip(*paper, strict=True))
    columns = {
        "network": table["network"] + [f", n = {n}" if n else "" for n in blocks],
        "seed": table["seed"],
        "parameters": table["parameters"].map("{:,}".format),
        "paper": parameters,
        "epoch (s)": table["epoch_s"].map("{:.3g}".format),
        "paper ": epoch,
        "kept (MB)": table["saved_mb"].map("{:.0f}".format),
        "of base": (table["saved_mb"] / base_kept).map("{:.2f}".format),
        "peak (MB)": table["peak_mb"].map("{:.0f}".format),
        "paper  ": memory,
        "accuracy (%)": (100 * table["outline_accuracy"]).map("{:.1f}".format),
        "paper   ": accuracy,
        "ARAND": table["arand"].map("{:.3f}".format),
        "VOI split": table["voi_split"].map("{:.2f}".format),
        "VOI merge": table["voi_merge"].map("{:.2f}".format),
    }
    shown = pd.DataFrame(columns)
    shown.columns = pd.Index([name.strip() for name in columns])
    return markdown(shown)


def page(table: pd.DataFrame) -> str:
    """Return the Markdown page of a table with the columns ``COLUMNS`` of :mod:`.paper`."""
    base = table[table["network"] == "base"]
    base_kept = float(base["saved_mb"].iloc[0]) if len(base) else float("nan")
    lines = [
        "# The paper's table, measured again",
        "",
        "Networks of Koyama et al., table 1, trained alike on one volume and scored on sections"
        " that none of them saw. The paper's figures (param, time an epoch, memory, accuracy) are"
        " of SNEMI3D on its authors' GPU, so columns are to be compared among themselves. An epoch"
        " is as many steps as hold the voxels of the training part once; kept is what autograd"
        " keeps between forward and backward (it depends on the patch: compare `of base`); accuracy"
        " is that of outlines (see"
        " `snakescope.neurites.networks.affinity_scores`).",
        "",
        _shown(table, base_kept),
    ]
    for column, words in COMMON.items():
        values = ", ".join(str(value) for value in table[column].unique())
        lines += ["", f"{words}: {values}."]
    lines += ["", _budget(table), ""]
    lines.append(
        "Made by `snakemake neurites_paper`, on a small budget with"
        " `--configfile config/examples/paper/config.yaml`;"
        " ARAND is at the best of five thresholds."
    )
    return "\n".join(lines) + "\n"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command."""
    parser.add_argument("rows", nargs="+")
    parser.add_argument("--table", required=True, type=Path)
    parser.add_argument("--page", required=True, type=Path)


def main(given: argparse.Namespace) -> None:
    """Run the step."""
    table = joined([read_table(path, COLUMNS) for path in given.rows])
    write_table(given.table, table)
    write_text(given.page, page(table))
