"""A run of the neurites tree does what changed since the last one, what follows, and nothing else.

Rules, configuration and the look at the volumes are the real ones; steps are replaced by a stub.
"""

import os
import shutil
from pathlib import Path

import numpy as np
import pytest
import tifffile

from tests.neurites.clone import CONFIG, Volumes

FIRST, SECOND = "z0000-0004_y0000-0016_x0000-0016", "z0004-0008_y0000-0016_x0000-0016"
VOLUME = {
    "agglomeration.h5",
    "segmentation.ome.zarr",
    "scores.tsv",
    "sections.png",
}


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run from nothing; no plate and no sheet of plates is needed for it."""
    workspace = Volumes(tmp_path_factory.mktemp("neurites"))
    workspace.subjects()
    workspace.run("--", "neurites")
    return workspace.root


@pytest.fixture
def done(finished: Path, tmp_path: Path) -> Volumes:
    shutil.copytree(finished, tmp_path / "done", symlinks=True)
    return Volumes(tmp_path / "done", fresh=False)


def of(volume: str, names: set[str]) -> set[str]:
    return {f"{volume}/{name}" for name in names}


def test_again_there_is_nothing_to_do(done: Volumes) -> None:
    for path in (done.root / "scripts").rglob("*.py"):
        os.utime(path)
    assert done.plan("--", "neurites") == set()


def test_a_changed_section_redoes_its_slab_its_block_and_the_agglomeration(done: Volumes) -> None:
    done.section(5, 99)
    of_block = {f"affinities/{SECOND}.h5", f"fragments/{SECOND}.h5", f"graphs/{SECOND}.npz"}
    assert done.plan("--", "neurites") == of(
        "a", {"image.zarr/2", "image.ome.zarr"} | of_block | VOLUME
    )


def test_a_section_below_a_face_redoes_the_graph_above_it_too(done: Volumes) -> None:
    done.section(3, 99)
    of_block = {f"affinities/{FIRST}.h5", f"fragments/{FIRST}.h5", f"graphs/{FIRST}.npz"}
    expected = {"image.zarr/1", "image.ome.zarr", f"graphs/{SECOND}.npz"} | of_block | VOLUME
    assert done.plan("--", "neurites") == of("a", expected)


def test_where_a_network_runs_is_no_reason_to_compute_again(done: Volumes) -> None:
    where = "device: cpu, batch: 4, threads: 1"
    done.config(CONFIG.replace("overlap: 0", f"overlap: 0, {where}"))
    assert done.plan("--", "neurites") == set()
    done.config(CONFIG.replace("overlap: 0", "overlap: 0, combine: min"))
    assert f"a/affinities/{FIRST}.h5" in done.plan("--", "neurites")


def test_another_threshold_redoes_no_block(done: Volumes) -> None:
    done.config(CONFIG + "  agglomeration: {segmentation: {threshold: 0.3}}\n")
    both = {"segmentation.ome.zarr", "sections.png"}
    assert done.plan("--", "neurites") == of("a", both | {"scores.tsv"}) | of("b", both)


def test_another_export_redoes_nothing_else(done: Volumes) -> None:
    done.config(CONFIG + "  agglomeration: {segmentation: {exports: [tiff]}}\n")
    assert done.plan("--", "neurites") == {"a/segmentation.tif", "b/segmentation.tif"}


def test_another_voxel_size_leaves_the_slabs_and_the_affinities(done: Volumes) -> None:
    sheet = done.root / "config/volumes.tsv"
    sheet.write_text(sheet.read_text().replace("30 6 6\tlabels", "40 6 6\tlabels"))
    plan = done.plan("--", "neurites")
    assert {f"a/fragments/{FIRST}.h5", "a/segmentation.ome.zarr", "a/sections.png"} <= plan
    assert not [path for path in plan if "affinities" in path or ".zarr/" in path]
    assert not [path for path in plan if path.startswith("b/")]


def test_a_further_seed_or_network_of_the_paper_leaves_the_rows_that_there_are(
    done: Volumes,
) -> None:
    sheet = done.root / "config/volumes.tsv"
    sheet.write_text(sheet.read_text().replace("labels.tif\n", "labels.tif\ttrain\n", 1))
    sheet.write_text(sheet.read_text().replace("voxel_nm\tlabels\n", "voxel_nm\tlabels\tset\n", 1))
    done.config(CONFIG + "  paper: {n: [1]}\n")
    done.run("neurites_paper")
    assert done.plan("neurites_paper") == set()
    done.config(CONFIG + "  paper: {n: [1, 2]}\n")
    assert done.plan("neurites_paper") == {"paper/revnet_2_seed1.tsv", "paper/paper.tsv"}


def test_other_fragments_leave_the_affinities(done: Volumes) -> None:
    done.raise_version("fragments")
    plan = done.plan("--", "neurites")
    assert {f"a/fragments/{FIRST}.h5", "b/segmentation.ome.zarr"} <= plan
    assert not [path for path in plan if "affinities" in path or "image" in path]


def test_no_training_without_a_volume_that_the_sheet_names_for_it(done: Volumes) -> None:
    model = "results/neurites/models/affinities.safetensors"
    sheet = done.root / "config/volumes.tsv"
    sheet.write_text(sheet.read_text().replace("labels.tif\n", "labels.tif\ttrain\n", 1))
    sheet.write_text(sheet.read_text().replace("voxel_nm\tlabels\n", "voxel_nm\tlabels\tset\n", 1))
    assert done.plan(model) == {"models/affinities.safetensors"}
    tifffile.imwrite(done.root / "labels.tif", np.ones((7, 16, 16), np.uint16))
    assert done.plan(model) == {"models/affinities.safetensors", "a/manifest/usable"}


def test_a_volume_that_cannot_be_used_does_not_stop_the_other(done: Volumes) -> None:
    tifffile.imwrite(done.root / "labels.tif", np.ones((7, 16, 16), np.uint16))
    assert done.plan("--", "neurites") == {"a/manifest/usable"}
