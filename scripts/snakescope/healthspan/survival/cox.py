"""Cox regression of the ends of worms on their condition, with errors between plates.

Worms of one plate are more alike than worms of two, so the errors are taken from how much
plates of one condition differ, and p and limits from a t distribution with as many degrees of
freedom as there are plates past the first of each condition. For two conditions alike in all
but their plates, and plates of one size, it is close to a t test on the plates.
"""

import warnings
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from lifelines import CoxPHFitter
from lifelines.exceptions import ConvergenceError, ConvergenceWarning
from numpy.typing import NDArray
from scipy.stats import norm, t

from snakescope.healthspan.survival.estimators import OUTCOMES

Floats = NDArray[np.float64]

COX_COLUMNS = [
    "outcome",
    "condition",
    "reference",
    "worms",
    "plates",
    "hazard_ratio",
    "low",
    "high",
    "se_log",
    "degrees_of_freedom",
    "p",
    "note",
]

NO_EVENT = "no event in this condition"
NOT_CONVERGED = "the model did not converge: the curves do not overlap"
ONE_PLATE = (
    "a condition has one plate only: its plate effect cannot be told apart, and the limits and p "
    "take worms as if plates did not differ"
)
FEW_PLATES = "few plates: only a difference far above theirs can be told"
FEW_DEGREES = 4
"""Up to as many degrees of freedom, three plates of each condition, are said to be few."""


@dataclass(frozen=True)
class _Model:
    """A fitted model: logarithm of the hazard ratio of each condition over the reference.

    ``log_ratio`` (C,), its ``variance`` (C, C) of worms that are independent, and the ``change``
    of ``log_ratio`` that each plate brings about, (plates, C), with the ``condition`` of each
    plate, (plates,).
    """

    log_ratio: Floats
    variance: Floats
    change: Floats
    condition: NDArray[np.object_]

    def error(self, i: int, pair: tuple[str, str]) -> tuple[float, float]:
        """Standard error of ``log_ratio[i]``, and its degrees of freedom; inf: of worms.

        The squares of a condition's plates are divided by their number less one and not by their
        number, as those of any mean; with two plates that doubles the variance.
        """
        plates = {c: int((self.condition == c).sum()) for c in set(self.condition)}
        if min(plates[c] for c in pair) < 2:
            return float(np.sqrt(self.variance[i, i])), np.inf
        square = 0.0
        for name, number in plates.items():
            own = self.change[self.condition == name, i]
            square += float((own**2).sum()) * number / max(number - 1, 1)
        return float(np.sqrt(square)), float(sum(plates[c] for c in pair) - 2)


def score_residuals(
    terms: Floats, day: Floats, event: NDArray[np.bool_], log_ratio: Floats
) -> Floats:
    """What each worm adds to the score of Efron's likelihood at ``log_ratio``, (N, C).

    lifelines takes tied ends one after another here, so that its robust errors hang on the order
    of the rows; and of worms photographed every 12 h nearly all ends are tied.

    Args:
        terms: of each worm, (N, C); ``day`` and ``event``, (N,).
        log_ratio: coefficients of the terms, (C,).
    """
    weight = np.exp(terms @ log_ratio)[:, None]
    weighted = weight * terms
    found = np.zeros_like(terms)
    for at in np.unique(day[event]):
        risk, died = day >= at, (day == at) & event
        # Efron: of d that end together, the l-th finds the others there with weight 1 - l / d.
        gone = np.arange(died.sum())[:, None] / died.sum()
        total = weight[risk].sum() - gone * weight[died].sum()
        mean = (weighted[risk].sum(axis=0) - gone * weighted[died].sum(axis=0)) / total
        hazard = 1 / total
        found[risk] -= weighted[risk] * hazard.sum() - weight[risk] * (mean * hazard).sum(axis=0)
        hazard = gone / total
        found[died] += weighted[died] * hazard.sum() - weight[died] * (mean * hazard).sum(axis=0)
        found[died] += terms[died] - mean.mean(axis=0)
    return found


def _fit(data: pd.DataFrame, fitted: Sequence[str]) -> _Model:
    """Fit the conditions ``fitted`` over the one other that is in ``data``.

    Raises:
        ConvergenceError, ConvergenceWarning, LinAlgError: there is no estimate.
    """
    terms = {f"c{i}": (data["condition"] == c).astype(float) for i, c in enumerate(fitted)}
    day = np.maximum(data["day"].to_numpy(np.float64), 1e-3)
    table = pd.DataFrame(terms).assign(day=day, event=data["event"])
    model = CoxPHFitter()
    with warnings.catch_warnings():
        warnings.simplefilter("error", ConvergenceWarning)
        model.fit(table, "day", "event")
    names = list(terms)
    log_ratio = model.params_[names].to_numpy(float)
    variance = model.variance_matrix_.loc[names, names].to_numpy(float)
    event = data["event"].to_numpy() == 1
    score = score_residuals(table[names].to_numpy(np.float64), day, event, log_ratio)
    change = pd.DataFrame(score @ variance).groupby(data["plate"].to_numpy()).sum()
    of_plate = data.drop_duplicates("plate").set_index("plate")["condition"]
    condition = np.array([of_plate[plate] for plate in change.index], object)
    return _Model(log_ratio, variance, change.to_numpy(), condition)


def _estimate(
    model: _Model, i: int, pair: tuple[str, str], confidence: float
) -> dict[str, float | str]:
    """Cells of one condition: hazard ratio, limits, error, degrees of freedom, p and a note."""
    error, freedom = model.error(i, pair)
    of_plates = np.isfinite(freedom)
    spread = t(freedom) if of_plates else norm
    log_ratio = float(model.log_ratio[i])
    width = float(spread.ppf(0.5 + confidence / 2)) * error
    few = FEW_PLATES if freedom <= FEW_DEGREES else ""
    return {
        "hazard_ratio": float(np.exp(log_ratio)),
        "low": float(np.exp(log_ratio - width)),
        "high": float(np.exp(log_ratio + width)),
        "se_log": error,
        "degrees_of_freedom": freedom if of_plates else np.nan,
        "p": float(2 * spread.sf(abs(log_ratio) / error)) if error > 0 else np.nan,
        "note": few if of_plates else ONE_PLATE,
    }


def _rows(
    own: pd.DataFrame, conditions: Sequence[str], confidence: float
) -> list[dict[str, object]]:
    """Rows of one outcome: each condition against the first that has worms and events."""
    shown = [c for c in conditions if own.loc[own["condition"] == c, "event"].sum() > 0]
    reference = shown[0] if shown else conditions[0]
    others = [c for c in conditions if c != reference]
    rows: list[dict[str, object]] = []
    for c in others:
        part = own[own["condition"] == c]
        row = {"condition": c, "reference": reference, "worms": len(part)}
        note = "" if c in shown else NO_EVENT
        rows.append(row | {"plates": part["plate"].nunique(), "note": note})
    fitted = [c for c in others if c in shown]
    if not fitted:
        return rows
    try:
        model = _fit(own[own["condition"].isin([reference, *fitted])], fitted)
    except (ConvergenceError, ConvergenceWarning, np.linalg.LinAlgError):
        for row in rows:
            row["note"] = row["note"] or NOT_CONVERGED
        return rows
    for row in rows:
        name = str(row["condition"])
        if name in fitted:
            row |= _estimate(model, fitted.index(name), (reference, name), confidence)
    return rows


def cox_table(survival: pd.DataFrame, conditions: Sequence[str], confidence: float) -> pd.DataFrame:
    """Cox regression on the condition, with errors between plates (``COX_COLUMNS``).

    The reference is the first condition in the sheet with an event. What cannot be
    estimated has a note instead of numbers. Where a condition has one plate only, the errors
    are those of worms that are independent, which the note says.
    """
    rows: list[dict[str, object]] = []
    for outcome in OUTCOMES:
        own = survival[survival["outcome"] == outcome]
        found = _rows(own, conditions, confidence) if conditions else []
        if not found:
            name = conditions[0] if conditions else ""
            found = [{"condition": name, "reference": name, "note": "one condition only"}]
        rows += [{"outcome": outcome} | row for row in found]
    return pd.DataFrame(rows, columns=COX_COLUMNS)
