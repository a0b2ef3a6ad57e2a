"""Results of scans and patients: tables, figures, and a page that says first what it is not for."""

import argparse
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from snakescope.fibrosis.classes import class_names, class_of
from snakescope.fibrosis.results.checklist import checklist
from snakescope.fibrosis.results.figures import results_figure
from snakescope.fibrosis.results.measures import (
    Score,
    by_quality,
    class_scores,
    in_doubt,
    of_patients,
    threshold_scores,
    with_thresholds,
)
from snakescope.fibrosis.results.overlays import overlays_figure
from snakescope.fibrosis.results.settings import ResultsSettings
from snakescope.fibrosis.training.models import NETWORKS
from snakescope.imaging.style import save_figure
from snakescope.learning.cross_validation.folds import PROBABILITY
from snakescope.report.pages import html, image_url, write_text
from snakescope.step.tables import read_table, write_table

TEXT = ("item", "group", "class", "model", "truth", "path", "mask", "device", "scan", "reason")


def joined(predictions: pd.DataFrame, items: pd.DataFrame, classes: int) -> pd.DataFrame:
    """Predictions with the stage of each scan, the class they name, and how sure they are."""
    columns = ["item", "truth", *(["device"] if "device" in items else [])]
    table = with_thresholds(predictions, classes).merge(items[columns], on="item")
    names = class_names(classes)
    values = table[[f"{PROBABILITY}{name}" for name in names]].to_numpy(float)
    return table.assign(
        stage=table["truth"].str[1].astype(int),
        named=[names[at] for at in values.argmax(axis=1)],
        confidence=values.max(axis=1),
        in_doubt=np.where(in_doubt(table), "yes", "no"),
    )


def all_scores(
    table: pd.DataFrame, patients: pd.DataFrame, classes: int, settings: ResultsSettings
) -> Iterator[Score]:
    """Scores of every model, by scan and by patient."""
    drawn = (settings.resamples, settings.seed)
    for model in dict.fromkeys(table["model"]):
        mine = table[table["model"] == model]
        yield from class_scores(str(model), mine, classes, *drawn)
        of_model = patients[patients["model"] == model]
        for unit, rows in (("scan", mine), ("patient", of_model)):
            yield from threshold_scores(str(model), unit, rows, *drawn)


def facts_of(
    table: pd.DataFrame, scores: pd.DataFrame, refused: pd.DataFrame, configuration: dict[str, Any]
) -> dict[str, str]:
    """What the workflow knows for the checklists."""
    models = list(dict.fromkeys(table["model"]))
    main = table[table["model"] == models[0]]
    patients = main["group"].nunique()
    stages = ", ".join(f"F{s}: {n}" for s, n in main["stage"].value_counts().sort_index().items())
    found = scores[(scores["model"] == models[0]) & (scores["unit"] == "patient")]
    areas = "; ".join(
        f"{row.metric} {row.value:.3f} ({row.low:.3f} to {row.high:.3f})"
        for row in found[found["metric"].str.startswith("auc_")].itertuples()
    )
    folds = main["fold"].nunique()
    masks = int(main["dice"].notna().sum()) if "dice" in main else 0
    return {
        "preparation": "sector found per device and cropped, all else set to 0, grey, 512 x 512 px",
        "predictors": "pixels of the B-mode image inside the sector; no clinical data",
        "sample": f"{len(main)} scans of {patients} patients ({stages})",
        "missing": f"{len(refused)} scans were refused, each with its reason (refused.tsv);"
        f" {masks} of {len(main)} have an outline of the liver; nothing was imputed",
        "partition": f"{folds} folds, stratified by class; of each fit one fold is the test"
        + (", the next one chooses the temperature" if folds > 2 else ""),
        "disjoint": "by patient: no patient lies in two folds",
        "models": f"{', '.join(models)}; settings: {json.dumps(configuration, sort_keys=True)}",
        "training": "all epochs, no early stopping; no choice on test scans",
        "measures": "AUC, sensitivity, specificity, Brier score, calibration slope and intercept,"
        " expected calibration error, net benefit, Dice, accuracy, confusion matrices",
        "intervals": "95 %: DeLong on one score a patient, bootstrap of patients, Wilson",
        "calibration": "a temperature of each fold, from its validation scans"
        if folds > 2
        else "none: two folds leave no validation scans",
        "balance": f"no resampling; {stages}",
        "output": "probabilities of classes and of stages >= F2 and >= F4; mask of the liver",
        "audit": "duplicates, leaks between patients, fields that give the class away, known"
        " origins: see the audit",
        "code": "Snakescope, revision in provenance.json",
        "specification": "weights as safetensors with a card that rebuilds the model",
        "performance": areas,
        "deidentification": "patients by salted HMAC-SHA256; all pixels outside the sector 0; no"
        " tag of a patient is kept",
        "explanation": "mask and Grad-CAM of test scans (overlays.png)",
        "external": "",
        "failures": "scans.tsv names every scan with its class; the surest errors are drawn",
    }


def headline(scores: pd.DataFrame, models: list[str]) -> list[dict[str, str]]:
    """Cells of the page's first table: a row a model."""
    rows = []
    wanted = {
        "accuracy": ("scan", "accuracy"),
        "ge_f2": ("patient", "auc_ge_f2"),
        "ge_f4": ("patient", "auc_ge_f4"),
        "dice": ("scan", "dice"),
        "ece": ("scan", "ece"),
    }
    for model in models:
        cells = {"model": model}
        for name, (unit, metric) in wanted.items():
            found = scores[
                (scores["model"] == model) & (scores["unit"] == unit) & (scores["metric"] == metric)
            ]
            cells[name] = ""
            if len(found):
                row = found.iloc[0]
                ends = "" if pd.isna(row["low"]) else f" ({row['low']:.2f} to {row['high']:.2f})"
                cells[name] = f"{row['value']:.2f}{ends}"
        rows.append(cells)
    return rows


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command."""
    parser.add_argument("--items", required=True, type=Path, help="ingested scans (TSV)")
    parser.add_argument("--others", required=True, type=Path, help="ingested scans to predict")
    parser.add_argument("--predictions", required=True, type=Path, help="of all models (TSV)")
    parser.add_argument("--audit", required=True, type=Path, help="accepted findings (TSV)")
    parser.add_argument("--refused", required=True, type=Path, help="unusable scans (TSV)")
    parser.add_argument("--sectors", required=True, type=Path, help="sectors of devices (TSV)")
    parser.add_argument("--settings", required=True, help="settings as JSON")
    parser.add_argument("--configuration", required=True, help="classes and models as JSON")
    parser.add_argument("--folder", required=True, type=Path, help="of the cross-validation")
    for name in ("scans", "patients", "thresholds", "figures", "overlays", "checklist", "page"):
        parser.add_argument(f"--{name}", required=True, type=Path, help=f"to write: {name}")


def main(arguments: argparse.Namespace) -> None:
    """Run the step."""
    settings = ResultsSettings.model_validate_json(arguments.settings)
    configuration = json.loads(arguments.configuration)
    classes = int(configuration["classes"])
    items = read_table(arguments.items, ["item", "path", "truth"], text=TEXT)
    predictions = read_table(arguments.predictions, ["item", "model", "fold"], text=TEXT)
    table = joined(predictions, items, classes)
    models = list(dict.fromkeys(table["model"]))
    patients = of_patients(table, settings.pooling)
    scores = pd.DataFrame(all_scores(table, patients, classes, settings))
    refused = read_table(arguments.refused, ["scan", "reason"], text="all")
    scans = {model: table[table["model"] == model] for model in models}
    pooled = {model: patients[patients["model"] == model] for model in models}
    save_figure(results_figure(scans, pooled, classes), arguments.figures)
    first = scans[models[0]]
    weights = arguments.folder / models[0] / "fold_0" / "weights.safetensors"
    shown = first[first["fold"] == 0]
    save_figure(overlays_figure(weights, items, shown, settings.overlays), arguments.overlays)
    names = class_names(classes)
    truth = np.array([class_of(f"F{s}", classes) for s in first["stage"]])
    right = first["named"].to_numpy(str) == np.array(names)[truth]
    filled = checklist(facts_of(table, scores, refused, configuration))
    audit = read_table(arguments.audit, ["code"], text=["code", "state", "what", "reason"])
    page = html(
        "fibrosis.html",
        models=headline(scores, models),
        quality=by_quality(first, right).to_dict("records"),
        figures=image_url(arguments.figures.read_bytes(), "png"),
        overlays=image_url(arguments.overlays.read_bytes(), "png"),
        accepted=audit[audit["state"] == "accepted"].to_dict("records"),
        refused=refused.to_dict("records"),
        checklist=filled.to_dict("records"),
        scans=len(first),
        patients=first["group"].nunique(),
        simulated=configuration["simulated"],
        others=len(read_table(arguments.others, ["item"], text=TEXT)),
        in_sheet=configuration["others"],
        outlines=models[0] in NETWORKS,
        pooling={"mean": "mean of the logits", "max": "largest logit"}[settings.pooling],
    )
    write_table(arguments.checklist, filled)
    write_table(arguments.thresholds, scores)
    named = patients.assign(stage=[f"F{stage}" for stage in patients["stage"]])
    write_table(arguments.patients, named.rename(columns={"group": "patient"}))
    renamed = table.drop(columns=["stage", "class"]).rename(
        columns={"item": "scan", "group": "patient", "truth": "stage"}
    )
    write_table(arguments.scans, renamed)
    write_text(arguments.page, page)
