"""Jobs on blocks ask for what they were measured to take, and not for much more."""

from pathlib import Path
from types import SimpleNamespace

import pandas as pd
import pytest

from neurites.blocks import Grid
from neurites.resources import COSTS, FLOOR_MB, memory_mb, runtime_min
from neurites.settings import NeuritesSettings
from neurites.tree import Tree
from neurites.volumes import Volume
from step.tables import read_table

REPOSITORY = Path(__file__).resolve().parents[2]
COLUMNS = ("step", "fragments", "mvoxel", "cpu_seconds", "peak_rss_mb")
MEASURED = read_table(REPOSITORY / "docs/tables/neurites-memory.tsv", COLUMNS)


def test_every_kind_of_fragments_was_measured() -> None:
    assert {(row.step, row.fragments) for row in MEASURED.itertuples()} == set(COSTS)


@pytest.mark.parametrize("row", list(MEASURED.itertuples()), ids=str)
def test_memory_asked_for_is_enough_and_not_twice_the_peak(row: pd.Series) -> None:
    asked = memory_mb(row.step, row.fragments, row.mvoxel)
    assert row.peak_rss_mb < asked <= max(FLOOR_MB, 2 * row.peak_rss_mb)


@pytest.mark.parametrize("row", list(MEASURED.itertuples()), ids=str)
def test_time_asked_for_is_ample(row: pd.Series) -> None:
    assert 3 * row.cpu_seconds < 60 * runtime_min(row.step, row.fragments, row.mvoxel)


def test_larger_blocks_ask_for_more_and_so_do_retries() -> None:
    def tree(block: tuple[int, int, int]) -> Tree:
        made = Tree([Volume("v", "v.tif", (30.0, 6.0, 6.0))], NeuritesSettings(block=block))
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
    # The neighbours are seen as well: 544 x 544 pixels of a corner block.
    assert small._seen(at) == ("sections", pytest.approx(32 * 544 * 544 / 1e6))
