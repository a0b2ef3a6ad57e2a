import json

import numpy as np
import pytest
from pycocotools import mask as coco_mask

from snakescope.imaging.masks import (
    Instance,
    MaskSet,
    cropped,
    decode,
    encode,
    intersection,
    iou,
    paint,
    read_masks,
    write_masks,
)
from snakescope.step.errors import StepError


def square(top: int, left: int, side: int = 4, identifier: int = 0) -> Instance:
    return Instance(0, identifier, top, left, np.ones((side, side), bool), 0.9)


@pytest.mark.parametrize("seed", range(20))
def test_encoding_is_read_by_pycocotools_and_by_us(seed: int) -> None:
    rng = np.random.default_rng(seed)
    frame = np.zeros((90, 70), bool)
    top, left = rng.integers(0, 50), rng.integers(0, 40)
    frame[top : top + 40, left : left + 30] = rng.random((40, 30)) > rng.uniform(0.05, 0.9)
    one = cropped(frame, 0, 0, 3, 300_001, 0.5)
    assert one is not None
    text = encode(one, 90, 70)
    theirs = coco_mask.decode({"size": text["size"], "counts": str(text["counts"]).encode()})
    assert np.array_equal(theirs.astype(bool), frame)
    ours = decode(text, 3, 300_001, 0.5)
    assert (ours.top, ours.left) == (one.top, one.left)
    assert np.array_equal(ours.mask, one.mask)


def test_a_full_frame_survives() -> None:
    one = Instance(0, 0, 0, 0, np.ones((5, 7), bool), 1.0)
    assert np.array_equal(decode(encode(one, 5, 7), 0, 0, 1.0).mask, one.mask)


def test_files_keep_overlapping_instances(tmp_path) -> None:  # type: ignore[no-untyped-def]
    masks = MaskSet("A1", 9.74, 50, 60, (0, 1), (square(3, 5), square(5, 6, identifier=1)))
    write_masks(tmp_path / "m.json", masks)
    back = read_masks(tmp_path / "m.json")
    assert (back.plate, back.height, back.width, back.timepoints) == ("A1", 50, 60, (0, 1))
    assert [one.identifier for one in back.at(0)] == [0, 1]
    assert intersection(*back.instances) == 2 * 3
    document = json.loads((tmp_path / "m.json").read_text())
    assert document["annotations"][0]["bbox"] == [5, 3, 4, 4]
    assert document["annotations"][0]["area"] == 16


def test_overlap_and_union() -> None:
    one, other, far = square(0, 0), square(2, 2), square(20, 20)
    assert intersection(one, other) == 4
    assert iou(one, other) == pytest.approx(4 / 28)
    assert iou(one, far) == 0.0
    assert paint([one, other], 5, 5).sum() == 16 + 9 - 4


def test_centroid_is_in_plate_coordinates() -> None:
    assert square(10, 20).centroid == (11.5, 21.5)


@pytest.mark.parametrize("text", ["", "{}", '{"info": {}}', "[1]"])
def test_another_file_is_refused_in_one_sentence(tmp_path, text: str) -> None:  # type: ignore[no-untyped-def]
    path = tmp_path / "m.json"
    path.write_text(text)
    with pytest.raises(StepError, match=r"m\.json: expected COCO instance masks"):
        read_masks(path)


def test_an_absent_file_is_named(tmp_path) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(StepError, match="found no such file"):
        read_masks(tmp_path / "none.json")
