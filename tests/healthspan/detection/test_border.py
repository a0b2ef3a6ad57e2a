"""Where masks end: no thinner than worms are."""

import argparse
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from snakescope.healthspan.detection import border, detect
from snakescope.healthspan.detection.border import (
    Border,
    border_of,
    border_of_plate,
    relative_width,
    said_of,
    to_border,
    widened,
)
from snakescope.healthspan.detection.channel_overlay import GROUND
from snakescope.healthspan.detection.detections import SoftDetection, TileDetection, View
from snakescope.healthspan.detection.settings import DetectSettings
from snakescope.healthspan.detection.soft_masks import cut_mask
from snakescope.healthspan.detection.sorting import Surroundings
from snakescope.healthspan.detection.tile import origins_of
from snakescope.healthspan.registration.reference import (
    Description,
    write_description,
    write_reference,
)
from snakescope.healthspan.registration.texture import Circle
from snakescope.imaging.masks import Instance, MaskSet, read_masks
from snakescope.imaging.stacks import write_stack
from snakescope.step.tables import write_table

SETTINGS = DetectSettings()
SIZE = (2000, 2000)


def worm(
    width: float, length: float = 120.0, top: int = 100, left: int = 100, bend: float = 0.0
) -> TileDetection:
    """A worm at a slant whose probability falls from 1 to 0 over a pixel at its border."""
    t = np.linspace(-0.5, 0.5, 400)
    along, across = length * t, bend * (np.cos(np.pi * t) - 0.5)
    points = np.stack([0.9 * along - 0.436 * across, 0.436 * along + 0.9 * across], axis=1) + 80
    canvas = np.zeros((160 * 8, 160 * 8), np.uint8)
    line = [np.rint(points * 8).astype(np.int32)]
    cv2.polylines(canvas, line, False, 255, max(1, round(width * 8)))
    soft = cv2.resize(canvas, (160, 160), interpolation=cv2.INTER_AREA)
    one = cut_mask(SoftDetection(View(0, 0, *SIZE), top, left, soft, 0.95), 3, 0.4)
    assert one is not None
    return replace(one, identifier=300_001)


@pytest.mark.parametrize("bend", [0.0, 40.0])
@pytest.mark.parametrize("width", [5.0, 8.0, 12.0])
def test_the_width_of_a_body_is_measured_whatever_its_bends(width: float, bend: float) -> None:
    one = worm(width, bend=bend)
    t = np.linspace(-0.5, 0.5, 2000)
    along = np.hypot(np.gradient(120 * t), np.gradient(bend * np.cos(np.pi * t))).sum()
    assert relative_width(one) == pytest.approx(width / (along + width), rel=0.1)


def test_of_no_body_the_width_is_no_number_that_counts() -> None:
    assert relative_width(Instance(0, 0, 0, 0, np.zeros((3, 3), bool), 1.0)) == 0
    assert 0 < relative_width(Instance(0, 0, 0, 0, np.ones((9, 9), bool), 1.0)) <= 1.5


@pytest.mark.parametrize("wider_px", [0.25, 0.5, 1.0])
def test_a_mask_grows_by_so_much_on_each_side(wider_px: float) -> None:
    one = worm(6.0)
    wide = widened(one, wider_px, 0.4)
    # The body is 120 px long and has round ends.
    assert (wide.area - one.area) / (2 * 126) == pytest.approx(wider_px, abs=0.15)
    assert (wide.identifier, wide.timepoint, wide.score) == (300_001, 3, 0.95)
    middle = (one.top + one.bottom) / 2, (one.left + one.right) / 2
    assert (wide.top + wide.bottom) / 2 == pytest.approx(middle[0], abs=0.5)
    assert (wide.left + wide.right) / 2 == pytest.approx(middle[1], abs=0.5)


def test_thin_worms_make_masks_wider_and_worms_of_their_usual_width_do_not() -> None:
    thin = [worm(6.5, top=100 * k) for k in range(6)]
    found = border_of(thin, SETTINGS)
    assert found.worms == 6 and found.width < 0.065 and 0.5 <= found.wider_px <= 1.0
    masks = [to_border(one, found, SETTINGS, SIZE) for one in thin]
    widths = [relative_width(one) for one in masks]
    assert found.width < float(np.median(widths)) < 0.09
    usual = border_of([worm(11.0, top=100 * k) for k in range(6)], SETTINGS)
    assert usual.wider_px == 0 and usual.width > 0.075
    assert f"{usual.width:.4f} of their length" in said_of(usual, SETTINGS)
    assert to_border(thin[0], usual, SETTINGS, SIZE) is thin[0]


def test_hairs_are_made_wider_by_a_pixel_and_no_more() -> None:
    hairs = [worm(3.0, top=100 * k) for k in range(6)]
    assert border_of(hairs, SETTINGS).wider_px == 1.0


@pytest.mark.parametrize(
    ("why", "change"),
    [
        ("unsure", {"score": 0.6}),
        ("cut by its tile", {"cut": True}),
        ("without its probability", {"soft": None}),
    ],
)
def test_worms_that_say_little_do_not_count(why: str, change: dict[str, object]) -> None:
    thin = [worm(6.5, top=100 * k) for k in range(6)]
    few = [*thin[:4], *(replace(one, **change) for one in thin[4:])]  # type: ignore[arg-type]
    found = border_of(few, SETTINGS)
    assert (found.wider_px, found.worms) == (0, 4), why
    assert "4 worms" in said_of(found, SETTINGS) and "5 are needed" in said_of(found, SETTINGS)


def test_zero_leaves_masks_as_the_network_draws_them() -> None:
    thin = [worm(6.5, top=100 * k) for k in range(6)]
    off = DetectSettings(least_width=0)
    assert border_of(thin, off).wider_px == 0
    nothing = border_of_plate(None, np.zeros(SIZE, np.uint8), 440, 9.74, off, Surroundings())  # type: ignore[arg-type]
    assert nothing == Border()
    assert said_of(nothing, off) == "masks end where the network draws them (least_width 0)"


def test_a_mask_at_the_edge_of_a_frame_stays_on_it() -> None:
    one = worm(6.0, top=-50, left=-25)
    wide = to_border(one, Border(1.0, 0.05, 9), SETTINGS, (70, 100))
    assert wide.top >= 0 and wide.left >= 0 and wide.bottom <= 70 and wide.right <= 100


@pytest.mark.parametrize("views_per_batch", [1, 4, 64])
@pytest.mark.parametrize("max_view_px", [440, 3080])
def test_the_boldest_tiles_are_searched_until_there_are_enough(
    monkeypatch: pytest.MonkeyPatch, views_per_batch: int, max_view_px: int
) -> None:
    searched: list[tuple[int, int]] = []

    def ten_a_tile(
        model: object, picture: object, corners: list[tuple[int, int]], *rest: object
    ) -> list[SoftDetection]:
        searched.extend(corners)
        found = []
        for top, left in corners:
            for k in range(10):
                soft = worm(6.5, top=top + 28 * k, left=left + 100).soft
                assert soft is not None
                found.append(replace(soft, view=View(top, left, 440, 440)))
        return found

    monkeypatch.setattr(border, "find_soft", ten_a_tile)
    picture = np.full((2200, 2200), GROUND + 60, np.uint8)
    picture[880:1320, :880] = GROUND + 90
    picture[:440, 880:1320] = GROUND + 120
    # Settings of speed decide nothing: masks of blocks with other ones would not fit together.
    chosen = DetectSettings(views_per_batch=views_per_batch, max_view_px=max_view_px)
    found = border_of_plate(None, picture, 440, 9.74, chosen, Surroundings())  # type: ignore[arg-type]
    assert searched == [(0, 880), (880, 0), (880, 440), (0, 0)]
    assert found.worms == 40 and found.wider_px > 0
    assert f"{found.wider_px:g} px wider" in said_of(found, chosen)


def test_a_plate_without_worms_costs_a_few_tiles(monkeypatch: pytest.MonkeyPatch) -> None:
    searched: list[tuple[int, int]] = []
    monkeypatch.setattr(border, "find_soft", lambda m, p, some, *rest: searched.extend(some) or [])
    picture = np.full((4400, 4400), GROUND, np.uint8)
    assert border_of_plate(None, picture, 440, 9.74, SETTINGS, Surroundings()) == Border()  # type: ignore[arg-type]
    assert len(searched) == 24


def test_detect_makes_worms_and_candidates_of_a_thin_plate_wider(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The step as a rule calls it, with a network that finds six thin worms and one unsurely."""

    def seven(
        model: object, picture: object, corners: list[tuple[int, int]], *rest: object
    ) -> list[SoftDetection]:
        found = [worm(6.5, top=60 * k, left=100 + 30 * (k % 2)).soft for k in range(7)]
        scores = [0.95] * 6 + [0.2]
        return [
            replace(one, view=View(0, 0, 600, 600), score=score)
            for one, score in zip(found, scores, strict=True)
            if one is not None and (0, 0) in corners
        ]

    frame = np.full((600, 600), 90, np.uint8)
    for name in ("border", "detect"):
        monkeypatch.setattr(f"snakescope.healthspan.detection.{name}.find_soft", seven)
    monkeypatch.setattr(detect, "load_detector", lambda *given: (None, 9.74))
    # As bold as worms, whatever the picture shows.
    monkeypatch.setattr("snakescope.healthspan.detection.sorting.contrast", lambda *given: 90.0)
    write_reference(tmp_path / "reference.ome.tif", {"bright_field": frame})
    circle = Circle(299.5, 299.5, 500.0)
    description = Description(0, "bright_field", None, "", circle, dish_seen=False)
    write_description(tmp_path / "reference.json", description)
    origins = origins_of([(4, 0)], 600, 600, 600)
    write_table(tmp_path / "tiles.tsv", origins)
    tiles = [frame]
    write_stack(
        tmp_path / "tiles.ome.tif", tiles, 1, ["overlay"], 600, 600, np.uint8, pixel_size_um=9.74
    )

    def masks_with(settings: DetectSettings) -> MaskSet:
        parser = argparse.ArgumentParser()
        detect.add_arguments(parser)
        words = [
            *("--tiles", tmp_path / "tiles.ome.tif", "--origins", tmp_path / "tiles.tsv"),
            *("--reference", tmp_path / "reference.ome.tif", "--plate", "p"),
            *("--reference-description", tmp_path / "reference.json", "--pixel-size-um", 9.74),
            *("--weights", "w", "--settings", settings.model_dump_json()),
            *("--masks", tmp_path / "m.json", "--dropped", tmp_path / "d.tsv"),
        ]
        detect.main(parser.parse_args([str(word) for word in words]))
        return read_masks(tmp_path / "m.json")

    drawn, wider = (masks_with(DetectSettings(least_width=share)) for share in (0.0, 0.075))
    assert len(drawn.instances) == len(wider.instances) == 6
    assert len(drawn.candidates) == len(wider.candidates) == 1
    pairs = zip(
        [*drawn.instances, *drawn.candidates], [*wider.instances, *wider.candidates], strict=True
    )
    for one, wide in pairs:
        assert one.identifier == wide.identifier and 1.1 < wide.area / one.area < 1.5
    assert "masks end where" in drawn.border and "px wider on each side" in wider.border

    # A block without a usable frame has no tiles, of no size.
    write_stack(tmp_path / "tiles.ome.tif", [], 0, ["overlay"], 0, 0, np.uint8, pixel_size_um=9.74)
    write_table(tmp_path / "tiles.tsv", origins.iloc[:0])
    empty = masks_with(DetectSettings())
    assert not empty.instances and not empty.timepoints and empty.border == ""
