"""Evaluation on simulated plates: each goes through the whole workflow, then is judged.

    python -m snakescope.healthspan.evaluation.plates --settings '{}' --snakefile Snakefile
        --detector resources/models/detector.safetensors
        --classifier resources/models/states_mlp_mixer.safetensors
        --folder results/healthspan/evaluation/plates --cores 2 --scores scores.tsv

The plates have seeds that no training uses, and their looks come from other ranges.
"""

import argparse
import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from snakescope import REPOSITORY
from snakescope.healthspan.detection.settings import DetectSettings
from snakescope.healthspan.evaluation.scores import (
    curve_distance,
    detections,
    registration_errors,
    state_confusion,
)
from snakescope.healthspan.evaluation.settings import EvaluateSettings
from snakescope.healthspan.simulation.settings import SimulateSettings
from snakescope.healthspan.simulation.simulate import DISH_SHARE, is_simulated, simulate_plate
from snakescope.healthspan.states.settings import ClassifySettings
from snakescope.imaging.masks import MaskSet, read_masks
from snakescope.step.errors import StepError
from snakescope.step.tables import read_table, write_table

"""To be raised with that of snakescope.healthspan.simulation.simulate, which this step calls."""

SHIPPED = {
    ("detection", "detect"): DetectSettings().weights,
    ("states", "classify"): ClassifySettings().weights,
}
SCORE_COLUMNS = ["plate", "metric", "value"]


def plate_settings(settings: EvaluateSettings, number: int) -> SimulateSettings:
    """Plate ``number``: from few to many worms, short and long lives, every depth of camera."""
    share = number / max(1, settings.plates - 1)
    worms = round(settings.min_worms + share * (settings.max_worms - settings.min_worms))
    return SimulateSettings(
        frame_px=settings.frame_px,
        timepoints=settings.timepoints,
        worms=worms,
        lifespan_scale_d=(9.0, 11.0, 10.0, 12.0)[number % 4],
        bits=(8, 12, 16)[number % 3],
        looks="unseen",
    )


def with_weights(
    section: Mapping[str, Any], detector: str, classifier: str, folder: Path
) -> dict[str, Any]:
    """The ``healthspan`` section ``section`` with the weights that are to be judged.

    Shipped ones are not named: they are the default, and so no reason to compute again.

    Args:
        detector, classifier: their files, seen from here.
        folder: the working directory of the workflow, from which they are named.
    """
    there = folder.resolve()
    whole = dict(section)
    for ((stage, step), shipped), path in zip(SHIPPED.items(), (detector, classifier), strict=True):
        if Path(path).resolve() != (REPOSITORY / shipped).resolve():
            own = whole.get(stage, {})
            named = os.path.relpath(Path(path).absolute(), there)
            whole[stage] = {**own, step: {**own.get(step, {}), "weights": named}}
    return whole


def run_workflow(
    snakefile: Path, folder: Path, sheet: pd.DataFrame, config: dict[str, object], cores: int
) -> None:
    """The workflow on the plates of ``sheet``, in its own working directory.

    Raises:
        StepError: it did not end well; its own messages are on stderr.
    """
    folder.mkdir(parents=True, exist_ok=True)
    write_table(folder / "plates.tsv", sheet)
    # JSON is YAML as well.
    (folder / "config.yaml").write_text(json.dumps({"healthspan": config}), encoding="utf-8")
    command = [sys.executable, "-m", "snakemake", "--snakefile", str(snakefile.resolve())]
    command += ["--directory", str(folder), "--configfile", str(folder / "config.yaml")]
    command += ["--cores", str(cores), "--rerun-incomplete", "--nolock", "--quiet", "rules"]
    if subprocess.run(command, stdout=sys.stderr, check=False).returncode != 0:
        raise StepError(
            f"{folder}: expected the workflow to finish on these plates, found that it failed;"
            f" see {folder}/logs"
        )


def by_time(truth: pd.DataFrame, frames: pd.DataFrame) -> dict[int, int]:
    """The simulation's timepoint of each of the workflow's.

    Where no interval is configured the workflow numbers the frames it finds, so after a missing
    frame its numbers are others.
    """
    at = {round(float(hours), 2): int(t) for t, hours in truth[["timepoint", "time_h"]].values}
    return {int(t): at[round(float(h), 2)] for t, h in frames[["timepoint", "time_h"]].values}


def renumbered(masks: MaskSet, numbers: dict[int, int]) -> MaskSet:
    """The masks with the simulation's timepoints; identifiers stay."""
    return replace(
        masks,
        timepoints=tuple(numbers[t] for t in masks.timepoints),
        instances=tuple(replace(one, timepoint=numbers[one.timepoint]) for one in masks.instances),
    )


def plate_scores(
    folder: Path, plate: str, truth: Path, simulation: SimulateSettings
) -> Iterator[tuple[str, float]]:
    """Metrics of one plate as (name, value); counts are given so that plates can be pooled."""
    worms = read_table(truth / "worms.tsv")
    frames = read_table(folder / "frames.tsv")
    motions = read_table(truth / "frames.tsv")
    numbers = by_time(motions, frames)
    frames["timepoint"] = frames["timepoint"].map(numbers)
    size = simulation.frame_px
    errors = registration_errors(motions, frames, size, DISH_SHARE * size)
    for error in errors:
        yield "registration_px", error
    yield "frames_not_registered", float((frames["status"] == "unregistered").sum())
    # Not all that are there: masks of blocks that the plate has no more may lie beside them.
    blocks = sorted(path.stem for path in (folder / "manifest").glob("t*-t*.tsv"))
    found = [renumbered(read_masks(folder / "masks" / f"{b}.json"), numbers) for b in blocks]
    result = detections(read_masks(truth / "masks.json"), found)
    yield "worms_true", float(result.found.size)
    yield "worms_found", float(result.found.sum())
    yield "worms_false", float(result.false)
    yield "iou_sum", float(np.nansum(result.iou))
    for name, chosen in (
        ("overlapping", result.overlapping),
        ("seam", result.seam),
        ("off_seam", ~result.seam),
    ):
        yield f"{name}_true", float(chosen.sum())
        yield f"{name}_found", float((result.found & chosen).sum())
    confusion = state_confusion(
        result.pairs, read_table(truth / "states.tsv"), read_table(folder / "states.tsv")
    )
    for row in range(3):
        for column in range(3):
            yield f"confusion_{row}_{column}", float(confusion[row, column])
    summary = read_table(folder / "summary.tsv").iloc[0]
    for name, end in (("lifespan", "death_d"), ("healthspan", "healthspan_end_d")):
        true = float(np.median(worms[end]))
        yield f"{name}_true_d", true
        yield f"{name}_found_d", float(summary[f"median_{name}_d"])
    yield "curve_distance", curve_distance(read_table(folder / "curves.tsv"), worms)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command."""
    parser.add_argument("--settings", required=True, help="settings as JSON")
    parser.add_argument("--detector", required=True, help="its weights")
    parser.add_argument("--classifier", required=True, help="its weights")
    parser.add_argument("--snakefile", required=True, type=Path)
    parser.add_argument("--folder", required=True, type=Path)
    parser.add_argument("--cores", required=True, type=int)
    parser.add_argument("--scores", required=True, type=Path)


def main(arguments: argparse.Namespace) -> None:
    """Run the step."""
    settings = EvaluateSettings.model_validate_json(arguments.settings)
    folder: Path = arguments.folder
    simulations = {}
    rows = []
    for number in range(settings.plates):
        plate = f"E{number + 1}"
        simulations[plate] = plate_settings(settings, number)
        one, seed = simulations[plate], settings.first_seed + number
        if not is_simulated(folder / plate, one, seed):
            simulate_plate(one, plate, seed, folder)
        rows.append((plate, "evaluation", "simulated", f"{plate}/raw",
                     one.age_at_first_frame_d, one.worms))  # fmt: skip
    columns = ["plate", "experiment", "condition", "folder", "age_at_first_frame_d", "worms"]
    config = with_weights({"sheet": "plates.tsv"}, arguments.detector, arguments.classifier, folder)
    run_workflow(
        arguments.snakefile, folder, pd.DataFrame(rows, columns=columns), config, arguments.cores
    )
    scores = [
        (plate, metric, value)
        for plate, simulation in simulations.items()
        for metric, value in plate_scores(
            folder / "results" / "healthspan" / plate, plate, folder / plate / "truth", simulation
        )
    ]
    write_table(arguments.scores, pd.DataFrame(scores, columns=SCORE_COLUMNS))
