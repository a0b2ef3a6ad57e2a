"""Speed and memory of training and prediction, beside a plain loop of torch of the same network.

    python -m benchmarks.membranes.speed

Seconds are those of a processor, on one thread. Prediction of a large section is measured in a
process of its own, with the peak of its memory.
"""

import argparse
import os
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd
import torch

from benchmarks.measure import measure
from snakescope.membranes.networks.networks import build
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
TEXT = """# Membranes: speed and memory

Training and prediction of the Deep Contextual Network on one thread of a CPU (seconds of the
processor), beside a plain loop of torch of the same network on random numbers: what crops, turns,
the running average of weights, and tiles cost. Memory is the peak of the process that predicts one
section.

{table}
"""


def plain_training(settings: TrainSettings) -> float:
    """Seconds of steps on numbers that are at hand."""
    network = build(settings.network)
    optimiser = torch.optim.AdamW(network.parameters())
    side = settings.crop_px
    planes = torch.randn(settings.batch, 1, side, side)
    truth = (torch.rand(settings.batch, side, side) < 0.2).long()
    began = time.process_time()
    for step in range(settings.steps):
        loss = torch.stack(
            list(losses_of(network(planes), truth, settings.auxiliary, step).values())
        ).sum()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    return time.process_time() - began


def own_training(settings: TrainSettings, stack: Labelled) -> float:
    """Seconds of the same steps by the training of the tree."""
    began = time.process_time()
    train(settings, [stack], {})
    return time.process_time() - began


def plain_prediction(settings: NetworkSettings, planes: np.ndarray) -> float:
    """Seconds of the bare network on a whole section."""
    network = build(settings).eval()
    began = time.process_time()
    with torch.no_grad():
        network(torch.from_numpy(planes)[None])
    return time.process_time() - began


def own_prediction(settings: NetworkSettings, planes: np.ndarray) -> float:
    """Seconds of the prediction by tiles."""
    network = build(settings).eval()
    began = time.process_time()
    predict_section(network, settings, planes)
    return time.process_time() - began


def peak_mb(width: int, side: int) -> float:
    """Peak memory (MB) of a process that predicts one section."""
    code = (
        "import numpy as np; from snakescope.membranes.networks.networks import build;"
        "from snakescope.membranes.networks.settings import NetworkSettings;"
        "from snakescope.membranes.prediction.tiles import predict_section;"
        f"s = NetworkSettings(width={width}); n = build(s).eval();"
        f"predict_section(n, s, np.zeros((1, {side}, {side}), np.float32))"
    )
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": "scripts"}
    return measure([sys.executable, "-c", code], environment).peak_rss_mb


def main() -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--steps", type=int, default=20)
    parser.add_argument("--widths", type=int, nargs="+", default=[8, 16])
    parser.add_argument("--sides", type=int, nargs="+", default=[512, 2048])
    parser.add_argument("--table", type=Path, default=TABLE)
    parser.add_argument("--page", type=Path, default=PAGE)
    given = parser.parse_args()
    torch.set_num_threads(1)
    image, labels = simulate(SimulateSettings(shape=(2, 256, 256)), 1)
    stack = Labelled(grey_of("a", image), labels > 0, (0, 1))
    rows = []
    for width in given.widths:
        network = NetworkSettings(width=width)
        settings = TrainSettings(network=network, steps=given.steps, warmup_steps=1)
        pixels = settings.batch * settings.crop_px**2 * settings.steps / 1e6
        rows.append(
            {"what": "train", "width": width, "side_px": settings.crop_px,
             "mpx_per_s": pixels / own_training(settings, stack),
             "plain_mpx_per_s": pixels / plain_training(settings)}
        )  # fmt: skip
        for side in given.sides:
            planes = np.zeros((1, side, side), np.float32)
            rows.append(
                {"what": "predict", "width": width, "side_px": side,
                 "mpx_per_s": side**2 / 1e6 / own_prediction(network, planes),
                 "plain_mpx_per_s": side**2 / 1e6 / plain_prediction(network, planes),
                 "peak_mb": peak_mb(width, side)}
            )  # fmt: skip
    table = pd.DataFrame(rows)
    write_table(given.table, table)
    formats = {"mpx_per_s": ".2f", "plain_mpx_per_s": ".2f", "peak_mb": ".0f"}
    write_text(given.page, TEXT.format(table=markdown(table, formats)))


if __name__ == "__main__":
    main()
