"""Volumes as instruments and programs describe them: the right value, or one sentence."""

import os
from pathlib import Path

import numpy as np
import pytest
import tifffile

from snakescope.imaging.volumes import describe
from snakescope.step.errors import StepError

VOLUME = np.random.default_rng(0).integers(1, 255, (8, 64, 48)).astype(np.uint8)


def test_numbers_of_sections_may_lie_billions_apart(tmp_path: Path) -> None:
    for number, section in zip((1, 2, 3, 10**12), VOLUME, strict=False):
        tifffile.imwrite(tmp_path / f"s{number}.tif", section)
    notes = describe(str(tmp_path)).notes
    assert any(f"{10**12 - 4} sections are missing by their numbers (4, 5, 6," in n for n in notes)


def test_a_pipe_is_no_volume(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "image.tif")
    with pytest.raises(StepError, match="found a pipe"):
        describe(str(tmp_path / "image.tif"))
