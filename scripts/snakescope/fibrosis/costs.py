"""What the steps of the tree take, by the scans that a job works on.

Amounts: ``item``, scans; ``work``, million pixels of scans times channels of the finest level that
pass through a training; ``part``, those of one step.
"""

from snakescope.fibrosis.training.settings import FitSettings
from snakescope.tree.costs import TRAINING_MINUTES, Cost, Size
from snakescope.tree.trained import COSTS as SHARED

COSTS = {
    **SHARED,
    "simulate": Cost(250, {}, 5.0, {"item": 0.4}),
    "ingest": Cost(300, {"item": 1.5}, 5.0, {"item": 0.2}),
    "complete": Cost(150),
    "fit": Cost(700, {"item": 2.0, "part": 130.0}, 20.0, {"work": 0.06}, TRAINING_MINUTES),
    "predict": Cost(700, {"item": 2.0, "part": 60.0}, 15.0, {"item": 0.5}),
    "ensemble": Cost(800, {"item": 4.0}, 20.0, {"item": 6.0}),
    "export": Cost(200, {}, 3.0, {"item": 0.05}),
    "paper": Cost(250),
    "results": Cost(700, {"item": 2.0}, 30.0, {"item": 0.3}),
}


def of_training(settings: FitSettings, model: str, scans: int) -> Size:
    """How much the training of a model on so many scans works on.

    At width 64, 512 px and batch 2 the paper's network holds 34 million pixel-channels a step: 4 GB
    in float32, so that it fits a card of 11 GB.
    """
    if model == "paper":
        one = settings.paper
        part = one.batch * one.size_px**2 * one.width / 1e6
        work = one.epochs * scans * one.size_px**2 * one.width / 1e6
    elif model == "ordinal":
        other = settings.ordinal
        part = other.batch * other.size_px**2 / 4 * other.width / 1e6
        repeated = scans * max(1, other.views // (2 * max(scans, 1)))
        work = other.epochs * (repeated + other.views) * other.size_px**2 / 4 * other.width / 1e6
        scans += other.views
    else:
        part = 4.0 if model.startswith("vgg") else 0.0
        work = scans * settings.vgg.size_px**2 * 64 / 1e6 if model.startswith("vgg") else 0.0
    return Size("", {"item": float(scans), "part": part, "work": work})
