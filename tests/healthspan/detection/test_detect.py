import json
from pathlib import Path
from types import SimpleNamespace

import cv2
import numpy as np
import pytest
import torch
from torch import nn

from snakescope.healthspan.detection.channel_overlay import GROUND
from snakescope.healthspan.detection.detect import (
    check_pixel_size,
    load_detector,
    read_surroundings,
)
from snakescope.healthspan.detection.detections import TileDetection
from snakescope.healthspan.detection.search import find_objects
from snakescope.healthspan.detection.settings import DetectSettings
from snakescope.healthspan.detection.size_prior import length_px
from snakescope.healthspan.detection.sorting import Surroundings, sort_out
from snakescope.healthspan.detection.views import Disc, parts_of, view, worth_a_look
from snakescope.imaging.stacks import Stack, write_stack
from snakescope.learning.weights import save_weights
from snakescope.step.errors import StepError

SETTINGS = DetectSettings(max_view_px=440)
BLANK = np.full((880, 880), GROUND, np.uint8)


class Bright(nn.Module):
    """A detector that takes every bright piece for a worm that fills its box."""

    def __init__(self) -> None:
        super().__init__()
        self.anything = nn.Parameter(torch.zeros(1))

    def transform(self, tiles: list[torch.Tensor]) -> tuple[SimpleNamespace, None]:
        sizes = [(tile.shape[-2], tile.shape[-1]) for tile in tiles]
        return SimpleNamespace(tensors=torch.stack(tiles), image_sizes=sizes), None

    def backbone(self, tensors: torch.Tensor) -> torch.Tensor:
        return tensors

    def rpn(self, images: SimpleNamespace, features: torch.Tensor) -> tuple[None, None]:
        return None, None

    def roi_heads(
        self, features: torch.Tensor, proposals: None, sizes: list[tuple[int, int]]
    ) -> tuple[list[dict[str, torch.Tensor]], None]:
        outputs = []
        for tile in features:
            bright = (tile[0].numpy() > 0.6).astype(np.uint8)
            count, _, statistics, _ = cv2.connectedComponentsWithStats(bright)
            # In whole numbers a box runs from centre to centre of pixels.
            corners = statistics[1:, :4].astype(np.float32) - 0.5 * np.array([1, 1, 0, 0])
            corners[:, 2:] += corners[:, :2]
            outputs.append(
                {
                    "scores": torch.full((count - 1,), 0.9),
                    "boxes": torch.from_numpy(corners.astype(np.float32)),
                    "masks": torch.ones(count - 1, 1, 56, 56),
                }
            )
        return outputs, None


def frame_with(*bars: tuple[slice, slice]) -> np.ndarray:  # type: ignore[type-arg]
    frame = np.full((880, 880), GROUND, np.uint8)
    for one in bars:
        frame[one] = 220
    return frame


CORNERS = [(top, left) for top in (0, 440) for left in (0, 440)]


def found_on(frame: np.ndarray, settings: DetectSettings = SETTINGS):  # type: ignore[no-untyped-def, type-arg]
    objects = find_objects(Bright(), frame, CORNERS, 440, 4, settings)  # type: ignore[arg-type]
    return sort_out(objects, frame, 9.74, settings, Surroundings())


@pytest.mark.parametrize(
    "worm",
    [
        (slice(200, 208), slice(390, 500)),
        (slice(380, 490), slice(436, 444)),
        (slice(436, 444), slice(400, 505)),
    ],
)
def test_a_worm_on_a_seam_is_found_once_and_whole(worm: tuple[slice, slice]) -> None:
    worms, dropped = found_on(frame_with(worm))
    (one,) = worms
    assert (one.top, one.bottom) == (worm[0].start, worm[0].stop)
    assert (one.left, one.right) == (worm[1].start, worm[1].stop)
    assert one.identifier == 400_000
    assert {left_out.reason for left_out in dropped} == {"duplicate"}


def test_without_the_margin_that_worm_would_be_cut() -> None:
    worms, _ = found_on(
        frame_with((slice(200, 208), slice(380, 500))), SETTINGS.model_copy(update={"halo_px": 0})
    )
    assert len(worms) == 2


def test_everything_dropped_has_its_reason() -> None:
    frame = frame_with(
        (slice(100, 108), slice(100, 210)),
        (slice(300, 306), slice(100, 120)),
        (slice(600, 640), slice(600, 640)),
    )
    worms, dropped = found_on(frame)
    assert len(worms) == 1
    assert sorted(one.reason for one in dropped) == ["dust", "too small"]


def test_faint_objects_can_be_left_out() -> None:
    frame = frame_with((slice(300, 340), slice(300, 340)))
    frame[100:108, 100:210] = GROUND + 96
    assert len(found_on(frame)[0]) == 1
    worms, dropped = found_on(frame, SETTINGS.model_copy(update={"min_contrast": 120.0}))
    assert worms == []
    assert sorted(one.reason for one in dropped) == ["dust", "faint"]


def test_a_mask_of_two_worms_side_by_side_hides_neither() -> None:
    frame = frame_with((slice(100, 108), slice(100, 210)), (slice(109, 117), slice(100, 210)))
    bar = np.ones((8, 110), bool)
    others = [TileDetection(0, 0, 200 + 30 * k, 500, bar, 0.95) for k in range(6)]
    for one in others:
        frame[one.top : one.bottom, one.left : one.right] = 220
    pair = [TileDetection(0, 0, top, 100, bar, 0.6) for top in (100, 109)]
    both = TileDetection(0, 0, 100, 100, np.ones((15, 110), bool), 0.99)
    worms, dropped = sort_out([*others, *pair, both], frame, 9.74, SETTINGS, Surroundings())
    assert [(one.top, one.left) for one in worms[:2]] == [(100, 100), (109, 100)]
    assert len(worms) == 8
    assert [one.reason for one in dropped] == ["too large"]


def test_the_dishs_edge_is_left_out() -> None:
    worm = TileDetection(0, 0, 100, 10, np.ones((110, 8), bool), 0.9)
    dish = Disc(155.0, 400.0, 395.0)
    worms, dropped = sort_out([worm], BLANK, 9.74, SETTINGS, Surroundings(dish))
    assert worms == []
    assert dropped[0].reason == "edge of dish"
    assert sort_out([worm], BLANK, 9.74, SETTINGS, Surroundings(Disc(155.0, 400.0, 450.0)))[0]


def test_length_of_a_bent_worm_follows_it() -> None:
    angle = np.linspace(0, np.pi, 400)
    mask = np.zeros((60, 120), bool)
    for radius in np.linspace(46, 53, 20):
        mask[
            (55 - radius * np.sin(angle)).astype(int), (60 - radius * np.cos(angle)).astype(int)
        ] = True
    assert length_px(TileDetection(0, 0, 0, 0, mask, 1.0)) == pytest.approx(
        np.pi * 50 + 7, rel=0.08
    )


def test_views_beyond_the_frame_show_ground() -> None:
    frame = np.arange(100, dtype=np.uint8).reshape(10, 10)
    picture = view(frame, (0, 5, 5, 5), 3)
    assert picture.shape == (11, 11)
    assert (picture[:3] == GROUND).all()
    assert np.array_equal(picture[3:8, 3:8], frame[0:5, 5:10])
    assert (picture[:, 8:] == GROUND).all()


@pytest.mark.parametrize("size", [(3080, 3080), (520, 696), (2000, 1200), (440, 440)])
def test_parts_cover_the_frame_and_are_no_larger_than_allowed(size: tuple[int, int]) -> None:
    corners = [(t, lf) for t in range(0, size[0], 440) for lf in range(0, size[1], 440)]
    parts = parts_of(size, corners, 440, 1100, 66)
    covered = np.zeros(size, int)
    for top, left, height, width in parts:
        assert (height + 132) % 32 == (width + 132) % 32 == 0
        assert max(height, width) <= 1100 + 32
        covered[top : top + height, left : left + width] += 1
    assert (covered == 1).all()
    assert len(parts) <= len(corners)


def test_where_tiles_are_left_out_each_is_looked_at_by_itself() -> None:
    assert parts_of((880, 880), [(0, 440)], 440, 1100, 66) == [(0, 440, 440, 440)]
    assert len(parts_of((880, 880), CORNERS, 440, 440, 66)) == 4


def test_empty_and_outlying_views_are_skipped() -> None:
    empty = np.full((100, 100), GROUND, np.uint8)
    busy = empty.copy()
    busy[40:60, 40:60] = 200
    dish = Disc(500, 500, 300)
    assert not worth_a_look(empty, 450, 450, dish)
    assert worth_a_look(busy, 450, 450, dish)
    assert not worth_a_look(busy, 0, 0, dish)
    assert worth_a_look(busy, 0, 0, None)


def test_other_weights_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "w.safetensors"
    card = {"architecture": "resnet18_half", "model_pixel_size_um": 9.74}
    save_weights(path, nn.Linear(2, 2), card)
    with pytest.raises(StepError, match="expected weights of this workflow's worm detector"):
        load_detector(str(path), None, SETTINGS)
    with pytest.raises(StepError, match="expected weights with SHA-256 0"):
        load_detector(str(path), "0" * 64, SETTINGS)
    with pytest.raises(StepError, match="found no such file"):
        load_detector(str(tmp_path / "none"), None, SETTINGS)


def test_tiles_of_another_pixel_size_than_the_detectors_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "tiles.ome.tif"
    tile = np.full((64, 64), GROUND, np.uint8)
    for size_um in (9.74, 5.0, None):
        write_stack(path, [tile], 1, ["overlay"], 64, 64, np.uint8, pixel_size_um=size_um)
        with Stack(path) as tiles:
            if size_um != 5.0:
                check_pixel_size(tiles, 9.74)
                continue
            with pytest.raises(
                StepError, match=r"found 5; set detection: tile: model_pixel_size_um: 9\.74"
            ):
                check_pixel_size(tiles, 9.74)
    write_stack(path, [], 0, ["overlay"], 64, 64, np.uint8, pixel_size_um=5.0)
    with Stack(path) as tiles:
        check_pixel_size(tiles, 9.74)


def test_the_mark_is_no_worm_and_a_worm_beside_it_is_one() -> None:
    arm = TileDetection(0, 0, 100, 100, np.ones((12, 90), bool), 0.9)
    beside = TileDetection(0, 0, 150, 100, np.ones((8, 110), bool), 0.9)
    mark = Disc(105.5, 144.5, 32.0)
    worms, dropped = sort_out([arm, beside], BLANK, 9.74, SETTINGS, Surroundings(None, mark))
    assert [one.top for one in worms] == [150]
    assert [one.reason for one in dropped] == ["registration mark"]


def test_dish_and_mark_are_read_in_plate_coordinates(tmp_path: Path) -> None:
    path = tmp_path / "r.json"
    seen = {
        "dish_centre_px": [100, 200],
        "dish_radius_px": 50,
        "mark": {"found": True, "y_px": 10, "x_px": 20, "span_px": 100},
    }
    path.write_text(json.dumps(seen))
    assert read_surroundings(path, 3.0) == Surroundings(Disc(300, 600, 150), Disc(30, 60, 105))
    none = {"dish_centre_px": None, "dish_radius_px": None, "mark": {"found": False}}
    path.write_text(json.dumps(none))
    assert read_surroundings(path, 3.0) == Surroundings()
    path.write_text("{}")
    with pytest.raises(StepError, match="expected the description of a reference frame"):
        read_surroundings(path, 3.0)


def bar_at(top: int, height: int, length: int, score: float = 0.95) -> TileDetection:
    return TileDetection(0, 0, top, 40, np.ones((height, length), bool), score)


def test_what_is_unlike_the_worms_of_its_frame_is_left_out() -> None:
    frame = np.full((400, 300), GROUND, np.uint8)
    worms = [bar_at(20 + 30 * k, 8, 100) for k in range(5)]
    fibre, piece = bar_at(200, 8, 100, 0.6), bar_at(240, 5, 60, 0.6)
    hair, arm, long = bar_at(270, 4, 100, 0.6), bar_at(300, 14, 100, 0.6), bar_at(340, 8, 190, 0.6)
    others = [fibre, piece, hair, arm, long]
    for one in [*worms, *others]:
        grey = 140 if one is fibre else 220
        frame[one.top : one.bottom, one.left : one.right] = grey

    def reasons(objects: list[TileDetection]) -> dict[int, str]:
        _, dropped = sort_out(objects, frame, 9.74, SETTINGS, Surroundings())
        return {one.instance.top: one.reason for one in dropped}

    assert reasons([*worms, *others]) == {
        200: "faint",
        240: "too small",
        270: "too thin",
        300: "too wide",
        340: "too large",
    }
    # Four worms do not tell what worms are like here.
    assert reasons([*worms[:4], *others]) == {}


@pytest.mark.parametrize(
    ("score", "length", "kept"), [(0.95, 45, True), (0.85, 45, False), (0.95, 38, False)]
)
def test_a_sure_male_is_kept_and_a_piece_is_not(score: float, length: int, kept: bool) -> None:
    worms = [bar_at(20 + 30 * k, 8, 100) for k in range(7)]
    small = bar_at(300, 8, length, score)
    frame = np.full((400, 300), GROUND, np.uint8)
    for one in [*worms, small]:
        frame[one.top : one.bottom, one.left : one.right] = 220
    found, dropped = sort_out([*worms, small], frame, 9.74, SETTINGS, Surroundings())
    assert (300 in {one.top for one in found}) == kept
    assert [one.reason for one in dropped] == ([] if kept else ["too small"])


def test_arms_of_the_mark_do_not_make_a_worm_faint() -> None:
    bar = np.ones((8, 110), bool)
    worms = [TileDetection(0, 0, 100 + 30 * k, 100, bar, 0.95) for k in range(6)]
    arms = [TileDetection(0, 0, 600 + 12 * k, 600, bar, 0.95) for k in range(8)]
    frame = BLANK.copy()
    for one, grey in [(one, 80) for one in worms[1:]] + [(worms[0], 50), *((a, 150) for a in arms)]:
        frame[one.top : one.bottom, one.left : one.right] = GROUND + grey
    around = Surroundings(mark=Disc(650, 655, 120))
    found, dropped = sort_out([*worms, *arms], frame, 9.74, SETTINGS, around)
    assert len(found) == 6
    assert {one.reason for one in dropped} == {"registration mark"}
    unmarked, _ = sort_out([*worms, *arms], frame, 9.74, SETTINGS, Surroundings())
    assert worms[0].top not in {one.top for one in unmarked}
