"""The segmentation in forms for programs that read no OME-Zarr."""

from pathlib import Path

import h5py
import numpy as np
import pytest
import tifffile
import zarr

from snakescope.neurites.agglomeration.export import export
from snakescope.step.errors import StepError


def stored(folder: Path, largest: int, depth: int = 11) -> np.ndarray:
    labels = np.random.default_rng(0).integers(0, 9, (depth, 20, 24)).astype(np.uint64)
    labels[-1, 3, 5] = largest
    zarr.create_array(str(folder / "s.ome.zarr/0"), data=labels, chunks=(4, 16, 16))
    return labels


def test_both_forms_hold_every_label(tmp_path: Path) -> None:
    labels = stored(tmp_path, 2**32 - 1)
    export(tmp_path / "s.ome.zarr", tmp_path / "s.tif")
    export(tmp_path / "s.ome.zarr", tmp_path / "s.h5")
    found = tifffile.imread(tmp_path / "s.tif")
    assert found.dtype == np.uint32 and np.array_equal(found, labels)
    with h5py.File(tmp_path / "s.h5") as file:
        assert file["labels"].dtype == np.uint64 and np.array_equal(file["labels"], labels)
        assert file["labels"].chunks[0] == 4  # As deep as what is written at a time.


@pytest.mark.parametrize("depth", [3, 4])
def test_few_sections_are_no_colours(tmp_path: Path, depth: int) -> None:
    labels = stored(tmp_path, 9, depth)
    export(tmp_path / "s.ome.zarr", tmp_path / "s.tif")
    with tifffile.TiffFile(tmp_path / "s.tif") as file:
        assert len(file.pages) == depth and np.array_equal(file.asarray(), labels)
        assert file.pages.first.photometric == tifffile.PHOTOMETRIC.MINISBLACK


def test_a_label_that_a_tiff_cannot_hold_is_refused_and_nothing_is_left(tmp_path: Path) -> None:
    labels = stored(tmp_path, 2**32)
    with pytest.raises(StepError, match="for a TIFF, found 4294967296; take hdf5"):
        export(tmp_path / "s.ome.zarr", tmp_path / "s.tif")
    export(tmp_path / "s.ome.zarr", tmp_path / "s.h5")
    with h5py.File(tmp_path / "s.h5") as file:
        assert np.array_equal(file["labels"], labels)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["s.h5", "s.ome.zarr"]
