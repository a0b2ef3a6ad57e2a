"""The width of worms, as inspect and trial say it: to half of the contrast, area by length."""

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from snakescope.healthspan.detection.channel_overlay import contrast, overlay
from snakescope.healthspan.detection.detections import TileDetection
from snakescope.healthspan.detection.settings import DetectSettings
from snakescope.healthspan.detection.sorting import Surroundings
from snakescope.healthspan.states.body import body_mask, slender_size
from snakescope.healthspan.trial.objects import Searched, judged

FINE = 8


def drawn(width: int, angle: float, random: np.random.Generator) -> NDArray[np.float32]:
    """A body with round ends, 16 widths long between them, through a lens; noise is 1."""
    along = 8 * width * FINE * np.array([np.cos(angle), np.sin(angle)])
    middle = np.array([100.0, 100.0]) * FINE
    image = np.zeros((200 * FINE, 200 * FINE), np.float32)
    first, last = (tuple(int(v) for v in point) for point in (middle - along, middle + along))
    cv2.line(image, first, last, 60.0, width * FINE)
    seen = cv2.resize(image, (200, 200), interpolation=cv2.INTER_AREA)
    return cv2.GaussianBlur(seen, (0, 0), 1.0) + random.normal(0, 1, seen.shape).astype(np.float32)


@pytest.mark.parametrize("width", [3, 4, 6, 9])
def test_a_body_is_as_wide_as_it_was_drawn(width: int) -> None:
    random = np.random.default_rng(0)
    sizes = []
    for angle in np.linspace(0, np.pi, 12, endpoint=False):
        seen = drawn(width, angle, random)
        bold = (cv2.GaussianBlur(seen, (0, 0), 0.7) > 5).astype(np.uint8)
        _, labels, boxes, _ = cv2.connectedComponentsWithStats(bold)
        mask = labels == 1 + int(boxes[1:, cv2.CC_STAT_AREA].argmax())
        sizes.append(slender_size(body_mask(np.where(mask, seen, 0).astype(np.float32))))
        # What stands out from the noise is three pixels wider.
        assert slender_size(mask)[1] > width + 2
    length, across = np.median(sizes, axis=0)
    assert across == pytest.approx(0.987 * width, abs=0.4)  # round ends
    assert length == pytest.approx(17 * width, rel=0.06)


def test_trial_measures_as_inspect_does() -> None:
    random = np.random.default_rng(1)
    frame = np.full((200, 200), 1000.0, np.float32) + 5 * random.normal(size=(200, 200))
    frame = np.clip(frame - 5 * drawn(6, 0.4, random), 0, 4000).astype(np.uint16)
    clear = contrast(frame, "bright_field")
    bold = (cv2.GaussianBlur(clear, (0, 0), 0.7) > 5).astype(np.uint8)
    _, labels, boxes, _ = cv2.connectedComponentsWithStats(bold)
    label = 1 + int(boxes[1:, cv2.CC_STAT_AREA].argmax())
    left, top, width, height, _ = boxes[label]
    mask = (labels == label)[top : top + height, left : left + width]
    own = slender_size(body_mask(np.where(labels == label, clear, 0).astype(np.float32)))
    worm = TileDetection(0, 1, int(top), int(left), mask, 0.99)
    picture = overlay({"bright_field": frame})
    settings = DetectSettings(min_contrast=0, min_length_um=0)
    (found,) = judged(Searched(0, picture, [worm], [], 1), [], 10.0, settings, Surroundings())
    assert found.width_um / 10 == pytest.approx(own[1], rel=0.05)
    assert found.length_um / 10 == pytest.approx(own[0], rel=0.05)
    assert own[1] == pytest.approx(6, abs=0.4)
