"""Masks of real frames: what counts as a drawn liver, and the rule that sees no pixel."""

from pathlib import Path

import cv2
import numpy as np
import pandas as pd

from benchmarks.fibrosis.calibration import error_of_calibrated, of_seeds
from benchmarks.fibrosis.liver import WEIGHTS, frames_of, joined, place_of, rows_of, shown
from benchmarks.fibrosis.liver_further import (
    CANDIDATES,
    Livers,
    chosen_inside,
    edges,
    halves,
    of_same_subject,
)
from benchmarks.fibrosis.new_devices import scores_of
from snakescope.fibrosis.prediction.predict import dice
from snakescope.fibrosis.simulation.cohort import Planned
from snakescope.fibrosis.simulation.settings import SimulateSettings
from snakescope.fibrosis.simulation.simulate import simulate
from snakescope.fibrosis.training.beside import simulated_views
from snakescope.fibrosis.training.examples import Examples
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


def frames(subject: str, count: int = 8, liver: int = 4) -> Examples:
    """Frames of a subject, the first few of which show a square liver."""
    image = np.full((64, 64), 9, np.uint8)
    masks = [np.zeros((64, 64), np.uint8) for _ in range(count)]
    for mask in masks[:liver]:
        mask[16:48, 16:48] = 255
    names = tuple(f"{subject}{2 * at + 1}" for at in range(count))
    stages = np.zeros(count, np.int64)
    return Examples(names, (image,) * count, tuple(masks), stages, (subject,) * count)


def test_halves_share_no_frame_and_both_show_liver() -> None:
    one = frames("a", 12, 5)
    first, second = halves(one)
    assert sorted([*first, *second]) == list(range(12))
    assert [len(shown(one.of(half).masks)) for half in (first, second)] == [3, 2]
    # By number, not by name: a9 comes before a11.
    assert [one.names[row] for row in first[:3]] == ["a1", "a5", "a9"]


def test_no_frame_is_asked_for_by_what_learnt_from_it() -> None:
    test, others, asked = frames("a"), frames("g"), []

    def fit(drawn: Examples, shown_to: Examples, seed: int, choice: tuple[int, float]) -> Livers:
        # A frame that was learnt from is answered by 1, another one by 0.
        asked.append(drawn.names)
        return [np.full((64, 64), float(name in drawn.names)) for name in shown_to.names]

    found = of_same_subject(test, others, 1, fit)
    assert all(one is not None and not one.any() for one in found)
    assert all(set(others.names) < set(names) and len(names) == 12 for names in asked)
    asked.clear()
    list(chosen_inside(others, fit))
    assert asked and all(set(names) < set(others.names) for names in asked)


def test_the_choice_is_the_best_of_the_inner_halves() -> None:
    best = CANDIDATES[2]

    def fit(drawn: Examples, shown_to: Examples, seed: int, choice: tuple[int, float]) -> Livers:
        empty = [np.zeros((64, 64)) for _ in shown_to.names]
        return [mask / 255.0 for mask in shown_to.masks] if choice == best else empty

    rows = list(chosen_inside(frames("a"), fit))
    assert [row["chosen"] for row in rows] == ["n", "n", "y", "n", "n"]
    assert [row["inner_dice"] for row in rows] == [0, 0, 1, 0, 0]


def test_what_a_pixel_at_the_edge_costs() -> None:
    rows = pd.DataFrame(edges(joined([frames("a", 1, 1)]))).set_index("method")["dice"]
    # A disc takes a square's four sides; 32 px become 30, 28 and 24.
    for px in (1, 2, 4):
        side = 32 - 2 * px
        assert abs(rows[f"drawn outline, {px} px smaller"] - 2 * side**2 / (32**2 + side**2)) < 1e-4
        assert rows[f"drawn outline, {px} px larger"] < 1


def test_the_mean_of_seeds_is_set_beside_the_first() -> None:
    def of(values: list[tuple[float, float, float]]) -> pd.DataFrame:
        names = [f"s{at}" for at in range(len(values))]
        table = pd.DataFrame(values, columns=["p_F0-F1", "p_F2-F3", "p_F4"])
        return table.assign(scan=names, patient=names, stage="F0")

    right, nearly, wrong = (0.9, 0.1, 0.0), (0.4, 0.6, 0.0), (0.1, 0.9, 0.0)
    seeds = {1: of([nearly, wrong]), 2: of([right, wrong]), 3: of([right, right])}
    rows = {row[1]: row[3] for row in of_seeds("set", "ordinal", seeds) if row[2] == "accuracy"}
    assert rows["ordinal, mean probability of 3 seeds"] == 0.5
    assert rows["ordinal, mean probability of 3 seeds - ordinal"] == 0.5


def test_what_adaptation_changes_is_paired_by_scan(tmp_path: Path) -> None:
    rows = ["network\tdevice\tadapted_to\tscan\tpatient\tdice\tright"]
    for scan, plain, after in (("s1", 0.9, 0.8), ("s2", 0.7, 0.9)):
        rows.append(f"demo\td\t0\t{scan}\t{scan}\t{plain}\t1")
        rows.append(f"demo\td\t1000\t{scan}\t{scan}\t{after}\t0")
    (tmp_path / "t.tsv").write_text("\n".join(rows) + "\n")
    found = {(row[1], row[2]): row[3] for row in scores_of(tmp_path / "t.tsv")}
    method = "ordinal of the demo, adapted to all - not adapted"
    assert found[f"{method}, device d", "accuracy"] == -1
    assert abs(found[method, "dice"] - 0.05) < 1e-9 and found[method, "accuracy"] == -1
