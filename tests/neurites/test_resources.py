"""Jobs on blocks ask for what they were measured to take, and not for much more."""

from collections.abc import Mapping
from pathlib import Path
from types import SimpleNamespace

import pandas as pd
import pytest

from snakescope import REPOSITORY
from snakescope.neurites.costs import (
    COSTS,
    PAPER_CHANNELS,
    TRAINING_MINUTES,
    channels_of,
    mvoxel,
    of_prediction,
    of_slab,
    of_training,
    of_volume,
)
from snakescope.neurites.costs import (
    size as size_of_job,
)
from snakescope.neurites.fragments.context import block_of
from snakescope.neurites.fragments.settings import FragmentsSettings
from snakescope.neurites.settings import NeuritesSettings
from snakescope.neurites.training.settings import TrainSettings
from snakescope.neurites.tree import Neurites
from snakescope.neurites.volumes.blocks import Grid
from snakescope.neurites.volumes.sheet import Volume
from snakescope.step.tables import read_table
from snakescope.tree.costs import SNAKEMAKE_MB, Cost, Size, request_mb, request_minutes

COLUMNS = ("step", "kind", "mvoxel", "part", "cpu_seconds", "peak_rss_mb")
MEASURED = read_table(REPOSITORY / "docs/tables/neurites-memory.tsv", COLUMNS).fillna({"kind": ""})
SNEMI3D = Grid((100, 1024, 1024), (20, 512, 512))


def cost_of(step: str, size: Size) -> Cost:
    return COSTS[f"{step} {size.kind}".strip()]


def memory_mb(step: str, size: Size) -> int:
    return request_mb(cost_of(step, size).memory_mb(size))


def runtime_min(step: str, size: Size) -> int:
    cost = cost_of(step, size)
    return request_minutes(cost.seconds(size), cost.max_minutes)


def size_of(row: pd.Series) -> Size:
    return size_of_job(row.kind, row.mvoxel, row.part)


def test_every_kind_of_work_was_measured() -> None:
    measured = {f"{row.step} {row.kind}".strip() for row in MEASURED.itertuples()}
    assert measured <= set(COSTS)
    # Of trainings those with the fewest and the most blocks in a module, and between them a line.
    between = {f"train {kept} {n}" for kept in ("stored", "reversible", "frugal") for n in (2, 3)}
    small = {"provenance", "unpack", "paper_page"}
    assert {key for key in COSTS if not key.startswith("paper ")} - measured == between | small
    # The paper's rows are trainings.
    for key, cost in COSTS.items():
        if key.startswith("paper "):
            assert cost == COSTS[key.replace("paper", "train")]


@pytest.mark.parametrize("row", list(MEASURED.itertuples()), ids=str)
def test_memory_asked_for_is_enough_and_not_twice_the_peak(row: pd.Series) -> None:
    asked = memory_mb(row.step, size_of(row))
    used = row.peak_rss_mb + SNAKEMAKE_MB
    assert used < asked <= 2 * used


@pytest.mark.parametrize("row", list(MEASURED.itertuples()), ids=str)
def test_time_asked_for_is_ample(row: pd.Series) -> None:
    assert 3 * row.cpu_seconds < 60 * runtime_min(row.step, size_of(row))


@pytest.mark.parametrize("row", list(MEASURED.itertuples()), ids=str)
def test_an_estimate_of_a_small_job_is_no_hour(row: pd.Series) -> None:
    size = size_of(row)
    assert cost_of(row.step, size).seconds(size) < 3 * row.cpu_seconds + 6


@pytest.mark.parametrize("how", [{"n": 4}, {"batch": 2}, {"memory": "stored"}, {"steps": 200}])
def test_a_larger_training_asks_for_more(how: dict[str, object]) -> None:
    def size(**more: object) -> Size:
        settings = TrainSettings.model_validate({"steps": 100, **more})
        shapes = [(100, 1024, 1024)]
        return of_training(settings, settings.network, settings.n, settings.features[0], shapes)

    less, more = size(), size(**how)
    assert memory_mb("train", less) <= memory_mb("train", more)
    assert runtime_min("train", less) <= runtime_min("train", more)
    assert memory_mb("train", less) + runtime_min("train", less) < memory_mb(
        "train", more
    ) + runtime_min("train", more)
    # It goes on from its checkpoint, so no queue has to take it for longer than a day.
    assert runtime_min("train", size(steps=100_000)) == TRAINING_MINUTES


def test_a_volume_of_a_gigavoxel_asks_for_what_it_was_measured_to_take() -> None:
    table = read_table(REPOSITORY / "docs/tables/neurites-scale.tsv", ("stage", "processes"))
    peaks = table.set_index("stage")
    grid = Grid((64, 4096, 4096), (32, 512, 512))
    one = peaks.loc["agglomeration", "peak_mb_a_process"] + SNAKEMAKE_MB
    asked = memory_mb("agglomerate", of_volume("agglomerate", NeuritesSettings(), grid))
    assert one < asked <= 2 * one
    writers = int(peaks.loc["stitched labels", "processes"])
    # Of the process above them it is not known; it holds no less than they do.
    all_mb = peaks.loc["stitched labels", "peak_mb_a_process"] * (writers + 1) + SNAKEMAKE_MB
    size = of_volume("segmentation", NeuritesSettings(), grid, writers)
    assert all_mb < memory_mb("segmentation", size) <= 2 * all_mb


def test_only_grey_values_of_8_bit_are_read_as_they_are() -> None:
    shape = (100, 1024, 1024)
    assert of_slab(shape, 16, "image", "uint8") == size_of_job("image", mvoxel((16, 1024, 1024)))
    assert of_slab(shape, 16, "image", "uint16").kind == "labels"
    assert of_slab(shape, 4, "labels", "uint8") == size_of_job("labels", mvoxel((4, 1024, 1024)))


def test_a_prediction_is_as_large_as_its_block_its_batch_its_network_and_its_views() -> None:
    def size(channels: int = 24, **predict: int) -> Mapping[str, float]:
        settings = NeuritesSettings.model_validate({"prediction": {"threads": 1, **predict}})
        return of_prediction(settings, SNEMI3D, next(iter(SNEMI3D)), channels).amounts

    one = size()
    assert one["mvoxel"] == mvoxel((20, 512, 512))
    assert size(batch=2)["part"] == size(channels=48)["part"] == 2 * one["part"]
    assert size(test_time_augmentation=16)["work"] == 16 * one["work"]
    assert size(threads=2)["work"] == one["work"] / 2
    # A volume of one patch is one patch's work, and a batch of two is one.
    patch = NeuritesSettings().prediction.patch_zyx
    grid = Grid(patch, patch)
    single = of_prediction(NeuritesSettings(), grid, next(iter(grid)), 24).amounts["part"]
    two = NeuritesSettings.model_validate({"prediction": {"batch": 2}})
    batch = of_prediction(two, grid, next(iter(grid)), 24).amounts["part"]
    assert batch == single == mvoxel(patch) * 24


def test_the_card_of_a_network_says_how_many_channels_it_has(tmp_path: Path) -> None:
    assert channels_of(REPOSITORY / "resources/models/neurites/neurites_demo.safetensors") == 16
    assert channels_of(tmp_path / "absent.safetensors") == PAPER_CHANNELS
    (tmp_path / "a.json").write_text("{}")
    assert channels_of(tmp_path / "a.safetensors") == PAPER_CHANNELS


@pytest.mark.parametrize("step", ["agglomerate", "segmentation", "evaluate", "pictures", "export"])
def test_larger_volumes_ask_for_more(step: str) -> None:
    settings = NeuritesSettings()
    sizes = [
        of_volume(step, settings, Grid(shape, block))
        for shape, block in (((100, 400, 400), (20, 200, 200)), ((900, 8000, 8000), (32, 512, 512)))
    ]
    small, large = (memory_mb(step, size) for size in sizes)
    assert small < large
    assert runtime_min(step, sizes[0]) < runtime_min(step, sizes[1])


def test_larger_blocks_ask_for_more_and_so_do_retries() -> None:
    def tree(block: tuple[int, int, int]) -> Neurites:
        volume = Volume(name="v", image="v.tif", voxel_nm=(30.0, 6.0, 6.0))
        made = Neurites(NeuritesSettings(block=block), [volume])
        made.grid = lambda volume: Grid((256, 2048, 2048), block)  # type: ignore[assignment]
        return made

    at = SimpleNamespace(volume="v", box="z0000-0032_y0000-0512_x0000-0512")
    small = tree((32, 512, 512))
    at_large = SimpleNamespace(volume="v", box="z0000-0128_y0000-1024_x0000-1024")
    large = tree((128, 1024, 1024))
    for ask in ("memory", "runtime"):
        once = getattr(small, ask)("fragments")(at, attempt=1)
        assert getattr(small, ask)("fragments")(at, attempt=2) == 2 * once
        assert getattr(large, ask)("fragments")(at_large, attempt=1) > once
    # The neighbours are seen as well: 586 x 586 pixels of a corner block.
    assert small.size("fragments", at).amounts["mvoxel"] == pytest.approx(32 * 586 * 586 / 1e6)
    assert (small.writers(at), tree((256, 2048, 2048)).writers(at)) == (4, 1)


def test_blocks_are_as_deep_as_fragments_reach() -> None:
    fragments = FragmentsSettings()
    assert block_of("auto", fragments, (30.0, 6.0, 6.0)) == (32, 512, 512)
    assert block_of("auto", fragments, (8.0, 8.0, 8.0)) == (256, 256, 256)
    assert block_of((16, 64, 64), fragments, (8.0, 8.0, 8.0)) == (16, 64, 64)
    volume = Volume(name="v", image="v.tif", voxel_nm=(8.0, 8.0, 8.0))
    small = Neurites(NeuritesSettings(), [volume])
    small.sources = lambda volume: {"image": SimpleNamespace(shape=(40, 300, 200))}  # type: ignore[assignment, dict-item, return-value]
    assert small.grid("v").block == (40, 256, 200)
