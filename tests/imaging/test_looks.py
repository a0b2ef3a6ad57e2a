"""Sections of one grey value, in which nothing can be found, before the first job."""

from pathlib import Path

import numpy as np
import pytest
import tifffile
from numpy.typing import NDArray

from snakescope.imaging import volumes
from snakescope.imaging.volumes import Source, describe, kept_look, look_at_grey
from snakescope.membranes.settings import MembranesSettings
from snakescope.membranes.stacks.sheet import Stack
from snakescope.membranes.tree import Membranes
from snakescope.neurites.settings import NeuritesSettings
from snakescope.neurites.tree import Neurites
from snakescope.neurites.volumes.look import look
from snakescope.neurites.volumes.settings import IngestSettings
from snakescope.neurites.volumes.sheet import Volume
from snakescope.step.errors import StepError


def volume(path: Path, depth: int = 20, **values: int) -> Source:
    """A volume of noise with sections of one value: s3=0 makes section 3 zeros."""
    image = np.random.default_rng(1).integers(1, 250, (depth, 40, 48)).astype(np.uint8)
    for name, value in values.items():
        image[int(name[1:])] = value
    return written(path, image)


def written(path: Path, image: NDArray[np.generic]) -> Source:
    tifffile.imwrite(path, image)
    return describe(str(path))


def test_a_volume_with_contrast_is_taken_without_a_word(tmp_path: Path) -> None:
    assert look_at_grey(volume(tmp_path / "v.tif")) == []


@pytest.mark.parametrize("value", [7, 255])
@pytest.mark.parametrize("depth", [1, 20])
def test_a_volume_of_one_value_is_refused(tmp_path: Path, value: int, depth: int) -> None:
    source = written(tmp_path / "v.tif", np.full((depth, 40, 48), value, np.uint8))
    with pytest.raises(StepError, match=rf"v\.tif: .*with contrast.*section 0: {value}\); export"):
        look_at_grey(source)


def test_sections_of_one_value_each_are_refused_where_there_are_no_others(tmp_path: Path) -> None:
    image = np.ones((9, 40, 48), np.uint8) * np.arange(1, 10, dtype=np.uint8)[:, None, None]
    with pytest.raises(StepError, match="with contrast"):
        look_at_grey(written(tmp_path / "v.tif", image))


def test_sections_of_one_value_are_named(tmp_path: Path) -> None:
    source = volume(tmp_path / "v.tif", s3=0, s4=9, s5=200, s9=1, s18=0, s19=0)
    first, last = look_at_grey(source)
    assert "sections 3 to 5, 9 of 20 (from 0) hold one grey value each" in first
    assert "sections 18 to 19 of 20 hold zeros alone" in last


def test_of_a_large_volume_some_sections_tell(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(volumes, "MOST_VOXELS", 100)
    with pytest.raises(StepError, match="with contrast"):
        look_at_grey(written(tmp_path / "w.tif", np.full((20, 40, 48), 3, np.uint8)))
    assert "section 9 of 20" in look_at_grey(volume(tmp_path / "v.tif", s9=3))[0]


def test_both_trees_of_volumes_look_before_the_first_job(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    whole = written(Path("v.tif"), np.full((9, 40, 48), 3, np.uint8))
    stack = Stack(name="a", image="v.tif", voxel_nm=(50, 4, 4))
    row = Volume(name="a", image="v.tif", voxel_nm=(50, 4, 4))
    for _ in range(2):  # the second time what was kept tells
        with pytest.raises(StepError, match="with contrast"):
            Membranes(MembranesSettings(), rows=(stack,)).scan(stack)
        with pytest.raises(StepError, match="with contrast"):
            look(row, {"image": whole}, IngestSettings(), tmp_path)
    whole = volume(Path("v.tif"), s3=7)
    (note,) = Membranes(MembranesSettings(), rows=(stack,)).scan(stack)
    assert "section 3 of 20" in note
    assert "section 3 of 20" in look(row, {"image": whole}, IngestSettings(), tmp_path)[-1]


def test_stacks_are_told_what_volumes_are(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("v").mkdir()
    values = np.random.default_rng(0).integers(1, 255, (6, 40, 48), np.uint8)
    for number in (0, 1, 2, 4, 5):
        tifffile.imwrite(f"v/s{number}.tif", values[number])
    metadata = {"axes": "ZYX", "spacing": 0.04, "unit": "inches"}
    tifffile.imwrite(
        "l.tif", values[:5] // 200, imagej=True, resolution=(250, 250), metadata=metadata
    )
    stack = Stack(name="a", image="v", labels="l.tif", voxel_nm=(40, 4, 4), positive="nonzero")
    notes = Membranes(MembranesSettings(), rows=(stack,)).scan(stack)
    assert "1 sections are missing by their numbers (3)" in notes[0]
    assert notes[1].startswith("VOXEL SIZE: l.tif (labels) says 1.016e+06 1.016e+05 1.016e+05 nm")
    with pytest.raises(StepError, match="stack a: expected voxel_nm in nm, found"):
        stack = stack.model_copy(update={"voxel_nm": (0.04, 0.004, 0.004)})
        Membranes(MembranesSettings(), rows=(stack,)).scan(stack)


def test_what_was_seen_is_kept_until_a_file_changes(tmp_path: Path) -> None:
    source = volume(tmp_path / "v.tif")
    seen: list[int] = []

    def once() -> list[str]:
        seen.append(1)
        return ["note"]

    for _ in range(3):
        assert kept_look(tmp_path / "look.json", [source], once) == ["note"]
    assert len(seen) == 1


def test_a_section_is_trained_on_or_scored_in_both_trees_of_volumes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    volume(Path("v.tif"))
    Path("link.tif").symlink_to("v.tif")
    labels = np.zeros((20, 40, 48), np.uint8)
    labels[:, ::9] = 1
    tifffile.imwrite("l.tif", labels)
    cells = {"labels": "l.tif", "voxel_nm": (50, 4, 4)}
    one = Stack(name="a", image="v.tif", train=(0, 1, 2), **cells)
    for other, refused in (((3, 4), False), ((2, 3), True)):
        two = Stack(name="b", image="link.tif", test=other, **cells)
        tree = Membranes(MembranesSettings(), rows=(one, two))
        if refused:
            with pytest.raises(StepError, match="found 2 in train and, as stack b, in test"):
                tree.scan(one)
        else:
            assert not tree.scan(one)
    below = Stack(name="a", image="v.tif", set="train", crop=(0, 36, 0, 48), **cells)
    above = Stack(name="b", image="v.tif", set="test", crop=(30, 40, 0, 48), **cells)
    with pytest.raises(StepError, match="found 0 in train and, as stack b, in test"):
        Membranes(MembranesSettings(), rows=(below, above)).scan(below)
    rows = (
        Volume(name="a", image="v.tif", set="train", **cells),
        Volume(name="b", image="./link.tif", set="test", **cells),
    )
    with pytest.raises(StepError, match="expected a volume in one set, found it in train"):
        Neurites(NeuritesSettings(), rows=rows).scan(rows[0])


def test_labels_that_show_no_membranes_are_refused_before_the_first_job(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    volume(Path("v.tif"))
    objects = np.arange(20 * 40 * 48, dtype=np.uint32).reshape(20, 40, 48) // 500
    tifffile.imwrite("l.tif", objects)
    cells = {"name": "a", "image": "v.tif", "labels": "l.tif", "voxel_nm": (50, 4, 4)}
    for positive, sentence in (
        ("", "say in the column positive"),
        ("999", "expected the label 999"),
    ):
        stack = Stack(positive=positive, **cells)
        with pytest.raises(StepError, match=sentence):
            Membranes(MembranesSettings(), rows=(stack,)).scan(stack)
    stack = Stack(positive="nonzero", **cells)
    assert not Membranes(MembranesSettings(), rows=(stack,)).scan(stack)


def test_ranges_of_sections_without_an_end_are_refused() -> None:
    with pytest.raises(ValueError, match="numbers of sections up to 1000000"):
        Stack.model_validate(
            {
                "stack": "a",
                "image": "v",
                "labels": "l",
                "voxel_nm": "50 4 4",
                "test": "0-99999999999",
            }
        )
