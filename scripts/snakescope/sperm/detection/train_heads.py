"""Train the network that finds heads on simulated fields."""

import argparse
from collections.abc import Generator
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from snakescope.learning import checkpoints
from snakescope.learning.history import history_of
from snakescope.learning.loading import Samples, rng_of
from snakescope.learning.loop import Training, fit, seed_everything
from snakescope.learning.registry import Card, Data, ScoreSet, card_of, write_card
from snakescope.learning.schedules import warmup_cosine
from snakescope.learning.weights import save_weights
from snakescope.sperm.detection.heads import ByNetwork, f_score, matched, normalised
from snakescope.sperm.detection.network import STRIDE, UM_PER_PX, HeadNet
from snakescope.sperm.detection.settings import DetectSettings, TrainHeadsSettings
from snakescope.sperm.simulation.drawing import draw_optics
from snakescope.sperm.simulation.settings import SimulateSettings
from snakescope.sperm.simulation.simulate import draw_field, field
from snakescope.step.progress import progress

WIDTHS = (12, 24, 32, 48)
SPREAD = 1.2
"""SD of a head in the map (px of the map)."""
HELD_OUT = 12
GATE_PX = 10.0


def picture(seed: int, number: int) -> tuple[NDArray[np.uint8], NDArray[np.float64]]:
    """A simulated frame of a field, and where its heads are: x, y (px), shape (N, 2)."""
    rng = rng_of(seed, number)
    settings = SimulateSettings(sperm=int(rng.integers(10, 70)), debris=int(rng.integers(100, 800)))
    optics = draw_optics(rng, "semen")
    sperms = draw_field(rng, float(rng.normal(0, 1.2)), settings)
    made = next(iter(field(sperms, 1.0, 1.0, optics, rng, settings.debris)))
    return made.grey, np.array(made.heads)


def target(places: NDArray[np.float64], size_yx: tuple[int, int]) -> NDArray[np.float32]:
    """The map of heads, a Gaussian of height 1 about each."""
    height, width = (side // STRIDE for side in size_yx)
    found = np.zeros((height, width), np.float32)
    for x, y in (places + 0.5) / STRIDE - 0.5:
        dx, dy = np.arange(width) - x, np.arange(height) - y
        bump = np.exp(-(dy[:, None] ** 2 + dx[None] ** 2) / (2 * SPREAD**2))
        np.maximum(found, bump, out=found, casting="unsafe")
    return found


def focal(logits: Tensor, wanted: Tensor) -> Tensor:
    """Penalty-reduced focal loss of a map of points (Law and Deng, ECCV 2018, equation 1)."""
    p = torch.sigmoid(logits)
    top = (wanted > 0.95).float()
    positive = top * (1 - p).square() * functional.logsigmoid(logits)
    negative = (1 - top) * (1 - wanted).pow(4) * p.square() * functional.logsigmoid(-logits)
    return -(positive + negative).sum() / top.sum().clamp_min(1)


def train_heads(settings: TrainHeadsSettings, checkpoint: Path | None = None) -> HeadNet:
    """A network trained on crops of simulated fields, turned and flipped, light changed."""
    seed_everything(settings.seed)
    pictures = [
        picture(settings.seed, number) for number in progress(range(settings.fields), "fields")
    ]
    maps = [target(places, grey.shape) for grey, places in pictures]
    frames = [normalised(grey) for grey, _ in pictures]
    side = settings.side_px
    network = HeadNet(WIDTHS)

    def draw(index: int, rng: np.random.Generator) -> tuple[NDArray[Any], NDArray[Any]]:
        whole = frames[index]
        y, x = (int(rng.integers(0, (n - side) // STRIDE + 1)) * STRIDE for n in whole.shape)
        part = whole[y : y + side, x : x + side]
        half = slice(y // STRIDE, (y + side) // STRIDE), slice(x // STRIDE, (x + side) // STRIDE)
        wanted = maps[index][half]
        turns, flip = int(rng.integers(4)), rng.random() < 0.5
        part, wanted = np.rot90(part, turns), np.rot90(wanted, turns)
        if flip:
            part, wanted = part[:, ::-1], wanted[:, ::-1]
        part = part * rng.uniform(0.6, 1.5) + rng.normal(0, 0.05)
        return np.ascontiguousarray(part, np.float32), np.ascontiguousarray(wanted, np.float32)

    samples = Samples(draw, len(pictures), min(settings.batch, len(pictures)), settings.seed)

    def batches(first: int) -> Generator[list[Any], None, None]:
        return samples.batches(first, settings.steps)

    def loss_of(model: HeadNet, batch: list[Any], step: int) -> Tensor:
        seen, wanted = (
            torch.from_numpy(np.stack(one))[:, None] for one in zip(*batch, strict=True)
        )
        return focal(model(seen), wanted)

    fitted = fit(
        Training(
            model=network,
            optimiser=torch.optim.AdamW(network.parameters(), settings.rate, weight_decay=1e-4),
            rate=lambda step: warmup_cosine(step, settings.steps, 30, settings.rate),
            batches=batches,
            loss_of=loss_of,
            steps=settings.steps,
            identity={"version": TrainHeadsSettings.version, **settings.model_dump(mode="json")},
            report_every=min(50, settings.steps),
            clip_norm=5.0,
            ema_decay=0.98,
        ),
        checkpoint,
        history_of(checkpoint),
    )
    found: HeadNet = fitted.model
    return found.eval()


def held_out(network: HeadNet, seed: int) -> float:
    """F1 of heads in simulated fields that the training did not see."""
    # Simulated heads may be dark; what is asked of brightness and size was found on real frames.
    settings = DetectSettings(
        threshold=0.15, least_brightness=0, least_size_um2=0, most_size_um2=1e6, most_darkness=1e6
    )
    detect = ByNetwork(network, settings, UM_PER_PX)
    counts = []
    for number in range(HELD_OUT):
        grey, places = picture(seed + 1, number)
        inside = (places > 0).all(axis=1) & (places < np.array(grey.shape)[::-1]).all(axis=1)
        counts.append(matched(detect(grey), places[inside], GATE_PX))
    return f_score(counts)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command."""
    parser.add_argument("--settings", required=True, help="settings as JSON")
    parser.add_argument("--checkpoint", required=True, type=Path, help="to go on from")
    parser.add_argument("--weights", required=True, type=Path, help="weights to write")


def main(arguments: argparse.Namespace) -> None:
    """Run the step."""
    settings = TrainHeadsSettings.model_validate_json(arguments.settings)
    identity = {"version": settings.version, **settings.model_dump(mode="json")}
    checkpoint = checkpoints.path_of(arguments.checkpoint, identity)
    network = train_heads(settings, checkpoint)
    model = {"network": "HeadNet", "widths": list(WIDTHS), "um_per_px": UM_PER_PX}
    score = held_out(network, settings.seed)
    sha256 = save_weights(arguments.weights, network, model)
    card = Card(
        what="frame of sperm in phase contrast to places of heads",
        sha256=sha256,
        model=model,
        data=[
            Data(what="simulated fields (snakescope sperm simulate, preset semen)", licence="MIT")
        ],
        seed=settings.seed,
        steps=settings.steps,
        settings=settings.model_dump(mode="json"),
        held_out={
            "simulated": ScoreSet(
                what="simulated fields of other seeds",
                n=HELD_OUT,
                cases="frames",
                scores={"f1": score},
            )
        },
        limits="tuned on one real field (VISEM-Tracking, video 11); others were not tried",
        licence="MIT",
        command="snakemake results/sperm/models/heads.safetensors",
    )
    write_card(card_of(arguments.weights), card)
