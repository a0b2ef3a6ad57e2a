"""Errors of the hazard ratio between plates."""

import numpy as np
import pandas as pd
import pytest
from lifelines import CoxPHFitter

from snakescope.healthspan.survival.cox import FEW_PLATES, ONE_PLATE, cox_table, score_residuals


def alike(
    rng: np.random.Generator, plates: tuple[int, ...], plate_sd_d: float, worms: int = 40
) -> pd.DataFrame:
    """Conditions of one lifespan, photographed every 12 h: N2 at 25 C."""
    pieces = []
    for c, number in enumerate(plates):
        for i in range(number):
            death = 13 * rng.weibull(5.8, worms) + plate_sd_d * rng.normal()
            day = np.floor(np.maximum(death, 0) * 2) / 2 + 0.25
            piece = pd.DataFrame({"day": day}).assign(condition=f"c{c}", plate=f"c{c} {i}")
            pieces.append(piece)
    return pd.concat(pieces, ignore_index=True).assign(outcome="lifespan", event=1)


def row_of(survival: pd.DataFrame, condition: str = "c1") -> pd.Series:
    conditions = sorted(set(survival["condition"]))
    found = cox_table(survival, conditions, 0.95).query("outcome == 'lifespan'")
    return found.set_index("condition").loc[condition]


@pytest.mark.slow
@pytest.mark.parametrize(("plates", "plate_sd_d"), [((2, 2), 0.0), ((2, 2), 0.77), ((3, 3), 0.77)])
def test_alike_conditions_are_seldom_told_apart(plates: tuple[int, int], plate_sd_d: float) -> None:
    """The sandwich of lifelines over so few plates is below 0.05 in 15 to 72 of 100."""
    rng = np.random.default_rng(5)
    p = np.array([row_of(alike(rng, plates, plate_sd_d))["p"] for _ in range(60)], float)
    assert (p < 0.05).mean() <= 0.12


def test_a_condition_of_one_plate_has_no_p_and_says_so() -> None:
    survival = alike(np.random.default_rng(1), (2, 1, 2), 0.77)
    one, two = row_of(survival, "c1"), row_of(survival, "c2")
    assert one["note"] == ONE_PLATE and np.isfinite(one["hazard_ratio"])
    assert np.isnan([one[name] for name in ("p", "p_holm", "low", "high", "se_log")]).all()
    assert two["note"] == FEW_PLATES and two["degrees_of_freedom"] == 2
    assert two["p_holm"] == two["p"]


def test_the_errors_do_not_hang_on_the_order_of_worms() -> None:
    survival = alike(np.random.default_rng(2), (3, 3), 0.77)
    mixed = survival.sample(frac=1, random_state=1)
    assert row_of(mixed)["se_log"] == pytest.approx(row_of(survival)["se_log"])


def test_score_residuals_are_those_of_lifelines_where_no_ends_are_tied() -> None:
    rng = np.random.default_rng(3)
    survival = alike(rng, (3, 3), 0.77)
    survival["day"] += rng.uniform(0, 0.2, len(survival))
    survival["event"] = (rng.random(len(survival)) < 0.8).astype(int)
    table = survival.assign(c1=(survival["condition"] == "c1").astype(float))
    table = table[["c1", "day", "event", "plate"]]
    robust = CoxPHFitter().fit(table, "day", "event", cluster_col="plate", robust=True)
    plain = CoxPHFitter().fit(table.drop(columns="plate"), "day", "event")
    found = score_residuals(
        table[["c1"]].to_numpy(),
        table["day"].to_numpy(),
        table["event"].to_numpy() == 1,
        plain.params_.to_numpy(),
    )
    assert found.sum() == pytest.approx(0, abs=1e-6)
    of_plates = pd.Series(found[:, 0]).groupby(table["plate"]).sum().to_numpy()
    error = np.sqrt((of_plates**2).sum()) * plain.variance_matrix_.iloc[0, 0]
    assert error == pytest.approx(robust.standard_errors_["c1"], rel=1e-6)
