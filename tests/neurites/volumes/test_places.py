"""Where labels lie on their image, by the files, and grey values that a range leaves out."""

from pathlib import Path

import h5py
import numpy as np
import pytest
import zarr

from snakescope.imaging.volumes import read
from snakescope.neurites.volumes.look import look
from snakescope.neurites.volumes.scan import find_sources
from snakescope.neurites.volumes.settings import IngestSettings
from snakescope.neurites.volumes.sheet import Volume
from snakescope.step.errors import StepError

IMAGE = np.random.default_rng(0).integers(0, 255, (8, 40, 40)).astype(np.uint8)
LABELS = np.repeat(np.arange(1, 41, dtype=np.uint32)[None, :, None], 8, 0).repeat(40, 2)


def volume(image: Path | str, labels: Path | str = "") -> Volume:
    cells = {"volume": "v", "image": str(image), "labels": str(labels), "voxel_nm": "30 6 6"}
    return Volume.model_validate(cells)


def hdf5(path: Path, values: np.ndarray, offset: tuple[float, ...] | None) -> Path:
    with h5py.File(path, "w") as file:
        file["v"] = values
        file["v"].attrs["resolution"] = (30.0, 6.0, 6.0)
        if offset is not None:
            file["v"].attrs["offset"] = offset
    return path


def ome_zarr(path: Path, values: np.ndarray, begin: tuple[float, ...] | None) -> Path:
    group = zarr.open_group(path, mode="w", zarr_format=2)
    group.create_array("0", shape=values.shape, dtype=values.dtype)[:] = values
    steps = [{"type": "scale", "scale": [0.03, 0.006, 0.006]}]
    if begin is not None:
        steps.append({"type": "translation", "translation": list(begin)})
    axes = [{"name": name, "type": "space", "unit": "micrometer"} for name in "zyx"]
    datasets = [{"path": "0", "coordinateTransformations": steps}]
    group.attrs["multiscales"] = [{"version": "0.4", "axes": axes, "datasets": datasets}]
    return path


@pytest.mark.parametrize("begin", [(0, 33, 33), (0, 10, 10)])
def test_labels_between_voxels_are_refused(tmp_path: Path, begin) -> None:
    image = hdf5(tmp_path / "i.h5", IMAGE, None)
    labels = hdf5(tmp_path / "l.h5", LABELS[:, :20, :20], begin)
    with pytest.raises(StepError, match="expected labels whose voxels lie on those of the image"):
        find_sources(volume(image, labels), (1, 1, 1))


def test_labels_of_the_images_size_that_lie_elsewhere_are_refused(tmp_path: Path) -> None:
    image = hdf5(tmp_path / "i.h5", IMAGE, (0, 0, 0))
    labels = hdf5(tmp_path / "l.h5", LABELS, (0, 12, 12))
    with pytest.raises(StepError, match="expected labels within the image"):
        find_sources(volume(image, labels), (1, 1, 1))
    found = find_sources(volume(hdf5(tmp_path / "i.h5", IMAGE, None), labels), (1, 1, 1))
    assert "begins at 0 12 12 nm" in found["labels"].notes[0]


def test_the_translation_of_an_ome_zarr_is_obeyed(tmp_path: Path) -> None:
    image = ome_zarr(tmp_path / "i.zarr", IMAGE, None)
    labels = ome_zarr(tmp_path / "l.zarr", LABELS[:, 10:30, 10:30], (0, 0.06, 0.06))
    found = find_sources(volume(image, labels), (1, 1, 1))["labels"]
    right = np.zeros_like(LABELS)
    right[:, 10:30, 10:30] = LABELS[:, 10:30, 10:30]
    assert np.array_equal(read(found, 0, 8), right)


def test_a_range_of_other_grey_values_is_refused(tmp_path: Path) -> None:
    path = hdf5(tmp_path / "i.h5", IMAGE.astype(np.uint16) + 4000, None)
    own = volume(path)
    sources = find_sources(own, (1, 1, 1))
    with pytest.raises(StepError, match="makes 100% of the middle section black or white"):
        look(own, sources, IngestSettings(grey_range=(0, 255)), tmp_path)
    notes = look(own, sources, IngestSettings(grey_range=(4000, 4100)), tmp_path)
    assert any("set it wider" in note for note in notes)
    assert not look(own, sources, IngestSettings(grey_range=(3900, 4300)), tmp_path)
    own = volume(hdf5(tmp_path / "i.h5", IMAGE, None))
    sources = find_sources(own, (1, 1, 1))
    assert not look(own, sources, IngestSettings(grey_range=(4000, 4100)), tmp_path)


def test_a_compression_that_is_not_installed_is_no_damage(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "i.h5", "w") as file:
        made = file.create_dataset(
            "v", IMAGE.shape, np.uint8, chunks=IMAGE.shape, compression=32008,
            compression_opts=(0, 2), allow_unknown_filter=True,
        )  # fmt: skip
        made.id.write_direct_chunk((0, 0, 0), IMAGE.tobytes())
    own = volume(tmp_path / "i.h5")
    with pytest.raises(StepError, match="found a compression that is not installed"):
        look(own, find_sources(own, (1, 1, 1)), IngestSettings(), tmp_path)
