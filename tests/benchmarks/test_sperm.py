"""What the benchmarks of the sperm tree keep, and what their page says."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from benchmarks.kept import read_kept, write_kept
from benchmarks.sperm import COLUMNS
from benchmarks.sperm.corrections import THRESHOLDS, corrected_shares, quality_of
from benchmarks.sperm.counterfactuals import pair
from benchmarks.sperm.evaluation import correction_rows, predicted, shuffled_rows
from benchmarks.sperm.explanations import explanation_rows, moved_share
from benchmarks.sperm.folds import SHARES, Protocol, settings_of, shuffled
from benchmarks.sperm.page import claim, missing, page
from benchmarks.sperm.speed import joined
from benchmarks.sperm.visem import speed_rows
from snakescope.sperm.simulation.raters import GRADES
from snakescope.sperm.training.correction import shares_at
from snakescope.sperm.training.data import Clips
from snakescope.step.tables import write_table


def protocol() -> Protocol:
    """Ten clips of five donors in five folds."""
    votes = ["40 0 0 0 0", "0 0 0 0 40"] * 5
    items = pd.DataFrame(
        {
            "item": [f"c{at}" for at in range(10)],
            "group": [f"d{at // 2}" for at in range(10)],
            "truth": votes,
        }
    )
    return Protocol(settings_of(), items, np.arange(10) // 2, "donor")


def keep(folder: Path, network: str, right: float, part: str = "test") -> None:
    """Folds of a network that gives the right grade so much."""
    given = protocol()
    for fold in range(5):
        rows = given.rows(fold, part)
        first = np.where(rows % 2 == 0, right, 1 - right)
        table = pd.DataFrame({"item": given.items["item"][rows], "A": first, "E": 1 - first})
        table[["B", "C", "D"]] = 0.0
        path = given.path(folder, network, fold, 1, part)
        write_kept(path, given.key(network, fold, 1), table[["item", *GRADES]])


def test_kept_folds_are_read_where_their_key_is_the_same(tmp_path: Path):
    keep(tmp_path, "slowfast", 0.9)
    given = protocol()
    found = predicted(given, tmp_path, "slowfast", 1)
    assert found is not None
    assert found.shares[:2, 0].tolist() == pytest.approx([0.9, 0.1])
    path = given.path(tmp_path, "slowfast", 0, 1, "test")
    assert read_kept(path, given.key("slowfast", 0, 2), SHARES) is None
    other = Protocol(settings_of(epochs=9), given.items, given.folds, "donor")
    assert predicted(other, tmp_path, "slowfast", 1) is None
    assert predicted(given, tmp_path, "r3d", 1) is None


def test_shuffled_frames_cost_what_errors_grow(tmp_path: Path):
    given = protocol()
    keep(tmp_path, "slowfast", 0.9)
    keep(tmp_path, "slowfast", 0.5, "shuffled")
    first = {"slowfast": predicted(given, tmp_path, "slowfast", 1)}
    rows = {row[2]: row[3] for row in shuffled_rows(given, tmp_path, first)}
    # Two grades of five are 0.5 off, 0.1 before: 100 * 2 * 0.25 / 5 and 100 * 2 * 0.01 / 5.
    assert rows == pytest.approx({"mse_e2": 10.0, "mse_e2_cost": 9.6})


def test_shuffled_clips_have_the_same_frames_in_another_order():
    frames = np.arange(32, dtype=np.uint8).reshape(2, 16, 1, 1).repeat(64, 2).repeat(64, 3)
    clips = Clips(frames, np.zeros((2, 19), np.float32), np.ones((2, 5), np.int64))
    found = shuffled(clips, 0.2, measured=False)
    assert np.array_equal(np.sort(found.frames[:, :, 0, 0]), frames[:, :, 0, 0])
    assert not np.array_equal(found.frames, frames)
    assert np.array_equal(found.frames, shuffled(clips, 0.2, measured=False).frames)


def test_counterfactual_clips_differ_in_one_part_alone():
    clips = pair(0, 96)
    good = clips["good"]
    for part, other in (("head", "tail"), ("tail", "head")):
        one = clips[part]
        changed = np.abs(one.frames.astype(int) - good.frames) > 12
        near = np.stack([
            np.lib.stride_tricks.sliding_window_view(np.pad(mask, 4), (9, 9)).any((2, 3))
            for mask in good.parts[part] | one.parts[part]
        ])  # fmt: skip
        assert changed.any() and not (changed & ~near).any()
        # Where the tail leaves the head, a pixel may be of either.
        same = (one.parts[other] == good.parts[other]).mean()
        assert same > 0.995


def test_the_share_of_what_changes_counts_rises_and_falls():
    before, after = np.zeros((1, 4, 4), np.float32), np.zeros((1, 4, 4), np.float32)
    before[0, 0, 0], after[0, 1, 1], after[0, 3, 3] = 1, 2, 1
    mask = np.zeros((1, 4, 4), bool)
    mask[0, :2, :2] = True
    assert moved_share(before, after, mask) == pytest.approx(3 / 4)


def test_speeds_below_the_error_are_ties():
    table = pd.DataFrame(
        {"box_vsl": [0.0, 0.2, 0.4, 3.0, 10.0, 30.0], "vsl": [0.9, 0.1, 0.5, 3.1, 10.5, 29.0]}
    )
    rows = {row[2]: row[3] for row in speed_rows(table)}
    assert rows["speed_error_um_s"] == pytest.approx(2 * 0.46 * 16 / 15)
    assert rows["speed_spearman"] == pytest.approx(1) and rows["stands_agree"] == 1
    assert rows["speed_spearman_untied"] < 0.95
    # Ties hide no sperm that moves and is said to stand.
    table.loc[4, "vsl"] = 0.2
    rows = {row[2]: row[3] for row in speed_rows(table)}
    assert rows["speed_spearman"] < 0.9 and rows["stands_agree"] == pytest.approx(5 / 6)


def test_the_page_says_what_is_met_and_what_maps_say(tmp_path: Path):
    (tmp_path / "r3d-grad_cam.tsv").write_text("# key\nclip\tpointing\thead\ttail\n0\t1\t3\t2\n")
    (tmp_path / "timesformer-relevance.tsv").write_text("# key\nclip\thead\ttail\n0\t1\t2\n")
    maps = list(explanation_rows(tmp_path))
    assert ("explanations", "r3d, grad_cam", "head") in {row[:3] for row in maps}
    rows = [
        *maps,
        ("simulated_donor_folds", "ours", "explained", 0.5, 0.4, 0.6, 615),
        ("simulated_donor_folds", "r3d", "mse_e2", 1.2, 1.1, 1.3, 615),
        ("simulated_donor_folds", "r3d", "explained", 0.2, 0.1, 0.3, 615),
        ("dishes", "ours", "kendall_tau", 0.4, 0.3, 0.5, 20),
    ]
    table = pd.DataFrame(rows, columns=COLUMNS)
    text = page(table)
    lines = {line.split("|")[1].strip(): line for line in text.splitlines() if line.startswith("|")}
    assert "yes" in lines["`ours` explains, at least"]
    assert "**no**" in lines["best published network of clips (r3d) explains, at least"]
    assert "**no**" in lines["dishes of 20: Kendall's tau, at least"]
    assert "not measured" in lines["real field: F1 of heads after linking, at least"]
    assert "tails holds on" in claim(table)
    table.loc[table["network"].str.startswith("timesformer"), "value"] = [3.0, 2.0]
    assert "does not hold" in claim(table)


def test_distributions_come_back_from_their_quality():
    shares = np.random.default_rng(1).dirichlet(np.ones(5), 50)
    one = quality_of(shares)
    assert np.allclose(shares_at(one.mean, one.sd, THRESHOLDS, one.off), shares, atol=1e-3)


def test_distributions_that_are_too_alike_are_spread():
    rng = np.random.default_rng(1)
    mean, sd = rng.normal(0, 0.5, 200), rng.uniform(0.5, 1, 200)
    near, far = (shares_at(by * mean, sd, THRESHOLDS) for by in (1.0, 1.6))
    found = corrected_shares(near[:100], far[:100], near[100:])
    assert np.square(found - far[100:]).mean() < 0.05 * np.square(near - far)[100:].mean()


def test_ours_is_told_without_its_correction_and_a_rival_with_it(tmp_path: Path):
    first = {}
    for name in ("ours", "timesformer"):
        for part in ("test", "validation"):
            keep(tmp_path, name, 0.7, part)
        one = predicted(protocol(), tmp_path, name, 1)
        assert one is not None
        first[name] = one
    keep(tmp_path, "ours", 0.6, "uncorrected")
    rows = list(correction_rows(protocol(), tmp_path, first, "set"))
    errors = {row[1]: row[3] for row in rows if row[2] == "mse_e2"}
    assert set(errors) == {"ours, uncorrected", "timesformer, corrected"}
    assert errors["ours, uncorrected"] == pytest.approx(100 * 0.4**2 * 2 / 5)
    assert errors["timesformer, corrected"] < 100 * 0.3**2 * 2 / 5


def test_rows_that_were_not_measured_stay(tmp_path: Path):
    path = tmp_path / "speed.tsv"
    first = [("throughput", name, "minutes", 1.0, np.nan, np.nan, 1) for name in ("a", "b")]
    write_table(path, joined(path, first))
    found = joined(path, [("throughput", "b", "minutes", 2.0, np.nan, np.nan, 1)])
    assert dict(zip(found["network"], found["value"], strict=True)) == {"a": 1.0, "b": 2.0}


def test_the_page_names_what_was_not_trained():
    names = ["ours", "ours, seed 2", "timesformer", "r3d", "vit", "vgg16", "slowfast"]
    rows = [("simulated_donor_folds", name, "mse_e2", 1.0, 0.9, 1.1, 615) for name in names]
    text = missing(pd.DataFrame(rows, columns=COLUMNS))
    wanted = "`rostfine`, `ours` with seed 3, `timesformer` with seed 2, `timesformer` with seed 3"
    assert text == f"Not trained in all folds: {wanted}."
