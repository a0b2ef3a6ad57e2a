"""Train a state classifier on simulated composites, calibrate it, and write its model card.

Paper, sections 3.3.2, 3.3.3 and table 4: RAdam from 0.001, composites turned and flipped.
"""

import argparse
import json
import sys
from collections.abc import Generator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from numpy.typing import NDArray

from snakescope.healthspan.geometry import PIXEL_SIZE_UM
from snakescope.healthspan.states.classify import classify
from snakescope.healthspan.states.models import (
    HYPER_PARAMETERS,
    INPUT_PX,
    build_model,
    colours_of,
    model_input,
    probabilities,
)
from snakescope.healthspan.states.states import STATES
from snakescope.healthspan.training.composite_examples import draw_examples
from snakescope.healthspan.training.example_ranges import HELD_OUT, TRAINING, ExampleRanges
from snakescope.healthspan.training.settings import TrainClassifierSettings
from snakescope.learning.device import choose_device
from snakescope.learning.history import history_of
from snakescope.learning.intervals import wilson_interval
from snakescope.learning.loop import Training, fit, seed_everything
from snakescope.learning.registry import Card, Data, ScoreSet, write_card
from snakescope.learning.schedules import cosine_annealing
from snakescope.learning.scores import (
    best_temperature,
    calibration_error,
    confusion_matrix,
    f_scores,
    macro_f,
)
from snakescope.learning.weights import save_weights

SPLITS = ("training", "validation", "held_out")

Examples = tuple[torch.Tensor, torch.Tensor]


def split_rng(seed: int, split: str) -> np.random.Generator:
    """The generator of a split's composites; the splits never share a draw."""
    return np.random.default_rng(np.random.SeedSequence([seed, SPLITS.index(split)]))


def prepared(seed: int, split: str, per_state: int, ranges: ExampleRanges) -> Examples:
    """Colours of composites, uint8 (N, 128, 128), and their states (N,).

    Drawn in portions, since the colours take a third of a composite's memory.
    """
    rng = split_rng(seed, split)
    pictures, states = [], []
    for start in range(0, per_state, 250):
        drawn, state = draw_examples(rng, min(250, per_state - start), ranges)
        pictures.append(colours_of(drawn))
        states.append(torch.from_numpy(state))
        print(f"{split}: {start + len(state) // 3} of {per_state} a state", file=sys.stderr)
    return torch.cat(pictures), torch.cat(states)


def turned(colours: torch.Tensor, rng: np.random.Generator) -> torch.Tensor:
    """A batch (N, Y, X) under one random flip and quarter turn, shifted by up to 4 px."""
    if rng.random() < 0.5:
        colours = colours.flip(2)
    colours = torch.rot90(colours, int(rng.integers(4)), (1, 2))
    dy, dx = rng.integers(-4, 5, size=2).tolist()
    return torch.roll(colours, (dy, dx), (1, 2))


def batches(
    examples: Examples, size: int, rng: np.random.Generator
) -> Generator[Examples, None, None]:
    """Shuffled batches of epoch after epoch; what is left of one after the last is not used."""
    colours, states = examples
    while True:
        order = torch.from_numpy(rng.permutation(len(states)))
        for chosen in order[: len(order) // size * size].split(size):
            yield colours[chosen], states[chosen]


def logits_of(model: torch.nn.Module, colours: torch.Tensor, device: torch.device) -> torch.Tensor:
    """Logits (N, 3) on the CPU of the colours of composites, uint8 (N, 128, 128)."""
    model.eval()
    with torch.inference_mode():
        parts = [model(model_input(part.to(device))).cpu() for part in colours.split(256)]
    return torch.cat(parts)


def scores(found: NDArray[np.float64], states: NDArray[np.int64]) -> dict[str, Any]:
    """Figures of merit of probabilities (N, 3) against true states (N,)."""
    confusion = confusion_matrix(states, found.argmax(axis=1), len(STATES))
    right = int(np.trace(confusion))
    low, high = wilson_interval(right, len(states))
    return {
        "composites": len(states),
        "macro_f": round(macro_f(confusion), 4),
        "f": dict(zip(STATES, f_scores(confusion).round(4).tolist(), strict=True)),
        "accuracy": round(right / len(states), 4),
        "accuracy_95": [round(low, 4), round(high, 4)],
        "confusion_rows_true": confusion.tolist(),
        "calibration_error": round(calibration_error(found, states), 4),
    }


def train_classifier(
    settings: TrainClassifierSettings, checkpoint: Path | None
) -> tuple[torch.nn.Module, dict[str, Any]]:
    """The trained model on the CPU and the card of its weights file."""
    device = choose_device(settings.device)
    examples = prepared(settings.seed, "training", settings.per_state, TRAINING)
    validation = prepared(settings.seed, "validation", settings.validation_per_state, TRAINING)
    rng = seed_everything(settings.seed, settings.threads)
    model = build_model(settings.architecture).to(device)
    optimiser = torch.optim.RAdam(
        model.parameters(),
        lr=settings.learning_rate,
        weight_decay=settings.weight_decay,
        decoupled_weight_decay=True,
    )
    epoch_steps = len(examples[1]) // settings.batch
    steps = settings.epochs * epoch_steps

    def loss_of(model: torch.nn.Module, batch: Examples, step: int) -> torch.Tensor:
        pictures = model_input(turned(batch[0].to(device), rng))
        return torch.nn.functional.cross_entropy(
            model(pictures), batch[1].to(device), label_smoothing=settings.label_smoothing
        )

    def evaluate(model: torch.nn.Module) -> dict[str, float]:
        found = probabilities(logits_of(model, validation[0], device), 1.0)
        return {"macro_f": scores(found, validation[1].numpy())["macro_f"]}

    training = Training(
        model=model,
        optimiser=optimiser,
        rate=cosine_annealing(steps, settings.learning_rate),
        batches=lambda _: batches(examples, settings.batch, rng),
        loss_of=loss_of,
        steps=steps,
        identity=settings.model_dump(mode="json")
        | {"version": settings.version, "parameters": HYPER_PARAMETERS[settings.architecture]},
        # Between epochs only: within one, its order would have to be in the checkpoint.
        report_every=epoch_steps,
        clip_norm=1.0,
        rng=rng,
        evaluate=evaluate,
    )
    fit(training, checkpoint, history_of(checkpoint))
    temperature = best_temperature(
        logits_of(model, validation[0], device).numpy(), validation[1].numpy()
    )
    card = {
        "architecture": settings.architecture,
        "parameters": HYPER_PARAMETERS[settings.architecture],
        "states": list(STATES),
        "input_px": INPUT_PX,
        "model_pixel_size_um": PIXEL_SIZE_UM,
        "temperature": temperature,
    }
    return model.cpu().eval(), card


def held_out_scores(
    model: torch.nn.Module, temperature: float, seed: int, per_state: int
) -> dict[str, Any]:
    """Scores on composites of other seeds and other rendering ranges than those of training."""
    pictures, states = draw_examples(split_rng(seed, "held_out"), per_state, HELD_OUT)
    return scores(classify(model, pictures, temperature), states)


def model_card(
    settings: TrainClassifierSettings,
    header: dict[str, Any],
    sha256: str,
    held_out: dict[str, Any],
) -> Card:
    """The card beside the weights, of their header and scores on held-out composites."""
    f = {f"f_{state}": value for state, value in held_out["f"].items()}
    return Card(
        what="state of a worm (healthy, immobile, dead) from its composite of three masks",
        sha256=sha256,
        model=header,
        data=[Data(what="simulated composites, no real image", licence="MIT, drawn by Snakescope")],
        seed=settings.seed,
        steps=settings.epochs * (3 * settings.per_state // settings.batch),
        settings=settings.model_dump(mode="json"),
        held_out={
            "simulated_composites": ScoreSet(
                what="simulated composites of another seed, looks drawn from other ranges",
                n=held_out["composites"],
                cases="composites",
                scores={name: held_out[name] for name in ("macro_f", "accuracy")}
                | f
                | {"calibration_error": held_out["calibration_error"]},
                details={name: held_out[name] for name in ("accuracy_95", "confusion_rows_true")},
            )
        },
        limits="masks at the model's pixel size, frames about 8 to 24 h apart; trained on"
        " simulated worms only, so check the states of a new instrument on the contact sheet",
        licence="MIT",
        command="snakemake results/healthspan/models/classifier.safetensors",
    )


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command."""
    parser.add_argument("--settings", required=True)
    parser.add_argument("--weights", required=True)
    parser.add_argument("--card", required=True)
    parser.add_argument("--checkpoint", type=Path)


def main(arguments: argparse.Namespace) -> None:
    """Run the step."""
    settings = TrainClassifierSettings.model_validate_json(arguments.settings)
    cv2.setNumThreads(settings.threads)
    model, card = train_classifier(settings, arguments.checkpoint)
    sha256 = save_weights(arguments.weights, model, card)
    held_out = held_out_scores(
        model, card["temperature"], settings.seed, settings.held_out_per_state
    )
    write_card(arguments.card, model_card(settings, card, sha256, held_out))
    print(f"{arguments.weights}: {sha256}, held out {json.dumps(held_out)}")
