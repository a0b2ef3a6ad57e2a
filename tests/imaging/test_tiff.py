"""What TIFF files say of their pixel size."""

from pathlib import Path

import numpy as np
import pytest
import tifffile

from snakescope.imaging.frames import read_header
from snakescope.imaging.tiff import pixel_size_um


@pytest.mark.parametrize("unit", ["um", "micron", "\\u00B5m"])
def test_micrometres_as_imagej_spells_them(tmp_path: Path, unit: str) -> None:
    path = tmp_path / "a.tif"
    image = np.arange(48, dtype=np.uint8).reshape(6, 8)
    tifffile.imwrite(
        path, image, imagej=True, resolution=(1 / 12.5, 1 / 12.5), metadata={"unit": unit}
    )
    with tifffile.TiffFile(path) as file:
        assert pixel_size_um(file) == pytest.approx((12.5, 12.5))
    assert read_header(path).pixel_size_um == pytest.approx(12.5)
