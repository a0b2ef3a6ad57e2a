"""The page of a stack: scores and pictures in one file.

snakescope membranes page --stack stack.json --weights w.safetensors --sections sections.png
    --scores scores.tsv scores.png --page page.html
"""

import argparse
from pathlib import Path
from typing import Any

import pandas as pd

from snakescope.learning.registry import read_card
from snakescope.membranes.stacks.manifest import read_manifest
from snakescope.report.pages import html, image_url, write_text
from snakescope.step.tables import read_table

TUNED = "Thresholds were chosen on the tuning sections."
NOT_TUNED = (
    "No sections to choose thresholds with were named (column tune): they are 0.5, and scores may"
    " be far below what the membranes allow."
)


def score_rows(scores: pd.DataFrame) -> list[dict[str, str]]:
    """Scores as the page shows them."""
    return [
        {
            "network": str(row["network"]),
            "metric": str(row["metric"]).replace("_", " "),
            "value": f"{row['value']:.3f}",
            "interval": "" if pd.isna(row["low"]) else f"{row['low']:.3f} to {row['high']:.3f}",
            "threshold": "" if pd.isna(row["threshold"]) else f"{row['threshold']:g}",
        }
        for _, row in scores.iterrows()
    ]


def network_of(weights: Path) -> str:
    """A sentence on the network, by its card."""
    card = read_card(weights)
    network = card.model.get("network", {})
    data = "; ".join(one.what for one in card.data)
    return (
        f"Network: {network.get('architecture', '')} of width {network.get('width', '')},"
        f" {card.model.get('parameters', 0):,} parameters, trained on {data}. Limits:"
        f" {card.limits}."
    )


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command."""
    parser.add_argument("--stack", type=Path, required=True, help="stack.json of the stack")
    parser.add_argument("--weights", type=Path, required=True)
    parser.add_argument("--sections", type=Path, required=True, help="PNG")
    parser.add_argument("--scores", type=Path, nargs="*", help="TSV and PNG, if it is scored")
    parser.add_argument("--page", type=Path, required=True, help="HTML to write")


def main(given: argparse.Namespace) -> None:
    """Write the page of a stack."""
    manifest = read_manifest(given.stack)
    depth, height, width = manifest.shape
    values: dict[str, Any] = {"scores": [], "tested": 0, "tuned": ""}
    pictures = [(given.sections, "Sections, probabilities of membrane, and the cells between")]
    if given.scores:
        table, curve = given.scores
        scores = read_table(table, ("network", "metric", "threshold_from"))
        origins = set(scores.loc[scores["network"] == "network", "threshold_from"])
        values["scores"] = score_rows(scores)
        values["tested"] = len(manifest.parts["test"])
        values["tuned"] = NOT_TUNED if "not tuned" in origins else TUNED
        pictures.append((curve, "Scores of the test sections at every threshold"))
    text = html(
        "membranes.html",
        stack=manifest.name,
        sections=depth,
        size=f"{height} x {width}",
        network=network_of(given.weights),
        pictures=[(image_url(path.read_bytes(), "png"), caption) for path, caption in pictures],
        **values,
    )
    write_text(given.page, text)
