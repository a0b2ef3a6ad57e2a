"""The page of what a volume larger than memory takes, from the tables of neurites_scale.py.

    python -m benchmarks.neurites.scale_page

writes docs/benchmarks/neurites-scale.md: the largest volume that was measured, and what its figures
come to for a volume of 10^12 voxels.
"""

import argparse
import math
from pathlib import Path

import numpy as np
import pandas as pd

from benchmarks import ROOT
from snakescope.report.pages import markdown, write_text
from snakescope.step.command import run_step
from snakescope.step.tables import read_table

TERA = 1e12
LARGE_BLOCK = (128, 1024, 1024)
"""The block that docs/neurites.md advises for such volumes."""
BYTES_A_FRAGMENT = 100
"""Peak of the agglomeration: region (8), merges as found, joined and sorted (3 x 24), order (8)."""
BYTES_A_CONTACT = 250
"""Of a part that is being joined: contacts as kept, numbered (2 x 40) and in the queue (170)."""
GPU_VOXELS = 0.94e6
"""Voxels a second of affinities on a RTX 2080 Ti, as published for a network of this kind (LSD)."""


FITTED = 4
"""Blocks of a part from which on its contacts are fitted."""
STAGES = {
    "stage": "stage",
    "cpu_seconds": "processor (s)",
    "mvoxel_per_cpu_s": "Mvoxel a second and core",
    "seconds": "clock (s)",
    "processes": "processes",
    "peak_mb_a_process": "peak of each (MB)",
    "disk_mb": "disk (MB)",
}
PARTS = {
    "blocks": "blocks of a part",
    "parts": "parts",
    "voxels": "voxels",
    "regions_left": "regions left",
    "contacts_left": "contacts left",
}
"""Columns of the tables, and their headings on the page."""

SURFACE = 2 / 3
"""Power with which the surface of a cube grows with its voxels."""


def voxels_of(shape: str) -> int:
    """Voxels of a shape such as 64x4096x4096."""
    return math.prod(int(side) for side in shape.split("x"))


def growth(parts: pd.DataFrame) -> float:
    """Exponent with which the contacts that a part hands on grow with its voxels.

    Of parts of ``FITTED`` blocks and more: smaller ones are mostly surface.
    """
    seen = parts[(parts["contacts_left"] > 0) & (parts["blocks"] >= FITTED)]
    across = np.log(seen["voxels"]) - np.log(seen["voxels"]).mean()
    return float((across * np.log(seen["contacts_left"])).sum() / (across**2).sum())


def page(table: pd.DataFrame, parts: pd.DataFrame) -> str:
    """The Markdown page."""
    shape = max(table["shape"].unique(), key=voxels_of)
    table = table[table["shape"] == shape].set_index("stage")
    parts = parts[parts["shape"] == shape]
    voxels = voxels_of(shape)
    times = TERA / voxels
    hours = {stage: times * float(table.loc[stage, "cpu_seconds"]) / 3600 for stage in table.index}
    blocks = hours["fragments"] + hours["region graphs"]
    first = table.iloc[0]
    fragments, contacts = int(first["fragments"]), int(first["contacts"])
    peak = (table["peak_mb_a_process"] * table["processes"]).max() / 1e3
    exponent = growth(parts)
    halves = parts[parts["contacts_left"] > 0].sort_values("voxels").iloc[-1]
    handed = 2 * halves["most_contacts_left"]
    handed_tera = handed * (TERA / 2 / halves["voxels"]) ** max(exponent, SURFACE)
    jobs = math.ceil(TERA / math.prod(LARGE_BLOCK))
    disk = float(table["disk_mb"].sum()) / voxels * 1e6
    at_tera = [
        (
            "fragments, region graphs",
            "a job a block, any number at a time",
            "voxels",
            f"{blocks:,.0f} core-hours; {blocks / 500:.1f} h on 500 cores",
        ),
        (
            "affinities",
            "a job a block, a GPU each",
            "voxels",
            f"{TERA / GPU_VOXELS / 3600:.0f} GPU-hours at the 0.94 Mvoxel/s published for a"
            " RTX 2080 Ti",
        ),
        (
            "agglomeration",
            "one job, one core",
            "fragments",
            f"{hours['agglomeration']:.0f} h;"
            f" {fragments * times * BYTES_A_FRAGMENT / 1e9:.0f} GB for"
            f" {fragments * times / 1e9:.1f} billion fragments and their merges,"
            f" {handed_tera * BYTES_A_CONTACT / 1e9:.1f} GB for contacts in hand",
        ),
        (
            "labels",
            "one job, any number of processes on its node",
            "voxels",
            f"{hours['stitched labels']:,.0f} core-hours;"
            f" {hours['stitched labels'] / 32:.1f} h on 32 cores",
        ),
        (
            "disk",
            "fragments, graphs, labels",
            "voxels",
            f"{disk * TERA / 1e12:.1f} TB",
        ),
    ]
    lines = [
        "# A volume larger than memory",
        "",
        "Made by `.venv/bin/python -m benchmarks.neurites.scale` and `.venv/bin/python -m"
        " benchmarks.neurites.scale_page`: a synthetic volume of"
        f" {shape.replace('x', ' x ')} voxels ({voxels / 1e9:.2f} Gvoxel), labels with noisy"
        " affinities that are made block by block and never stored, through the functions of the"
        " steps. Seconds are of the processor; those of the clock were measured on a machine that"
        f" did much else (load {first['load']:.0f} on 2 cores) and say little.",
        "",
        markdown(
            table.reset_index()[list(STAGES)].rename(columns=STAGES),
            {"Mvoxel a second and core": ".1f"}
            | dict.fromkeys(
                ("processor (s)", "clock (s)", "peak of each (MB)", "disk (MB)"), ".0f"
            ),
        ),
    ]
    total = float(table["cpu_seconds"].sum())
    lines += [
        "",
        f"{total / 60:.1f} minutes of one core in all, at most {peak:.1f} GB at a time in all"
        f" processes together. {fragments:,} fragments, {contacts:,} contacts,"
        f" {int(first['objects']):,} objects; adapted Rand error {first['arand']:.3f} against the"
        f" truth of the synthetic volume. Making the affinities took"
        f" {table['cpu_seconds_making_affinities'].sum():.0f} s more, which are in no row.",
        "",
        "## What the agglomeration hands on",
        "",
        "Regions that cannot be decided on within a part of the volume, and their contacts"
        " ([Neurites](../trees/neurites.md#agglomeration)). Memory holds those of a few parts, not"
        f" the volume's contacts; in parts of {FITTED} blocks and more, those below being mostly"
        f" surface, they grew with the voxels of the part to the power {exponent:.2f}."
        " The volume is a slab; for the estimate below, they grow like the surface of a cube,"
        " to the power 2/3.",
        "",
        markdown(
            parts.assign(voxels=[f"{one / 1e6:.0f} M" for one in parts["voxels"]])[
                list(PARTS)
            ].rename(columns=PARTS),
            dict.fromkeys(("blocks of a part", "parts"), ".0f")
            | dict.fromkeys(("regions left", "contacts left"), ",.0f"),
        ),
    ]
    lines += [
        "",
        "## On paper: 1 Tvoxel",
        "",
        f"{times:,.0f} times the volume above, in blocks of {' x '.join(map(str, LARGE_BLOCK))}"
        f" ({jobs:,} of them).",
        "",
        markdown(
            pd.DataFrame(at_tera, columns=["part", "how it runs", "grows with", "at 1 Tvoxel"])
        ),
        "",
        "Global are the numbering of fragments, the list of their merges and the agglomeration's"
        " last parts. Held in one table, as before parts were joined in turn, the contacts alone"
        f" would take {contacts * times * BYTES_A_CONTACT / 1e12:.1f} TB. What would have to change"
        " beyond this size is the job, not the algorithm: parts can be jobs of their own, since"
        " they share nothing but what they hand on.",
        "",
    ]
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    tables = ROOT / "docs/tables"
    parser.add_argument("--table", type=Path, default=tables / "neurites-scale.tsv")
    parser.add_argument("--parts", type=Path, default=tables / "neurites-scale-parts.tsv")
    parser.add_argument("--page", type=Path, default=ROOT / "docs/benchmarks/neurites-scale.md")
    given = parser.parse_args()
    text = page(read_table(given.table, ("shape", "stage")), read_table(given.parts, ("shape",)))
    write_text(given.page, text)


if __name__ == "__main__":
    run_step(main)
