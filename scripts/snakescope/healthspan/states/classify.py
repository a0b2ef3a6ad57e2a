"""Classification of every worm as healthy, immobile or dead, with calibrated probabilities.

Matsuo et al., section 3.3. A composite without neighbour frames holds no information on movement:
its state is ``unknown`` and its probabilities are missing values.
"""

import argparse
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import tifffile
import torch
from numpy.typing import NDArray

from snakescope.healthspan.states.composite import COLUMNS
from snakescope.healthspan.states.evidence import EVIDENCE_COLUMNS
from snakescope.healthspan.states.fusion import SHIPPED, fused
from snakescope.healthspan.states.models import (
    INPUT_PX,
    WINDOW_PX,
    build_model,
    colours_of,
    model_input,
    probabilities,
)
from snakescope.healthspan.states.settings import ClassifySettings, EvidenceSettings
from snakescope.healthspan.states.states import STATES, UNKNOWN
from snakescope.learning.device import choose_device
from snakescope.learning.weights import load_weights, with_tensors
from snakescope.step.errors import StepError
from snakescope.step.progress import progress
from snakescope.step.tables import read_table, write_table


def load_classifier(path: str | Path, sha256: str | None) -> tuple[torch.nn.Module, dict[str, Any]]:
    """Load a classifier; return it in evaluation mode, and its card.

    Raises:
        StepError: the file does not hold weights of a state classifier of this workflow.
    """
    tensors, card = load_weights(path, sha256)
    if card.get("states") != list(STATES) or card.get("input_px") != INPUT_PX:
        raise StepError(
            f"{path}: expected weights of a state classifier ({', '.join(STATES)}; {INPUT_PX} px),"
            f" found a card of {card.get('architecture', 'something else')}; name another file in"
            " the config"
        )
    model = build_model(card["architecture"], card["parameters"])
    return with_tensors(model, tensors, path, card["architecture"]), card


def classify(
    model: torch.nn.Module,
    composites: NDArray[np.uint8],
    temperature: float,
    batch: int = 256,
    device: torch.device | None = None,
) -> NDArray[np.float64]:
    """Return the probabilities of the states, shape (N, 3), in the order of the composites.

    Args:
        composites: uint8 (N, 128, 128, 3).
        temperature: divides the logits, from the model's card.
    """
    device = device or torch.device("cpu")
    model = model.to(device)
    found = np.zeros((len(composites), len(STATES)))
    with torch.inference_mode():
        for start in progress(range(0, len(composites), batch), "classify"):
            pictures = model_input(colours_of(composites[start : start + batch]).to(device))
            found[start : start + batch] = probabilities(model(pictures), temperature)
    return found


def with_evidence(
    found: NDArray[np.float64], evidence: pd.DataFrame, min_contrast: float
) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Weigh the grey values; return probabilities (N, 3), and which worms are too faint to tell.

    Args:
        found: probabilities by the masks, shape (N, 3).
        evidence: as :mod:`snakescope.healthspan.states.evidence` writes it, N rows.
        min_contrast: see :class:`~snakescope.healthspan.states.settings.EvidenceSettings`.
    """
    faint = evidence["body_contrast"].to_numpy(np.float64) < min_contrast
    moved = evidence[["moved_before", "moved_after"]].to_numpy(np.float64)
    return fused(found, moved, SHIPPED), faint


def states_table(
    index: pd.DataFrame,
    found: NDArray[np.float64],
    faint: NDArray[np.bool_] | None = None,
) -> pd.DataFrame:
    """Add p_healthy, p_immobile, p_dead and state to the index; ``unknown`` without neighbours.

    Args:
        index: as :mod:`snakescope.healthspan.states.composite` writes it, N rows.
        found: probabilities, shape (N, 3).
        faint: worms that stand out too little to tell, shape (N,): these are unknown as well.
    """
    alone = (index["before"].isna() & index["after"].isna()).to_numpy()
    if faint is not None:
        alone = alone | faint
    table = index.copy()
    for column, name in enumerate(STATES):
        table[f"p_{name}"] = np.where(alone, np.nan, found[:, column])
    names = np.array(STATES, dtype=object)[found.argmax(axis=1)]
    table["state"] = np.where(alone, UNKNOWN, names)
    return table


def read_composites(
    composites: str | Path, index: str | Path
) -> tuple[NDArray[np.uint8], pd.DataFrame]:
    """Read a stack uint8 (N, 128, 128, 3) and its index of N rows.

    Raises:
        StepError: a file is absent or unreadable, or their numbers of composites differ.
    """
    table = read_table(index, COLUMNS, text=("second_look",)).astype(
        {"before": "Int64", "after": "Int64"}
    )
    try:
        stack = tifffile.imread(composites)
    except FileNotFoundError:
        raise StepError(f"{composites}: expected composites, found no such file") from None
    except Exception as error:  # tifffile raises many kinds on damaged files
        raise StepError(
            f"{composites}: expected a TIFF stack of composites, found something else ({error});"
            " remove the file and run again"
        ) from None
    stack = stack.reshape(-1, *stack.shape[-3:])
    if stack.shape[1:] != (WINDOW_PX, WINDOW_PX, 3):
        raise StepError(
            f"{composites}: expected pictures of {WINDOW_PX} x {WINDOW_PX} px in three colours,"
            f" which the classifiers were trained on, found"
            f" {' x '.join(map(str, stack.shape[1:]))}; set states: composite: window_px:"
            f" {WINDOW_PX}"
        )
    if len(stack) != max(1, len(table)):
        raise StepError(
            f"{composites}: expected {len(table)} composites as in {index}, found {len(stack)};"
            " remove both and run again"
        )
    return stack[: len(table)], table


def read_evidence(path: str | Path, index: pd.DataFrame) -> pd.DataFrame:
    """Read the evidence of the composites of an index.

    Raises:
        StepError: the table is absent, lacks a column, or is of other worms.
    """
    evidence = read_table(path, EVIDENCE_COLUMNS)
    if evidence["instance"].tolist() != index["instance"].tolist():
        raise StepError(
            f"{path}: expected the evidence of the {len(index)} composites, found that of other"
            " worms; remove it and run again"
        )
    return evidence


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command."""
    parser.add_argument("--composites", required=True)
    parser.add_argument("--index", required=True)
    parser.add_argument("--evidence", help="what the grey values say; default: masks alone")
    parser.add_argument("--weighing", default="{}", help="settings of the evidence")
    parser.add_argument("--weights", required=True)
    parser.add_argument("--sha256", required=True)
    parser.add_argument("--settings", required=True)
    parser.add_argument("--states", required=True)


def main(arguments: argparse.Namespace) -> None:
    """Run the step."""
    settings = ClassifySettings.model_validate_json(arguments.settings)
    torch.set_num_threads(settings.threads)
    model, card = load_classifier(arguments.weights, arguments.sha256)
    stack, index = read_composites(arguments.composites, arguments.index)
    found = classify(
        model, stack, card["temperature"], settings.batch, choose_device(settings.device)
    )
    faint = None
    if arguments.evidence is not None:
        weighing = EvidenceSettings.model_validate_json(arguments.weighing)
        evidence = read_evidence(arguments.evidence, index)
        found, faint = with_evidence(found, evidence, weighing.min_contrast)
        index = index.assign(**{name: evidence[name] for name in EVIDENCE_COLUMNS[2:]})
    table = states_table(index, found, faint)
    write_table(arguments.states, table)
    counts = table["state"].value_counts()
    print(", ".join(f"{counts.get(name, 0)} {name}" for name in (*STATES, UNKNOWN)))
