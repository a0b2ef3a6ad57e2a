"""Speed and memory of training and prediction, beside a plain loop of torch of the same network.

    python -m benchmarks.membranes.speed

Seconds are those of a processor, on one thread. Prediction of a large section is measured in a
process of its own, with the peak of its memory.
"""

import argparse
import os
import sys
import time
from collections.abc import Callable
from functools import partial
from itertools import product
from pathlib import Path

import numpy as np
import pandas as pd
import torch

from benchmarks.measure import measure
from snakescope.learning.precision import Precision, arithmetic, autocast
from snakescope.membranes.networks.networks import arranged, build
from snakescope.membranes.networks.settings import NetworkSettings
from snakescope.membranes.prediction.tiles import predict_section
from snakescope.membranes.simulation.settings import SimulateSettings
from snakescope.membranes.simulation.simulate import simulate
from snakescope.membranes.stacks.sections import Labelled, grey_of
from snakescope.membranes.training.fit import losses_of, train
from snakescope.membranes.training.settings import TrainSettings
from snakescope.report.pages import markdown, write_text
from snakescope.step.tables import write_table

TABLE = Path("docs/tables/membranes-speed.tsv")
PAGE = Path("docs/benchmarks/membranes-speed.md")
CPU = torch.device("cpu")
PRECISIONS: tuple[Precision, ...] = ("float32", "bfloat16")
TEXT = """# Membranes: speed and memory

Training and prediction of the Deep Contextual Network on one thread of a CPU, beside a plain loop
of torch of the same network in the same arithmetic on random numbers: what crops, their variation,
the running average of weights, and tiles cost. In bfloat16 the tree's layout of memory, channels
last, is the faster one. Seconds are those of the processor, the least of {repeats} runs that take
turns, as other programs ran on the machine. Memory is the peak of the process that predicts one
section.

{table}
"""


def plain_training(settings: TrainSettings) -> float:
    """Seconds of steps on numbers that are at hand."""
    network = build(settings.network)
    optimiser = torch.optim.AdamW(network.parameters())
    dtype = arithmetic(settings.precision, CPU)
    side = settings.crop_px
    planes = torch.randn(settings.batch, 1, side, side)
    truth = (torch.rand(settings.batch, side, side) < 0.2).long()
    began = time.process_time()
    for step in range(settings.steps):
        with autocast(CPU, dtype):
            maps = network(planes)
        loss = torch.stack(list(losses_of(maps, truth, settings.auxiliary, step).values())).sum()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    return time.process_time() - began


def own_training(settings: TrainSettings, stack: Labelled) -> float:
    """Seconds of the same steps by the training of the tree."""
    began = time.process_time()
    train(settings, [stack], {})
    return time.process_time() - began


def plain_prediction(settings: NetworkSettings, planes: np.ndarray, dtype: torch.dtype) -> float:
    """Seconds of the bare network on a whole section."""
    network = build(settings).eval()
    began = time.process_time()
    with torch.no_grad(), autocast(CPU, dtype):
        network(torch.from_numpy(planes)[None])
    return time.process_time() - began


def own_prediction(settings: NetworkSettings, planes: np.ndarray, dtype: torch.dtype) -> float:
    """Seconds of the prediction by tiles."""
    network = arranged(build(settings).eval(), dtype)
    began = time.process_time()
    predict_section(network, settings, planes, dtype=dtype)
    return time.process_time() - began


def least(repeats: int, *runs: Callable[[], float]) -> list[float]:
    """The least seconds of each of some runs, which take turns."""
    return np.min([[run() for run in runs] for _ in range(repeats)], axis=0).tolist()


def peak_mb(width: int, side: int, precision: str) -> float:
    """Peak memory (MB) of a process that predicts one section."""
    code = (
        "import numpy as np, torch;"
        "from snakescope.membranes.networks.networks import arranged, build;"
        "from snakescope.membranes.networks.settings import NetworkSettings;"
        "from snakescope.membranes.prediction.tiles import predict_section;"
        f"s = NetworkSettings(width={width}); n = arranged(build(s).eval(), torch.{precision});"
        f"planes = np.zeros((1, {side}, {side}), np.float32);"
        f"predict_section(n, s, planes, dtype=torch.{precision})"
    )
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": "scripts"}
    return measure([sys.executable, "-c", code], environment).peak_rss_mb


def main() -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--steps", type=int, default=20)
    parser.add_argument("--widths", type=int, nargs="+", default=[8, 16])
    parser.add_argument("--sides", type=int, nargs="+", default=[512, 2048])
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--table", type=Path, default=TABLE)
    parser.add_argument("--page", type=Path, default=PAGE)
    given = parser.parse_args()
    torch.set_num_threads(1)
    image, labels = simulate(SimulateSettings(shape=(2, 256, 256)), 1)
    stack = Labelled(grey_of("a", image), labels > 0, (0, 1))
    rows = []
    for width, precision in product(given.widths, PRECISIONS):
        network = NetworkSettings(width=width)
        settings = TrainSettings(
            network=network, steps=given.steps, warmup_steps=1, precision=precision
        )
        base = {"width": width, "precision": precision}
        own, plain = least(
            given.repeats,
            partial(own_training, settings, stack),
            partial(plain_training, settings),
        )
        pixels = settings.batch * settings.crop_px**2 * settings.steps / 1e6
        rows.append(
            {"what": "train", **base, "side_px": settings.crop_px, "mpx_per_s": pixels / own,
             "plain_mpx_per_s": pixels / plain}
        )  # fmt: skip
        for side in given.sides:
            planes = np.zeros((1, side, side), np.float32)
            dtype = arithmetic(precision, CPU)
            own, plain = least(
                given.repeats,
                partial(own_prediction, network, planes, dtype),
                partial(plain_prediction, network, planes, dtype),
            )
            rows.append(
                {"what": "predict", **base, "side_px": side, "mpx_per_s": side**2 / 1e6 / own,
                 "plain_mpx_per_s": side**2 / 1e6 / plain,
                 "peak_mb": peak_mb(width, side, precision)}
            )  # fmt: skip
    table = pd.DataFrame(rows)
    write_table(given.table, table)
    formats = {"mpx_per_s": ".2f", "plain_mpx_per_s": ".2f", "peak_mb": ".0f"}
    write_text(given.page, TEXT.format(table=markdown(table, formats), repeats=given.repeats))


if __name__ == "__main__":
    main()
