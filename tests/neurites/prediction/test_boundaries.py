"""Affinities from boundary probabilities of other programs."""

from pathlib import Path

import h5py
import numpy as np
import pytest
import tifffile

from snakescope.imaging.volumes import describe
from snakescope.neurites.prediction.boundaries import (
    affinities_of,
    interior_of,
    main,
    read_affinities_of,
)
from snakescope.neurites.volumes.look import look
from snakescope.neurites.volumes.scan import find_sources, write_manifest
from snakescope.neurites.volumes.settings import IngestSettings
from snakescope.neurites.volumes.sheet import Volume
from snakescope.step.errors import StepError


def test_an_affinity_is_the_smaller_of_two_voxels() -> None:
    interior = np.array([[[255, 200], [10, 90]], [[50, 255], [255, 0]]], np.uint8)
    z, y, x = affinities_of(interior)
    assert z.tolist() == [[[0, 0], [0, 0]], [[50, 200], [10, 0]]]
    assert y.tolist() == [[[0, 0], [10, 90]], [[0, 0], [50, 0]]]
    assert x.tolist() == [[[0, 200], [0, 10]], [[0, 50], [0, 0]]]


def test_blocks_give_what_the_whole_gives(tmp_path: Path) -> None:
    stored = np.random.default_rng(1).integers(0, 256, (5, 16, 16)).astype(np.uint8)
    tifffile.imwrite(tmp_path / "b.tif", stored)
    source = describe(str(tmp_path / "b.tif"))
    whole = read_affinities_of(source, ((0, 5), (0, 16), (0, 16)))
    assert np.array_equal(whole, affinities_of(255 - stored))
    part = read_affinities_of(source, ((2, 5), (8, 16), (0, 8)))
    assert np.array_equal(part, whole[:, 2:5, 8:16, 0:8])


def test_bytes_and_floats_are_probabilities_and_logits_are_not() -> None:
    assert interior_of(np.array([0, 51, 255], np.uint8), "b").tolist() == [255, 204, 0]
    assert interior_of(np.array([0, 0.2, 1], np.float32), "b").tolist() == [255, 204, 0]
    with pytest.raises(
        StepError, match=r"b\.h5: expected probabilities from 0 to 1, found -1 to 3"
    ):
        interior_of(np.array([-1, 3], np.float32), "b.h5")
    with pytest.raises(StepError, match="found nan to nan"):
        interior_of(np.array([np.nan, 0.5], np.float32), "b.h5")
    with pytest.raises(StepError, match="as bytes or as floats"):
        interior_of(np.array([0, 3], np.int32), "b.h5")


def volume(folder: Path, depth: int) -> Volume:
    tifffile.imwrite(folder / "image.tif", np.zeros((4, 16, 16), np.uint8))
    with h5py.File(folder / "b.h5", "w") as file:
        file["boundaries"] = np.full((depth, 16, 16), 0.25, np.float32)
    return Volume(
        name="a", image=str(folder / "image.tif"), voxel_nm=(30, 6, 6),
        boundaries=str(folder / "b.h5"),
    )  # fmt: skip


def test_boundaries_of_another_shape_are_refused(tmp_path: Path) -> None:
    with pytest.raises(StepError, match=r"of the image's shape, 4 x 16 x 16 voxels .* 5 x 16 x 16"):
        find_sources(volume(tmp_path, 5), (1, 1, 1))


def test_the_step_writes_what_fragments_read(tmp_path: Path) -> None:
    write_manifest(tmp_path / "manifest", find_sources(volume(tmp_path, 4), (1, 1, 1)))
    import argparse

    main(
        argparse.Namespace(
            manifest=tmp_path / "manifest/volume.json", block="0:4,0:16,8:16",
            affinities=str(tmp_path / "a.h5"),
        )
    )  # fmt: skip
    with h5py.File(tmp_path / "a.h5") as file:
        assert file["affinities"].shape == (3, 4, 16, 8)
        assert (np.asarray(file["affinities"])[:, 1:, 1:] == 191).all()
        assert file["affinities"].attrs["volume_shape"].tolist() == [4, 16, 16]


@pytest.mark.parametrize(
    ("top", "found"), [(1, "none above 1 in the middle section; multiply"), (200, "")]
)
def test_a_mask_of_ones_is_refused_before_the_first_job(
    tmp_path: Path, top: int, found: str
) -> None:
    image = np.random.default_rng(1).integers(1, 255, (4, 16, 16)).astype(np.uint8)
    tifffile.imwrite(tmp_path / "image.tif", image)
    tifffile.imwrite(tmp_path / "b.tif", (image > 128).astype(np.uint8) * top)
    row = Volume(
        name="a", image=str(tmp_path / "image.tif"), voxel_nm=(30, 6, 6),
        boundaries=str(tmp_path / "b.tif"),
    )  # fmt: skip
    sources = find_sources(row, (1, 1, 1))
    if not found:
        look(row, sources, IngestSettings(), tmp_path)
        return
    with pytest.raises(StepError, match=found):
        look(row, sources, IngestSettings(), tmp_path)
