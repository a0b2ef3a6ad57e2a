"""Frames that would teach most: which are chosen, and what is handed out comes back."""

import json
from pathlib import Path

import imagecodecs
import numpy as np
import pandas as pd
import pytest

from snakescope.healthspan.fine_tuning import annotations, package
from snakescope.healthspan.fine_tuning.settings import AnnotationPackageSettings
from snakescope.healthspan.fine_tuning.store import images_of, read_splits
from snakescope.healthspan.fine_tuning.teaching import choose, frame_scores
from snakescope.imaging.masks import intersection, read_masks
from snakescope.step.command import call
from snakescope.step.tables import read_table, write_table
from tests.healthspan.drawn_plate import DrawnPlate, draw_plate


def tracks_of(plate: DrawnPlate) -> pd.DataFrame:
    """The tracks of a drawn plate as tracking writes them."""
    table = plate.tracks.copy()
    states = plate.states.set_index("instance")
    for name in ("state", "p_healthy", "p_immobile", "p_dead"):
        table[name] = table["instance"].map(states[name])
    return table


@pytest.fixture(scope="module")
def plates(tmp_path_factory: pytest.TempPathFactory) -> list[DrawnPlate]:
    made = []
    for name in "pq":
        folder = tmp_path_factory.mktemp("drawn") / name
        folder.mkdir()
        # Of other worms, as the same picture twice would be refused.
        one = draw_plate(folder, worms=6 if name == "p" else 5)
        made.append(one)
        write_table(one.folder / "tracks.tsv", tracks_of(one))
        write_table(one.folder / "frames.tsv", one.frames)
    return made


def test_frames_are_chosen_in_turn_and_apart() -> None:
    def scores(corrected: list[float], unsure: list[float]) -> pd.DataFrame:
        return pd.DataFrame(
            {"timepoint": range(6), "corrected": corrected, "disagreeing": 0.0, "unsure": unsure}
        )

    given = {
        "p": scores([0, 0, 5, 4, 0, 0], [0.1, 0.2, 0.3, 0.4, 0.5, 0.6]),
        "q": scores([0] * 6, [0, 0, 0, 0, 0, 0.9]),
    }
    settings = AnnotationPackageSettings(frames=4, frames_per_plate=2, apart_frames=2)
    assert [tuple(one) for one in choose(given, settings)] == [
        ("p", 2, "corrected"), ("q", 5, "unsure"), ("p", 5, "unsure"),
    ]  # fmt: skip
    assert len(choose(given, settings.model_copy(update={"frames": 2}))) == 2
    assert choose({"p": scores([0] * 6, [0] * 6)}, settings) == []


def test_what_is_measured_of_a_frame(plates: list[DrawnPlate]) -> None:
    tracks = tracks_of(plates[0])
    before = frame_scores(tracks).set_index("timepoint")
    assert (before["corrected"] == 0).all()
    counted = tracks[tracks["counted"] == 1]
    one = counted.iloc[0]
    row = (tracks["instance"] == one["instance"]).to_numpy()
    machine = tracks.assign(
        corrected_by="", consistent_state_machine=tracks["consistent_state"],
        counted_machine=tracks["counted"],
    )  # fmt: skip
    machine.loc[row, ["corrected_by", "counted"]] = ["anna", 0]
    after = frame_scores(machine).set_index("timepoint")
    assert after["corrected"].to_dict() == {
        timepoint: float(timepoint == one["timepoint"]) for timepoint in before.index
    }


def test_what_is_handed_out_is_read_again(
    plates: list[DrawnPlate], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    settings = AnnotationPackageSettings(frames=4, frames_per_plate=2, apart_frames=1)
    words = ["--plates", "p", "q", "--settings", settings.model_dump_json()]
    for name in ("tracks", "frames"):
        words += [f"--{name}", *(str(one.folder / f"{name}.tsv") for one in plates)]
    call(package, [*words, "--package", "handed out"])
    made = tmp_path / "handed out"
    content = json.loads((made / "annotations/instances_default.json").read_text())
    assert content["annotations"][0]["id"] == 1
    assert content["categories"][0]["name"] == "worm"
    chosen = read_table(made / "frames.tsv", ("image", "plate", "timepoint", "why"))
    assert len(content["images"]) == len(chosen) == 4
    assert set(chosen["plate"]) == {"p", "q"}
    for one in content["images"]:
        grey = imagecodecs.png_decode((made / "images" / one["file_name"]).read_bytes())
        assert grey.shape == (one["height"], one["width"]) and grey.dtype == np.uint8
    assert "CVAT" in (made / "README.txt").read_text()
    # The sheet trains at once, with plates as groups; other programs' files are the same masks.
    sheet = (made / "annotations.tsv").read_text()
    for number, text in enumerate(
        (sheet, of(sheet, "qupath/{}.geojson"), of(sheet, "napari/{}.tif"))
    ):
        path = made / f"sheet{number}.tsv"
        path.write_text(text)
        asked = ["--sheet", str(path), "--pixel-size-um", "9.74"]
        out = tmp_path / f"read{number}"
        for name in ("labelled", "splits", "findings", "report"):
            asked += [f"--{name}", str(out / name)]
        call(annotations, asked)
        splits = read_splits(out / "splits")
        assert set(splits["group"]) == {"p", "q"} and splits["part"].nunique() == 2
        again = [image for part in ("train", "held_out")
                 for image in images_of(out / "labelled", splits, part)]  # fmt: skip
        assert len(again) == 4
        for image in again:
            compare(image.worms, plates["pq".index(image.group)], int(image.name[-3:]))


def of(sheet: str, pattern: str) -> str:
    """The sheet with the masks that another program takes."""
    lines = sheet.splitlines()
    place = lines[0].split("\t").index("masks")
    for number, line in enumerate(lines[1:], start=1):
        cells = line.split("\t")
        cells[place] = f"handed out/{pattern.format(cells[0])}"
        lines[number] = "\t".join(cells)
    return "\n".join(lines) + "\n"


def compare(worms, plate: DrawnPlate, timepoint: int) -> None:
    """The masks that come back are those of the plate, but for what is no worm."""
    own = [one for path in plate.masks for one in read_masks(path).instances
           if one.timepoint == timepoint]  # fmt: skip
    static = plate.tracks.query("reason == 'static from the start'")["instance"]
    own = [one for one in own if one.identifier not in set(static)]
    assert len(worms) == len(own)
    for one in own:
        shared = max(worms, key=lambda other: intersection(one, other))
        both = intersection(one, shared)
        assert both / (one.area + shared.area - both) >= 0.95
