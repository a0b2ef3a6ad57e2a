"""Masks of real frames: what counts as a drawn liver, and the rule that sees no pixel."""

from pathlib import Path

import cv2
import numpy as np

from benchmarks.fibrosis.calibration import error_of_calibrated
from benchmarks.fibrosis.liver import WEIGHTS, frames_of, place_of, rows_of, shown
from snakescope.fibrosis.prediction.predict import dice
from snakescope.fibrosis.simulation.cohort import Planned
from snakescope.fibrosis.simulation.settings import SimulateSettings
from snakescope.fibrosis.simulation.simulate import simulate
from snakescope.fibrosis.training.beside import simulated_views
from snakescope.fibrosis.training.models import predict, restored
from snakescope.learning.weights import load_weights


def test_the_soft_edge_of_another_organ_is_no_liver(tmp_path: Path) -> None:
    frame = simulate(Planned("s", "p", 0, "convex_a", 0), SimulateSettings(set="x")).image
    liver, spleen = (np.zeros((*frame.shape, 3), np.uint8) for _ in range(2))
    liver[250:400, 300:500] = (100, 0, 100)
    spleen[250:400, 300:500] = (255, 0, 255)
    spleen[249, 300:330] = (100, 0, 100)
    for name in ("images", "masks"):
        (tmp_path / name).mkdir()
    for name, mask in (("q1", liver), ("q2", spleen)):
        cv2.imwrite(str(tmp_path / f"images/{name}.jpg"), frame)
        cv2.imwrite(str(tmp_path / f"masks/{name}.png"), mask)
    found = frames_of(tmp_path, "q")
    assert found.names == ("q1", "q2") and len(shown(found.masks)) == 1
    rows = list(rows_of("all", [np.ones(one.shape) for one in found.images], found))
    assert 0 < rows[0]["dice"] < 1 and rows[1]["dice"] == ""


def test_a_place_is_where_most_masks_are() -> None:
    masks = [np.zeros((8, 8), bool) for _ in range(3)]
    for mask in masks:
        mask[2:6, 2:6] = True
    masks[0][0, 0] = True
    assert np.array_equal(place_of(masks) > 0, masks[1])


def test_the_shipped_weights_find_livers_that_they_have_not_seen() -> None:
    fitted = restored(*load_weights(WEIGHTS))
    views = simulated_views(10, 77)
    found = [
        dice(one.liver, mask)
        for one, mask in zip(predict(fitted, views), views.masks, strict=True)
        if mask is not None and mask.any()
    ]
    assert len(found) >= 5 and np.mean(found) > 0.5


def test_the_error_of_a_calibrated_predictor_is_noise_that_more_scans_lessen() -> None:
    few, many = (np.tile([[0.7, 0.2, 0.1]], (n, 1)) for n in (40, 4000))
    of_few = error_of_calibrated(few, np.arange(40).astype(str), 1, 300)
    of_many = error_of_calibrated(many, np.arange(4000).astype(str), 1, 100)
    # The mean distance of a share of 40 from 0.7 is sqrt(2 / pi) of its standard deviation.
    assert abs(of_few.value - np.sqrt(2 / np.pi * 0.21 / 40)) < 0.01
    assert of_many.high < of_few.value
    shared = error_of_calibrated(few, np.repeat(np.arange(10), 4).astype(str), 1, 300)
    assert shared.value > 1.5 * of_few.value
