"""COCO files as programs write them, one tiny file for each way in which they differ."""

import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from benchmarks.healthspan.drawn_masks import overlaps
from snakescope.healthspan.fine_tuning.annotations import (
    Readings,
    check_dropped,
    check_upright,
    dropped_table,
)
from snakescope.healthspan.fine_tuning.coco import (
    files_in,
    of_coco,
    plain_name,
    read_coco,
)
from snakescope.healthspan.fine_tuning.masks import Annotations
from snakescope.healthspan.fine_tuning.polygons import FARTHEST_PX, drawn, filled, polygons_of
from snakescope.imaging.masks import cropped
from snakescope.step.errors import StepError
from tests.healthspan.fine_tuning.drawn import SIZE, worm

BAR = [20.0, 30.0, 100.0, 30.0, 100.0, 38.0, 20.0, 38.0]
BELOW = [value + 40 * (place % 2) for place, value in enumerate(BAR)]


def runs(mask: NDArray[np.bool_]) -> list[int]:
    """Run lengths of a mask, by columns, the first of ground."""
    flat = mask.T.ravel()
    edges = np.flatnonzero(np.diff(flat.astype(np.int8), prepend=0))
    return np.diff([0, *edges.tolist(), flat.size]).tolist()


def read(
    folder: Path, *notes: dict[str, Any], name: str = "a.png", image: str = "a.png", **more: Any
) -> Annotations:
    """The annotations of a file with one image, of categories worm (1) and egg (0)."""
    stated = {"id": 0, "file_name": name, "width": SIZE[1], "height": SIZE[0]}
    document = {
        "images": [stated | more.pop("stated", {})],
        "annotations": [
            {"id": number, "image_id": 0, "category_id": 1, "bbox": [0, 0, 1, 1], **note}
            for number, note in enumerate(notes)
        ],
        "categories": [{"id": 0, "name": "egg"}, {"id": 1, "name": "worm"}],
    }
    path = folder / "c.json"
    path.write_text(json.dumps(document), encoding="utf-8")
    read_coco.cache_clear()
    return of_coco(str(path), read_coco(str(path)), image, SIZE, **more)


def boxes(found: Annotations) -> list[tuple[int, int, int, int]]:
    return [(one.left, one.top, one.right, one.bottom) for one in found.worms]


def test_cvat_says_that_painted_masks_are_crowds(tmp_path: Path) -> None:
    one = {"size": list(SIZE), "counts": runs(worm(30, 20))}
    several = {"size": list(SIZE), "counts": runs(worm(30, 20) | worm(90, 20))}
    found = read(
        tmp_path,
        {"segmentation": one, "iscrowd": 1},
        {"segmentation": several, "iscrowd": 1},
        {"segmentation": [BAR], "iscrowd": 1, "bbox": [1, 2, 3, 4]},
    )
    assert boxes(found) == [(20, 30, 100, 38)]
    assert found.ignore == [(20, 30, 80, 68), (1.0, 2.0, 3.0, 4.0)]
    assert "marked as a crowd and is one piece" in found.notes[0]


def test_cvat_cuts_one_of_two_worms_that_cross(tmp_path: Path) -> None:
    other = [value + 8 * (place % 2) for place, value in enumerate(BAR)]
    found = read(tmp_path, {"segmentation": [BAR]}, {"segmentation": [other]})
    assert any("none overlaps another" in note for note in found.notes)
    across = [50.0, 10.0, 56.0, 10.0, 56.0, 60.0, 50.0, 60.0]
    found = read(tmp_path, {"segmentation": [BAR]}, {"segmentation": [across]})
    assert not found.notes


def test_cvat_masks_larger_than_the_picture_and_runs_beyond_it(tmp_path: Path) -> None:
    large = np.pad(worm(30, 20), ((0, 6), (0, 4)))
    found = read(
        tmp_path,
        {"segmentation": {"size": list(large.shape), "counts": runs(large)}, "bbox": [9, 9, 9, 9]},
        {"segmentation": {"size": list(SIZE), "counts": [5, 5]}},
        {"segmentation": {"size": [5, 5], "counts": [25]}},
        {"segmentation": [[1, 1, 2, 2]]},
    )
    assert boxes(found) == [(20, 30, 100, 38)]
    assert (found.stated, len(found.dropped)) == (4, 3)
    assert "run lengths that do not fill the image" in found.dropped


def compressed(counts: list[int]) -> str:
    """Run lengths as COCO compresses them, of what pycocotools does not write as well."""
    text = ""
    for place, count in enumerate(counts):
        value = count - (counts[place - 2] if place > 2 else 0)
        more = True
        while more:
            letter = value & 31
            value >>= 5
            more = value != (-1 if letter & 16 else 0)
            text += chr(48 + letter + 32 * more)
    return text


def test_run_lengths_that_do_not_fill_the_image_are_counted_whatever_their_form(
    tmp_path: Path,
) -> None:
    whole = runs(worm(30, 20))
    size = [SIZE[0], SIZE[1]]
    (kept,) = read(tmp_path, {"segmentation": {"size": size, "counts": compressed(whole)}}).worms
    assert kept.area == worm(30, 20).sum()
    short, negative = [*whole[:-1], whole[-1] - 1], [-5, size[0] * size[1] + 5]
    for counts in (compressed(short), "01", "zzzz", negative):
        found = read(tmp_path, {"segmentation": {"size": size, "counts": counts}})
        assert (found.worms, found.dropped) == ([], ["run lengths that do not fill the image"])
    cut = read(tmp_path, {"segmentation": {"size": size, "counts": compressed(whole)[:-1] + "P"}})
    many = read(tmp_path, {"segmentation": {"size": [10**5, 10**5], "counts": [10**10]}})
    assert cut.dropped == many.dropped == ["no polygon"]


def test_corners_far_out_of_the_image_are_counted(tmp_path: Path) -> None:
    # What draws polygons ended the process at such.
    far = [value if value < 100 else FARTHEST_PX * 10.0**4 for value in BAR]
    found = read(tmp_path, {"segmentation": [far]}, {"segmentation": [BAR]})
    assert boxes(found) == [(20, 30, 100, 38)]
    assert found.dropped == ["corners far out of the image"]


def test_annotations_are_of_one_image_or_the_file_is_refused(tmp_path: Path) -> None:
    assert len(read(tmp_path, {"segmentation": [BAR], "image_id": "0"}).worms) == 1
    with pytest.raises(StepError, match=r"images that it names, found 1 of others \(image_id 7\)"):
        read(tmp_path, {"segmentation": [BAR]}, {"segmentation": [BELOW], "image_id": 7})
    path = tmp_path / "twice.json"
    for key in ("id", "file_name"):
        images = [{"id": 1, "file_name": "a.png"}, {"id": 2, "file_name": "b.png"}]
        images[1][key] = images[0][key]
        path.write_text(json.dumps({"images": images, "annotations": []}))
        read_coco.cache_clear()
        with pytest.raises(StepError, match=f"each image once, found 2 images of the {key} "):
            read_coco(str(path))


@pytest.mark.parametrize("more", [{"attributes": ["x"]}, {"group_id": [1]}])
def test_attributes_of_another_form_group_nothing(tmp_path: Path, more: dict[str, Any]) -> None:
    notes = [{"segmentation": [polygon], **more} for polygon in (BAR, BELOW)]
    assert len(read(tmp_path, *notes).worms) == 2


@pytest.mark.parametrize("form", [BAR, [BAR], runs(worm(30, 20))])
def test_polygons_and_runs_may_be_one_flat_list(form: list[Any]) -> None:
    mask, cut = drawn(form, SIZE)
    assert np.array_equal(mask, worm(30, 20)) and not cut


def test_categories_go_by_name_and_may_be_number_0(tmp_path: Path) -> None:
    notes = ({"segmentation": [BAR]}, {"segmentation": [BELOW], "category_id": 0})
    assert len(read(tmp_path, *notes, classes=("worm",)).worms) == 1
    assert boxes(read(tmp_path, *notes, classes=("egg",))) == [(20, 70, 100, 78)]
    found = read(tmp_path, *notes)
    assert len(found.worms) == 2 and "classes egg, worm are all taken" in found.notes[0]
    with pytest.raises(StepError, match=r"class worms, .* found egg, worm; did you mean worm"):
        read(tmp_path, *notes, classes=("worms",))
    # A category without an annotation, as Roboflow puts above all others, is none.
    assert not read(tmp_path, notes[0]).notes


@pytest.mark.parametrize(
    ("name", "plain"),
    [
        ("..\\..\\upload\\3\\1f0c9a2b-plate7_t012.png", "plate7_t012"),
        ("images/1f0c9a2b-plate7_t012.png", "plate7_t012"),
        ("plate7_t012_png.rf.7b1e0b6c2d1f.jpg", "plate7_t012"),
        ("/data/local-files/?d=x/plate%207.tif", "plate 7"),
        ("plate7.2.png", "plate7.2"),
        ("1f0c9a2b-20261129-plate7.png", "20261129-plate7"),
    ],
)
def test_names_that_programs_changed(tmp_path: Path, name: str, plain: str) -> None:
    assert plain_name(name) == plain
    file = tmp_path / f"{plain}.png"
    file.touch()
    (tmp_path / "other.png").touch()
    assert len(read(tmp_path, {"segmentation": [BAR]}, name=name, image=str(file)).worms) == 1
    assert files_in(tmp_path, read_coco(str(tmp_path / "c.json"))) == [file]


def test_a_picture_that_is_turned_by_its_exif_data_is_refused(tmp_path: Path) -> None:
    picture = Image.fromarray(np.zeros((4, 6), np.uint8))
    exif = Image.Exif()
    exif[274] = 6
    picture.save(tmp_path / "a.jpg", exif=exif)
    with pytest.raises(StepError, match=r"a\.jpg: .*EXIF data turns \(orientation 6\)"):
        check_upright(str(tmp_path / "a.jpg"))
    picture.save(tmp_path / "b.tif")
    check_upright(str(tmp_path / "b.tif"))
    turned = {"width": SIZE[0], "height": SIZE[1]}
    with pytest.raises(StepError, match="of 170 x 150 px, as the picture is, found 150 x 170"):
        read(tmp_path, {"segmentation": [BAR]}, stated=turned)


def test_parts_and_groups_are_one_worm_and_an_inner_polygon_is_a_hole(tmp_path: Path) -> None:
    hole = [30.0, 32.0, 40.0, 32.0, 40.0, 36.0, 30.0, 36.0]
    island = [33.0, 33.0, 37.0, 33.0, 37.0, 35.0, 33.0, 35.0]
    found = read(
        tmp_path,
        {"segmentation": [BAR, BELOW]},
        {"segmentation": [BAR], "attributes": {"group_id": 3}},
        {"segmentation": [BELOW], "attributes": {"group_id": 3}},
        {"segmentation": [BAR, hole]},
        {"segmentation": [island, hole, BAR]},
    )
    assert [one.area for one in found.worms] == [1280, 1280, 640 - 40, 640 - 40 + 8]


def test_coordinates_may_begin_at_the_centre_of_the_first_pixel(tmp_path: Path) -> None:
    centred = [value - 0.5 for value in BAR]
    assert boxes(read(tmp_path, {"segmentation": [centred]}, origin="centre")) == [
        (20, 30, 100, 38)
    ]


def test_what_is_left_out_is_counted_and_more_than_a_little_is_refused() -> None:
    found = Readings(stated=40)
    found.dropped.update(["no polygon", "no polygon"])
    assert dropped_table(found).to_numpy().tolist() == [["given", 40], ["no polygon", 2]]
    check_dropped("s.tsv", found, 0.05)
    found.dropped.update(["no pixel on the image"])
    with pytest.raises(StepError, match=r"found 3 of 40 \(no polygon: 2; no pixel on the image: 1"):
        check_dropped("s.tsv", found, 0.05)


@pytest.mark.parametrize("width", [4, 6, 10])
def test_masks_come_back_from_polygons(width: int) -> None:
    """One's own to COCO and back: the overlap of every worm is .95 at least, .99 in the middle."""
    shared = overlaps(width, 20)
    assert min(shared) >= 0.95 and np.median(shared) >= 0.99


def test_a_worm_that_closes_a_ring_keeps_its_hole() -> None:
    ring = np.zeros((60, 60), np.uint8)
    cv2.circle(ring, (30, 30), 20, 1, 6)
    one = cropped(ring > 0, 0, 0, 0, 0, 1.0)
    assert one is not None
    (polygon,) = polygons_of(one)
    back = filled([polygon], (60, 60))
    assert (back & (ring > 0)).sum() / (back | (ring > 0)).sum() > 0.97
