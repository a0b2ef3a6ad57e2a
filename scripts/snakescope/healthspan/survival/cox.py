"""Cox regression of lifespan and healthspan on the condition, with cluster-robust errors by plate.

Worms of one plate are correlated, so standard errors follow from the variation between plates of
one condition, and p values and limits from a t distribution whose degrees of freedom are the number
of plates minus the number of conditions. For two conditions without an effect and plates of equal
size, this is close to a t test on the plates.
"""

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from lifelines import CoxPHFitter
from lifelines.exceptions import ConvergenceError, ConvergenceWarning
from numpy.typing import NDArray
from scipy.stats import t

from snakescope.healthspan.survival.estimators import OUTCOMES
from snakescope.learning.intervals import holm

Floats = NDArray[np.float64]

COX_COLUMNS = [
    "outcome",
    "condition",
    "reference",
    "worms",
    "plates",
    "plates_reference",
    "hazard_ratio",
    "low",
    "high",
    "se_log",
    "degrees_of_freedom",
    "p",
    "p_holm",
    "quote",
    "note",
]

NO_EVENT = "no event in this condition"
NOT_CONVERGED = "the model did not converge: the curves do not overlap"
ONE_PLATE = (
    "a condition has one plate only: its plate effect cannot be told apart, so there are neither "
    "limits nor p"
)
ALIKE = "plates do not differ at all, so there are neither limits nor p"
SMALLEST_ERROR = 1e-9
"""Of the log hazard ratio, below which it is the rounding of zero."""
FEW_PLATES = "few plates: only a difference far above theirs can be told"
FEW_DEGREES = 4
"""Maximum degrees of freedom, those of three plates per condition, that get a note."""


@dataclass(frozen=True)
class _Model:
    """A fitted model: log hazard ratio of each condition to the reference.

    ``log_ratio`` (C,), its model-based ``variance`` (C, C), the influence (``change``) of each
    plate on ``log_ratio``, (plates, C), and the ``condition`` of each plate, (plates,).
    """

    log_ratio: Floats
    variance: Floats
    change: Floats
    condition: NDArray[np.object_]

    def error(self, i: int, pair: tuple[str, str]) -> tuple[float, float]:
        """Return the standard error of ``log_ratio[i]`` and its degrees of freedom.

        Both are NaN where a condition of the pair has one plate: fewer plates must not give more
        certainty. Sums of squares over the plates of a condition are divided by their number minus
        one, which doubles the variance of two plates.
        """
        plates = {c: int((self.condition == c).sum()) for c in set(self.condition)}
        if min(plates[c] for c in pair) < 2:
            return np.nan, np.nan
        square = 0.0
        for name, number in plates.items():
            own = self.change[self.condition == name, i]
            square += float((own**2).sum()) * number / max(number - 1, 1)
        return float(np.sqrt(square)), float(sum(plates[c] for c in pair) - 2)


def score_residuals(
    terms: Floats, day: Floats, event: NDArray[np.bool_], log_ratio: Floats
) -> Floats:
    """Return the score residuals of Efron's partial likelihood at ``log_ratio``, (N, C).

    lifelines computes them for tied events one after another, so that its robust errors depend on
    the order of the rows; with frames every 12 h nearly all events are tied.

    Args:
        terms: of each worm, (N, C); ``day`` and ``event``, (N,).
        log_ratio: coefficients of the terms, (C,).
    """
    weight = np.exp(terms @ log_ratio)[:, None]
    weighted = weight * terms
    found = np.zeros_like(terms)
    for at in np.unique(day[event]):
        risk, died = day >= at, (day == at) & event
        # Efron: for the l-th of d tied events, the others are at risk with weight 1 - l / d.
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
    """Fit the conditions ``fitted`` relative to the other one in ``data``.

    Raises:
        ConvergenceError, ConvergenceWarning, LinAlgError: the model cannot be fitted.
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
    """Return hazard ratio, limits, error, degrees of freedom, p and a note of one condition."""
    error, freedom = model.error(i, pair)
    log_ratio = float(model.log_ratio[i])
    if not np.isfinite(freedom):
        return {"hazard_ratio": float(np.exp(log_ratio)), "note": ONE_PLATE}
    if error < SMALLEST_ERROR:
        return {"hazard_ratio": float(np.exp(log_ratio)), "note": ALIKE}
    width = float(t(freedom).ppf(0.5 + confidence / 2)) * error
    return {
        "hazard_ratio": float(np.exp(log_ratio)),
        "low": float(np.exp(log_ratio - width)),
        "high": float(np.exp(log_ratio + width)),
        "se_log": error,
        "degrees_of_freedom": freedom,
        "p": float(2 * t(freedom).sf(abs(log_ratio) / error)),
        "note": FEW_PLATES if freedom <= FEW_DEGREES else "",
    }


def to_quote(row: Mapping[str, object]) -> str:
    """Return in words which p of a comparison to quote, or why there is none."""
    plates = f"{row.get('plates', 0)} and {row.get('plates_reference', 0)} plates"
    p = float(str(row.get("p", "nan")))
    if np.isfinite(p):
        return f"quote this p: Cox regression, plates as replicates ({plates})"
    return f"no p to quote ({plates})"


def _rows(
    own: pd.DataFrame, conditions: Sequence[str], confidence: float
) -> list[dict[str, object]]:
    """Return the rows of one outcome: each condition against the first one with events."""
    shown = [c for c in conditions if own.loc[own["condition"] == c, "event"].sum() > 0]
    reference = shown[0] if shown else conditions[0]
    others = [c for c in conditions if c != reference]
    plates_of_reference = own.loc[own["condition"] == reference, "plate"].nunique()
    rows: list[dict[str, object]] = []
    for c in others:
        part = own[own["condition"] == c]
        row = {"condition": c, "reference": reference, "worms": len(part)}
        plates = {"plates": part["plate"].nunique(), "plates_reference": plates_of_reference}
        rows.append(row | plates | {"note": "" if c in shown else NO_EVENT})
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
    """Fit the Cox regression on the condition with errors by plate (``COX_COLUMNS``).

    The reference is the first condition in the sheet with an event. Conditions without an estimate
    have a note in place of numbers, and those with a condition of one plate a hazard ratio alone.
    ``p_holm`` is corrected for the number of conditions that are compared with the reference.
    """
    rows: list[dict[str, object]] = []
    for outcome in OUTCOMES:
        own = survival[survival["outcome"] == outcome]
        found = _rows(own, conditions, confidence) if conditions else []
        if not found:
            name = conditions[0] if conditions else ""
            found = [{"condition": name, "reference": name, "note": "one condition only"}]
        else:
            corrected = holm([float(str(row.get("p", "nan"))) for row in found]).tolist()
            for row, value in zip(found, corrected, strict=True):
                row |= {"p_holm": value, "quote": to_quote(row)}
        rows += [{"outcome": outcome} | row for row in found]
    return pd.DataFrame(rows, columns=COX_COLUMNS)
