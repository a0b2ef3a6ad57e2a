"""What a look at a volume refuses before the first job."""

from pathlib import Path

import h5py
import numpy as np
import pytest
import tifffile

from snakescope.neurites.volumes.look import look
from snakescope.neurites.volumes.scan import find_sources
from snakescope.neurites.volumes.settings import IngestSettings
from snakescope.neurites.volumes.sheet import Volume
from snakescope.step.errors import StepError

GREY = IngestSettings(grey_range=(0, 1))


def looked(folder: Path, image: str, labels: str = "", voxel: str = "30 6 6") -> list[str]:
    cells = {"volume": "v", "image": str(folder / image), "voxel_nm": voxel}
    volume = Volume.model_validate(cells | {"labels": str(folder / labels) if labels else ""})
    return look(volume, find_sources(volume, (1, 1, 1)), GREY, folder)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_what_is_no_number_is_refused(tmp_path: Path, bad: float) -> None:
    values = np.random.default_rng(0).random((4, 16, 16), np.float32)
    values[2, 3, 4] = bad
    tifffile.imwrite(tmp_path / "v.tif", values)
    with pytest.raises(StepError, match="NaN or infinity in 1 voxels of the middle section"):
        looked(tmp_path, "v.tif")


def test_records_are_no_grey_values(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "v.h5", "w") as file:
        file["v"] = np.zeros((4, 8, 8), dtype=[("a", "u1"), ("b", "u1")])
    with pytest.raises(StepError, match="expected grey values as numbers"):
        looked(tmp_path, "v.h5")


@pytest.mark.parametrize(
    ("labels", "sentence"),
    [
        (np.array([-100, 1, 2, 3], np.int32), "expected labels from 0, found -100"),
        (np.array([2**40, 1, 2, 3], np.uint64), r"expected labels up to 2\^32 - 1"),
        (np.array([1, 2, 3, 4], np.float32), "expected labels as whole numbers"),
        (np.array([7, 7, 7, 7], np.uint8), "found the one value 7 in every voxel"),
    ],
)
def test_labels_that_ingest_would_refuse_are_refused_before(
    tmp_path: Path, labels: np.ndarray, sentence: str
) -> None:
    image = np.random.default_rng(0).integers(1, 255, (4, 16, 16), np.uint8)
    tifffile.imwrite(tmp_path / "v.tif", image)
    with h5py.File(tmp_path / "l.h5", "w") as file:
        file["l"] = np.broadcast_to(np.repeat(labels, 4)[None, :, None], (4, 16, 16))
    with pytest.raises(StepError, match=sentence):
        looked(tmp_path, "v.tif", "l.h5")


@pytest.mark.parametrize(
    ("cell", "advice"),
    [
        ("0.03 0.006 0.006", "in um multiply by 1000$"),
        ("3e-8 6e-9 6e-9", "in m multiply by 1000000000$"),
    ],
)
def test_voxels_in_other_units(tmp_path: Path, cell: str, advice: str) -> None:
    tifffile.imwrite(tmp_path / "v.tif", np.ones((4, 8, 8), np.uint8))
    with pytest.raises(StepError, match=advice):
        looked(tmp_path, "v.tif", voxel=cell)
