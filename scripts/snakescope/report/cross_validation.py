"""The page of a cross-validation: scores, pictures, folds, and findings of the audit."""

import argparse
from pathlib import Path

import pandas as pd

from snakescope.report.pages import html, image_url, write_text
from snakescope.step.tables import read_table

CAPTIONS = {
    "confusion": "True classes in rows, predicted ones in columns; colour is the share of a row.",
    "roc": "ROC curves with areas; bands are pointwise, from resampled groups.",
    "reliability": "Accuracy of predictions by their confidence; below, their number.",
    "folds": "Each fold by itself, and all folds together (lines).",
    "errors": "What the first model is surest of and wrong about.",
    "agreement": "Mean grades of clips, and how often each grade is given, by persons and model.",
    "calibration": "Predicted shares of grades against the shares that persons gave.",
    "risk": "Error of the clips that are graded where the most doubtful are left out.",
}

MEASURES = {
    "mse_e2": "mean squared error of shares (1e-2)",
    "js_e2": "Jensen-Shannon divergence (1e-2 nats)",
    "js_follow_up_e2": "the same as in the paper's follow-up (1e-2)",
    "emd": "earth mover's distance (grades)",
    "explained": "explained: 0 mean predictor, 1 floor of raters",
    "balanced_accuracy_follow_up": "balanced accuracy as in the follow-up",
    "correlation": "correlation of mean grades",
    "coverage_90": "mean grades within their 90 % interval",
    "mse_at_70_coverage": "squared error of the surest 70 % (1e-2)",
}
"""What measures are called where their name does not say it."""


def scores_rows(scores: pd.DataFrame) -> list[dict[str, str]]:
    """The cells of the table of scores."""
    rows = []
    for row in scores.to_dict("records"):
        ends = "" if pd.isna(row["low"]) else f"{row['low']:.3f} to {row['high']:.3f}"
        rows.append(
            {
                "model": row["model"],
                "metric": MEASURES.get(row["metric"], str(row["metric"]).replace("_", " ")),
                "value": f"{row['value']:.3f}",
                "interval": ends,
                "p": "" if pd.isna(row["p"]) else f"{row['p']:.2g}",
                "n": f"{row['n']} of {row['groups']} groups",
            }
        )
    return rows


def folds_rows(splits: pd.DataFrame) -> tuple[list[str], list[list[str]]]:
    """Header and cells of the items and groups of each class in each fold."""
    classes = sorted(splits["class"].unique())
    rows = []
    for fold, those in splits.groupby("fold"):
        cells = [str(fold), str(those["group"].nunique())]
        rows.append(cells + [str(int((those["class"] == name).sum())) for name in classes])
    return ["fold", "groups", *classes], rows


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command."""
    parser.add_argument("--title", required=True, help="what was cross-validated")
    parser.add_argument("--scores", required=True, type=Path, help="scores (TSV)")
    parser.add_argument("--pictures", required=True, nargs="+", type=Path, help="PNG files")
    parser.add_argument("--audit", required=True, type=Path, help="findings of each code (TSV)")
    parser.add_argument("--associations", required=True, type=Path, help="fields and class (TSV)")
    parser.add_argument("--splits", required=True, type=Path, help="the fold of each item (TSV)")
    parser.add_argument("--page", required=True, type=Path, help="page to write (HTML)")


def main(arguments: argparse.Namespace) -> None:
    """Run the step."""
    audit = read_table(
        arguments.audit, ["code"], text=["code", "state", "what", "example", "reason"]
    )
    linked = read_table(arguments.associations, ["field"], text=["field", "measure"])
    header, folds = folds_rows(
        read_table(arguments.splits, ["fold"], text=["item", "group", "class"])
    )
    page = html(
        "cross_validation.html",
        title=arguments.title,
        scores=scores_rows(read_table(arguments.scores, ["model", "metric"], text=["model"])),
        pictures=[
            (path.stem, image_url(path.read_bytes(), "png"), CAPTIONS.get(path.stem, ""))
            for path in arguments.pictures
        ],
        found=audit[audit["findings"] > 0].to_dict("records"),
        looked_for=len(audit),
        linked=linked.head(8).to_dict("records"),
        header=header,
        folds=folds,
    )
    write_text(arguments.page, page)
