"""The page of what the networks cost, from the tables of benchmarks/neurites/networks.py.

    python -m benchmarks.neurites.networks_page

Counts what each measure against kept activations gives (bytes only, no clock) and the
multiplications of a step, and writes docs/benchmarks/neurites-networks.md and, in docs/tables/,
neurites-saved-bytes.tsv and neurites-arithmetic.tsv.
"""

import argparse
import math
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import torch
from torch import nn

from benchmarks import ROOT
from snakescope.neurites.networks.networks import NeuriteNetwork, saved_bytes
from snakescope.report.pages import markdown, write_text
from snakescope.step.command import run_step
from snakescope.step.tables import read_table, write_table

Patch = tuple[int, int, int]
PATCH: Patch = (8, 64, 64)
"""Sections, rows and columns for which bytes and multiplications are counted."""


def set_frugal(network: NeuriteNetwork, out: bool, up: bool, down: bool) -> None:
    """Choose what is recomputed: output embedding, way up, way down with its pooling."""
    network.frugal = out
    for levels, chosen in ((network.up, up), (network.down, down)):
        for level in levels:
            level.frugal = chosen  # type: ignore[assignment]


MEASURES: tuple[tuple[str, str, Callable[[NeuriteNetwork], None] | None], ...] = (
    ("stored", "plain autograd", None),
    ("reversible", "reversible blocks", lambda one: set_frugal(one, False, False, False)),
    ("frugal", "and output embedding recomputed", lambda one: set_frugal(one, True, False, False)),
    (
        "frugal",
        "and upsampling, skip sums and their convolutions recomputed",
        lambda one: set_frugal(one, True, True, False),
    ),
    (
        "frugal",
        "and input embedding, pooling and their convolutions recomputed (frugal)",
        lambda one: set_frugal(one, True, True, True),
    ),
)


def measures(n: int, patch: Patch = PATCH) -> pd.DataFrame:
    """Bytes kept with one measure after the other, relative to the base network."""
    image = torch.randn(1, 1, *patch)
    base = saved_bytes(NeuriteNetwork("base", memory="stored"), image)
    rows = []
    for memory, words, change in MEASURES:
        network = NeuriteNetwork("revnet", n, memory)  # type: ignore[arg-type]
        if change is not None:
            change(network)
        kept = saved_bytes(network, image)
        rows.append({"n": n, "measure": words, "saved_bytes": kept, "saved_of_base": kept / base})
    return pd.DataFrame(rows)


def multiplications(network: str, n: int, patch: Patch = PATCH) -> float:
    """Multiplications of all convolutions in a forward pass, per voxel of the patch."""
    counted = []

    def count(module: nn.Module, _: object, output: torch.Tensor) -> None:
        assert isinstance(module, nn.Conv3d)
        counted.append(output.numel() * module.weight.numel() // module.out_channels)

    # Shapes only: nothing is computed.
    with torch.device("meta"), torch.no_grad():
        model = NeuriteNetwork(network, n, "stored")  # type: ignore[arg-type]
        for module in model.modules():
            if isinstance(module, nn.Conv3d):
                module.register_forward_hook(count)
        model(torch.empty(1, 1, *patch))
    return sum(counted) / math.prod(patch)


def arithmetic(patch: Patch = PATCH) -> pd.DataFrame:
    """Multiplications of a step of training, relative to the base network.

    A step is one forward pass and twice as much backwards; going back reversibly is one forward
    pass more.
    """
    base = multiplications("base", 1, patch)
    rows = []
    for n in (1, 2, 3, 4):
        forward = multiplications("revnet", n, patch)
        rows.append(
            {
                "n": n,
                "multiplications_per_voxel": round(forward),
                "plain_step_of_base": forward / base,
                "reversible_step_of_base": 4 / 3 * forward / base,
            }
        )
    return pd.DataFrame(rows)


def _time(networks: pd.DataFrame, counted: pd.DataFrame) -> str:
    """What the saved memory costs in time, with the figures of the tables."""
    four = networks[networks["n"] == 4].set_index("memory")
    frugal, stored = four.loc["frugal"], four.loc["stored"]
    least = counted.set_index("n").loc[4]
    times = ", ".join(
        f"{one.seconds_of_base:.2f} (n = {one.n:.0f})"
        for one in networks[networks["memory"] == "frugal"].itertuples()
    )
    return f"""The saved memory costs one more forward pass of every block: 4 / 3 of the time by
arithmetic, {frugal["seconds_of_stored"]:.2f} measured for n = 4, relative to the same network under
plain autograd. Branches run once forward and once on the way back, never twice. Keeping the
activations of some blocks instead saves 1 to 3 per cent of the time for each 0.1 of the bytes of
base.

Relative to the base network, the frugal networks take {times}.
With n = 4 a network has {least["plain_step_of_base"]:.2f} times the multiplications of base before
anything is recomputed, and {least["reversible_step_of_base"]:.2f} times with the recomputation.
Measured under plain autograd it takes {stored["seconds_of_base"]:.2f} times the seconds: half the
channels per convolution fill vector registers less well, and memory is passed over twice. (The
table was measured with a batch normalisation for few channels that has been removed since: with the
one of PyTorch a step of the frugal networks takes 1.05 (n = 1) and 1.06 (n = 4) times the CPU time,
float32, 1 thread, AVX2; processors with wider registers lose more.) Table 1 of Koyama et al. has
5h40 / 1h20 = 4.25 for n = 4 and 2h10 / 1h20 = 1.63 for n = 1."""


def three_digits(table: pd.DataFrame) -> str:
    """The table as Markdown, with three digits of every number that is not whole."""
    fractions = table.select_dtypes("float").columns
    return markdown(table, dict.fromkeys(fractions, ".3g"))


def page(
    networks: pd.DataFrame, inference: pd.DataFrame, kept: pd.DataFrame, counted: pd.DataFrame
) -> str:
    """The Markdown page of the tables."""
    time = _time(networks, counted)
    networks = networks.copy()
    networks["n"] = networks["n"].map(lambda n: "" if pd.isna(n) else str(int(n)))
    networks["saved_mb"] = networks.pop("saved_bytes") / 1e6
    columns = [
        "network", "n", "memory", "parameters", "saved_mb", "saved_of_base", "seconds_per_step",
        "seconds_of_base", "seconds_of_stored",
    ]  # fmt: skip
    return f"""# What the affinity networks cost

Made by `.venv/bin/python -m benchmarks.neurites.networks` and
`.venv/bin/python -m benchmarks.neurites.networks_page`.

## A step of training

Forward, loss and backward of {networks["patch"].iloc[0]} voxels (patches, z, y, x) on
{networks["device"].iloc[0]}. `saved_mb` is what autograd keeps between forward and backward (each
storage once, parameters apart); it does not depend on n where the blocks are reversible. Seconds
are of the processor. `seconds_of_base` compares with the base network, which has fewer
convolutions than revnet of n = 2 and more; `seconds_of_stored` with the same network under plain
autograd: what the saved memory costs.

{three_digits(networks[columns])}

## Time

{time}

{three_digits(counted)}

## What each measure against kept activations gives

{three_digits(kept)}

## Affinities

The base network, forward of {inference["patch"].iloc[0]} voxels on
{inference["device"].iloc[0]}. `volume` counts what the overlap of patches makes of it, for 100 x
1024 x 1024 voxels. The change is the mean difference of affinities (0 to 1) from the plain way, of
a network with random weights; less overlap changes what is blended, not the patches themselves.

The bfloat16 figure is of a processor with bfloat16 instructions (AVX512-BF16); others gain nothing.
`neurites: prediction:` folds and orders the memory always; precision, overlap and batch are
settings. torch computes small single patches on the CPU with a far slower convolution: with patches
of fewer than about 20,000 rows (channels x z x y of a level), set a batch of 2.

{three_digits(inference.drop(columns=["patch", "device"]))}
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    tables = ROOT / "docs" / "tables"
    parser.add_argument("--networks", type=Path, default=tables / "neurites-networks.tsv")
    parser.add_argument("--inference", type=Path, default=tables / "neurites-inference.tsv")
    parser.add_argument("--kept", type=Path, default=tables / "neurites-saved-bytes.tsv")
    parser.add_argument("--arithmetic", type=Path, default=tables / "neurites-arithmetic.tsv")
    parser.add_argument("--page", type=Path, default=ROOT / "docs/benchmarks/neurites-networks.md")
    parser.add_argument("--patch", type=int, nargs=3, default=PATCH, help="z y x")
    given = parser.parse_args()
    torch.set_num_threads(1)
    kept = pd.concat([measures(1, given.patch), measures(4, given.patch)], ignore_index=True)
    write_table(given.kept, kept)
    counted = arithmetic(given.patch)
    write_table(given.arithmetic, counted)
    text = page(read_table(given.networks), read_table(given.inference), kept, counted)
    write_text(given.page, text)


if __name__ == "__main__":
    run_step(main)
