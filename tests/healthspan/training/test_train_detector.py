from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from snakescope.healthspan.detection.channel_overlay import GROUND
from snakescope.healthspan.detection.model import (
    ANCHOR_RATIOS,
    ARCHITECTURES,
    SLENDER_RATIOS,
    MaskHead,
    as_input,
    build_detector,
    with_more_anchors,
)
from snakescope.healthspan.simulation.optics import TRAINING
from snakescope.healthspan.training.detector_crops import draw_centre, draw_crop, draw_map
from snakescope.healthspan.training.detector_examples import Scene, draw_scene
from snakescope.healthspan.training.detector_scores import match, score_scenes
from snakescope.healthspan.training.settings import TrainDetectorSettings
from snakescope.healthspan.training.train_detector import (
    draw_batch,
    draw_scenes,
    learning_rate,
    start_from,
    train,
)
from snakescope.imaging.masks import Instance
from snakescope.learning.precision import lower_precision
from snakescope.step.errors import StepError

SMALL = TrainDetectorSettings(
    scenes=4,
    scene_px=200,
    crop_px=128,
    steps=4,
    batch=1,
    checkpoint_every=2,
    warmup_steps=1,
    threads=1,
    precision="float32",
)


@pytest.fixture(scope="module")
def scenes() -> list[Scene]:
    return draw_scenes(3, 4, 200)


def bar(top: int, left: int, length: int = 60) -> Instance:
    return Instance(0, 0, top, left, np.ones((8, length), bool), 1.0)


def test_scenes_depend_on_their_seed_only() -> None:
    one, again, other = (
        draw_scene(np.random.default_rng([s, 1]), 160, TRAINING) for s in (5, 5, 6)
    )
    assert np.array_equal(one.picture, again.picture)
    assert not np.array_equal(one.picture, other.picture)


def test_worms_of_scenes_are_brighter_than_their_surroundings() -> None:
    brighter = []
    for number in range(12):
        scene = draw_scene(np.random.default_rng([8, number]), 256, TRAINING)
        for one in scene.worms:
            if one.area > 200:
                inside = scene.picture[one.top : one.bottom, one.left : one.right][one.mask]
                brighter.append(float(inside.mean()) > float(np.median(scene.picture)))
    assert np.mean(brighter) > 0.9


def test_a_crop_moves_picture_and_masks_alike() -> None:
    picture = np.full((300, 300), GROUND, np.uint8)
    worm = bar(150, 120)
    picture[150:158, 120:180] = 230
    scene = Scene(picture, [worm])
    seen = 0
    for seed in range(30):
        image, target = draw_crop(np.random.default_rng(seed), scene, 160)
        for mask, box in zip(target["masks"], target["boxes"], strict=True):
            body = mask.numpy() * 255 >= 128
            rows, columns = np.nonzero(body)
            assert box.tolist() == [
                columns.min(), rows.min(), columns.max() + 1, rows.max() + 1
            ]  # fmt: skip
            inside = float(image[0][torch.from_numpy(body)].mean())
            assert inside > float(image[0][mask == 0].mean()) + 0.2
            seen += 1
    assert seen > 10


def test_maps_turn_in_steps_of_30_degrees_and_keep_the_scale() -> None:
    for seed in range(20):
        matrix = draw_map(np.random.default_rng(seed), np.array([100.0, 140.0]), 320)
        assert 0.68 < abs(np.linalg.det(matrix[:, :2])) < 1.46
        assert matrix @ (100, 140, 1) == pytest.approx([160, 160])


def test_crops_look_at_worms_more_often_than_not() -> None:
    scene = Scene(np.full((800, 800), GROUND, np.uint8), [bar(300, 200), bar(500, 550)])
    centres = np.array([one.centroid[::-1] for one in scene.worms])
    near = 0
    for seed in range(60):
        aim = draw_centre(np.random.default_rng(seed), scene, 160)
        near += bool((np.abs(centres - aim) <= 0.3 * 160 + 1e-6).all(axis=1).any())
    assert near >= 0.5 * 60


def test_every_output_cell_of_the_mask_head_sees_the_whole_box() -> None:
    torch.manual_seed(0)
    head = MaskHead(64, (32, 48, 64)).eval()
    box = torch.rand(1, 64, 28, 28, requires_grad=True)
    head(box)[0, :, 0, 0].sum().backward()
    assert box.grad is not None
    assert float(box.grad[0, :, -4:, -4:].abs().max()) > 0


@pytest.mark.parametrize("architecture", ["resnet18_half", "mobilenet_v3"])
def test_masks_are_finer_than_torchvisions(architecture: str) -> None:
    model = build_detector(architecture).eval()
    pooled = torch.zeros(1, ARCHITECTURES[architecture].pyramid, 28, 28)
    assert model.roi_heads.mask_predictor(model.roi_heads.mask_head(pooled)).shape[-1] == 56


def test_a_tile_gives_objects_of_its_own_size() -> None:
    torch.manual_seed(0)
    model = build_detector("resnet18_half", score_threshold=0.0).eval()
    tile = as_input(torch.randint(0, 255, (96, 130), dtype=torch.uint8))
    with torch.inference_mode():
        output = model([tile])[0]
    assert output["masks"].shape[-2:] == (96, 130)


@pytest.mark.parametrize("training", [True, False])
def test_tiles_are_never_resized(training: bool) -> None:
    model = build_detector("resnet18_half_slender").train(training)
    images, _ = model.transform([torch.zeros(1, 96, 130)])
    assert images.image_sizes == [(96, 130)]


def test_the_rate_warms_up_and_falls_to_nothing() -> None:
    settings = TrainDetectorSettings(
        steps=1000, warmup_steps=100, learning_rate=0.02, cooldown=0.35
    )
    rates = [learning_rate(step, settings) for step in range(1000)]
    assert rates[0] == pytest.approx(0.0002)
    assert max(rates) == pytest.approx(0.02)
    assert rates[100:650] == [0.02] * 550
    assert rates[-1] == pytest.approx(0.02 / 350)


@pytest.mark.slow
def test_an_interrupted_training_ends_with_the_same_weights(
    tmp_path: Path, scenes: list[Scene]
) -> None:
    torch.set_num_threads(1)
    whole = train(SMALL, scenes).state_dict()
    train(SMALL.model_copy(update={"steps": 4}), scenes, tmp_path / "c.pt")
    first = tmp_path / "first.pt"
    # The checkpoint of step 2, as an interruption would have left it.
    saved = torch.load(tmp_path / "c.pt", weights_only=True)
    assert saved["step"] == 4
    train_until(2, scenes, first)
    resumed = train(SMALL, scenes, first).state_dict()
    assert all(torch.equal(whole[name], resumed[name]) for name in whole)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("changed", "named"),
    [
        ({"seed": 2}, "seed"),
        ({"architecture": "resnet18"}, "architecture"),
        ({"steps": 2}, "steps"),  # the rate had begun to fall: it would have fallen elsewhere
    ],
)
def test_a_checkpoint_of_another_training_is_refused(
    tmp_path: Path, scenes: list[Scene], changed: dict[str, Any], named: str
) -> None:
    train(SMALL, scenes, tmp_path / "c.pt")
    with pytest.raises(StepError, match=f"found one with another {named}; remove it"):
        train(SMALL.model_copy(update=changed), scenes, tmp_path / "c.pt")


def test_a_checkpoint_that_does_not_say_of_what_it_is_is_refused(
    tmp_path: Path, scenes: list[Scene]
) -> None:
    torch.save({"step": 4}, tmp_path / "c.pt")
    with pytest.raises(StepError, match="expected a training checkpoint"):
        train(SMALL, scenes, tmp_path / "c.pt")


@pytest.mark.slow
def test_a_training_can_be_made_longer_before_its_rate_falls(
    tmp_path: Path, scenes: list[Scene]
) -> None:
    short = SMALL.model_copy(update={"cooldown": 0.25})
    long = short.model_copy(update={"steps": 6, "device": "cpu", "threads": 2})
    train(short, scenes, tmp_path / "c.pt")
    resumed = train(long, scenes, tmp_path / "c.pt").state_dict()
    whole = train(long, scenes).state_dict()
    assert all(torch.equal(whole[name], resumed[name]) for name in whole)


def train_until(step: int, scenes: list[Scene], checkpoint: Path) -> None:
    """Run the training of SMALL and stop it right after its checkpoint of ``step``."""

    class Stopped(Exception):
        pass

    def draw_or_stop(scenes, settings, at, real):  # type: ignore[no-untyped-def]
        if at == step:
            raise Stopped
        return draw_batch(scenes, settings, at, real)

    with pytest.raises(Stopped):
        train(SMALL, scenes, checkpoint, draw=draw_or_stop)


def test_further_anchors_begin_as_those_of_the_nearest_ratio() -> None:
    torch.manual_seed(1)
    before = build_detector("resnet18_half").state_dict()
    weights = with_more_anchors(before, "resnet18_half", "resnet18_half_slender")
    assert weights is not None
    slender = build_detector("resnet18_half_slender")
    slender.load_state_dict(weights)
    head = "rpn.proposals.head."
    for name, parts in (("cls_logits", 1), ("bbox_pred", 4)):
        old = before[f"{head}{name}.weight"].reshape(len(ANCHOR_RATIOS), 2, parts, -1)
        new = weights[f"{head}{name}.weight"].reshape(len(SLENDER_RATIOS), 2, parts, -1)
        assert torch.equal(new[1:-1], old)
        assert torch.equal(new[0], old[0])
        assert torch.equal(new[-1], old[-1])
    assert with_more_anchors(before, "resnet18_half", "resnet50") is None


def test_an_anchor_fits_a_straight_worm_along_the_rows() -> None:
    generator = build_detector("resnet18_half_slender").rpn.proposals.anchor_generator
    boxes = torch.cat(list(generator.cell_anchors))
    for wide, high in ((128.0, 12.0), (12.0, 128.0)):
        width, height = boxes[:, 2] - boxes[:, 0], boxes[:, 3] - boxes[:, 1]
        shared = width.clamp(max=wide) * height.clamp(max=high)
        assert float((shared / (width * height + wide * high - shared)).max()) > 0.7


def test_boxes_stay_in_single_precision_where_the_trunk_does_not() -> None:
    torch.manual_seed(0)
    model = build_detector("resnet18_half")
    inputs = torch.rand(1, 1, 96, 96)
    exact = model.backbone(inputs)
    with lower_precision([model.backbone], torch.device("cpu"), torch.bfloat16):
        lowered = model.backbone(inputs)
    assert {level.dtype for level in lowered.values()} == {torch.float32}
    assert torch.equal(lowered["stride8"], lowered["stride8"].bfloat16().float())
    assert not torch.equal(exact["stride8"], lowered["stride8"])
    assert torch.equal(exact["stride8"], model.backbone(inputs)["stride8"])


def test_matching_is_one_to_one() -> None:
    truth = [bar(0, 0), bar(50, 0)]
    found = [bar(0, 1), bar(0, 3), bar(100, 0)]
    result = match(truth, found)
    assert [(t, d) for t, d, _ in result.pairs] == [(0, 0)]
    assert (result.truths, result.detections) == (2, 3)


def test_scores_of_a_blind_detector_are_nothing(scenes: list[Scene]) -> None:
    model = build_detector("resnet18_half", score_threshold=0.9999).eval()
    scores = score_scenes(model, scenes[:1], score_threshold=0.9999)
    assert scores["recall"] == 0
    assert scores["f"] == 0


def test_shipped_weights_to_start_from_are_found_in_any_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    shipped = "resources/models/healthspan/detector.safetensors"
    start_from(
        build_detector(SMALL.architecture), SMALL.model_copy(update={"start_weights": shipped})
    )
    with pytest.raises(StepError, match=r"absent.safetensors.*found no such file"):
        start_from(
            build_detector(SMALL.architecture),
            SMALL.model_copy(update={"start_weights": "absent.safetensors"}),
        )
