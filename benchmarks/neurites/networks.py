"""What the networks cost: parameters, bytes kept for backward, seconds a step, speed of inference.

    python -m benchmarks.neurites.networks                    # all networks and ways of inference
    python -m benchmarks.neurites.networks --training-patch 18,160,160 # train on the paper's patch

Seconds are of the processor (user and system), so that they hold on a machine that has other work;
on a GPU they are of the clock. The ways are taken in turn, so that a change of the machine's pace
meets them all; the least of the repetitions counts. The results go to
docs/tables/neurites-networks.tsv and docs/tables/neurites-inference.tsv.
"""

import argparse
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import torch

from benchmarks import ROOT
from snakescope.learning.device import choose_device
from snakescope.neurites.networks.affinity_targets import balanced_loss
from snakescope.neurites.networks.networks import (
    Memory,
    Network,
    NeuriteNetwork,
    folded,
    parameter_count,
    saved_bytes,
)
from snakescope.neurites.prediction.patches import starts
from snakescope.step.command import run_step
from snakescope.step.tables import read_table, write_table

VARIANTS: tuple[tuple[Network, int, Memory], ...] = (
    ("base", 1, "stored"),
    *(("revnet", n, memory) for n in (1, 2, 3, 4) for memory in ("stored", "reversible", "frugal")),
)

COLUMNS = (
    "network", "n", "memory", "parameters", "saved_bytes", "saved_of_base", "seconds_per_step",
    "seconds_of_base", "seconds_of_stored", "peak_bytes", "patch", "device",
)  # fmt: skip

SNEMI3D = (100, 1024, 1024)
"""The volume for which the patches of a way of inference are counted."""


def seconds(work: Callable[[], object], device: torch.device) -> float:
    """Processor time of ``work`` (s); clock time on a GPU."""
    clock = time.perf_counter if device.type == "cuda" else time.process_time
    if device.type == "cuda":
        torch.cuda.synchronize()
    started = clock()
    work()
    if device.type == "cuda":
        torch.cuda.synchronize()
    return clock() - started


def measure_training(
    patch: tuple[int, int, int], repeats: int, device: torch.device, batch: int, numbers: list[int]
) -> pd.DataFrame:
    """One row a variant: what is kept, and what a step (forward, loss, backward) takes."""
    # Batches of two or more: torch computes small single patches on the CPU with another, far
    # slower convolution, which would blur the comparison.
    image = torch.randn(batch, 1, *patch, device=device)
    labels = torch.randint(1, 5, (batch, *patch), device=device)
    variants = [one for one in VARIANTS if one[0] == "base" or one[1] in numbers]
    best = [float("inf")] * len(variants)
    kept, parameters, peaks = ([0] * len(variants) for _ in range(3))
    for repeat in range(repeats):
        for k, (name, n, memory) in enumerate(variants):
            torch.manual_seed(1)
            network = NeuriteNetwork(name, n, memory).to(device)
            if device.type == "cuda":
                torch.cuda.reset_peak_memory_stats()
            else:  # as snakescope.neurites.training.train does
                network = network.to(memory_format=torch.channels_last_3d)  # type: ignore[call-overload]

            def step(network: NeuriteNetwork = network) -> None:
                balanced_loss(network(image), labels).backward()  # type: ignore[no-untyped-call]

            taken = seconds(step, device)
            print(f"{name} n {n} {memory}: {taken:.2f} s", flush=True)
            best[k] = min(best[k], taken)
            if repeat == 0:
                parameters[k] = parameter_count(network)
                kept[k] = saved_bytes(network, image)
            if device.type == "cuda":
                peaks[k] = torch.cuda.max_memory_allocated()
    stored = {n: best[variants.index(("revnet", n, "stored"))] for n in numbers}
    rows = []
    for k, (name, n, memory) in enumerate(variants):
        rows.append(
            {
                "network": name,
                "n": n if name == "revnet" else None,
                "memory": memory,
                "parameters": parameters[k],
                "saved_bytes": kept[k],
                "saved_of_base": kept[k] / kept[0],
                "seconds_per_step": best[k],
                "seconds_of_base": best[k] / best[0],
                "seconds_of_stored": best[k] / (stored[n] if name == "revnet" else best[0]),
                "peak_bytes": peaks[k] or None,
                "patch": " x ".join(map(str, (batch, *patch))),
                "device": name_of(device),
            }
        )
    return pd.DataFrame(rows, columns=list(COLUMNS))


@dataclass(frozen=True)
class Way:
    """A way to compute affinities."""

    name: str
    folded: bool = False
    channels_last: bool = False
    bfloat16: bool = False
    overlap: float = 0.5
    batch: int = 1


WAYS = (
    Way("plain (the anchor)"),
    Way("batch norm folded", folded=True),
    Way("folded, channels last", folded=True, channels_last=True),
    Way("folded, channels last, bfloat16", folded=True, channels_last=True, bfloat16=True),
    Way("the same, overlap 0.25", True, True, True, overlap=0.25),
)


def work_of_volume(patch: tuple[int, int, int], overlap: float) -> float:
    """Voxels computed for each voxel of a SNEMI3D volume."""
    count = np.prod(
        [len(starts(size, side, overlap)) for size, side in zip(SNEMI3D, patch, strict=True)]
    )
    return float(count * np.prod(patch) / np.prod(SNEMI3D))


def measure_inference(
    patch: tuple[int, int, int], repeats: int, device: torch.device
) -> pd.DataFrame:
    """One row a way: Mvoxel/s forward, with overlap, and how far the affinities differ."""
    torch.manual_seed(1)
    source = NeuriteNetwork("base", memory="stored", channels=3).to(device)
    image = torch.rand(1, 1, *patch, device=device)
    with torch.no_grad():
        source(image)  # statistics of the batch normalisations that are no longer 0 and 1
    wanted = None
    best = [float("inf")] * len(WAYS)
    off = [0.0] * len(WAYS)
    voxels = float(np.prod(patch)) / 1e6
    for _ in range(repeats):
        for k, way in enumerate(WAYS):
            network = NeuriteNetwork("base", memory="stored", channels=3).to(device)
            network.load_state_dict(source.state_dict())
            network.eval()
            given = image
            if way.folded:
                folded(network)
            if way.channels_last:
                network = network.to(memory_format=torch.channels_last_3d)  # type: ignore[call-overload]
                given = image.to(memory_format=torch.channels_last_3d)
            found: list[torch.Tensor] = []

            def work(way: Way = way, network: NeuriteNetwork = network, given: torch.Tensor = given,
                     found: list[torch.Tensor] = found) -> None:  # fmt: skip
                with (
                    torch.inference_mode(),
                    torch.autocast(device.type, dtype=torch.bfloat16, enabled=way.bfloat16),
                ):
                    found.append(torch.sigmoid(network(given).float()))

            best[k] = min(best[k], seconds(work, device))
            wanted = found[0] if wanted is None else wanted
            off[k] = float((found[0] - wanted).abs().mean())
            print(f"{way.name}: {voxels / best[k]:.3f} Mvoxel/s", flush=True)
    rows = [
        {
            "way": way.name,
            "forward_mvoxel_per_core_s": voxels / best[k],
            "voxels_computed_per_voxel": work_of_volume(patch, way.overlap),
            "volume_mvoxel_per_core_s": voxels / best[k] / work_of_volume(patch, way.overlap),
            "times_anchor": (voxels / best[k] / work_of_volume(patch, way.overlap))
            / (voxels / best[0] / work_of_volume(patch, WAYS[0].overlap)),
            "mean_change_of_affinity": off[k],
            "patch": " x ".join(map(str, patch)),
            "device": name_of(device),
        }
        for k, way in enumerate(WAYS)
    ]
    return pd.DataFrame(rows)


def name_of(device: torch.device) -> str:
    return torch.cuda.get_device_name() if device.type == "cuda" else "cpu, 1 thread"


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--patch", default="18,160,160", help="of inference: z,y,x (voxels)")
    parser.add_argument("--training-patch", default="8,64,64", help="z,y,x (voxels)")
    parser.add_argument("--batch", type=int, default=2, help="patches a step of training")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument(
        "--n", type=int, nargs="+", default=[1, 2, 3, 4], help="rows of other n are kept"
    )
    parser.add_argument("--device", choices=("cpu", "cuda"), default="cpu")
    parser.add_argument("--only", choices=("training", "inference"))
    tables = ROOT / "docs" / "tables"
    parser.add_argument("--networks", type=Path, default=tables / "neurites-networks.tsv")
    parser.add_argument("--inference", type=Path, default=tables / "neurites-inference.tsv")
    given = parser.parse_args()
    torch.set_num_threads(1)
    device = choose_device(given.device)
    if given.only != "inference":
        z, y, x = (int(size) for size in given.training_patch.split(","))
        found = measure_training((z, y, x), given.repeats, device, given.batch, given.n)
        if given.networks.exists():
            earlier = read_table(given.networks, COLUMNS)
            earlier = earlier[(earlier["network"] == "revnet") & ~earlier["n"].isin(given.n)]
            found = pd.concat([found, earlier], ignore_index=True)
        write_table(given.networks, found)
    if given.only != "training":
        z, y, x = (int(size) for size in given.patch.split(","))
        write_table(given.inference, measure_inference((z, y, x), given.repeats, device))


if __name__ == "__main__":
    run_step(main)
