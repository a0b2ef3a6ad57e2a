"""States from what the masks say and what the grey values say together.

Two logistic regressions, of few coefficients so that they hold on looks they were not fitted on:

* dead or alive, from the share of the body that moved on either side and the classifier's log odds;
* healthy or immobile, if alive, from the same.

The shares decide almost alone where a body lies still, and masks that flicker no longer look like
movement; the classifier decides where a worm has left and another lies there, which a share cannot
tell from a crawl.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from snakescope.healthspan.states.states import DEAD, HEALTHY, IMMOBILE, STATES

Floats = NDArray[np.float64]

SMALL_SHARE = 0.02
"""Share of a body below which movement is as good as none: its rounding, its noise."""

GREATEST_SHARE = 1.0
"""All of a body."""

GREATEST_ODDS = 4.0
"""Log odds of the classifier beyond which it is no surer, on other looks than its own."""

FEATURES = ("1", "before", "after", "before^2", "after^2", "before after", "lesser", "masks")


@dataclass(frozen=True)
class Fusion:
    """Coefficients of the two regressions, in the order of :data:`FEATURES`.

    The shipped ones were fitted on 1,170 simulated worms with unsteady masks
    (:mod:`snakescope.healthspan.training.evidence_examples`: ``UNSTEADY``, 130 a state from each of
    the seeds 105, 106 and 107); ``python -m benchmarks.healthspan.states --fit`` fits others.
    """

    dead: tuple[float, ...]
    healthy: tuple[float, ...]


SHIPPED = Fusion(
    dead=(1.626, -1.875, -0.642, 1.023, 0.475, -1.146, -0.899, 0.307),
    healthy=(-2.773, -1.144, -0.87, -0.56, 0.533, 1.599, 1.429, 0.749),
)


def both_sides(moved: Floats) -> Floats:
    """Return shares (N, 2), before and after; a missing side takes the value of the other."""
    filled = np.where(np.isnan(moved), moved[:, ::-1], moved)
    return np.asarray(filled, dtype=np.float64)


def features(moved: Floats, log_odds: Floats) -> Floats:
    """Return the features (N, 8), see :data:`FEATURES`.

    Args:
        moved: shares of the body that moved, before and after (N, 2), not both missing.
        log_odds: the classifier's, of the state in question against the other (N,).
    """
    scaled = np.log10(np.clip(both_sides(moved), 0, GREATEST_SHARE) / SMALL_SHARE + 1)
    before, after = scaled.T
    odds = np.clip(log_odds, -GREATEST_ODDS, GREATEST_ODDS)
    one, lesser = np.ones_like(before), np.minimum(before, after)
    columns = [one, before, after, before**2, after**2, before * after, lesser, odds]
    return np.stack(columns, axis=1)


def log_odds_of(found: Floats) -> tuple[Floats, Floats]:
    """Return the classifier's log odds, (N,) each: dead against alive; healthy against immobile.

    Args:
        found: probabilities (N, 3) in the order of ``STATES``.
    """
    healthy, immobile, dead = (
        np.maximum(found[:, STATES.index(name)], 1e-6) for name in (HEALTHY, IMMOBILE, DEAD)
    )
    return np.log(dead / (healthy + immobile)), np.log(healthy / immobile)


def fused(found: Floats, moved: Floats, fusion: Fusion) -> Floats:
    """Return probabilities (N, 3) from both; those of the classifier where no pixel tells.

    Args:
        found: the classifier's probabilities (N, 3), in the order of ``STATES``.
        moved: shares of the body that moved, before and after (N, 2); NaN where not known.
    """
    seen = ~np.isnan(moved).all(axis=1)
    together = found.copy()
    dead_odds, healthy_odds = log_odds_of(found[seen])
    dead = _logistic(features(moved[seen], dead_odds), fusion.dead)
    healthy = (1 - dead) * _logistic(features(moved[seen], healthy_odds), fusion.healthy)
    by_name = {DEAD: dead, HEALTHY: healthy, IMMOBILE: 1 - dead - healthy}
    together[seen] = np.stack([by_name[name] for name in STATES], axis=1)
    return together


def _logistic(given: Floats, coefficients: Sequence[float]) -> Floats:
    return np.asarray(1 / (1 + np.exp(-(given @ np.asarray(coefficients)))), dtype=np.float64)
