"""Simulated volumes: repeatable, and labels that belong to what is seen."""

import json

import numpy as np
import tifffile
from scipy import ndimage
from skimage import measure

from snakescope.neurites.simulation import simulate as module
from snakescope.neurites.simulation.settings import SimulateSettings
from snakescope.neurites.simulation.simulate import simulate, varied
from snakescope.step.command import call

SMALL = SimulateSettings(shape=(6, 96, 96))


def test_a_volume_depends_on_settings_and_seed_only() -> None:
    image, labels = simulate(SMALL, 3)
    again, same = simulate(SMALL, 3)
    other, _ = simulate(SMALL, 4)
    assert image.dtype == np.uint8 and labels.dtype == np.uint32
    assert image.shape == labels.shape == (6, 96, 96)
    assert np.array_equal(image, again) and np.array_equal(labels, same)
    assert not np.array_equal(image, other)


def test_volumes_differ_in_look_as_much_as_is_asked_and_no_more() -> None:
    plain = SimulateSettings()
    assert varied(plain, 7) == plain
    asked = SimulateSettings(variety=0.3)
    looks = [varied(asked, seed) for seed in range(40)]
    for name in ("radius_nm", "membrane_nm", "noise", "look"):
        found = np.array([getattr(look, name) for look in looks]) / getattr(plain, name)
        assert 0.7 <= found.min() < 0.78 and 1.22 < found.max() <= 1.3
    assert len({look.radius_nm / look.noise for look in looks}) == len(looks)
    assert {look.shape for look in looks} == {plain.shape}


def test_outlines_are_dark_and_objects_are_connected() -> None:
    image, labels = simulate(SMALL, 5)
    smooth = ndimage.gaussian_filter(image.astype(float), (0, 1, 1))
    outline = labels == 0
    assert 0.03 < outline.mean() < 0.3
    assert smooth[outline].mean() < smooth[~outline].mean() - 30
    names = np.unique(labels[labels > 0])
    assert np.array_equal(names, np.arange(1, len(names) + 1))
    assert measure.label(labels, background=0, connectivity=1).max() == len(names)
    sizes = np.bincount(labels.ravel())[1:]
    assert sizes.min() >= module.MIN_PIECE


def test_the_command_writes_both_files(tmp_path, monkeypatch) -> None:
    paths = {name: tmp_path / f"{name}.tif" for name in ("image", "labels")}
    words = [word for name, path in paths.items() for word in (f"--{name}", str(path))]
    settings = json.dumps({"shape": [3, 48, 64]})
    monkeypatch.setattr("sys.argv", ["simulate", "--settings", settings, "--seed", "2", *words])
    call(module)
    image, labels = (tifffile.imread(path) for path in paths.values())
    assert image.shape == labels.shape == (3, 48, 64)
    assert labels.max() > 2
