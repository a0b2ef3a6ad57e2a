"""Memory and time of the steps of the neurites tree, by the size of what they work on.

    python -m benchmarks.neurites.memory [--steps agglomerate ...]

Runs the command lines of the steps on synthetic blocks and volumes of two sizes, with fragments
within sections, in 3-D, and by waterz, the agglomeration by the mean and by quantiles, the
prediction with two networks and the training with several, and writes
docs/tables/neurites-memory.tsv. With --steps, only the rows of these are measured anew. What jobs
ask for (snakescope/neurites/costs.py) is held against the table by a test.
"""

import argparse
import json
import os
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pandas as pd
import tifffile

from benchmarks import ROOT
from benchmarks.measure import measure
from benchmarks.neurites.volume import SyntheticVolume
from snakescope.imaging.volumes import describe
from snakescope.learning.weights import save_weights
from snakescope.neurites.costs import kind_of, mvoxel, of_training, of_volume, size
from snakescope.neurites.fragments.block_files import write_block_array
from snakescope.neurites.fragments.context import context_of
from snakescope.neurites.fragments.settings import FragmentsSettings
from snakescope.neurites.settings import NeuritesSettings
from snakescope.neurites.training.network import build, description
from snakescope.neurites.training.settings import TrainSettings
from snakescope.neurites.volumes.blocks import Grid, Zyx, box_shape
from snakescope.neurites.volumes.ingest import create_array
from snakescope.neurites.volumes.scan import BOUNDARIES, write_manifest
from snakescope.step.command import run_step
from snakescope.step.tables import read_table, write_table
from snakescope.tree.costs import Size

COLUMNS = ("step", "kind", "mvoxel", "part", "cpu_seconds", "peak_rss_mb")
BLOCKS: tuple[Zyx, ...] = ((16, 256, 256), (32, 512, 512))
VOLUMES: tuple[tuple[Zyx, Zyx], ...] = (
    ((16, 256, 256), (16, 128, 128)),
    ((64, 512, 512), (32, 256, 256)),
)
"""Shape of a volume and of its blocks."""

MEAN: dict[str, object] = {}
QUANTILES: tuple[dict[str, object], ...] = (
    {"scoring": ["mean", "quantile50"], "histogram_bins": 64},
    {"scoring": ["mean", "quantile50"], "histogram_bins": 256},
)
AGGLOMERATIONS: tuple[tuple[str, Zyx, Zyx, tuple[dict[str, object], ...]], ...] = (
    ("distance_transform", (32, 512, 512), (16, 256, 256), (MEAN, *QUANTILES)),
    ("distance_transform", (64, 1024, 1024), (32, 512, 512), (MEAN, *QUANTILES)),
    ("distance_transform", (64, 1024, 1024), (64, 1024, 1024), (MEAN, *QUANTILES)),
    ("waterz", (16, 256, 256), (16, 256, 256), (MEAN, *QUANTILES)),
    ("waterz", (32, 256, 256), (16, 128, 128), (MEAN, *QUANTILES)),
    ("waterz", (32, 512, 512), (16, 256, 256), (MEAN,)),
)
"""Method of the fragments, shape of a volume and of its blocks, how it is agglomerated. Of eight
blocks, more contacts are in hand when parts are joined than in a block.
"""

VOXEL_NM = {"sections": (30.0, 6.0, 6.0), "3-D": (6.0, 6.0, 6.0), "waterz": (6.0, 6.0, 6.0)}
DEMO, PAPER = (16, 24, 32, 48), (24, 32, 48, 72, 104)
"""Channels of the shipped network and of the paper's."""

PREDICTIONS: tuple[tuple[tuple[int, ...], Zyx, int, Zyx], ...] = (
    (DEMO, (16, 128, 128), 2, (24, 160, 160)),
    (DEMO, (16, 128, 128), 2, (32, 512, 512)),
    (PAPER, (18, 160, 160), 1, (18, 160, 160)),
    (PAPER, (18, 160, 160), 2, (18, 160, 240)),
)
"""Channels, patch, patches at a time, block."""

TRAININGS: tuple[tuple[str, int, str, Zyx], ...] = (
    ("base", 1, "stored", (10, 80, 80)),
    ("base", 1, "stored", (18, 160, 160)),
    ("revnet", 1, "stored", (18, 160, 160)),
    ("revnet", 1, "reversible", (18, 160, 160)),
    ("revnet", 1, "frugal", (10, 80, 80)),
    ("revnet", 1, "frugal", (18, 160, 160)),
    ("revnet", 4, "stored", (10, 80, 80)),
    ("revnet", 4, "stored", (18, 160, 160)),
    ("revnet", 4, "reversible", (18, 160, 160)),
    ("revnet", 4, "frugal", (10, 80, 80)),
)
"""Network, its blocks, what it keeps, patch."""

Row = tuple[object, ...]
STEP = (sys.executable, "-m", "snakescope", "neurites")
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(ROOT / "scripts"), "OMP_NUM_THREADS": "1"}


def row(step: str, of: Size, words: list[str]) -> Row:
    """Run a step and return its row."""
    cost = measure([*STEP, step, *words], ENVIRONMENT)
    made = (
        step, of.kind, round(of.amounts["mvoxel"], 3), round(of.amounts["part"], 3),
        round(cost.cpu_seconds, 2), round(cost.peak_rss_mb),
    )  # fmt: skip
    print(made, flush=True)
    return made


def measure_block(folder: Path, shape: Zyx, kind: str) -> Iterator[Row]:
    """Run the steps on one block that is a whole volume; one row a step."""
    grid = Grid(shape, shape)
    (block,) = grid
    assert box_shape(block.box) == shape
    settings = FragmentsSettings(method="waterz") if kind == "waterz" else FragmentsSettings()
    assert kind_of(settings, VOXEL_NM[kind]) == kind
    affinities = folder / "affinities.h5"
    write_block_array(affinities, "affinities", SyntheticVolume().affinities(block.box), block.box)
    described = json.dumps({"shape": shape, "block": shape, "voxel_nm": VOXEL_NM[kind]})
    common = ["--block", block.name, "--grid", described]
    fragments, graph = str(folder / "fragments.h5"), str(folder / "graph.npz")
    steps = {
        "fragments": ["--affinities", str(affinities), "--settings",
                      settings.model_dump_json(exclude_defaults=True), "--fragments", fragments],
        "region_graph": ["--fragments", fragments, "--affinities", str(affinities),
                         "--histograms", "yes", "--graph", graph],
    }  # fmt: skip
    for step, words in steps.items():
        # Numba compiles once and keeps what it made; jobs find it there.
        measure([*STEP, step, *words, *common], ENVIRONMENT)
        yield row(step, size(kind, mvoxel(shape)), [*words, *common])


def measure_volume(folder: Path, shape: Zyx, block: Zyx) -> Iterator[Row]:
    """Run the steps on a whole volume, from its ingest to its pictures; one row a step."""
    folder = folder / "volume"
    synthetic, grid = SyntheticVolume(), Grid(shape, block)
    whole = ((0, shape[0]), (0, shape[1]), (0, shape[2]))
    labels, affinities = synthetic.both(whole)
    raw = folder / "raw"
    raw.mkdir(parents=True)
    tifffile.imwrite(raw / "image.tif", affinities[1])
    tifffile.imwrite(raw / "labels.tif", labels.astype("uint32"))
    found = {kind: describe(str(raw / f"{kind}.tif")) for kind in ("image", "labels")}
    write_manifest(str(folder / "manifest"), found)
    common = ["--manifest", str(folder / "manifest/volume.json"), "--depth", str(shape[0]),
              "--settings", "{}"]  # fmt: skip
    for kind in ("image", "labels"):
        array = folder / f"{kind}.zarr"
        slab = ["--kind", kind, *common]
        measure([*STEP, "ingest", *slab, "--array",
                 str(array / ".zarray")], ENVIRONMENT)  # fmt: skip
        yield row("ingest", size(kind, mvoxel(shape)),
                  [*slab, "--sections", f"0:{shape[0]}", "--array", str(array / "0")])  # fmt: skip
    described = json.dumps({"shape": shape, "block": block, "voxel_nm": VOXEL_NM["sections"]})
    paths = graphs_of(folder, synthetic, grid, described, {}, "no")
    merges, written = str(folder / "agglomeration.h5"), str(folder / "segmentation.ome.zarr")
    objects = str(folder / "objects.tsv")
    measure(agglomeration_of(folder, paths, described, {}), ENVIRONMENT)
    steps = {
        "segmentation": ["--agglomeration", merges, "--fragments", paths["fragments"],
                         "--grid", described, "--settings", "{}", "--processes", "1",
                         "--segmentation", written, "--objects", objects],
        "evaluate": ["--agglomeration", merges, "--fragments", paths["fragments"],
                     "--grid", described, "--labels", str(folder / "labels.zarr"),
                     "--settings", "{}", "--agglomerate-settings", "{}",
                     "--segmentation-settings", "{}", "--set", "test",
                     "--scores", str(folder / "scores.tsv"),
                     "--curve", str(folder / "scores.png")],
        "pictures": ["--image", str(folder / "image.zarr"), "--segmentation", written,
                     "--objects", objects, "--grid", described, "--settings", "{}",
                     "--sections", str(folder / "sections.png"),
                     "--neurites", str(folder / "neurites.png")],
        "export": ["--segmentation", written, "--export", str(folder / "segmentation.h5")],
        "image_levels": ["--image", str(folder / "image.zarr"), "--grid", described,
                         "--settings", "{}", "--written", str(folder / "image.ome.zarr")],
    }  # fmt: skip
    for step, words in steps.items():
        yield row(step, of_volume(step, NeuritesSettings(), grid), words)


def graphs_of(
    folder: Path,
    synthetic: SyntheticVolume,
    grid: Grid,
    described: str,
    fragments: dict[str, object],
    histograms: str,
) -> dict[str, str]:
    """Make the fragments and the region graphs of all blocks; return the folders they are in."""
    paths = {name: str(folder / name) for name in ("fragments", "graphs", "affinities")}
    for one in grid:
        made = Path(paths["affinities"], f"{one.name}.h5")
        write_block_array(made, "affinities", synthetic.affinities(one.box), one.box)
    context = context_of(FragmentsSettings.model_validate(fragments), VOXEL_NM["sections"])
    for one in grid:
        window = grid.touching(grid.window(one, context))
        seen = [str(Path(paths["affinities"], f"{other.name}.h5")) for other in window]
        measure([*STEP, "fragments", "--affinities", *seen, "--block",
                 one.name, "--grid", described, "--settings", json.dumps(fragments), "--fragments",
                 f"{paths['fragments']}/{one.name}.h5"], ENVIRONMENT)  # fmt: skip
    for one in grid:
        before = [f"{paths['fragments']}/{b.name}.h5" for b in grid.before(one) if b]
        measure([*STEP, "region_graph", "--fragments",
                 f"{paths['fragments']}/{one.name}.h5", "--before", *before, "--affinities",
                 f"{paths['affinities']}/{one.name}.h5", "--block", one.name, "--grid", described,
                 "--histograms", histograms, "--graph", f"{paths['graphs']}/{one.name}.npz"],
                ENVIRONMENT)  # fmt: skip
    return paths


def agglomeration_of(
    folder: Path, paths: dict[str, str], described: str, settings: dict[str, object]
) -> list[str]:
    """The command that agglomerates a volume."""
    return [*STEP, "agglomerate", "--graphs", paths["graphs"],
            "--grid", described, "--settings", json.dumps(settings),
            "--fragments", paths["fragments"], "--agglomeration", str(folder / "agglomeration.h5"),
            "--table", str(folder / "agglomeration.tsv")]  # fmt: skip


def measure_agglomeration(
    folder: Path, method: str, shape: Zyx, block: Zyx, scorings: Sequence[dict[str, object]]
) -> Iterator[Row]:
    """Agglomerate a volume in several ways."""
    grid = Grid(shape, block)
    described = json.dumps({"shape": shape, "block": block, "voxel_nm": VOXEL_NM["sections"]})
    fragments: dict[str, object] = {"method": method}
    paths = graphs_of(folder, SyntheticVolume(), grid, described, fragments, "yes")
    # Numba compiles once and keeps what it made; jobs find it there.
    measure(agglomeration_of(folder, paths, described, MEAN), ENVIRONMENT)
    for how in scorings:
        settings = NeuritesSettings.model_validate(
            {"agglomeration": {"agglomerate": how}, "fragments": fragments}
        )
        words = agglomeration_of(folder, paths, described, how)[len(STEP) + 1 :]
        yield row("agglomerate", of_volume("agglomerate", settings, grid), words)


def measure_simulation(folder: Path, shape: Zyx) -> Iterator[Row]:
    """Simulate a volume."""
    words = ["--settings", json.dumps({"shape": shape}), "--seed", "1", "--image",
             str(folder / "image.tif"), "--labels", str(folder / "labels.tif")]  # fmt: skip
    yield row("simulate", size("", mvoxel(shape)), words)


def stored(folder: Path, shape: Zyx) -> dict[str, str]:
    """A synthetic volume as ingest stores it: the folders of its image and its labels."""
    whole = ((0, shape[0]), (0, shape[1]), (0, shape[2]))
    labels, affinities = SyntheticVolume().both(whole)
    for kind, values in (("image", affinities[1]), ("labels", labels.astype("uint64"))):
        array = create_array(folder / f"{kind}.zarr", kind, shape, shape[0])
        array[...] = values
    return {kind: str(folder / f"{kind}.zarr") for kind in ("image", "labels")}


def measure_boundaries(folder: Path, shape: Zyx, block: Zyx) -> Iterator[Row]:
    """Affinities of the first block of a volume from probabilities of a boundary, as floats."""
    boundaries = 1 - SyntheticVolume().affinities(((0, shape[0]), (0, shape[1]), (0, shape[2])))[1]
    tifffile.imwrite(folder / "boundaries.tif", boundaries.astype("float32").clip(0, 1))
    write_manifest(str(folder), {BOUNDARIES: describe(str(folder / "boundaries.tif"))})
    words = ["--manifest", str(folder / "volume.json"), "--affinities", str(folder / "a.h5"),
             "--block", ",".join(f"0:{side}" for side in block)]  # fmt: skip
    plane = mvoxel((block[0] + 1, *shape[1:]))
    yield row("boundaries", size("", mvoxel(block), plane), words)


def measure_prediction(
    folder: Path, features: tuple[int, ...], patch: Zyx, batch: int, block: Zyx
) -> Iterator[Row]:
    """Predict a block that is a whole volume, by a network without training."""
    settings = TrainSettings(network="base", features=features, patch_zyx=patch)
    weights = folder / "network.safetensors"
    save_weights(weights, build(settings), description(settings))
    image = stored(folder, block)["image"]
    how = json.dumps({"patch_zyx": patch, "batch": batch, "overlap": 0.25, "threads": 1})
    words = ["--image", image, "--block", ",".join(f"0:{side}" for side in block),
             "--weights", str(weights), "--settings", how,
             "--affinities", str(folder / "affinities.h5")]  # fmt: skip
    part = mvoxel(patch) * batch * features[0]
    yield row("predict", size("", mvoxel(block), part), words)


def measure_training(folder: Path, network: str, n: int, memory: str, patch: Zyx) -> Iterator[Row]:
    """Two steps of a training, its validation and its scores."""
    shape = (patch[0] * 4, patch[1], patch[2])
    files = stored(folder, shape)
    how = {"network": network, "n": n, "memory": memory, "patch_zyx": patch, "steps": 2,
           "epoch_steps": 2, "validation_patches": 1, "validation_share": 0.3,
           "threads": 1}  # fmt: skip
    words = ["--image", files["image"], "--labels", files["labels"], "--settings",
             json.dumps(how), "--checkpoint", str(folder / "a.ckpt"), "--weights",
             str(folder / "a.safetensors"), "--card", str(folder / "a.json")]  # fmt: skip
    settings = TrainSettings.model_validate(how)
    yield row("train", of_training(settings, network, n, PAPER[0], [shape]), words)


def measurements() -> Iterator[tuple[set[str], Callable[..., Iterator[Row]], tuple[Any, ...]]]:
    """What there is to measure: steps whose rows it gives, and how, in a folder of its own."""
    for kind in VOXEL_NM:
        for shape in BLOCKS:
            yield {"fragments", "region_graph"}, measure_block, (shape, kind)
    for volume in VOLUMES:
        steps = {"ingest", "segmentation", "evaluate", "pictures", "export", "image_levels"}
        yield steps, measure_volume, volume
    for volume in AGGLOMERATIONS:
        yield {"agglomerate"}, measure_agglomeration, volume
    for shape in BLOCKS:
        yield {"simulate"}, measure_simulation, (shape,)
    for volume in VOLUMES:
        yield {"boundaries"}, measure_boundaries, volume
    for prediction in PREDICTIONS:
        yield {"predict"}, measure_prediction, prediction
    for training in TRAININGS:
        yield {"train"}, measure_training, training


def measured(steps: set[str], sizes: int | None = None) -> pd.DataFrame:
    """Measure steps; all rows of what has to be measured for them are measured.

    Args:
        steps: their names.
        sizes: how many of the sizes of each measurement, small ones first; None: all.
    """
    rows: list[Row] = []
    done: dict[Callable[..., Iterator[Row]], int] = {}
    for given, how, of in measurements():
        if given & steps and (sizes is None or done.get(how, 0) < sizes):
            done[how] = done.get(how, 0) + 1
            with tempfile.TemporaryDirectory() as folder:
                rows += how(Path(folder), *of)
    return pd.DataFrame(rows, columns=list(COLUMNS))


def main() -> None:
    steps = sorted(set[str]().union(*(given for given, _, _ in measurements())))
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--table", type=Path, default=ROOT / "docs/tables/neurites-memory.tsv")
    parser.add_argument("--steps", nargs="+", choices=steps, default=steps, help="default: all")
    parser.add_argument("--sizes", type=int, help="measure so many sizes of each; default: all")
    given = parser.parse_args()
    table = measured(set(given.steps), given.sizes)
    if given.steps != steps and given.table.exists():
        before = read_table(given.table, COLUMNS)
        table = pd.concat([before[~before["step"].isin(table["step"])], table])
    write_table(given.table, table)


if __name__ == "__main__":
    run_step(main)
