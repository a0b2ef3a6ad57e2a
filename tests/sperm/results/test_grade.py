"""Which network grades which clip, and how wide intervals are."""

import numpy as np
import pandas as pd
import pytest
import torch

from snakescope.learning.weights import save_weights
from snakescope.sperm.results import grade
from snakescope.sperm.results.grade import by_folds, residuals_from, residuals_of
from snakescope.step.command import call
from snakescope.step.errors import StepError


def test_a_clip_is_graded_by_the_fold_that_held_it_out():
    shares = np.arange(2 * 3 * 5, dtype=float).reshape(2, 3, 5)
    found, who = by_folds(["a", "b", "c"], {"a": 1, "b": 0}, shares)
    assert who == ["fold 1", "fold 0", "2 folds"]
    np.testing.assert_array_equal(found[0], shares[1, 0])
    np.testing.assert_array_equal(found[1], shares[0, 1])
    np.testing.assert_array_equal(found[2], shares[:, 2].mean(axis=0))


def test_the_width_of_intervals_is_that_of_held_out_clips():
    rows = pd.DataFrame([[1.0, 0, 0, 0, 0]] * 4, columns=[f"p_{one}" for one in "ABCDE"])
    rows["votes"] = ["40 0 0 0 0", "20 20 0 0 0", "40 0 0 0 0", "0 40 0 0 0"]
    found = residuals_from(rows)
    assert found.n == 4 and found.low == pytest.approx(0) and 0.8 < found.high <= 1
    assert found.sd == pytest.approx(np.std([0, 0.5, 0, 1]))


def test_weights_without_held_out_errors_are_refused(tmp_path):
    path = tmp_path / "a.safetensors"
    save_weights(path, torch.nn.Linear(2, 2), {"network": "ours"})
    with pytest.raises(StepError, match="expected weights with the errors of held-out clips"):
        residuals_of(str(path))
    stated = {"low": -1.0, "high": 1.0, "sd": 0.5, "n": 40}
    save_weights(path, torch.nn.Linear(2, 2), {"residuals": stated})
    assert residuals_of(str(path)) == (-1.0, 1.0, 0.5, 40)


def test_without_a_network_there_are_no_grades(tmp_path):
    clips = pd.DataFrame({"clip": ["a"], "path": ["a.tif"], "frames": [16], "flags": [""]})
    clips.to_csv(tmp_path / "clips.tsv", sep="\t", index=False)
    call(grade, ["--clips", str(tmp_path / "clips.tsv"), "--weights", "--settings", "{}",
                 "--grades", str(tmp_path / "grades.tsv")])  # fmt: skip
    found = pd.read_csv(tmp_path / "grades.tsv", sep="\t")
    assert list(found["clip"]) == ["a"] and found.drop(columns="clip").isna().all(axis=None)
