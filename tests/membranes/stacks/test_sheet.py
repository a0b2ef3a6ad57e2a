"""The sheet of stacks, labels that are membranes, and what is refused."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import tifffile

from snakescope.membranes.stacks.folds import parts_of_fold
from snakescope.membranes.stacks.manifest import read_manifest, write_manifest
from snakescope.membranes.stacks.scan import find_stack
from snakescope.membranes.stacks.sections import grey_of, membrane_of, read_grey, read_labelled
from snakescope.membranes.stacks.sheet import Stack
from snakescope.settings.sheet import read_rows
from snakescope.step.errors import StepError

HEADER = "stack\timage\tvoxel_nm\tlabels\tpositive\tcrop\tset\ttrain\ttune\ttest\n"


def stack(folder: Path, **cells: str) -> Stack:
    """A stack of ten sections of 40 x 48 px, its row read from a sheet."""
    image = np.random.default_rng(1).integers(0, 255, (10, 40, 48)).astype(np.uint8)
    labels = np.zeros_like(image)
    labels[:, ::8] = 255
    tifffile.imwrite(folder / "image.tif", image)
    tifffile.imwrite(folder / "labels.tif", labels)
    given = {
        "stack": "a", "image": str(folder / "image.tif"), "voxel_nm": "50 4 4",
        "labels": str(folder / "labels.tif"), **cells,
    }  # fmt: skip
    names = HEADER.strip().split("\t")
    sheet = folder / "stacks.tsv"
    sheet.write_text(HEADER + "\t".join(given.get(name, "") for name in names) + "\n")
    return read_rows(sheet, Stack)[0]


def test_sections_are_for_what_the_sheet_says(tmp_path: Path) -> None:
    row = stack(tmp_path, train="0-3, 5", tune="6", test="8-9", crop="4:40, 8:48")
    found = find_stack(row, (1, 64, 64))
    assert found.parts == {"train": (0, 1, 2, 3, 5), "tune": (6,), "test": (8, 9)}
    assert found.shape == (10, 36, 40)
    write_manifest(tmp_path / "manifest", found)
    assert read_manifest(tmp_path / "manifest/stack.json") == found
    (labelled,) = read_labelled([found], "train")
    assert labelled.membrane.shape == labelled.grey.image.shape == (10, 36, 40)
    assert labelled.membrane[0, 4].all() and not labelled.membrane[0, 3].any()


@pytest.mark.parametrize(("given", "part"), [("train", "train"), ("", "test")])
def test_a_set_is_for_all_sections(tmp_path: Path, given: str, part: str) -> None:
    found = find_stack(stack(tmp_path, set=given), (1, 64, 64))
    assert found.parts[part] == tuple(range(10)) and sum(map(len, found.parts.values())) == 10


@pytest.mark.parametrize(
    ("cells", "said"),
    [
        ({"train": "0-5", "test": "5-9"}, "found 5 in train and in test; keep it in one"),
        ({"train": "5-2"}, "numbers of sections"),
        ({"train": "0-3", "set": "test"}, "the column set or sections in train, found both"),
        ({"train": "0-3", "labels": ""}, "labels for the sections in train, found an empty cell"),
        ({"crop": "8:4,0:9"}, "rows and columns"),
        ({"positive": "membrane"}, "whole numbers such as 0 or 1 2, or nonzero"),
        ({"voxel_nm": "4"}, "the size of a voxel along z, y and x"),
    ],
)
def test_a_cell_that_cannot_be_is_refused_in_a_sentence(
    tmp_path: Path, cells: dict[str, str], said: str
) -> None:
    with pytest.raises(StepError, match=said):
        stack(tmp_path, **cells)


@pytest.mark.parametrize(
    ("cells", "said"),
    [
        ({"test": "8-12"}, "expected at least 13 sections for the column test, found 10"),
        ({"crop": "0:41,0:48"}, "expected a crop within 40 x 48 px"),
        ({"crop": "0:20,0:48"}, "at least 32 x 32 px, found 20 x 48"),
    ],
)
def test_a_stack_that_does_not_fit_its_row_is_refused(
    tmp_path: Path, cells: dict[str, str], said: str
) -> None:
    row = stack(tmp_path, **cells)
    with pytest.raises(StepError, match=said):
        find_stack(row, (1, 64, 64))


def test_labels_of_another_size_are_refused(tmp_path: Path) -> None:
    row = stack(tmp_path)
    tifffile.imwrite(tmp_path / "labels.tif", np.zeros((10, 40, 40), np.uint8))
    with pytest.raises(StepError, match="labels of the image's shape, 10 x 40 x 48"):
        find_stack(row, (1, 64, 64))


def test_sections_of_different_size_are_refused(tmp_path: Path) -> None:
    folder = tmp_path / "sections"
    folder.mkdir()
    for z, side in enumerate((40, 40, 44)):
        tifffile.imwrite(folder / f"{z}.tif", np.zeros((side, 40), np.uint8))
    row = stack(tmp_path, image=str(folder), labels="")
    with pytest.raises(StepError, match=r"2\.tif: expected a section of 40 x 40 px as the first"):
        read_grey(find_stack(row, (1, 64, 64)))


def test_which_labels_are_membrane() -> None:
    isbi = np.array([[[0, 255, 255, 255]]], np.uint8)
    assert membrane_of(isbi, "0", "x").tolist() == [[[True, False, False, False]]]
    with pytest.raises(StepError, match=r"non-zero on membranes, found 75%.*write 0 into"):
        membrane_of(isbi, "", "x")
    assert membrane_of(isbi, "nonzero", "x").sum() == 3
    three = np.array([[[0, 1, 2, 0]]], np.uint8)
    with pytest.raises(StepError, match="labels of two values, found 3"):
        membrane_of(three, "", "x")
    assert membrane_of(three, "1 2", "x").tolist() == [[[False, True, True, False]]]
    with pytest.raises(StepError, match=r"expected the label 7 \(positive\)"):
        membrane_of(three, "7", "x")


def test_a_training_section_without_membrane_is_refused(tmp_path: Path) -> None:
    found = find_stack(stack(tmp_path, train="0-3", test="8"), (1, 64, 64))
    labels = tifffile.imread(tmp_path / "labels.tif")
    labels[2] = 0
    tifffile.imwrite(tmp_path / "labels.tif", labels)
    with pytest.raises(StepError, match="section 2: expected membrane in a training section"):
        read_labelled([found], "train")
    kept = replace(found, parts={**found.parts, "train": (0, 1, 3)})
    assert read_labelled([kept], "train")


def test_sections_are_standardised_and_mirrored_at_the_ends() -> None:
    image = np.arange(3 * 16, dtype=np.uint8).reshape(3, 4, 4)
    image[1] *= 3
    grey = grey_of("a", image)
    planes = grey.planes(0, 1)
    assert planes.shape == (3, 4, 4) and np.array_equal(planes[0], planes[2])
    assert np.allclose(planes.mean(axis=(1, 2)), 0, atol=1e-6)
    assert np.allclose(planes.std(axis=(1, 2)), 1, atol=1e-6)
    blank = grey_of("b", np.full((1, 4, 4), 7, np.uint8)).planes(0, 2)
    assert blank.shape == (5, 4, 4) and not blank.any()


def test_folds_are_contiguous_blocks() -> None:
    sections = range(30)
    parts = [parts_of_fold(sections, 5, fold) for fold in range(5)]
    assert parts[1]["test"] == tuple(range(6, 12)) and parts[1]["tune"] == tuple(range(12, 18))
    assert parts[4]["tune"] == tuple(range(6))
    assert sorted(z for one in parts for z in one["test"]) == list(sections)
    for one in parts:
        assert sorted(z for part in one.values() for z in part) == list(sections)
    with pytest.raises(StepError, match="found 5 folds of 8 sections"):
        parts_of_fold(range(8), 5, 0)
