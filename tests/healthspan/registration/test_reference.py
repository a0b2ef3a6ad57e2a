"""The reference frame: the first that can be read, its mark, its dish."""

from pathlib import Path

import cv2
import numpy as np
import pytest
import tifffile

from snakescope.healthspan.plates.manifest import (
    Frame,
    PlateFrames,
    is_out_of_date,
    stated_until,
    write_manifests,
)
from snakescope.healthspan.plates.timepoints import Timepoint
from snakescope.healthspan.registration import agreement
from snakescope.healthspan.registration.agreement import choose
from snakescope.healthspan.registration.marks import drawn_cross
from snakescope.healthspan.registration.reference import (
    TEMPLATE,
    describe,
    read_description,
    read_reference,
    write_description,
    write_reference,
)
from snakescope.healthspan.registration.settings import RegisterSettings
from snakescope.step.command import call
from snakescope.step.errors import StepError
from tests.healthspan.registration.small_dish import MARK, dish, frame


def timepoints(folder: Path, images: list[np.ndarray | None]) -> list[Timepoint]:
    found = []
    for k, image in enumerate(images):
        path = folder / f"{k}.tif"
        if image is not None:
            tifffile.imwrite(path, image)
        paths = {"bright_field": path} if image is not None else {}
        found.append(Timepoint("p", k, 12.0 * k, paths, "" if paths else "not taken"))
    return found


def test_the_first_readable_frame_that_most_agree_with_is_taken(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    image = frame(dish(1), 2)
    listed = timepoints(tmp_path, [None, np.zeros_like(image), image, image])
    choice = choose(listed, RegisterSettings())
    assert choice.timepoint.timepoint == 2
    np.testing.assert_array_equal(choice.frames["bright_field"], image)
    assert "warning: t001" in capsys.readouterr().err
    with pytest.raises(StepError, match=r"p: expected one readable frame .* among 2 timepoints"):
        choose(listed[:2], RegisterSettings())


@pytest.mark.parametrize(("bad", "how"), [((0,), "blurred"), ((0, 5), "other"), ((2,), "small")])
def test_a_poor_frame_is_no_reference(tmp_path: Path, bad: tuple[int, ...], how: str) -> None:
    """Whatever it shows, and wherever it lies, it costs itself alone."""
    good = frame(dish(1), 2)
    poor = {
        "blurred": cv2.GaussianBlur(good, (0, 0), 30),
        "other": np.ascontiguousarray(frame(dish(5), 3)[::-1]),
        "small": good[: good.shape[0] // 2, : good.shape[1] // 2],
    }[how]
    images = [
        np.ascontiguousarray(poor) if k in bad else np.roll(good, k, axis=1) for k in range(6)
    ]
    choice = choose(timepoints(tmp_path, list(images)), RegisterSettings())
    assert choice.timepoint.timepoint == min(set(range(6)) - set(bad))
    assert choice.agreeing == choice.compared - len(bad)
    assert len(choice.passed_over) == sum(k < choice.timepoint.timepoint for k in bad)


def test_of_two_frames_that_disagree_the_first_is_taken(tmp_path: Path) -> None:
    images = [frame(dish(1), 2), np.ascontiguousarray(frame(dish(5), 3)[::-1])]
    choice = choose(timepoints(tmp_path, list(images)), RegisterSettings())
    assert (choice.timepoint.timepoint, choice.agreeing, choice.compared) == (0, 0, 1)


def test_a_spoilt_first_block_leaves_the_reference_to_the_next(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    frames = []
    for k in range(4):
        path = tmp_path / f"{k}.tif"
        tifffile.imwrite(path, frame(dish(1), 2))
        frames.append(Frame(k, 12.0 * k, "bright_field", str(path), "present"))
    plate = PlateFrames("p", ("bright_field",), 4, tuple(frames))
    write_manifests(tmp_path / "manifest", plate, 2)
    words = ["reference", "--manifest", str(tmp_path / "manifest/t000-t001.tsv")]
    words += ["--image", str(tmp_path / "r.ome.tif"), "--description", str(tmp_path / "r.json")]
    monkeypatch.setattr("sys.argv", words)
    for spoilt, chosen in ((0, 0), (1, 1), (2, 2), (3, 3)):
        for k in range(spoilt):
            (tmp_path / f"{k}.tif").write_bytes(b"II*\0")
        call(agreement)
        assert read_description(tmp_path / "r.json").timepoint == chosen
        assert not is_out_of_date(tmp_path / "r.json", tmp_path / "manifest/t000-t001.tsv")


def test_a_reference_is_out_of_date_when_a_file_that_it_looked_at_is_another(
    tmp_path: Path,
) -> None:
    listed = tmp_path / "t000-t003.tsv"
    description = describe(1, {"bright_field": frame(dish(1), 2)}, RegisterSettings())

    def write(*sizes: int) -> None:
        """Timepoint 0 lacks its file where its size is 0; the reference is timepoint 1."""
        frames = tuple(
            Frame(k, 12.0 * k, "bright_field", f"{k}.tif", "present" if size else "missing", "",
                  size, 1_700_000_000)
            for k, size in enumerate(sizes)
        )  # fmt: skip
        write_manifests(tmp_path, PlateFrames("p", ("bright_field",), len(sizes), frames), 4)

    write(0, 20, 30)
    assert not is_out_of_date(tmp_path / "r.json", listed)
    write_description(tmp_path / "r.json", description)
    assert not is_out_of_date(tmp_path / "r.json", listed)
    write_description(tmp_path / "r.json", description, stated_until(listed, 1))
    for sizes, outdated in (
        ((0, 20, 30), False),
        ((0, 20, 31, 40), False),
        ((0, 21, 30), True),
        ((10, 20, 30), True),
    ):
        write(*sizes)
        assert is_out_of_date(tmp_path / "r.json", listed) is outdated


def test_image_and_description_come_back(tmp_path: Path) -> None:
    image = frame(dish(1), 2)
    frames = {"bright_field": image, "dark_field": (image >> 4).astype(np.uint8)}
    described = describe(3, frames, RegisterSettings())
    assert described.mark is not None and described.dish_seen
    assert (described.mark.y_px, described.mark.x_px) == pytest.approx(MARK, abs=3)
    write_description(tmp_path / "reference.json", described)
    again = read_description(tmp_path / "reference.json")
    assert again.mark is not None
    assert again.mark.score == pytest.approx(described.mark.score, abs=1e-3)
    assert (again.timepoint, again.channel, again.dish_seen) == (3, "bright_field", True)
    write_reference(tmp_path / "reference.ome.tif", frames)
    kept = read_reference(tmp_path / "reference.ome.tif")
    for channel, expected in frames.items():
        np.testing.assert_array_equal(kept[channel], expected)


def test_without_mark_or_edge_the_dish_is_the_whole_frame(tmp_path: Path) -> None:
    image = frame(dish(1, mark=False), 2)[150:400, 150:420]
    described = describe(0, {"bright_field": image}, RegisterSettings())
    assert described.mark is None and not described.dish_seen
    assert described.dish.radius_px >= np.hypot(250, 270) / 2
    write_description(tmp_path / "reference.json", described)
    assert read_description(tmp_path / "reference.json").mark is None


def test_the_user_may_give_place_or_template(tmp_path: Path) -> None:
    frames = {"bright_field": frame(dish(1), 2)}
    given = RegisterSettings(mark_y_px=100, mark_x_px=120, mark_span_px=60)
    mark = describe(0, frames, given).mark
    assert mark is not None and (mark.y_px, mark.x_px, mark.span_px) == (100, 120, 60)
    cv2.imwrite(str(tmp_path / "own.png"), 255 - drawn_cross())
    bright = RegisterSettings(mark_template=str(tmp_path / "own.png"))
    assert describe(0, frames, bright).mark is None
    with pytest.raises(StepError, match="expected a place within the frame of 560 x 560 px"):
        describe(0, frames, RegisterSettings(mark_y_px=900, mark_x_px=1))


def test_a_wanted_channel_must_be_there() -> None:
    with pytest.raises(StepError, match=r"register.channel: .* found dark_field"):
        describe(0, {"bright_field": frame(dish(1), 2)}, RegisterSettings(channel="dark_field"))


def test_the_template_in_resources_is_the_drawn_cross() -> None:
    np.testing.assert_array_equal(cv2.imread(str(TEMPLATE), cv2.IMREAD_UNCHANGED), drawn_cross())


def test_a_description_of_something_else_is_told(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text('{"timepoint": 1}')
    with pytest.raises(StepError, match="expected the description of a reference frame"):
        read_description(tmp_path / "a.json")
    with pytest.raises(StepError, match="no such file"):
        read_description(tmp_path / "b.json")
