"""How far the Dice of real livers is a matter of a new subject, of the frames, and of the settings.

    .venv/bin/python -m benchmarks.fibrosis.liver_further

Three questions on the frames of benchmarks.fibrosis.liver (SNAKESCOPE_DATA). What does the same
training reach where other frames of the tested subject are among the drawn ones? What does it reach
with epochs and rate chosen by halves of the training subject's frames alone? How much does the Dice
of an outline change with a pixel at its edge? Writes the Dice of every frame to
benchmarks/fibrosis/folds/abdominal_us_further.tsv, and that of the choice to
abdominal_us_inner.tsv, from which benchmarks.fibrosis.evaluation takes its rows.
"""

import argparse
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from benchmarks.fibrosis.cross_validation import FOLDS
from benchmarks.fibrosis.liver import (
    FURTHER,
    SEEDS,
    SUBJECTS,
    WEIGHTS,
    frames_of,
    joined,
    mean_of,
    rows_of,
    shown,
)
from benchmarks.fibrosis.untrained import DATA
from snakescope.fibrosis.prediction.predict import dice
from snakescope.fibrosis.training.adapted import adapted
from snakescope.fibrosis.training.examples import Examples, resized_mask
from snakescope.fibrosis.training.models import fit_model, predict
from snakescope.fibrosis.training.settings import FitSettings
from snakescope.step.command import run_step
from snakescope.step.tables import write_table

TABLE = FOLDS / "abdominal_us_further.tsv"
INNER = FOLDS / "abdominal_us_inner.tsv"
SAME_SUBJECT = "ordinal, trained further, also on other frames of the subject"
CHOSEN = "ordinal, trained further, settings chosen on the other subject"
EPOCHS, RATE = FURTHER["ordinal"]["epochs"], FURTHER["ordinal"]["rate"]
CANDIDATES = ((EPOCHS, RATE), (5, RATE), (45, RATE), (EPOCHS, RATE * 0.3), (EPOCHS, RATE * 3))
"""Epochs and rate; the first are those of the row `trained further`."""

EDGE_PX = (1, 2, 4)
MASK_PX = FURTHER["ordinal"]["size_px"] // 2
"""Side at which the network says where the liver is (px)."""

Livers = list[NDArray[Any] | None]
Fit = Callable[[Examples, Examples, int, tuple[int, float]], Livers]


def halves(examples: Examples) -> list[NDArray[np.intp]]:
    """Rows of two halves of a subject's frames, dealt in turn in the order of their numbers.

    Frames that show liver are dealt apart from those that do not, so that both halves have some.
    """
    number = [int(re.sub(r"\D", "", name)) for name in examples.names]
    order = np.argsort(number)
    with_liver = np.array([mask is not None and bool((mask > 0).any()) for mask in examples.masks])
    parts = [order[with_liver[order]], order[~with_liver[order]]]
    return [np.sort(np.concatenate([part[at::2] for part in parts])) for at in range(2)]


def fitted_livers(
    drawn: Examples, shown_to: Examples, seed: int, choice: tuple[int, float]
) -> Livers:
    """Livers of frames by a network that was trained further on drawn ones, and adapted.

    Args:
        shown_to: what the network is adapted to, without outlines, and asked for.
        choice: epochs and rate.
    """
    ordinal = {**FURTHER["ordinal"], "epochs": choice[0], "rate": choice[1]}
    settings = FitSettings.model_validate(
        {**FURTHER, "ordinal": ordinal, "seed": seed, "start": str(WEIGHTS)}
    )
    fitted = fit_model("ordinal", drawn, settings, {})
    return [one.liver for one in predict(adapted(fitted, shown_to), shown_to)]


def of_same_subject(test: Examples, others: Examples, seed: int, fit: Fit) -> Livers:
    """Livers of each half of a subject's frames, with the other half among the drawn ones."""
    found: Livers = [None] * len(test)
    parts = halves(test)
    for held, learnt in (parts, parts[::-1]):
        livers = fit(joined([others, test.of(learnt)]), test, seed, CANDIDATES[0])
        for row in held:
            found[row] = livers[row]
    return found


def mean_dice(livers: Sequence[NDArray[Any] | None], examples: Examples) -> float:
    """Mean Dice of the frames that show liver."""
    return float(np.mean([
        dice(liver, mask)
        for liver, mask in zip(livers, examples.masks, strict=True)
        if mask is not None and (mask > 0).any()
    ]))  # fmt: skip


def inner_dice(examples: Examples, choice: tuple[int, float], fit: Fit) -> float:
    """Mean Dice of both halves of a subject's frames, each by what the other one taught."""
    parts, scores = halves(examples), []
    for held, learnt in (parts, parts[::-1]):
        livers = mean_of([fit(examples.of(learnt), examples, seed, choice) for seed in SEEDS])
        scores.append(mean_dice([livers[row] for row in held], examples.of(held)))
    return float(np.mean(scores))


def chosen_inside(examples: Examples, fit: Fit) -> Iterator[dict[str, Any]]:
    """The inner Dice of each candidate by one subject's frames; the best is chosen."""
    scores = [inner_dice(examples, choice, fit) for choice in CANDIDATES]
    for at, (epochs, rate) in enumerate(CANDIDATES):
        yield {
            "training_subject": examples.groups[0], "epochs": epochs, "rate": rate,
            "inner_dice": round(scores[at], 4), "n": len(shown(examples.masks)),
            "chosen": "y" if at == int(np.argmax(scores)) else "n",
        }  # fmt: skip


def edges(examples: Examples) -> Iterator[dict[str, Any]]:
    """Dice of the drawn outlines with themselves, as other hands or fewer pixels have them."""
    masks = [np.zeros_like(examples.images[0]) if one is None else one for one in examples.masks]
    for px in EDGE_PX:
        disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * px + 1, 2 * px + 1))
        for name, change in (("smaller", cv2.erode), ("larger", cv2.dilate)):
            found = [(change(mask, disc) > 0).astype(np.float32) for mask in masks]
            yield from rows_of(f"drawn outline, {px} px {name}", found, examples)
    small = [resized_mask(mask, MASK_PX) for mask in masks]
    found = [cv2.resize(one, masks[0].shape[::-1], interpolation=cv2.INTER_LINEAR) for one in small]
    yield from rows_of(f"drawn outline, at {MASK_PX} px", found, examples)


def compared(
    subjects: Mapping[str, Examples], fit: Fit
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Rows of the frames, and of the choice."""
    rows: list[dict[str, Any]] = []
    inner: list[dict[str, Any]] = []
    for name, test in subjects.items():
        rows += edges(test)
        others = joined([part for key, part in subjects.items() if key != name])
        each = [of_same_subject(test, others, seed, fit) for seed in SEEDS]
        rows += rows_of(SAME_SUBJECT, each[0], test)
        rows += rows_of(f"{SAME_SUBJECT}, mean of {len(SEEDS)}", mean_of(each), test)
        # The tested subject has no part in the choice.
        tried = list(chosen_inside(others, fit))
        inner += tried
        best = next((one["epochs"], one["rate"]) for one in tried if one["chosen"] == "y")
        each = [fit(others, test, seed, best) for seed in SEEDS]
        rows += rows_of(CHOSEN, each[0], test)
        rows += rows_of(f"{CHOSEN}, mean of {len(SEEDS)}", mean_of(each), test)
    return rows, inner


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command."""
    parser.add_argument("--data", type=Path, default=DATA, help="folder of real images")
    parser.add_argument("--table", type=Path, default=TABLE, help="table of frames to write")
    parser.add_argument("--inner", type=Path, default=INNER, help="table of the choice to write")


def main() -> None:
    """Run the command."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    add_arguments(parser)
    options = parser.parse_args()
    folder = options.data / "abdominal_us"
    subjects = {name: frames_of(folder, name) for name in SUBJECTS} if folder.exists() else {}
    rows, inner = compared(subjects, fitted_livers)
    columns = ["frame", "subject", "method", "dice", "liver_share"]
    write_table(options.table, pd.DataFrame(rows, columns=columns))
    columns = ["training_subject", "epochs", "rate", "inner_dice", "n", "chosen"]
    write_table(options.inner, pd.DataFrame(inner, columns=columns))


if __name__ == "__main__":
    run_step(main)
