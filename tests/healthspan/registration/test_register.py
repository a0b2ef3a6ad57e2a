"""A block of frames, good and bad, through reference and registration as commands."""

import sys
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import pytest
import tifffile

from snakescope.healthspan.plates.manifest import COLUMNS
from snakescope.healthspan.registration import agreement, reference, register
from snakescope.healthspan.registration.motion import Motion
from snakescope.healthspan.registration.settings import RegisterSettings
from snakescope.imaging.stacks import Stack, read_stack
from snakescope.step.command import call
from snakescope.step.errors import StepError
from tests.healthspan.registration.small_dish import SIDE, dish, frame, greatest_error_px

TRUE = [Motion(), Motion(25.4, -31.2, 1.4), Motion(-38.8, 12.1, -1.8), Motion(2.5, 3.3, 0.2)]

Run = Callable[..., pd.DataFrame]


def manifest(folder: Path, images: list[dict[str, np.ndarray | bytes | None]]) -> Path:
    """Write images and the manifest that lists them; None stands for a missing frame."""
    rows = []
    for timepoint, channels in enumerate(images):
        for channel, image in channels.items():
            path = folder / f"t{timepoint:03d}_{channel}.tif"
            if isinstance(image, bytes):
                path.write_bytes(image)
            elif image is not None:
                tifffile.imwrite(path, image)
            present = image is not None
            rows.append(
                ("p", timepoint, 12.0 * timepoint, channel, path if present else "")
                + (("present", "", 9, "") if present else ("missing", "no file at 12 h", "", ""))
            )
    table = pd.DataFrame(rows, columns=list(COLUMNS))
    table.to_csv(folder / "t000-t009.tsv", sep="\t", index=False)
    return folder / "t000-t009.tsv"


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Write images, run both commands on them, give the table of registered frames."""

    def both(
        images: list[dict[str, np.ndarray | bytes | None]], **settings: object
    ) -> pd.DataFrame:
        text = RegisterSettings.model_validate(settings).model_dump_json()
        listed, image = str(manifest(tmp_path, images)), str(tmp_path / "reference.ome.tif")
        description = str(tmp_path / "reference.json")
        common = ["--manifest", listed, "--settings", text, "--description", description]
        monkeypatch.setattr(sys, "argv", ["reference", *common, "--image", image])
        call(agreement)
        frames, table = str(tmp_path / "out.ome.tif"), str(tmp_path / "out.tsv")
        outputs = ["--reference", image, "--frames", frames, "--table", table]
        monkeypatch.setattr(sys, "argv", ["register", *common, *outputs])
        call(register)
        return pd.read_csv(table, sep="\t").fillna({"reason": ""})

    return both


def series(mark: bool = True, seed: int = 1) -> list[dict[str, np.ndarray | bytes | None]]:
    density = dish(seed, mark)
    return [{"bright_field": frame(density, 10 + k, true)} for k, true in enumerate(TRUE)]


def errors(table: pd.DataFrame) -> list[float]:
    return [
        greatest_error_px(Motion(row.shift_y_px, row.shift_x_px, row.rotation_deg), true)
        for row, true in zip(table.itertuples(), TRUE, strict=True)
    ]


@pytest.mark.parametrize(("mark", "method"), [(True, "mark"), (False, "plate")])
def test_moved_and_turned_frames_are_registered(
    run: Run, tmp_path: Path, mark: bool, method: str
) -> None:
    table = run(series(mark))
    assert list(table["status"]) == ["registered"] * 4
    assert list(table["page"]) == [0, 1, 2, 3]
    assert set(table["method"]) == {method}
    assert table["score"].between(0, 1).all()
    assert max(errors(table)) < 0.4
    stack = read_stack(tmp_path / "out.ome.tif")
    assert stack.shape == (4, 1, SIDE, SIDE) and stack.dtype == np.uint16
    raw = tifffile.imread(tmp_path / "t000_bright_field.tif")
    np.testing.assert_array_equal(stack[0, 0], raw)


def likeness(path: Path) -> float:
    """Least correlation of two frames' texture at the dish's four ends."""
    pages = [np.asarray(page[0]).astype(np.float32) for page in read_stack(path)[:2]]
    fine, shading = ([cv2.GaussianBlur(one, (0, 0), px) for one in pages] for px in (2, 12))
    textures = [one - other for one, other in zip(fine, shading, strict=True)]
    middle, near, far = slice(210, 350), slice(50, 140), slice(SIDE - 140, SIDE - 50)
    ends = [(near, middle), (far, middle), (middle, near), (middle, far)]
    return float(min(np.corrcoef(*(one[end].ravel() for one in textures))[0, 1] for end in ends))


@pytest.mark.slow
def test_a_leaning_dish_is_level_again_where_that_is_asked_for(run: Run, tmp_path: Path) -> None:
    density, true = dish(1, mark=False), Motion(5.0, -9.0, 0.8, 1.02, 0.03, -0.02)
    images: list[dict[str, np.ndarray | bytes | None]] = [
        {"bright_field": frame(density, 10, worms=0)},
        {"bright_field": frame(density, 11, true, worms=0)},
    ]
    hand = {"max_scale_change": 0.05, "tolerance_px": 2.0, "max_error_px": 2.0}
    row = run(images, **hand, max_tilt=0.05).iloc[1]
    assert (row["tilt_y"], row["tilt_x"]) == pytest.approx((0.03, -0.02), abs=0.003)
    levelled = likeness(tmp_path / "out.ome.tif")
    run(images, **hand, min_agreement=0.0)
    leaning = likeness(tmp_path / "out.ome.tif")
    assert levelled > 0.9 > leaning + 0.1
    refused = run(images, **hand, max_tilt=0.01).iloc[1]
    assert refused["status"] == "unregistered" and "tilted by 0.03" in refused["reason"]


def test_a_tilt_needs_a_change_of_magnification() -> None:
    with pytest.raises(ValueError, match="max_scale_change above 0 where max_tilt is"):
        RegisterSettings(max_tilt=0.05)


def test_the_same_block_gives_the_same_bytes(run: Run, tmp_path: Path) -> None:
    written = []
    for _ in range(2):
        run(series()[:2])
        written.append([(tmp_path / n).read_bytes() for n in ("out.ome.tif", "out.tsv")])
    assert written[0] == written[1]


def test_bad_frames_are_told_and_never_stop_the_block(
    run: Run, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    images = series()
    good = images[1]["bright_field"]
    assert isinstance(good, np.ndarray)
    tifffile.imwrite(tmp_path / "whole.tif", good)
    fogged = np.random.default_rng(0).normal(2000, 50, (SIDE, SIDE)).astype(np.uint16)
    images += [
        {"bright_field": (tmp_path / "whole.tif").read_bytes()[:200_000]},
        {"bright_field": np.zeros((SIDE, SIDE), np.uint16)},
        {"bright_field": good[:400]},
        {"bright_field": None},
        {"bright_field": fogged},
        {"bright_field": frame(dish(99, mark=False), 5)},
        {"bright_field": good ^ np.eye(SIDE, dtype=good.dtype)},
    ]
    table = run(images)
    assert list(table["status"]) == (
        ["registered"] * 4
        + ["unreadable"] * 3
        + ["missing"]
        + ["unregistered"] * 2
        + ["registered"]
    )
    assert list(table["page"].dropna()) == [0, 1, 2, 3, 4]
    words = ("damaged or truncated", "one value 0", "expected 560 x 560 px", "no file at 12 h")
    for timepoint, word in zip((4, 5, 6, 7), words, strict=True):
        assert word in table["reason"][timepoint]
    assert "found 400 x 560 px" in table["reason"][6]
    assert table["reason"][8] and table["reason"][9]
    warned = capfd.readouterr().err
    assert all(f"warning: t{timepoint:03d}" in warned for timepoint in range(4, 10))
    assert "t010" not in warned
    assert len(read_stack(tmp_path / "out.ome.tif")) == 5


def test_both_channels_move_together_and_depths_may_differ(run: Run, tmp_path: Path) -> None:
    images = series()
    for k, one in enumerate(images):
        assert isinstance(one["bright_field"], np.ndarray)
        one["dark_field"] = (one["bright_field"] >> 5).astype(np.uint8) + np.uint8(k)
    images[3]["dark_field"] = None
    table = run(images)
    assert list(table["status"]) == ["registered"] * 3 + ["missing"]
    assert table["reason"][3] == "dark_field: no file at 12 h"
    with Stack(tmp_path / "out.ome.tif") as stack:
        assert stack.channels == ("bright_field", "dark_field") and stack.dtype == np.uint16
        bright, dark = stack.page(1).astype(np.float64)[:, 100:-100, 100:-100]
    assert np.corrcoef(bright.ravel(), dark.ravel())[0, 1] > 0.99


def test_a_machine_that_does_not_see_the_raw_folder_says_so(run: Run, tmp_path: Path) -> None:
    image = np.random.default_rng(0).integers(0, 200, (300, 300), dtype=np.uint8)
    run([{"bright_field": image}])
    (tmp_path / "t000_bright_field.tif").unlink()
    with pytest.raises(StepError, match="expected the raw frame that was there when the run began"):
        call(register)


def test_a_block_without_a_usable_frame_still_has_its_files(run: Run, tmp_path: Path) -> None:
    images = series()[:2]
    run(images)
    (tmp_path / "later").mkdir()
    nothing = manifest(tmp_path / "later", [{"bright_field": None}, {"bright_field": b"II*"}])
    settings = RegisterSettings()
    frames = reference.read_reference(tmp_path / "reference.ome.tif")
    known = reference.read_description(tmp_path / "reference.json")
    plate = register.prepare(frames, known, settings)
    outcomes = [
        register.assess(one, plate, settings) for one in register.read_timepoints([nothing])
    ]
    assert [one.status for one in outcomes] == ["missing", "unreadable"]
    register.write_registered(tmp_path / "none.ome.tif", outcomes, plate)
    with Stack(tmp_path / "none.ome.tif") as stack:
        assert len(stack) == 0 and stack.channels == ("bright_field",)
    assert register.table_of(outcomes)["page"].isna().all()


def test_mark_alone_shifts_only(run: Run) -> None:
    density = dish(1)
    motions = [Motion(), Motion(33.3, -12.6)]
    images = [{"bright_field": frame(density, k, m)} for k, m in enumerate(motions)]
    table = run(images, method="mark", max_rotation_deg=0)
    assert set(table["method"]) == {"mark"} and not table["rotation_deg"].any()
    assert (table["shift_y_px"][1], table["shift_x_px"][1]) == pytest.approx((33.3, -12.6), abs=0.2)


def test_none_leaves_the_pixels_and_mark_without_a_mark_is_told(run: Run, tmp_path: Path) -> None:
    images = series(mark=False)[:2]
    assert list(run(images, method="none")["status"]) == ["registered"] * 2
    for k in (0, 1):
        raw = tifffile.imread(tmp_path / f"t00{k}_bright_field.tif")
        np.testing.assert_array_equal(read_stack(tmp_path / "out.ome.tif")[k, 0], raw)
    table = run(images, method="mark")
    assert list(table["status"]) == ["unregistered"] * 2
    assert "no mark was found" in table["reason"][1]


def test_more_than_the_settings_allow_is_not_taken(run: Run) -> None:
    density = dish(1)
    far = [Motion(), Motion(0, 0, 3.0), Motion(70, 0)]
    images = [{"bright_field": frame(density, k, m)} for k, m in enumerate(far)]
    table = run(images, max_shift_px=20, max_rotation_deg=1)
    assert list(table["status"]) == ["registered", "unregistered", "unregistered"]
