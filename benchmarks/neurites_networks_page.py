"""The page of what the networks cost, from the tables of benchmarks/neurites_networks.py.

    python benchmarks/neurites_networks_page.py

Counts what each measure against kept activations gives (bytes only, no clock), and writes
docs/neurites-networks.md and docs/tables/neurites-saved-bytes.tsv.
"""

import argparse
import sys
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import torch

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "scripts"))

from neurites.networks import NeuriteNetwork  # noqa: E402
from neurites.saved_bytes import saved_bytes  # noqa: E402
from step.command import run_step  # noqa: E402
from step.output import whole_file  # noqa: E402
from step.tables import read_table, write_table  # noqa: E402


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


def measures(n: int) -> pd.DataFrame:
    """Bytes kept with one measure after the other, relative to the base network."""
    image = torch.randn(1, 1, 8, 64, 64)
    base = saved_bytes(NeuriteNetwork("base", memory="stored"), image)
    rows = []
    for memory, words, change in MEASURES:
        network = NeuriteNetwork("revnet", n, memory)  # type: ignore[arg-type]
        if change is not None:
            change(network)
        kept = saved_bytes(network, image)
        rows.append({"n": n, "measure": words, "saved_bytes": kept, "saved_of_base": kept / base})
    return pd.DataFrame(rows)


def _markdown(table: pd.DataFrame) -> str:
    head = ["| " + " | ".join(table.columns) + " |", "|" + " --- |" * len(table.columns)]
    body = [
        "| "
        + " | ".join(
            "" if pd.isna(v) else f"{v:.3g}" if isinstance(v, float) else str(v) for v in values
        )
        + " |"
        for values in table.astype(object).itertuples(index=False)
    ]
    return "\n".join([*head, *body])


def page(networks: pd.DataFrame, inference: pd.DataFrame, kept: pd.DataFrame) -> str:
    """The Markdown page of the three tables."""
    networks = networks.copy()
    networks["n"] = networks["n"].map(lambda n: "" if pd.isna(n) else str(int(n)))
    networks["saved_mb"] = networks.pop("saved_bytes") / 1e6
    columns = [
        "network", "n", "memory", "parameters", "saved_mb", "saved_of_base", "seconds_per_step",
        "seconds_of_base", "seconds_of_stored",
    ]  # fmt: skip
    return f"""# What the affinity networks cost

Made by `python benchmarks/neurites_networks.py` and `python benchmarks/neurites_networks_page.py`.

## A step of training

Forward, loss and backward of {networks["patch"].iloc[0]} voxels (patches, z, y, x) on
{networks["device"].iloc[0]}. `saved_mb` is what autograd keeps between forward and backward (each
storage once, parameters apart); it does not depend on n where the blocks are reversible. Seconds
are of the processor. `seconds_of_base` compares with the base network, which has fewer
convolutions than revnet of n = 2 and more; `seconds_of_stored` with the same network under plain
autograd: what the saved memory costs.

{_markdown(networks[columns])}

## What each measure against kept activations gives

{_markdown(kept)}

## Affinities

The base network, forward of {inference["patch"].iloc[0]} voxels on
{inference["device"].iloc[0]}. `volume` counts what the overlap of patches makes of it, for 100 x
1024 x 1024 voxels. The change is the mean difference of affinities (0 to 1) from the plain way, of
a network with random weights; less overlap changes what is blended, not the patches themselves.

The bfloat16 figure is of a processor with bfloat16 instructions (AVX512-BF16); others gain nothing.
`neurites: predict:` folds and orders the memory always; precision, overlap and batch are settings.
torch computes small single patches on the CPU with a far slower convolution: with patches
of fewer than about 20,000 rows (channels x z x y of a level), set a batch of 2.

{_markdown(inference.drop(columns=["patch", "device"]))}
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    tables = ROOT / "docs" / "tables"
    parser.add_argument("--networks", type=Path, default=tables / "neurites-networks.tsv")
    parser.add_argument("--inference", type=Path, default=tables / "neurites-inference.tsv")
    parser.add_argument("--kept", type=Path, default=tables / "neurites-saved-bytes.tsv")
    parser.add_argument("--page", type=Path, default=ROOT / "docs/neurites-networks.md")
    given = parser.parse_args()
    torch.set_num_threads(1)
    kept = pd.concat([measures(1), measures(4)], ignore_index=True)
    write_table(given.kept, kept)
    text = page(read_table(given.networks), read_table(given.inference), kept)
    with whole_file(given.page) as partial:
        partial.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    run_step(main)
