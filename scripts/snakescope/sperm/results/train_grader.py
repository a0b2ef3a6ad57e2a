"""Train a network that grades clips on simulated dishes, for videos that no one has graded yet."""

import argparse
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from snakescope.learning import checkpoints
from snakescope.learning.registry import Card, Data, ScoreSet, card_of, write_card
from snakescope.learning.weights import save_weights
from snakescope.sperm.clips.cut import crop
from snakescope.sperm.clips.motion import features
from snakescope.sperm.networks.build import parameters
from snakescope.sperm.networks.catalogue import ABOUT, FRAMES
from snakescope.sperm.results.grade import residuals
from snakescope.sperm.scores import metrics as of
from snakescope.sperm.simulation.drawing import SIZE_YX, UM_PER_PX
from snakescope.sperm.simulation.raters import GRADES
from snakescope.sperm.simulation.settings import SimulateSettings
from snakescope.sperm.simulation.simulate import simulate
from snakescope.sperm.training.correction import corrected
from snakescope.sperm.training.data import FPS, Clips
from snakescope.sperm.training.fit import train
from snakescope.sperm.training.predict import graded
from snakescope.sperm.training.settings import FitSettings, TrainGraderSettings
from snakescope.step.progress import progress

FIELD_UM = SIZE_YX["icsi_pvp"][0] * UM_PER_PX["icsi_pvp"]
"""Side of what a clip shows."""


class Dishes(NamedTuple):
    """Clips of simulated dishes, with the dish and the true quality of each, shape (N,)."""

    clips: Clips
    dishes: NDArray[np.str_]
    quality: NDArray[np.float64]


def simulated_dishes(names: list[str], each: int, size_px: int) -> Dishes:
    """Clips of dishes, one donor and one microscope a dish, as the workflow cuts them.

    Args:
        names: of the dishes, which seed them.
        each: sperm of a dish.
    """
    frames, motions, votes, quality = [], [], [], []
    settings = SimulateSettings(fps=FPS)
    scale = SIZE_YX["icsi_pvp"][0] / size_px
    um_per_px = FIELD_UM / size_px
    for name in progress(names, "dishes"):
        made, truth = simulate(name, name, "icsi_pvp", each, settings)
        for number in range(each):
            some = made[number * FRAMES : (number + 1) * FRAMES]
            clip = np.stack([crop(one.grey, 74.5, 74.5, scale, size_px) for one in some])
            frames.append(clip)
            motions.append(features(clip, um_per_px, FPS))
        votes.append(truth[list(GRADES)].to_numpy(np.int64))
        quality.append(truth["quality"].to_numpy(np.float64))
    clips = Clips(np.stack(frames), np.stack(motions), np.concatenate(votes))
    return Dishes(clips, np.repeat(names, each), np.concatenate(quality))


def joined(one: Clips, other: Clips) -> Clips:
    """Both, one after the other."""
    pairs = zip(one.__dict__.values(), other.__dict__.values(), strict=True)
    return Clips(*(np.concatenate(pair) for pair in pairs))


def fit_settings(settings: TrainGraderSettings) -> FitSettings:
    """The training that they stand for."""
    return FitSettings(
        size="tiny", size_px=settings.size_px, epochs=settings.epochs, batch=settings.batch,
        rate=settings.rate, seed=settings.seed, device="cpu",
    )  # fmt: skip


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command."""
    parser.add_argument("--model", required=True, choices=ABOUT, help="network to train")
    parser.add_argument("--settings", required=True, help="settings as JSON")
    parser.add_argument("--checkpoint", required=True, type=Path, help="to go on from")
    parser.add_argument("--weights", required=True, type=Path, help="weights to write")


def main(arguments: argparse.Namespace) -> None:
    """Run the step."""
    settings = TrainGraderSettings.model_validate_json(arguments.settings)
    fit = fit_settings(settings)
    sets = {
        role: simulated_dishes(
            [f"{role}_{settings.seed}_{number}" for number in range(count)], settings.each,
            settings.size_px,
        )
        for role, count in (
            ("train", settings.dishes), ("validation", max(2, settings.dishes // 6)),
            ("held_out", settings.held_out),
        )
    }  # fmt: skip
    roles = np.repeat(["train", "validation"], [len(sets[one].dishes) for one in ("train", "validation")])  # fmt: skip # noqa: E501
    clips = joined(sets["train"].clips, sets["validation"].clips)
    identity: dict[str, Any] = {
        "version": settings.version,
        "simulation": SimulateSettings.version,
        "model": arguments.model,
        **settings.model_dump(mode="json"),
    }
    checkpoint = checkpoints.path_of(arguments.checkpoint, identity)
    network = train(arguments.model, clips, roles, fit, identity, checkpoint)
    by = corrected(network, clips, np.flatnonzero(roles == "validation"))
    held = sets["held_out"].clips
    predicted = graded(network, held)
    truth = held.votes / held.votes.sum(axis=1, keepdims=True)
    model = {
        "network": arguments.model,
        "size": fit.size,
        "size_px": fit.size_px,
        "parameters": parameters(network),
        "residuals": residuals(predicted, held.votes)._asdict(),
        "origin": "simulated clips only",
        **({} if by is None else {"correction": by._asdict()}),
    }
    sha256 = save_weights(arguments.weights, network.cpu(), model)
    errors = {name: float(one.mean()) for name, one in of.errors(predicted, truth).items()}
    scores = {**errors, "correlation": of.correlation(predicted, truth)}
    card = Card(
        what="clip of one second of one sperm to the distribution of its grades",
        sha256=sha256,
        model=model,
        data=[
            Data(
                what="simulated dishes (snakescope sperm simulate, preset icsi_pvp)", licence="MIT"
            )
        ],
        seed=settings.seed,
        steps=fit.epochs * -(-len(sets["train"].dishes) // fit.batch),
        settings=settings.model_dump(mode="json"),
        held_out={
            "simulated": ScoreSet(
                what="dishes of other simulated donors", n=len(predicted), cases="clips",
                scores=scores,
            )
        },
        limits="saw simulated clips only: grades of real clips by these weights mean nothing until"
        " they are held against persons' grades",
        licence="MIT",
        command=f"snakemake results/sperm/models/{arguments.model}.safetensors",
    )  # fmt: skip
    write_card(card_of(arguments.weights), card)
