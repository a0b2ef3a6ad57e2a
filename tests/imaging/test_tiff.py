"""What TIFF files say of their pixel size."""

from pathlib import Path

import numpy as np
import pytest
import tifffile

from snakescope.imaging.frames import UnreadableFrame, read_frame, read_header
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


@pytest.mark.parametrize("compression", ["jpeg", "jpeg2000", "webp"])
@pytest.mark.parametrize("share", [0.5, 0.9])
def test_a_compressed_strip_that_ends_in_zeros_was_broken_off(
    tmp_path: Path, compression: str, share: float
) -> None:
    image = np.random.default_rng(0).normal(128, 20, (301, 397)).clip(0, 255).astype(np.uint8)
    colour = compression == "webp"
    tifffile.imwrite(
        tmp_path / "a.tif", np.dstack([image] * 3) if colour else image, compression=compression,
        rowsperstrip=304, photometric="rgb" if colour else "minisblack",
    )  # fmt: skip
    assert read_frame(tmp_path / "a.tif").shape == image.shape
    whole = (tmp_path / "a.tif").read_bytes()
    kept = int(share * len(whole))
    (tmp_path / "b.tif").write_bytes(whole[:kept] + bytes(len(whole) - kept))
    with pytest.raises(UnreadableFrame, match="broken off"):
        read_frame(tmp_path / "b.tif")
