"""One row of table 1 of Koyama et al.: cost and scores of a network trained on a volume.

snakescope neurites paper --network revnet --n 2 --seed 1 --image image.zarr --labels labels.zarr
    --settings '{}' --checkpoint training/revnet_2.ckpt --row revnet_2.tsv

Validation volumes, or the last sections, are kept for the scores. "Accuracy" is that of the
boundaries, as in the paper; adapted Rand error and variation of information go beyond it.
"""

import argparse
import math
import resource
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd
import torch

from snakescope.learning.device import choose_device
from snakescope.learning.precision import arithmetic, autocast, name_of
from snakescope.learning.weights import save_weights
from snakescope.neurites.networks.affinity_targets import balanced_loss
from snakescope.neurites.networks.networks import parameter_count, saved_bytes
from snakescope.neurites.paper.settings import PaperSettings
from snakescope.neurites.training.held_out import held_out_scores
from snakescope.neurites.training.network import build, description
from snakescope.neurites.training.patches import Labelled, draw_batch
from snakescope.neurites.training.settings import TrainSettings
from snakescope.neurites.training.train import add_volume_options, train, volumes_of
from snakescope.step.tables import write_table

COLUMNS = (
    "network", "n", "seed", "parameters", "steps", "epoch_s", "saved_mb", "peak_mb", "peak_is_of",
    "outline_accuracy", "arand", "voi_split", "voi_merge", "volume", "voxels", "device",
    "arithmetic", "patch", "train_voxels",
)  # fmt: skip
TIMED_STEPS = 2
WARMUP_SHARE = 0.1
"""Short trainings warm up for this share of their steps."""


def training_settings(settings: PaperSettings, network: str, n: int, seed: int) -> TrainSettings:
    """The training of a row; rows differ in the network and the seed only."""
    return TrainSettings.model_validate(
        {
            "network": network,
            "n": n,
            "seed": seed,
            "steps": settings.steps,
            "epoch_steps": min(settings.steps, 500),
            "warmup_steps": min(100, math.ceil(WARMUP_SHARE * settings.steps)),
            "batch": settings.batch,
            "precision": settings.precision,
            "memory": settings.memory,
            "patch_zyx": settings.patch_zyx,
            "threads": settings.threads,
            "device": settings.device,
        }
    )


def cost(settings: TrainSettings, volumes: list[Labelled]) -> dict[str, float | int | str]:
    """Parameters, seconds an epoch, and memory (MB) of training the network.

    An epoch is as many steps as it takes patches to hold the voxels of the volumes once. Its
    seconds are those of the processor on a CPU, which may do other work as well, and of the clock
    on a GPU.
    """
    device = choose_device(settings.device)
    torch.manual_seed(settings.seed)
    network = build(settings).to(device)
    image, labels = (torch.from_numpy(one).to(device) for one in draw_batch(volumes, settings, 0))
    on_gpu = device.type == "cuda"
    clock = time.perf_counter if on_gpu else time.process_time
    dtype = arithmetic(settings.precision, device)
    with autocast(device, dtype):
        kept = saved_bytes(network, image[:, None])
    if on_gpu:
        torch.cuda.reset_peak_memory_stats()
    taken = []
    for _ in range(TIMED_STEPS):
        started = clock()
        with autocast(device, dtype):
            logits = network(image[:, None])
        balanced_loss(logits, labels).backward()  # type: ignore[no-untyped-call]
        if on_gpu:
            torch.cuda.synchronize()
        taken.append(clock() - started)
    voxels = sum(int(np.prod(one.shape)) for one in volumes)
    steps = math.ceil(voxels / (settings.batch * int(np.prod(settings.patch_zyx))))
    resident = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    if sys.platform == "darwin":
        resident /= 1024
    return {
        "parameters": parameter_count(network),
        "epoch_s": min(taken) * steps,
        "saved_mb": kept / 1e6,
        "peak_mb": torch.cuda.max_memory_allocated() / 1e6 if on_gpu else resident,
        "peak_is_of": "allocations on the GPU" if on_gpu else "the process",
        "device": torch.cuda.get_device_name() if on_gpu else "CPU",
        "arithmetic": name_of(dtype),
        "patch": " x ".join(map(str, (settings.batch, *settings.patch_zyx))),
        "train_voxels": voxels,
    }


def row(
    settings: TrainSettings,
    volumes: list[Labelled],
    validation: list[Labelled],
    checkpoint: Path | None = None,
) -> dict[str, object]:
    """Train a network and score it on the first validation volume; see :data:`COLUMNS`."""
    costs = cost(settings, volumes)
    network = train(settings, volumes, validation, checkpoint)
    with tempfile.TemporaryDirectory() as folder:
        weights = Path(folder, "network.safetensors")
        save_weights(weights, network.to("cpu"), description(settings))
        scores = held_out_scores(weights, validation[0], settings)
    found = {
        "network": settings.network,
        "n": settings.n if settings.network == "revnet" else None,
        "seed": settings.seed,
        "steps": settings.steps,
        **costs,
        **scores,
    }
    return {column: found[column] for column in COLUMNS}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command."""
    parser.add_argument("--network", required=True, choices=("base", "revnet"))
    parser.add_argument("--n", type=int, default=1)
    parser.add_argument("--seed", type=int, default=1)
    add_volume_options(parser)
    parser.add_argument("--settings", required=True, help="settings as JSON")
    parser.add_argument("--checkpoint", type=Path)
    parser.add_argument("--row", required=True, type=Path, help="table of one row to write")


def main(given: argparse.Namespace) -> None:
    """Run the step."""
    settings = training_settings(
        PaperSettings.model_validate_json(given.settings), given.network, given.n, given.seed
    )
    volumes, validation = volumes_of(given, settings.validation_share, settings.patch_zyx[0])
    found = row(settings, volumes, validation, given.checkpoint)
    write_table(given.row, pd.DataFrame([found], columns=list(COLUMNS)))
