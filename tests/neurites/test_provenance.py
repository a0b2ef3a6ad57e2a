"""What a volume's results were made with stands beside them."""

import json
from pathlib import Path

import numpy as np
import pytest
import tifffile
import yaml

from snakescope.neurites.settings import NeuritesSettings
from snakescope.neurites.tree import Neurites
from snakescope.neurites.volumes.scan import find_sources, write_manifest
from snakescope.neurites.volumes.sheet import Volume
from snakescope.reference import SECTIONS
from snakescope.settings.load import load_sections
from tests.started import step


def test_sources_weights_and_software_are_told(tmp_path: Path) -> None:
    for name in ("image", "labels"):
        tifffile.imwrite(tmp_path / f"{name}.tif", np.ones((3, 8, 9), np.uint8))
    volume = Volume(
        name="v",
        image=str(tmp_path / "image.tif"),
        voxel_nm=(30, 6, 6),
        labels=str(tmp_path / "labels.tif"),
    )
    write_manifest(tmp_path / "manifest", find_sources(volume, (1, 1, 1)))
    (tmp_path / "w.safetensors").write_bytes(b"weights")

    def told() -> dict:
        words = f"--volume v --manifest {tmp_path}/manifest/volume.json"
        words += f" --weights {tmp_path}/w.safetensors --provenance {tmp_path}/provenance.json"
        ended = step(tmp_path, "neurites", "provenance", *words.split())
        assert ended.returncode == 0, ended.stderr
        return dict(json.loads((tmp_path / "provenance.json").read_text()))

    found = told()
    assert found["volume"] == "v" and found["packages"]["waterz"]
    assert found["sources"]["image"]["shape_zyx"] == [3, 8, 9]
    assert found["sources"]["labels"]["files"] == 1
    assert told() == found
    tifffile.imwrite(tmp_path / "labels.tif", np.ones((3, 8, 9), np.uint16))
    (tmp_path / "w.safetensors").write_bytes(b"other weights")
    other = told()
    assert other["sources"]["image"] == found["sources"]["image"]
    assert other["sources"]["labels"] != found["sources"]["labels"]
    assert other["weights"] != found["weights"]


def test_the_settings_of_a_run_can_be_given_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = NeuritesSettings.model_validate({"prediction": {"overlap": 0.25}})
    monkeypatch.chdir(tmp_path)
    Neurites(settings, []).write_configuration()
    written = yaml.safe_load(Path("results/neurites/configuration.yaml").read_text())
    assert load_sections(written, SECTIONS)["neurites"] == settings
