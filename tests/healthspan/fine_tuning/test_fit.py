from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
import yaml

from snakescope.healthspan.detection.channel_overlay import GROUND
from snakescope.healthspan.evaluation.detection_scores import score_image
from snakescope.healthspan.fine_tuning.compare import (
    AFTER,
    DIFFERENCE,
    data_of,
    differences,
    settings_text,
    verdict,
)
from snakescope.healthspan.fine_tuning.fit import (
    best_threshold,
    detector_settings,
    digest_of,
    draw_annotated,
)
from snakescope.healthspan.fine_tuning.pictures import before_and_after
from snakescope.healthspan.fine_tuning.settings import FineTuneSettings
from snakescope.healthspan.training.detector_crops import draw_map
from snakescope.healthspan.training.detector_examples import Scene
from snakescope.healthspan.training.labelled_images import LabelledImage
from snakescope.healthspan.training.real_scenes import scenes_of
from snakescope.imaging.masks import Instance
from snakescope.report.pages import Row


def bar(top: int, left: int, width: int = 8) -> Instance:
    return Instance(0, top, top, left, np.ones((width, 90), bool), 0.9)


def picture(*worms: Instance, size: int = 220) -> np.ndarray:
    pixels = np.full((size, size), GROUND, np.uint8)
    for one in worms:
        pixels[one.top : one.bottom, one.left : one.right] = 220
    return pixels


TWO = (bar(60, 60), bar(130, 50))


def draw(step: int, crossings: float, jitter: float = 0.0, batch: int = 6) -> list[int]:
    """Worms on each crop of a step."""
    settings = detector_settings(FineTuneSettings(batch=batch, crop_px=200), "resnet18_half")
    scene = Scene(picture(*TWO), list(TWO))
    _, targets = draw_annotated([], settings, step, [scene], crossings, jitter)
    return [len(one["boxes"]) for one in targets]


def test_crossings_add_worms_to_annotated_crops_and_batches_repeat() -> None:
    plain, crossed = draw(3, 0.0), draw(3, 1.0)
    assert max(plain) <= 2 < max(crossed)
    settings = detector_settings(FineTuneSettings(batch=2, crop_px=200), "resnet18_half")
    scene = Scene(picture(*TWO), list(TWO))
    batch = partial(
        draw_annotated, [], settings, real=[scene], crossings_share=0.5, scale_jitter=0.2
    )
    one, again, other = batch(5), batch(5), batch(6)
    assert torch.equal(one[0][0], again[0][0]) and not torch.equal(one[0][0], other[0][0])


def test_jitter_changes_the_scale_and_nothing_without_it() -> None:
    centre = np.array([100.0, 100.0])
    plain = draw_map(np.random.default_rng(2), centre, 200)
    assert np.array_equal(plain, draw_map(np.random.default_rng(2), centre, 200, 0.0))
    sizes = [
        abs(np.linalg.det(draw_map(np.random.default_rng(s), centre, 200, 0.3)[:, :2]))
        / abs(np.linalg.det(draw_map(np.random.default_rng(s), centre, 200)[:, :2]))
        for s in range(60)
    ]
    assert np.exp(-0.6) <= min(sizes) < 0.75 and 1.3 < max(sizes) <= np.exp(0.6)


def test_large_worms_of_a_person_are_kept_and_what_has_no_mask_is_painted_over() -> None:
    worms = [bar(20, 20), bar(60, 20), Instance(0, 9, 100, 20, np.ones((16, 150), bool), 1.0)]
    pixels = picture(*worms)
    pixels[190:196, 100:150] = 250
    image = LabelledImage("a", "p", pixels, worms, ignore=[(100, 190, 50, 6)])
    (scene,) = scenes_of(image, 220, largest=np.inf)
    assert len(scene.worms) == 3 and scene.picture.max() == 220


def test_other_masks_or_pictures_are_another_training() -> None:
    one = LabelledImage("a", "p", picture(*TWO), list(TWO))
    thinner = LabelledImage("a", "p", picture(*TWO), [TWO[0], bar(130, 50, 7)])
    assert digest_of([one]) == digest_of([one]) != digest_of([thinner])
    assert digest_of([one]) != digest_of([LabelledImage("a", "p", picture(TWO[0]), list(TWO))])


def test_the_width_follows_the_annotations_and_ties_the_default() -> None:
    table = pd.DataFrame({"mask_threshold": [0.3, 0.4, 0.5, 0.6], "mask_iou": [0.7, 0.9, 0.8, 0.5]})
    assert best_threshold(table, 0.5) == 0.4
    table["mask_iou"] = [0.9, 0.9, 0.9, 0.5]
    assert best_threshold(table, 0.5) == 0.5


def scores(found: list[list[Instance]]) -> list[object]:
    images = [LabelledImage(str(k), f"p{k}", picture(*TWO), list(TWO)) for k in range(len(found))]
    return [score_image(image, one) for image, one in zip(images, found, strict=True)]


def test_differences_are_paired_and_said_in_words() -> None:
    poor, good = scores([[], [TWO[0]], []]), scores([list(TWO)] * 3)
    rows = list(differences(poor, good))  # type: ignore[arg-type]
    assert {row.metric for row in rows} == {"detection_f", "detection_f75"}
    assert all(row.set == DIFFERENCE and row.value > 0.5 and row.low > 0 for row in rows)
    assert "are better" in verdict(rows, 3)
    worse = list(differences(good, poor))  # type: ignore[arg-type]
    assert "do not use them" in verdict(worse, 3)
    assert "not sure" in verdict(list(differences(good, good)), 3)  # type: ignore[arg-type]
    lone = list(differences(poor[:1], good[:1]))  # type: ignore[arg-type]
    assert "single group" in verdict(lone, 1)


def test_the_settings_name_the_weights_and_a_threshold_that_is_no_default() -> None:
    text = settings_text("w.safetensors", 0.45, 0.5)
    assert text.splitlines()[-3:-1] == [
        "      weights: w.safetensors",
        "      mask_threshold: 0.45",
    ]
    # Masks that end where people draw them are not made wider by what worms are usually like.
    section = yaml.safe_load(text)["healthspan"]["detection"]["detect"]
    assert section["least_width"] == 0
    assert "mask_threshold" not in settings_text("w.safetensors", 0.5, 0.5)


def test_the_card_names_the_images_of_the_user_with_their_licence(tmp_path: Path) -> None:
    splits = pd.DataFrame(
        {
            "part": ["train", "train", "held_out"],
            "data": ["plates of 2025", "", "plates of 2024"],
            "licence": ["CC0", "", "CC BY"],
        }
    )
    named = {one.what: one.licence for one in data_of(splits, str(tmp_path / "w.safetensors"))}
    assert named["plates of 2025 (1 images)"] == "CC0"
    assert named["annotated images (1 images)"] == "not stated"
    assert not any("2024" in what for what in named)


def test_pictures_show_both_weights_and_every_kind_of_outline() -> None:
    image = LabelledImage("a", "p", picture(*TWO), list(TWO))
    pixels = before_and_after(image, {"before": [TWO[0], bar(190, 60)], "after": list(TWO)})
    assert pixels.shape[1] > 2 * 220 * 1.5 and pixels.dtype == np.uint8
    colours = {tuple(one) for one in pixels.reshape(-1, 3).tolist()}
    assert {(0x56, 0xB4, 0xE9), (0xF0, 0xA5, 0x00), (0xFF, 0x5F, 0xA8)} <= colours


@pytest.mark.parametrize("value", [float("nan"), 0.5])
def test_scores_that_are_no_numbers_do_not_reach_the_card(value: float) -> None:
    from snakescope.healthspan.fine_tuning.compare import score_set

    made = score_set([Row(AFTER, "ap", value, np.nan, np.nan, 4)], AFTER, "images")
    assert made.scores == ({} if np.isnan(value) else {"ap": 0.5})
