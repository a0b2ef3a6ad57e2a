from pathlib import Path

import numpy as np
import pytest
import tifffile
from pycocotools import mask as coco_mask

from snakescope.healthspan.fine_tuning.coco import of_coco, read_coco
from snakescope.healthspan.fine_tuning.masks import (
    label_stack,
    read_label_image,
    read_single_masks,
    rescaled,
    write_label_stack,
)
from snakescope.healthspan.fine_tuning.polygons import drawn
from snakescope.imaging.masks import Instance, cropped
from snakescope.step.errors import StepError
from tests.healthspan.fine_tuning.drawn import SIZE, worm, write_coco, write_png

BAR = [20.0, 30.0, 100.0, 30.0, 100.0, 38.0, 20.0, 38.0]
"""The polygon of ``worm(30, 20)``."""


def test_numbers_of_a_label_image_are_worms(tmp_path: Path) -> None:
    labels = np.zeros(SIZE, np.uint16)
    labels[worm(20, 20)] = 7
    labels[worm(90, 20)] = 300
    found = read_label_image(str(write_png(tmp_path / "l.png", labels)), SIZE)
    assert [(one.top, one.left, one.area) for one in found.worms] == [(20, 20, 640), (90, 20, 640)]
    assert not found.notes


def test_a_label_image_without_numbers_is_taken_apart_and_noted(tmp_path: Path) -> None:
    labels = (worm(20, 20) | worm(90, 20)).astype(np.uint8) * 255
    found = read_label_image(str(write_png(tmp_path / "l.png", labels)), SIZE)
    assert [one.top for one in found.worms] == [20, 90]
    assert len(found.notes) == 1 and "one number for all worms" in found.notes[0]


def crossing() -> list[Instance]:
    """Two worms that cross, and one apart."""
    across = np.zeros(SIZE, bool)
    across[10:90, 50:58] = True
    made = [cropped(one, 0, 0, 0, k, 1.0) for k, one in
            enumerate((worm(30, 20), across, worm(110, 20)))]  # fmt: skip
    return [one for one in made if one is not None]


def test_worms_that_cross_are_whole_in_a_stack_of_labels(tmp_path: Path) -> None:
    worms = crossing()
    stack = label_stack(worms, [4, 9, 2], SIZE)
    assert stack.shape == (2, *SIZE) and set(np.unique(stack[0])) == {0, 4, 2}
    write_label_stack(tmp_path / "l.tif", stack)
    found = read_label_image(str(tmp_path / "l.tif"), SIZE)
    assert sorted(one.area for one in found.worms) == sorted(one.area for one in worms)
    assert not found.notes
    # As napari writes a layer, without anything said of axes; and one layer alone.
    tifffile.imwrite(tmp_path / "plain.tif", stack.astype(np.int32))
    assert len(read_label_image(str(tmp_path / "plain.tif"), SIZE).worms) == 3
    write_label_stack(tmp_path / "one.tif", stack[:1])
    assert len(read_label_image(str(tmp_path / "one.tif"), SIZE).worms) == 2
    with pytest.raises(StepError, match=r"layers of labels .* 20 x 10 px, found 170 x 150"):
        read_label_image(str(tmp_path / "l.tif"), (10, 20))


def test_a_number_on_two_layers_is_one_worm_where_it_touches_itself(tmp_path: Path) -> None:
    stack = np.zeros((2, *SIZE), np.uint8)
    stack[0, 30:38, 20:60] = stack[1, 30:38, 60:100] = 1
    stack[0, 60:68, 20:100] = stack[1, 90:98, 20:100] = 2
    tifffile.imwrite(tmp_path / "l.tif", stack)
    found = read_label_image(str(tmp_path / "l.tif"), SIZE)
    assert [(one.top, one.area) for one in found.worms] == [(30, 640), (60, 640), (90, 640)]
    assert len(found.notes) == 2
    assert "worm 1 has pieces" in found.notes[0] and "label 2 is 2 worms" in found.notes[1]


def test_masks_of_another_size_than_their_image_are_refused(tmp_path: Path) -> None:
    path = write_png(tmp_path / "l.png", np.ones((20, 30), np.uint8))
    with pytest.raises(StepError, match=r"170 x 150 px, found 30 x 20"):
        read_label_image(str(path), SIZE)


def test_single_masks_may_overlap_and_bad_ones_are_left_out(tmp_path: Path) -> None:
    paths = [
        write_png(tmp_path / "1.png", worm(30, 20).astype(np.uint8)),
        write_png(tmp_path / "2.png", worm(32, 40).astype(np.uint8)),
        write_png(tmp_path / "3.png", np.zeros(SIZE, np.uint8)),
        tmp_path / "4.png",
    ]
    paths[3].write_bytes(b"no image")
    found = read_single_masks([str(path) for path in paths], SIZE)
    assert [one.left for one in found.worms] == [20, 40]
    assert len(found.notes) == 2
    assert any("4.png" in note for note in found.notes)
    with pytest.raises(StepError, match=r"4\.png"):
        read_single_masks([str(paths[3])], SIZE)


@pytest.mark.parametrize("form", ["polygon", "plain", "compressed"])
def test_all_forms_of_coco_draw_the_same_worm(form: str) -> None:
    wanted = worm(30, 20)
    coded = coco_mask.encode(np.asfortranarray(wanted.astype(np.uint8)))
    runs = np.diff(np.flatnonzero(np.diff(wanted.T.ravel(), prepend=False, append=False)))
    first = int(np.flatnonzero(wanted.T.ravel())[0])
    counts = [first, *runs.tolist()]
    forms = {
        "polygon": [BAR],
        "plain": {"size": list(SIZE), "counts": [*counts, wanted.size - sum(counts)]},
        "compressed": {"size": list(SIZE), "counts": coded["counts"].decode()},
    }
    assert np.array_equal(drawn(forms[form], SIZE)[0], wanted)


def test_annotations_that_cannot_be_used_are_named_one_by_one(tmp_path: Path) -> None:
    outside = [v + 500 for v in BAR]
    across = [v - 60 if k % 2 == 0 else v for k, v in enumerate(BAR)]
    notes = [
        {"segmentation": [BAR]},
        {"segmentation": []},
        {"segmentation": [outside]},
        {"segmentation": [across]},
        {"segmentation": {"size": [5, 5], "counts": [25]}},
        {"segmentation": [BAR], "iscrowd": 1, "bbox": [1, 2, 3, 4]},
    ]
    path = write_coco(tmp_path / "c.json", {"plates/a.png": notes})
    found = of_coco(str(path), read_coco(str(path)), "data/plates/a.png", SIZE)
    assert [(one.left, one.right) for one in found.worms] == [(20, 100), (0, 40)]
    assert found.ignore == [(1.0, 2.0, 3.0, 4.0)]
    said = " ".join(found.notes)
    assert all(f"annotation {number}" in said for number in (1, 2, 3, 4))
    with pytest.raises(StepError, match=r"found it 0 times"):
        of_coco(str(path), read_coco(str(path)), "b.png", SIZE)


def test_a_file_that_is_no_coco_is_refused_in_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "c.json").write_text('{"images": [{}]}')
    with pytest.raises(StepError, match="expected a COCO file"):
        read_coco(str(tmp_path / "c.json"))


@pytest.mark.parametrize("factor", [0.5, 0.8, 1.7])
def test_masks_keep_place_and_width_at_another_scale(factor: float) -> None:
    whole = cropped(worm(31, 21, 81, 9), 0, 0, 0, 0, 1.0)
    assert isinstance(whole, Instance)
    wanted = (round(SIZE[0] * factor), round(SIZE[1] * factor))
    (one,) = rescaled([whole], SIZE, wanted)
    y, x = (np.array(whole.centroid) + 0.5) * factor - 0.5
    assert np.allclose(one.centroid, (y, x), atol=0.5)
    assert one.area / factor**2 == pytest.approx(whole.area, rel=0.12)


def test_what_is_cut_at_the_border_stays_on_the_image() -> None:
    whole = cropped(worm(142, 100, 70, 8), 0, 0, 0, 0, 1.0)
    assert isinstance(whole, Instance)
    (one,) = rescaled([whole], SIZE, (60, 68))
    assert one.bottom <= 60 and one.right <= 68
