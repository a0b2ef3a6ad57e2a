"""Cells that name files are spelled as the disk spells them."""

import unicodedata
from pathlib import Path

from snakescope.healthspan.plates.sheet import Plate
from snakescope.neurites.volumes.sheet import Volume


def test_files_of_settings_and_boundaries_are_found_as_the_disk_has_them(tmp_path: Path) -> None:
    apart = tmp_path / unicodedata.normalize("NFD", "m\u00fcsli.yaml")
    apart.write_text("")
    cell = unicodedata.normalize("NFC", str(apart))
    plate = Plate(name="p", experiment="e", condition="c", folder="raw", settings=cell)
    volume = Volume(name="v", image="v.tif", voxel_nm=(30, 6, 6), boundaries=cell)
    assert Path(plate.settings).exists() and Path(volume.boundaries).exists()
