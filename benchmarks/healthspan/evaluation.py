"""How well the workflow does on plates and images that no model was trained on.

    python -m benchmarks.healthspan.evaluation
    python -m benchmarks.healthspan.evaluation --detector mine.safetensors --folder mine

Simulates plates of other seeds and looks, and runs the workflow on them and on a real plate, in
working directories of their own under --folder; scores the results and the public images that are
at hand (the environment variable SNAKESCOPE_DATA, else `healthspan: evaluation: data`). The table
and the page are written there as well; those in docs/ are

    python -m benchmarks.healthspan.evaluation --table docs/tables/healthspan-evaluation.tsv
        --page docs/benchmarks/healthspan-evaluation.md

Number, seeds and sizes of the plates are settings of the section `healthspan: evaluation`. What is
there already from an earlier run is not computed again.
"""

import argparse
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd
import torch
import yaml

from benchmarks import ROOT
from benchmarks.run import configure, workflow
from snakescope.healthspan.detection.detect import load_detector
from snakescope.healthspan.detection.settings import DetectSettings
from snakescope.healthspan.evaluation.evaluate import image_rows, page, simulated_rows
from snakescope.healthspan.evaluation.images import (
    Models,
    bbbc010_scores,
    upv_plate_scores,
)
from snakescope.healthspan.evaluation.plates import plate_scores, plate_settings
from snakescope.healthspan.evaluation.settings import EvaluateSettings
from snakescope.healthspan.evaluation.triplets import triplet_scores
from snakescope.healthspan.evaluation.two_frames import two_frame_scores
from snakescope.healthspan.settings import HealthspanSettings
from snakescope.healthspan.simulation.simulate import is_simulated, simulate_plate
from snakescope.healthspan.states.classify import load_classifier
from snakescope.healthspan.states.settings import ClassifySettings
from snakescope.report.pages import scores_table, write_text
from snakescope.step.command import run_step
from snakescope.step.tables import read_table, write_table

UPV = ROOT / "config/examples/upv_plate/config.yaml"
PLATE_COLUMNS = ["plate", "metric", "value"]
IMAGE_COLUMNS = ["set", "metric", "value"]
STEPS = (("detection", "detect"), ("states", "classify"))
"""Keys of the steps that take weights, in the order of ``Weights``."""


def settings_of(path: Path | None) -> EvaluateSettings:
    """Settings of the section ``healthspan: evaluation`` of a configuration, or the defaults."""
    read = yaml.safe_load(path.read_text(encoding="utf-8")) if path else None
    section = (read or {}).get("healthspan") or {}
    return HealthspanSettings.model_validate(section).evaluation


class Weights(NamedTuple):
    """The weights that are evaluated; None for those that are shipped."""

    detector: Path | None
    classifier: Path | None


def with_weights(section: Mapping[str, Any], weights: Weights) -> dict[str, Any]:
    """A section ``healthspan`` with the weights that are evaluated, where they are not shipped."""
    whole = dict(section)
    for (stage, step), path in zip(STEPS, weights, strict=True):
        if path is not None:
            own = whole.get(stage, {})
            named = {**own.get(step, {}), "weights": str(path.resolve())}
            whole[stage] = {**own, step: named}
    return whole


def of_simulated(
    settings: EvaluateSettings, folder: Path, weights: Weights, cores: int
) -> pd.DataFrame:
    """Scores of the simulated plates: plate, metric, value."""
    simulations = {}
    sheet = []
    for number in range(settings.plates):
        plate = f"E{number + 1}"
        one, seed = plate_settings(settings, number), settings.first_seed + number
        simulations[plate] = one
        if not is_simulated(folder / plate, one, seed):
            simulate_plate(one, plate, seed, folder)
        days, worms = one.age_at_first_frame_d, one.worms
        sheet.append((plate, "evaluation", "simulated", f"{plate}/raw", days, worms))
    configure(folder, with_weights({}, weights), sheet)
    workflow(folder, options=("--cores", str(cores)))
    results = folder / "results" / "healthspan"
    rows = [
        (plate, metric, value)
        for plate, one in simulations.items()
        for metric, value in plate_scores(results / plate, plate, folder / plate / "truth", one)
    ]
    return pd.DataFrame(rows, columns=PLATE_COLUMNS)


def upv_plate(
    raw: Path, folder: Path, weights: Weights, cores: int
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The real plate through the workflow by its own configuration: counts.tsv and summary.tsv."""
    section = yaml.safe_load(UPV.read_text(encoding="utf-8"))["healthspan"]
    section = {key: value for key, value in section.items() if key != "sheet"}
    configure(
        folder, with_weights(section, weights), [("upv", "upv", "N2", str(raw.resolve()), 4, 10)]
    )
    workflow(folder, options=("--cores", str(cores)))
    results = folder / "results/healthspan/upv"
    return read_table(results / "counts.tsv"), read_table(results / "summary.tsv")


def of_images(worms: Path, folder: Path, weights: Weights, cores: int) -> pd.DataFrame:
    """Scores of the real images below ``worms``: set, metric, value; absent ones are left out."""
    torch.set_num_threads(cores)
    detector = weights.detector or ROOT / DetectSettings().weights
    classifier = weights.classifier or ROOT / ClassifySettings().weights
    network, pixel_size_um = load_detector(str(detector), None, DetectSettings())
    states, card = load_classifier(str(classifier), None)
    models = Models(network, pixel_size_um, states, float(card["temperature"]))
    rows: list[tuple[str, str, float]] = []
    for name, scores in (
        ("bbbc010", bbbc010_scores),
        ("upv_alive_dead_triplets", triplet_scores),
        ("quantworm_lifespan", two_frame_scores),
    ):
        if (worms / name).is_dir():
            rows += [(name, metric, value) for metric, value in scores(worms / name, models)]
        else:
            print(f"{worms / name}: not here, left out", file=sys.stderr)
    series = worms / "upv_plate_series"
    if series.is_dir():
        counts, summary = upv_plate(series, folder / "upv_plate", weights, cores)
        truth = pd.read_csv(series / "counts.csv")
        scored = upv_plate_scores(counts, truth, summary)
        rows += [(series.name, metric, value) for metric, value in scored]
    return pd.DataFrame(rows, columns=IMAGE_COLUMNS)


def main() -> None:
    """Evaluate the workflow; write the scores, their table and the page."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--detector", type=Path, help="weights; default: those that are shipped")
    parser.add_argument("--classifier", type=Path, help="weights; default: those that are shipped")
    parser.add_argument("--configfile", type=Path, help="with a section `healthspan: evaluation`")
    parser.add_argument("--folder", type=Path, default=Path("evaluation"), help="kept for resuming")
    parser.add_argument("--cores", type=int, default=2)
    parser.add_argument("--table", type=Path, help="default: scores.tsv in the folder")
    parser.add_argument("--page", type=Path, help="default: scores.md in the folder")
    given = parser.parse_args()
    settings = settings_of(given.configfile)
    folder: Path = given.folder
    weights = Weights(given.detector, given.classifier)
    plates = of_simulated(settings, folder / "plates", weights, given.cores)
    write_table(folder / "plates.tsv", plates)
    data = Path(os.environ.get("SNAKESCOPE_DATA") or settings.data)
    images = of_images(data / "worms", folder / "images", weights, given.cores)
    write_table(folder / "images.tsv", images)
    # As they are written, so that pooled scores depend on the tables only.
    plates = read_table(folder / "plates.tsv", PLATE_COLUMNS)
    rows = [*simulated_rows(plates), *image_rows(read_table(folder / "images.tsv", IMAGE_COLUMNS))]
    write_table(given.table or folder / "scores.tsv", scores_table(rows))
    write_text(given.page or folder / "scores.md", page(rows, plates))


if __name__ == "__main__":
    run_step(main)
