"""The semantic baseline: classes of pixels, and worms from them."""

from pathlib import Path

import numpy as np
import pytest
import torch

from snakescope.healthspan.paper.detection import (
    OVERLAY,
    draw_images,
    rows_of,
    scored,
    tuned_area,
)
from snakescope.healthspan.paper.semantic import (
    BODY,
    NAME,
    OVERLAP,
    WIDTHS,
    SemanticUNet,
    class_map,
    classes_of,
    load_semantic,
    worms_of_classes,
)
from snakescope.healthspan.paper.settings import PaperDetectionSettings, PaperSemanticSettings
from snakescope.healthspan.paper.train_semantic import train
from snakescope.healthspan.training.train_detector import draw_scenes
from snakescope.imaging.masks import Instance
from snakescope.learning.weights import save_weights
from snakescope.step.errors import StepError


def bars(*places: tuple[int, int, int, int]) -> torch.Tensor:
    """Masks (n, 60, 60) of bars: top, left, bottom, right."""
    masks = torch.zeros(len(places), 60, 60)
    for mask, (top, left, bottom, right) in zip(masks, places, strict=True):
        mask[top:bottom, left:right] = 1
    return masks


ENDS = bars((10, 5, 16, 40), (10, 34, 50, 40))
CROSS = bars((30, 5, 36, 55), (5, 30, 55, 36))


def areas(worms: list[Instance]) -> list[int]:
    return sorted(one.area for one in worms)


def test_a_pixel_of_two_bodies_is_overlap_and_half_covered_ones_count() -> None:
    classes = class_map(torch.cat([ENDS, 0.4 * bars((50, 50, 60, 60))]))
    assert int((classes == OVERLAP).sum()) == 36
    assert int((classes == BODY).sum()) == 6 * 29 + 6 * 34
    assert classes[55, 55] == 0


def test_the_overlap_belongs_to_all_bodies_that_touch_it() -> None:
    worms = worms_of_classes(class_map(ENDS).numpy().astype(np.uint8), 1)
    assert areas(worms) == [6 * 35, 6 * 40]


def test_an_overlap_that_is_missed_leaves_one_worm() -> None:
    joined = (ENDS.sum(dim=0) > 0).numpy().astype(np.uint8)
    assert areas(worms_of_classes(joined, 1)) == [6 * 35 + 6 * 40 - 36]


def test_a_crossing_falls_into_its_arms() -> None:
    assert len(worms_of_classes(class_map(CROSS).numpy().astype(np.uint8), 1)) == 4


def test_a_speck_at_an_overlap_does_not_become_a_worm_by_it() -> None:
    classes = class_map(ENDS).numpy().astype(np.uint8)
    classes[9, 38] = BODY
    assert len(worms_of_classes(classes, 1)) == 3
    assert areas(worms_of_classes(classes, 5)) == [6 * 35, 6 * 40]


def test_small_bodies_are_left_out_and_a_lone_overlap_is_a_worm() -> None:
    classes = np.zeros((60, 60), np.uint8)
    classes[5:9, 5:9], classes[30:40, 30:50] = BODY, OVERLAP
    assert areas(worms_of_classes(classes, 17)) == [200]
    assert areas(worms_of_classes(classes, 1)) == [16, 200]


def test_a_picture_of_any_size_has_a_class_a_pixel() -> None:
    classes = classes_of(SemanticUNet().eval(), np.full((45, 70), 64, np.uint8))
    assert classes.shape == (45, 70) and classes.max() <= OVERLAP


TINY = PaperSemanticSettings(scenes=1, scene_px=128, crop_px=64, steps=2, batch=2)


def test_a_training_goes_on_from_its_checkpoint_and_its_weights_load(tmp_path: Path) -> None:
    scenes = draw_scenes(1, 1, 128)
    model = train(TINY, scenes, tmp_path / "x.ckpt")
    again = train(TINY, scenes, tmp_path / "x.ckpt")
    for one, other in zip(model.parameters(), again.parameters(), strict=True):
        assert torch.equal(one, other)
    path = tmp_path / "w.safetensors"
    save_weights(path, model, {"architecture": NAME, "widths": list(WIDTHS)})
    loaded = load_semantic(path)
    picture = scenes[0].picture
    assert np.array_equal(classes_of(loaded, picture), classes_of(again, picture))
    save_weights(path, model, {"architecture": "another"})
    with pytest.raises(StepError, match="expected weights of the semantic baseline"):
        load_semantic(path)


def test_perfect_classes_of_worms_that_do_not_touch_score_one() -> None:
    images = draw_images(PaperDetectionSettings(scene_px=420), 0, 1)[OVERLAY]
    image = images[0]
    assert image.worms and image.ignore
    singles = [one for k, one in enumerate(image.worms) if not scored(images, [[]])[0].crossed[k]]
    rows = {row.metric: row for row in rows_of("s", "m", scored(images, [singles]), (0.1,) * 4)}
    assert rows["precision"].value == 1
    assert rows["recall"].value == pytest.approx(len(singles) / len(image.worms))
    assert rows["recall"].paper == 0.1 and rows["recall"].table == "table 2"


def test_the_least_area_is_chosen_by_f(monkeypatch: pytest.MonkeyPatch) -> None:
    images = draw_images(PaperDetectionSettings(scene_px=420), 0, 1)[OVERLAY]
    truth = np.zeros(images[0].picture.shape, np.uint8)
    for one in images[0].worms:
        truth[one.top : one.bottom, one.left : one.right][one.mask] = BODY
    truth[2:6, 2:20] = BODY  # 72 px of dirt.
    monkeypatch.setattr("snakescope.healthspan.paper.detection.classes_of", lambda *_: truth)
    assert tuned_area(SemanticUNet(), images) > 72
