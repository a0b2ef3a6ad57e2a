import json
from pathlib import Path

import cv2
import numpy as np
import pytest

from snakescope.healthspan.detection.detections import SoftDetection, View
from snakescope.healthspan.evaluation.detection_scores import (
    average_precision,
    boxes_found,
    detection_rows,
    score_image,
)
from snakescope.healthspan.evaluation.predictions import read_soft, write_soft
from snakescope.healthspan.training.labelled_images import (
    LabelledImage,
    coco_images,
    polygon_mask,
)
from snakescope.imaging.masks import Instance, iou

GROUND = np.full((300, 300), 64, np.uint8)


def bar(top: int, left: int, width: int = 8, score: float = 0.9, length: int = 100) -> Instance:
    return Instance(0, 0, top, left, np.ones((width, length), bool), score)


def image(name: str, worms: list[Instance], **more: object) -> LabelledImage:
    return LabelledImage(name, name, GROUND, worms, **more)  # type: ignore[arg-type]


def values(rows: list) -> dict[str, float]:  # type: ignore[type-arg]
    return {row.metric: row.value for row in rows}


def test_figures_of_two_images_by_hand() -> None:
    wall = np.full((300, 300), 50, np.float32)
    wall[:, 200:] = 5
    first = image("a", [bar(20, 20), bar(60, 20), bar(100, 20), bar(140, 190)], wall=wall)
    # One exact, one 3 px too thin (IoU .625), one missed, one at the wall missed, one false.
    found = [bar(20, 20), bar(61, 20, width=5), bar(200, 20)]
    second = image("b", [bar(20, 20)])
    scores = [score_image(first, found), score_image(second, [bar(20, 20)])]
    got = values(list(detection_rows("set", scores, exhaustive=True)))
    assert got["detection_f"] == pytest.approx(2 * 3 / (5 + 4))
    assert got["detection_f75"] == pytest.approx(2 * 2 / (5 + 4))
    assert got["recall"] == pytest.approx(3 / 5)
    assert got["wall_recall"] == 0
    assert got["straight_recall"] == pytest.approx(3 / 4)
    assert got["area_ratio"] == 1
    assert scores[0].width_errors[1] < -2


def test_a_count_by_eye_is_compared_with_the_number_of_detections() -> None:
    crowd = [image("a", [], exhaustive=False, counted=4), image("b", [], exhaustive=False)]
    found = [[bar(20, 20), bar(60, 20), bar(90, 20)], [bar(20, 20)]]
    scores = [score_image(*pair) for pair in zip(crowd, found, strict=True)]
    rows = list(detection_rows("crowd", scores, exhaustive=False))
    assert values(rows) == {"count_error": pytest.approx(0.25)}


def test_what_has_no_label_is_not_false() -> None:
    known = image("a", [bar(20, 20)], ignore=[(15.0, 195.0, 110.0, 20.0)])
    scores = score_image(known, [bar(20, 20), bar(200, 20), bar(250, 20)])
    assert scores.false == 1


def test_a_box_takes_one_detection_and_a_detection_one_box() -> None:
    boxes = [(20.0, 20.0, 60.0, 8.0), (25.0, 20.0, 60.0, 8.0), (20.0, 200.0, 50.0, 10.0)]
    assert boxes_found(boxes, [bar(20, 20)]).count(True) == 1
    assert boxes_found(boxes, [bar(20, 20), bar(20, 25)]) == [True, True, False]


def test_average_precision_is_1_only_for_the_exact_masks() -> None:
    truth = [image("a", [bar(20, 20), bar(60, 20)])]
    assert average_precision(truth, [[bar(20, 20), bar(60, 20)]]) == pytest.approx(1)
    thin = average_precision(truth, [[bar(20, 20), bar(61, 20, width=5)]])
    assert 0.5 < thin < 0.75


@pytest.mark.parametrize("scale", [0.6, 1.0, 2.0])
def test_polygons_along_pixels_give_the_area_that_was_drawn(scale: float, tmp_path: Path) -> None:
    mask = np.zeros((200, 200), np.uint8)
    cv2.line(mask, (40, 50), (150, 120), 1, 13)
    outlines, _ = cv2.findContours(mask, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
    polygon = outlines[0][:, 0].astype(float).ravel().tolist()
    size = round(200 * scale)
    one = polygon_mask([polygon], scale, (size, size), 0)
    assert one is not None
    assert one.area == pytest.approx(np.count_nonzero(mask) * scale**2, rel=0.05)
    whole = cv2.resize(mask.astype(np.float32), (size, size), interpolation=cv2.INTER_AREA) >= 0.5
    assert iou(one, Instance(0, 0, 0, 0, whole, 1.0)) > 0.9


def test_suspect_and_crowded_labels_are_ignored(tmp_path: Path) -> None:
    picture = np.full((120, 160), 200, np.uint8)
    cv2.imwrite(str(tmp_path / "p.jpg"), picture + np.arange(160, dtype=np.uint8)[None] % 3)
    square = [[10, 10, 40, 10, 40, 20, 10, 20]]
    notes = [
        {"image_id": 1, "segmentation": square, "bbox": [10, 10, 30, 10], "iscrowd": 0},
        {"image_id": 1, "segmentation": square, "bbox": [10, 10, 30, 10], "iscrowd": 1},
        {"image_id": 1, "segmentation": square, "bbox": [10, 10, 30, 10], "suspect": True},
    ]
    content = {"images": [{"id": 1, "file_name": "p.jpg"}], "annotations": notes}
    (tmp_path / "coco.json").write_text(json.dumps(content))
    (one,) = coco_images(tmp_path, {"p.jpg": 1.0}, exhaustive=False)
    assert len(one.worms) == 1
    assert len(one.ignore) == 2


def test_kept_predictions_come_back(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    masks = [rng.integers(0, 255, (4, 3 + k), np.uint8) for k in range(4)]
    view = View(-66, 374, 572, 572)
    found = [SoftDetection(view, 5 * k, 7, mask, 0.1 * k) for k, mask in enumerate(masks)]
    write_soft(tmp_path / "x.npz", found)
    back = read_soft(tmp_path / "x.npz")
    assert [(b.view, b.top, b.left, b.score) for b in back] == [
        (f.view, f.top, f.left, f.score) for f in found
    ]
    assert all(
        np.array_equal(b.probability, f.probability) for b, f in zip(back, found, strict=True)
    )
    write_soft(tmp_path / "none.npz", [])
    assert read_soft(tmp_path / "none.npz") == []
