"""A trial of a drawn plate from its folder to accepted settings; the detector is a threshold."""

import argparse
import json
import re
from pathlib import Path

import cv2
import numpy as np
import pytest
import yaml
from numpy.typing import NDArray
from PIL import Image

from snakescope.healthspan.detection import border
from snakescope.healthspan.detection.channel_overlay import GROUND
from snakescope.healthspan.detection.detections import SoftDetection, View
from snakescope.healthspan.plates.sheet import Plate
from snakescope.healthspan.registration.motion import Motion, to_reference
from snakescope.healthspan.settings import HealthspanSettings
from snakescope.healthspan.trial import objects, plate_trial
from snakescope.healthspan.trial.command import trial_of
from snakescope.settings.sheet import read_rows
from snakescope.step.errors import StepError
from tests.healthspan.inspection.test_inspect import draw

WEIGHTS = ("unused", None)


def threshold(model, picture: NDArray[np.uint8], *rest) -> list[SoftDetection]:
    """Objects of an overlay that are bold and slender, as a detector finds them.

    The less bold they are, the less sure is their mask.
    """
    smooth = cv2.GaussianBlur(picture, (0, 0), 1.0).astype(np.int64) - GROUND
    bold = (smooth > 18).astype(np.uint8)
    _, labels, boxes, _ = cv2.connectedComponentsWithStats(bold)
    view = View(0, 0, *picture.shape)
    found = []
    for k, (left, top, w, h, area) in enumerate(boxes):
        if k and 100 < area < 5000 and max(h, w) > 40:
            box = slice(top, top + h), slice(left, left + w)
            sure = np.clip(smooth[box] * 255 // 150, 0, 255) * (labels[box] == k)
            found.append(SoftDetection(view, int(top), int(left), sure.astype(np.uint8), 0.99))
    return found


@pytest.fixture
def plate(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Plate:
    """Three days of a plate whose dish leans on the second and the third."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(objects, "find_soft", threshold)
    monkeypatch.setattr(border, "find_soft", threshold)
    monkeypatch.setattr(plate_trial, "load_detector", lambda *given: (None, 9.74))
    Path("raw").mkdir()
    for day in (1, 2, 3):
        motion = Motion() if day == 1 else Motion(1.0, 2.0, 0.3, 1.01, 0.02, -0.01)
        Image.fromarray(to_reference(draw(day), motion)).save(f"raw/day{day}.png")
    Path("config").mkdir()
    Path("config/own.yaml").write_text(
        "# Mine\nhealthspan:\n  plates: {pattern: 'day{days}', pixel_size_um: 20}\n"
    )
    Path("config/plates.tsv").write_text(
        "plate\texperiment\tcondition\tfolder\tsettings\np\te\tN2\traw\tconfig/own.yaml\n"
    )
    return read_rows("config/plates.tsv", Plate)[0]


def test_a_trial_proposes_and_its_proposals_are_accepted(plate: Plate) -> None:
    settings = HealthspanSettings()
    lines = trial_of(plate, settings, argparse.Namespace(accept=False), WEIGHTS)
    assert any("WARNING The dish lies differently" in line for line in lines)
    page = Path("results/healthspan/p/trial/trial.html").read_text()
    assert "registration: max_tilt" in page and "snakescope trial p --accept" in page
    assert page.count("data:image/") >= 5
    # The same worms at other thresholds: the lower, the larger.
    said = r">cut at [\d.]+, ([\d.]+) of"
    shares = [float(share) for share in re.findall(said, page)]
    assert len(shares) == 3 and shares[0] < 1 < shares[1] < shares[2]
    assert "now: cut at 0.4<" in page and "masks end where the network" in page
    before = Path("config/own.yaml").read_text()
    lines = trial_of(plate, settings, argparse.Namespace(accept=True), WEIGHTS)
    assert Path("config/own.yaml").read_text() != before
    stated = yaml.safe_load(Path("config/own.yaml").read_text())["healthspan"]
    assert stated["plates"] == {"pattern": "day{days}", "pixel_size_um": 20}
    assert stated["registration"]["max_tilt"] >= 0.05
    proposed = json.loads(Path("results/healthspan/p/trial/proposals.json").read_text())
    assert set(proposed["keys"]) >= {"registration.max_tilt", "registration.max_scale_change"}


def test_a_plate_without_a_readable_frame_is_refused(plate: Plate) -> None:
    for path in Path("raw").iterdir():
        path.write_bytes(b"no image")
    with pytest.raises(StepError, match="expected a readable frame among three"):
        trial_of(plate, HealthspanSettings(), argparse.Namespace(accept=False), WEIGHTS)


def test_proposals_of_other_images_are_refused(plate: Plate) -> None:
    trial_of(plate, HealthspanSettings(), argparse.Namespace(accept=False), WEIGHTS)
    before = Path("config/own.yaml").read_text()
    Image.fromarray(draw(4)).save("raw/day4.png")
    with pytest.raises(StepError, match="run snakescope trial p again"):
        trial_of(plate, HealthspanSettings(), argparse.Namespace(accept=True), WEIGHTS)
    assert Path("config/own.yaml").read_text() == before


def test_a_file_that_plates_share_stays_as_it_is(plate: Plate) -> None:
    sheet = Path("config/plates.tsv")
    sheet.write_text(sheet.read_text() + "q\te\tN2\traw2\tconfig/own.yaml\n")
    before = Path("config/own.yaml").read_text()
    lines = trial_of(plate, HealthspanSettings(), argparse.Namespace(accept=True), WEIGHTS)
    assert Path("config/own.yaml").read_text() == before
    assert any("config/own.yaml is that of q too" in line for line in lines)
    files = {row.name: row.settings for row in read_rows(sheet, Plate)}
    assert files == {"p": "config/p.yaml", "q": "config/own.yaml"}
    stated = yaml.safe_load(Path("config/p.yaml").read_text())["healthspan"]
    assert stated["plates"]["pixel_size_um"] == 20 and "max_tilt" in stated["registration"]


@pytest.mark.parametrize("shared", [False, True])
def test_settings_that_are_refused_are_not_written(plate: Plate, shared: bool) -> None:
    trial_of(plate, HealthspanSettings(), argparse.Namespace(accept=False), WEIGHTS)
    state = Path("results/healthspan/p/trial/proposals.json")
    proposed = json.loads(state.read_text())
    proposed["keys"]["registration.max_tilt"] = 7.0
    state.write_text(json.dumps(proposed))
    sheet = Path("config/plates.tsv")
    if shared:
        sheet.write_text(sheet.read_text() + "q\te\tN2\traw2\tconfig/own.yaml\n")
    before = {path.name: path.read_bytes() for path in Path("config").iterdir()}
    with pytest.raises(StepError, match=r"config/(own|p)\.yaml.*max_tilt.*nothing was written"):
        trial_of(plate, HealthspanSettings(), argparse.Namespace(accept=True), WEIGHTS)
    assert {path.name: path.read_bytes() for path in Path("config").iterdir()} == before
