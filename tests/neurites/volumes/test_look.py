"""Labels that are objects, and those that are none, before the first job."""

from pathlib import Path

import numpy as np
import pytest
import tifffile
from numpy.typing import NDArray

from snakescope.imaging.volumes import describe
from snakescope.neurites.volumes.look import _of_labels
from snakescope.step.errors import StepError
from tests.neurites.drawn_volume import drawn_labels


@pytest.fixture(scope="module")
def cells() -> NDArray[np.uint32]:
    return drawn_labels((8, 128, 128), 40).astype(np.uint32)


def looked_at(folder: Path, labels: NDArray[np.generic]) -> list[str]:
    tifffile.imwrite(folder / "l.tif", labels)
    return _of_labels(describe(str(folder / "l.tif"), "labels"))


def traced(count: int, pieces: int, side: int) -> NDArray[np.uint32]:
    """Neurites traced one by one, each cut by a section in several places."""
    labels = np.zeros((8, 128, 128), np.uint32)
    rng = np.random.default_rng(0)
    places = rng.permutation(16 * 16)[: count * pieces]
    for k, place in enumerate(places):
        y, x = 8 * (place // 16), 8 * (place % 16)
        labels[:, y : y + side, x : x + side] = 1 + k % count
    return labels


def membranes(cells: NDArray[np.uint32]) -> NDArray[np.uint8]:
    """The outlines of cells, broken here and there, as of a mask of membranes."""
    edge = (np.roll(cells, 1, 1) != cells) | (np.roll(cells, 1, 2) != cells)
    edge |= np.roll(edge, 1, 1)
    edge[:, ::9] = edge[:, :, ::11] = False
    return (255 * edge).astype(np.uint8)


def test_objects_are_taken(tmp_path: Path, cells: NDArray[np.uint32]) -> None:
    assert looked_at(tmp_path, cells) == []


@pytest.mark.parametrize(("count", "pieces", "side"), [(1, 5, 5), (4, 6, 4), (12, 15, 4)])
def test_sparse_neurites_in_many_pieces_are_taken_and_told(
    tmp_path: Path, count: int, pieces: int, side: int
) -> None:
    (note,) = looked_at(tmp_path, traced(count, pieces, side))
    assert f"{count} labels in {pieces} pieces a section each" in note


@pytest.mark.parametrize("what", ["classes", "membranes", "background", "grey"])
def test_what_is_no_object_is_refused(tmp_path: Path, cells: NDArray[np.uint32], what: str) -> None:
    labels: NDArray[np.generic] = {
        "classes": 1 + (cells % 3),
        "membranes": membranes(cells),
        "background": np.where(membranes(cells) > 0, 1, 2).astype(np.uint8),
        "grey": np.random.default_rng(0).integers(0, 255, cells.shape, dtype=np.uint8),
    }[what]
    with pytest.raises(StepError, match="expected labels, one an object, found"):
        looked_at(tmp_path, labels)
