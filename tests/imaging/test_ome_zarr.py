"""Grey volumes as OME-Zarr: their levels, and metadata by the rules of OME-NGFF 0.4."""

import json
from pathlib import Path

import numpy as np
import pytest
import zarr
from ome_zarr_models.v04.image import ImageAttrs

from snakescope.imaging.ome_zarr import create_levels, write_ome_zarr

SHAPE = (3, 21, 30)


@pytest.fixture
def grey() -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, SHAPE).astype(np.uint8)


def test_levels_are_halved_and_their_scales_say_so(tmp_path: Path, grey: np.ndarray) -> None:
    store = tmp_path / "v.ome.zarr"
    write_ome_zarr(store, grey, SHAPE, (50.0, 4.0, 5.0))
    stated = json.loads((store / ".zattrs").read_text())
    assert list(stated) == ["multiscales"] and ImageAttrs.model_validate(stated)
    (multiscale,) = stated["multiscales"]
    assert multiscale["name"] == "v"
    scales = [one["coordinateTransformations"][0]["scale"] for one in multiscale["datasets"]]
    assert scales == [[0.05, 0.004, 0.005], [0.05, 0.008, 0.01], [0.05, 0.016, 0.02]]
    levels = [np.asarray(zarr.open_array(str(store / str(level)), mode="r")) for level in range(3)]
    np.testing.assert_array_equal(levels[0], grey)
    assert [level.shape for level in levels] == [SHAPE, (3, 11, 15), (3, 6, 8)]
    mean = grey[:, :20].reshape(3, 10, 2, 15, 2).mean(axis=(2, 4))
    assert np.abs(levels[1][:, :10] - mean).max() <= 0.5


def test_nothing_is_left_of_a_volume_that_breaks_off(tmp_path: Path, grey: np.ndarray) -> None:
    def sections():
        yield grey[0]
        raise RuntimeError("broken off")

    with pytest.raises(RuntimeError, match="broken off"):
        write_ome_zarr(tmp_path / "v.ome.zarr", sections(), SHAPE, (50.0, 4.0, 4.0))
    assert not list(tmp_path.iterdir())


def test_labels_are_called_so(tmp_path: Path) -> None:
    factors = [(1, 1, 1), (1, 2, 2), (2, 4, 4)]
    arrays = create_levels(
        tmp_path / "l", "l", SHAPE, (30, 6, 6), factors, (2, 16, 16), np.uint64, labels=True
    )
    assert [array.shape for array in arrays] == [SHAPE, (3, 11, 15), (2, 6, 8)]
    assert [array.chunks for array in arrays] == [(2, 16, 16), (2, 11, 15), (2, 6, 8)]
    stated = json.loads((tmp_path / "l/.zattrs").read_text())
    assert stated["image-label"] == {"version": "0.4"}
    assert not np.asarray(arrays[0]).any() and arrays[0].dtype == np.uint64
