"""Perfect readers of simulated sperm, `ours` without pictures, dishes, and heads after linking."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch

from benchmarks.kept import write_kept
from benchmarks.sperm import COLUMNS
from benchmarks.sperm.ceilings import (
    EACH,
    at_kept,
    by_defects,
    by_speed,
    dish_rows,
    expected_at,
    floor,
    true_shares,
)
from benchmarks.sperm.dishes import MORE, rows_of
from benchmarks.sperm.drift_alone import Blind, keep
from benchmarks.sperm.evaluation import BLIND, correction_rows, predicted
from benchmarks.sperm.folds import DRIFT_ALONE, Protocol, settings_of
from benchmarks.sperm.page import page
from benchmarks.sperm.visem import after_linking, detection_rows
from snakescope.sperm.networks.ours import Ours
from snakescope.sperm.results.grade import Residuals
from snakescope.sperm.results.train_grader import Dishes
from snakescope.sperm.simulation.raters import GRADES
from snakescope.sperm.simulation.settings import SimulateSettings
from snakescope.sperm.simulation.simulate import followed
from snakescope.sperm.tracking.settings import TrackSettings
from snakescope.sperm.training.data import Clips


def protocol() -> Protocol:
    """Ten clips of five donors in five folds."""
    items = pd.DataFrame(
        {
            "item": [f"c{at}" for at in range(10)],
            "group": [f"d{at // 2}" for at in range(10)],
            "truth": ["30 10 0 0 0", "0 0 0 10 30"] * 5,
        }
    )
    return Protocol(settings_of(), items, np.arange(10) // 2, "donor")


def clips(count: int = 10) -> Clips:
    """Clips whose grade is seen in their speed alone."""
    rng = np.random.default_rng(1)
    frames = rng.integers(0, 255, (count, 16, 64, 64)).astype(np.uint8)
    motion = np.zeros((count, 19), np.float32)
    motion[::2] = 1.0
    votes = np.array([[30, 10, 0, 0, 0], [0, 0, 0, 10, 30]] * (count // 2))
    return Clips(frames, motion, votes)


# Without pictures


def test_without_pictures_the_drift_alone_says_the_grade(tmp_path: Path):
    given = protocol()
    for fold in range(5):
        keep(given, clips(), fold, tmp_path)
    found = predicted(given, tmp_path, DRIFT_ALONE, 1)
    assert found is not None
    named = found.shares @ np.arange(5.0)
    assert (named[::2] < 1.5).all() and (named[1::2] > 2.5).all()
    # A table that is there is not made again.
    path = given.path(tmp_path, DRIFT_ALONE, 0, 1, "test")
    before = path.read_text()
    path.write_text(before.replace("c0", "cX"))
    keep(given, clips(), 0, tmp_path)
    assert "cX" in path.read_text()


def test_without_pictures_is_ours_with_empty_ones():
    torch.manual_seed(1)
    blind = Blind().eval()
    whole = Ours().eval()
    whole.load_state_dict(blind.state_dict())
    motion = torch.randn(2, 19)
    some, other = torch.randn(2, 16, 64, 64), torch.randn(2, 16, 64, 64)
    with torch.no_grad():
        assert torch.equal(blind(some, motion), blind(other, motion))
        assert not torch.allclose(whole(some, motion), blind(some, motion), atol=1e-5)
        whole.head.project.weight[:, : whole.seen] = 0
        assert torch.allclose(whole(some, motion), blind(some, motion), atol=1e-6)


def test_what_pictures_are_worth_is_told(tmp_path: Path):
    given = protocol()
    for network, right in (("ours", 0.8), (DRIFT_ALONE, 0.7)):
        for fold in range(5):
            rows = given.rows(fold, "test")
            first = np.where(rows % 2 == 0, right, 1 - right)
            table = pd.DataFrame({"item": given.items["item"][rows], "A": first, "E": 1 - first})
            table[["B", "C", "D"]] = 0.0
            path = given.path(tmp_path, network, fold, 1, "test")
            write_kept(path, given.key(network, fold, 1), table[["item", *GRADES]])
    ours = predicted(given, tmp_path, "ours", 1)
    assert ours is not None
    rows = list(correction_rows(given, tmp_path, {"ours": ours}, "simulated_donor_folds"))
    values = {row[1:3]: row[3] for row in rows}
    # Of the shares 0.75 and 0.25: 0.05, 0.25 and 0.2 off, or 0.05, 0.25 and 0.3.
    better = 100 * (0.05**2 + 0.25**2 + 0.2**2) / 5
    worse = 100 * (0.05**2 + 0.25**2 + 0.3**2) / 5
    assert values[BLIND, "mse_e2"] == pytest.approx(worse)
    assert values[f"ours - {BLIND}", "mse_e2"] == pytest.approx(better - worse)
    text = page(pd.DataFrame(rows, columns=COLUMNS))
    assert f"Pictures are worth {worse - better:.3f}" in text.replace("\n", " ")


# Perfect readers


def test_readers_of_dishes_are_as_good_as_what_they_know():
    rows = {row[1:3]: row[3] for row in dish_rows(40, 0.8)}
    assert rows["shares known", "best_in_three"] == 1
    assert rows["votes known", "kendall_tau"] == pytest.approx(1, abs=0.02)
    assert rows["correlation of ours", "correlation"] == pytest.approx(0.8, abs=1e-3)
    others = [rows[name, "best_in_three"] for name in ("correlation of ours", "votes known")]
    assert rows["speed and all defects known", "kendall_tau"] > 0.65
    assert 3 / EACH < others[0] < others[1] < 1
    speeds = [rows[f"speed known to {size:g} um/s", "kendall_tau"] for size in (0, 1)]
    assert 0.3 < speeds[1] < speeds[0] < rows["shares known", "kendall_tau"]


def test_defects_are_read_by_what_other_dishes_say():
    sperm = [followed("d", "d", number, SimulateSettings()).sperm for number in range(20)]
    half = np.arange(20) % 2
    grades = np.where(half == 0, 1.0, 3.0)  # each half knows the grades of the other alone
    found = by_defects(sperm, (), grades, half)
    assert (found[half == 0] > 2).all() and (found[half == 1] < 2).all()


def test_the_least_doubtful_err_less_where_doubt_is_right():
    error = np.arange(1.0, 11.0)
    assert at_kept(error, error) == pytest.approx(4 / 5.5)
    assert at_kept(error, -error) == pytest.approx(7 / 5.5)


def test_a_reader_of_speeds_errs_by_what_speeds_do_not_say():
    rng = np.random.default_rng(1)
    speed = np.repeat([0.0, 5.0, 15.0], 100) + np.repeat([0, 1, 1], 100) * rng.uniform(0, 1e-3, 300)
    shares = true_shares(np.repeat([-1.0, 0.0, 1.0], 100))
    error, doubt = by_speed(speed, shares)
    np.testing.assert_allclose(error, floor(shares))
    np.testing.assert_allclose(doubt, floor(shares))
    # Where speeds say nothing, the mean of all is said of each.
    error, _ = by_speed(np.zeros(300), shares)
    spread = 100 * np.square(shares - shares.mean(axis=0)).mean(axis=1)
    np.testing.assert_allclose(error, spread + floor(shares))


def test_no_donor_tells_what_is_expected_of_its_own():
    found = np.repeat(np.linspace(-1, 1, 100), 2)
    groups = np.array([f"d{at % 2}" for at in range(200)])
    error = np.where(groups == "d0", 1.0, 3.0)
    nearest = expected_at(found, error, groups)
    assert (nearest[groups == "d0"] == 3).all() and (nearest[groups == "d1"] == 1).all()


# Dishes


def test_other_dishes_have_rows_of_their_own():
    rng = np.random.default_rng(1)
    quality = rng.normal(0, 1, 60)
    shares = true_shares(quality)
    votes = np.round(40 * shares).astype(np.int64)
    seen = Clips(np.zeros((60, 16, 2, 2), np.uint8), np.zeros((60, 19), np.float32), votes)
    dishes = Dishes(seen, np.repeat(["a", "b", "c"], 20), quality)
    spread = Residuals(-0.3, 0.3, 0.2, 100)
    rows = {row[2]: row for row in rows_of(dishes, shares, spread, MORE, 50) if row[1] == "ours"}
    assert {row[0] for row in rows.values()} == {"more_dishes"}
    assert rows["best_in_three"][3] == 1 and rows["kendall_tau"][3] > 0.9
    # Turned about, the best are said to be the worst.
    worst = {row[2]: row[3] for row in rows_of(dishes, shares[:, ::-1], spread, MORE, 50)}
    assert worst["best_in_three"] == 0 and worst["kendall_tau"] < -0.9


# Heads


def lost(frames: range, spot: range = range(0)) -> list[np.ndarray]:
    """A head that is not found in some frames of 150, and a bright spot in others."""
    found = []
    for frame in range(150):
        heads = [] if frame in frames else [(100.0 + frame, 100.0, 0.9)]
        heads += [(300.0, 300.0, 0.9)] if frame in spot else []
        found.append(np.array(heads).reshape(-1, 3))
    return found


def test_heads_after_linking_have_no_gaps_and_no_spots():
    found = after_linking(lost(range(110, 116), range(120, 130)), TrackSettings())
    assert [len(one) for one in found] == [1] * 150
    np.testing.assert_allclose(found[113][0, :2], (213, 100), atol=1e-6)


def test_heads_are_scored_by_frame_and_after_linking():
    truth = pd.DataFrame({"frame": range(150), "x": 100.0 + np.arange(150), "y": 100.0})
    heads = lost(range(110, 116), range(120, 130))
    rows = {row[2]: row[3] for row in detection_rows({"ours": heads}, truth, 1)}
    assert rows["detection_f"] == 1
    # Of 50 frames, 6 have no head and 10 one too many.
    assert rows["detection_f_by_frame"] == pytest.approx(2 * 44 / (2 * 44 + 10 + 6))
    assert rows["detection_recall_by_frame"] == pytest.approx(44 / 50)
    assert rows["detection_precision_by_frame"] == pytest.approx(44 / 54)
    # Every second frame: 3 have no head, and 5 one too many.
    rows = {row[2]: row[3] for row in detection_rows({"ours": heads}, truth, 2)}
    assert rows["detection_f_by_frame"] == pytest.approx(2 * 22 / (2 * 22 + 5 + 3))
