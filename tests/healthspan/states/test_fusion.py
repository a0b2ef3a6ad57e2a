"""States from masks and grey values: stillness decides, masks break ties, nothing is invented."""

import numpy as np
import pandas as pd
import pytest

from snakescope.healthspan.states.classify import read_evidence, states_table, with_evidence
from snakescope.healthspan.states.composite import COLUMNS
from snakescope.healthspan.states.fusion import FEATURES, SHIPPED, both_sides, features, fused
from snakescope.step.errors import StepError
from snakescope.step.tables import write_table

UNSURE = np.array([[0.01, 0.495, 0.495]])


def of(found, before, after):
    return fused(np.asarray(found, float), np.array([[before, after]]), SHIPPED)[0]


def test_probabilities_sum_to_one_for_any_movement():
    rng = np.random.default_rng(3)
    found = rng.dirichlet(np.ones(3), 200)
    moved = rng.uniform(0, 3, (200, 2))
    together = fused(found, moved, SHIPPED)
    assert together.sum(axis=1) == pytest.approx(np.ones(200))
    assert (together >= 0).all()


def test_a_body_that_lies_still_is_dead_and_one_whose_head_turns_is_not():
    assert of(UNSURE, 0, 0).argmax() == 2
    assert of(UNSURE, 0.1, 0.1).argmax() == 1
    assert of([[0.5, 0.49, 0.01]], 0.95, 0.95).argmax() == 0


@pytest.mark.parametrize("sure", [0.2, 0.5, 0.9])
def test_more_movement_is_never_more_death(sure):
    found = [[0.01, 0.99 - sure, sure]]
    dead = [of(found, share, share)[2] for share in np.linspace(0, 1, 41)]
    assert np.all(np.diff(dead) <= 0.02)
    assert dead[0] > dead[-1] + 0.3


def test_masks_that_flicker_do_not_look_like_movement():
    masks_say_immobile = [[0.01, 0.88, 0.11]]
    assert of(masks_say_immobile, 0, 0.01).argmax() == 2


def test_a_missing_side_takes_the_other_and_none_leaves_the_classifier():
    assert both_sides(np.array([[np.nan, 0.2]])).tolist() == [[0.2, 0.2]]
    assert np.array_equal(of(UNSURE, np.nan, 0.2), of(UNSURE, 0.2, 0.2))
    assert np.array_equal(of(UNSURE, np.nan, np.nan), UNSURE[0])


def test_features_are_as_many_as_coefficients():
    given = features(np.array([[0.1, 0.2]]), np.array([0.3]))
    assert given.shape == (1, len(FEATURES))
    assert len(SHIPPED.dead) == len(SHIPPED.healthy) == len(FEATURES)
    assert features(np.zeros((1, 2)), np.array([99.0]))[0, -1] == 4


def index_of(count):
    table = pd.DataFrame({name: np.arange(count) for name in COLUMNS})
    return table.astype({"before": "Int64", "after": "Int64"})


def test_a_worm_too_faint_to_tell_is_unknown():
    evidence = pd.DataFrame(
        {"moved_before": [0.0, 0.0], "moved_after": [0.0, 0.0], "body_contrast": [2.0, 9.0]}
    )
    found, faint = with_evidence(np.repeat(UNSURE, 2, axis=0), evidence, 3.0)
    table = states_table(index_of(2), found, faint)
    assert table["state"].tolist() == ["unknown", "dead"]
    assert table.loc[0, ["p_healthy", "p_immobile", "p_dead"]].isna().all()


def test_evidence_of_other_worms_is_refused(tmp_path):
    evidence = pd.DataFrame(
        {"composite": [0], "instance": [7], "moved_before": [0.0], "moved_after": [0.0],
         "body_contrast": [9.0], "start_correlation": [0.0], "start_contrast": [0.0]}
    )  # fmt: skip
    write_table(tmp_path / "e.tsv", evidence)
    with pytest.raises(StepError, match="expected the evidence of the 2 composites"):
        read_evidence(tmp_path / "e.tsv", index_of(2))
