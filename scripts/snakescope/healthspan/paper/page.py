"""The page of Matsuo et al.: tables 2, 3 and 5, figures 15 and 16, the paper's figures beside ours.

The table holds every figure with its interval; the page shows them and says what they rest on.
"""

import argparse
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from snakescope.healthspan.paper.rows import COLUMNS
from snakescope.healthspan.paper.settings import PaperClassifierSettings, PaperSemanticSettings
from snakescope.healthspan.training.settings import TrainClassifierSettings
from snakescope.report.pages import markdown, write_text
from snakescope.step.tables import read_table, write_table

STATE_METRICS = ("recall", "precision", "f", "accuracy")
OVERLAPPING = "overlap recall"
DETECTION_METRICS = ("recall", "precision", "f", OVERLAPPING)
NETWORK_METRICS = {
    "parameters": "parameters (million)",
    "view_s": "one view of 572 px without worms (CPU s)",
    "step_s": "one training step on one crop of 320 px (CPU s)",
}
SETS = {
    "steady": "Simulated worms, masks as the shipped detector draws them on simulated plates",
    "unsteady": "Simulated worms, masks as it draws them on images of other instruments",
    "upv_triplets": "Real sequences of three daily images, alive or dead, judged as a whole",
    "upv_triplets_either_side": "The same, each neighbour alone: alive if it moved on either side",
    "simulated": "Simulated scenes of unseen looks",
    "bbbc010": "Wells of BBBC010 (bright field, drawn by hand)",
}
PICTURES = {
    "confusion_steady": "Confusion matrices of every method, steady masks",
    "confusion_unsteady": "Confusion matrices of every method, unsteady masks",
    "detection": "Outlines of the worms of a scene: truth, semantic baseline, shipped detector",
    "curves": "Curves of simulated plates by every method, and the truth",
}
ABSENT = (
    "No real images were at hand (the environment variable `SNAKESCOPE_DATA`, else"
    " `healthspan: evaluation: data`), so this part has none."
)


def with_interval(row: pd.Series) -> str:
    """A figure with its interval, as text."""
    if not np.isfinite(row["value"]):
        return ""
    if not np.isfinite(row["low"]):
        return f"{row['value']:.3f}"
    return f"{row['value']:.3f} ({row['low']:.2f} to {row['high']:.2f})"


def shown(rows: pd.DataFrame, metrics: Sequence[str]) -> str:
    """Methods as rows, each figure with its interval and then the paper's, where it has any."""
    lines: list[dict[str, object]] = []
    for method, own in rows.groupby("method", sort=False):
        by_metric = {str(row["metric"]): row for _, row in own.iterrows()}
        line: dict[str, object] = {"method": method}
        for metric in metrics:
            if metric in by_metric:
                row = by_metric[metric]
                line[metric] = with_interval(row)
                if np.isfinite(row["paper"]):
                    line[f"paper's {metric}"] = f"{row['paper']:.3f}"
        first = next(metric for metric in metrics if metric in by_metric)
        line["n"] = int(by_metric[first]["n"])
        if OVERLAPPING in by_metric:
            line["overlapping"] = int(by_metric[OVERLAPPING]["n"])
        lines.append(line)
    table = pd.DataFrame(lines).fillna("")
    columns = ["method"]
    for metric in metrics:
        columns += [one for one in (metric, f"paper's {metric}") if one in table]
    return markdown(table[[*columns, *(one for one in ("n", "overlapping") if one in table)]])


def of_sets(rows: pd.DataFrame, tables: Sequence[str], metrics: Sequence[str]) -> list[str]:
    """A heading and a table for every set of some tables of the paper."""
    chosen = rows[rows["table"].isin(tables)]
    lines: list[str] = []
    for name, part in chosen.groupby("set", sort=False):
        lines += [f"### {SETS.get(str(name), str(name))}", "", shown(part, metrics), ""]
    return lines


def networks(rows: pd.DataFrame) -> str:
    """Parameters and time of every network."""
    part = rows[rows["table"] == "networks"]
    table = part.pivot(index="method", columns="metric", values="value")
    table = table.reindex(list(dict.fromkeys(part["method"])))[list(NETWORK_METRICS)]
    table["parameters"] /= 1e6
    return markdown(
        table.rename(columns=NETWORK_METRICS).reset_index(),
        dict.fromkeys(NETWORK_METRICS.values(), ".2f"),
    )


def curve_distances(rows: pd.DataFrame) -> str:
    """The distance of the curves of every method from the truth."""
    part = rows[rows["table"] == "figure 16"]
    return shown(part, tuple(dict.fromkeys(part["metric"])))


def confusions_text(confusions: pd.DataFrame, name: str) -> str:
    """Confusion matrices of a set as text, true classes in rows."""
    lines = []
    for method, part in confusions[confusions["set"] == name].groupby("method", sort=False):
        order = list(dict.fromkeys(part["true"]))
        counts = part.pivot(index="true", columns="assigned", values="count").loc[order, order]
        text = "; ".join(" ".join(str(int(one)) for one in row) for row in counts.to_numpy())
        lines.append({"method": method, "confusion": text})
    return markdown(pd.DataFrame(lines))


def picture(name: str, links: str) -> str:
    """A picture of the page."""
    return f"![{PICTURES[name]}]({links}{name}.png)"


def page_of(
    rows: pd.DataFrame,
    confusions: pd.DataFrame,
    classifier: PaperClassifierSettings,
    semantic: PaperSemanticSettings,
    links: str = "",
) -> str:
    """The page.

    Args:
        rows: of all tables, with ``COLUMNS``.
        confusions: set, method, true, assigned, count.
        links: what stands before the names of the pictures.
    """
    sets, shipped = set(rows["set"]), TrainClassifierSettings()
    real_states = "" if "upv_triplets" in sets else ABSENT
    real_wells = "" if "bbbc010" in sets else ABSENT
    lines = [
        "# The paper's tables and figures, measured again",
        "",
        "```bash",
        "snakemake healthspan_paper --cores all",
        "```",
        "",
        "Tables 2, 3 and 5 and figures 15 and 16 of Matsuo et al., with the paper's figures beside"
        " ours. Its figures are of its own images, which are not public: compare methods within a"
        " column, not a figure with the paper's. Intervals: 95 %; of recall, precision and F by"
        " bootstrap over scenes, wells or sequences, of the accuracy Wilson's over worms.",
        "",
        "## Table 5: states of the same worms by every method",
        "",
        f"ResNet-RS, ViT and MLP-Mixer are trained alike, smaller than the shipped weights were:"
        f" {classifier.per_state} simulated composites a state, {classifier.epochs} epochs, batch"
        f" {classifier.batch}, seed {classifier.seed} (the shipped MLP-Mixer: {shipped.per_state},"
        f" {shipped.epochs} epochs)."
        " Thresholds of the rules are tuned on worms of other scenes. *48 h rule* is the earlier"
        " method (section 2.2.2): immobile where the nearest worm of the frame before is near and"
        " alike by Hu moments, dead 48 hours after that began; it looks back to earlier frames,"
        " the others at one frame on either side. Recall, precision and F are means over the"
        " states.",
        "",
        *of_sets(rows, ("table 5",), STATE_METRICS),
        *([real_states, ""] if real_states else _about_sequences(confusions)),
        "### Figure 15: confusion matrices",
        "",
        picture("confusion_steady", links),
        "",
        picture("confusion_unsteady", links),
        "",
        "## Tables 2 and 3: worms found",
        "",
        "*Semantic*: a small U-Net of three classes (ground, body, overlap), trained on"
        f" {semantic.scenes} of the simulated scenes that the detector is trained on,"
        f" {semantic.steps} steps of {semantic.batch} crops of {semantic.crop_px} px, minutes on"
        " one core; connected pixels of the class body are a worm, with every overlap that touches"
        " it. The least area of a worm is chosen on other scenes. *Instance*: the shipped detector,"
        " which was trained far longer, and on real images as well, none of them of BBBC010: a part"
        " of what lies between the two is that. *n*: worms, and overlapping ones among them. Masks"
        " count from an IoU of .5 on. Worms that the border of a scene cuts count neither way.",
        "",
        *of_sets(rows, ("table 2", "table 3"), DETECTION_METRICS),
        *([real_wells, ""] if real_wells else []),
        picture("detection", links),
        "",
        "Green: worms found; red: other detections. The scene with the most overlapping worms.",
        "",
        "## Backbones",
        "",
        "ResNet-101 is the paper's backbone: `healthspan: training: detector: architecture:"
        " resnet101` trains it; built and timed here, not trained. Processor seconds of one core.",
        "",
        networks(rows),
        "",
        "## Figure 16: curves by every choice of states",
        "",
        "Simulated lives, masks with the detector's errors and overlays to read grey values from,"
        " every 12 h; no image of a whole plate is searched. Every method judges the same"
        " detections; the same tracker and the same estimate follow, thresholds as for steady"
        " masks. Distance: the greatest of a curve from the true share at any frame, mean over"
        " plates (least to greatest plate).",
        "",
        curve_distances(rows),
        "",
        picture("curves", links),
    ]
    return "\n".join(lines) + "\n"


def _about_sequences(confusions: pd.DataFrame) -> list[str]:
    return [
        "The 48 h rule has no row of real sequences: three daily images are too few for it. A"
        " sequence in which no worm was found counts as wrong. Thresholds are those of the unsteady"
        " masks. Confusion matrices of the sequences judged as a whole, true in rows; alive, dead:",
        "",
        confusions_text(confusions, "upv_triplets"),
        "",
    ]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command."""
    parser.add_argument("--rows", required=True, nargs="+", help="figures of the tables (TSV)")
    parser.add_argument("--confusions", required=True, help="counts of table 5 (TSV)")
    parser.add_argument("--classifier-training", required=True, help="its settings as JSON")
    parser.add_argument("--semantic-training", required=True, help="its settings as JSON")
    parser.add_argument("--links", default="", help="what stands before names of pictures")
    parser.add_argument("--table", required=True, type=Path, help="table to write (TSV)")
    parser.add_argument("--page", required=True, type=Path, help="page to write (Markdown)")


def main(arguments: argparse.Namespace) -> None:
    """Run the step."""
    rows = pd.concat([read_table(path, COLUMNS) for path in arguments.rows], ignore_index=True)
    page = page_of(
        rows,
        read_table(arguments.confusions, ("set", "method", "true", "assigned", "count")),
        PaperClassifierSettings.model_validate_json(arguments.classifier_training),
        PaperSemanticSettings.model_validate_json(arguments.semantic_training),
        arguments.links,
    )
    write_table(arguments.table, rows)
    write_text(arguments.page, page)
