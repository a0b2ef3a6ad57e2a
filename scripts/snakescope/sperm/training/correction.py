"""Correct the latent quality of a trained network on donors that it was not trained on.

A network that is trained for a short time gives qualities that lie too near to each other. The
order of clips is right then, and their distributions are too much like the mean one. Two numbers,
fitted on the validation clips, spread the qualities about the middle of the thresholds and widen
the distributions. They were chosen among other forms (a shift, a temperature, both) by leaving out
one donor after the other within the validation clips of the folds of the benchmark.
"""

from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.special import ndtr

from snakescope.sperm.networks.heads import GradeNetwork
from snakescope.sperm.networks.ours import Ours
from snakescope.sperm.training.data import Clips, tensors

PRIOR_CLIPS = 10.0
"""Weight of no correction, as squared errors (1e-2) of so many clips: few clips change little."""
Values = NDArray[np.float64]


class Correction(NamedTuple):
    """What qualities lie further apart by, and what their distributions are wider by (ratios)."""

    stretch: float
    widen: float


def shares_at(mean: Values, sd: Values, thresholds: Values, off: Values | float = 0.0) -> Values:
    """Distributions (N, 5) of qualities between thresholds (4,).

    Args:
        mean, sd: of the quality, shape (N,).
        off: what is added to the probits of the cumulative shares, (N, 4).
    """
    below = ndtr((thresholds - mean[:, None]) / sd[:, None] + off)
    below = np.maximum.accumulate(below, axis=1)
    ends = np.zeros((len(below), 1))
    return np.diff(np.concatenate([ends, below, ends + 1], axis=1), axis=1)


def applied(mean: Values, sd: Values, thresholds: Values, by: Correction) -> tuple[Values, Values]:
    """Corrected means and SDs of qualities, shape (N,)."""
    middle = float(thresholds.mean())
    return middle + by.stretch * (mean - middle), by.widen * sd


def fitted(
    mean: Values, sd: Values, thresholds: Values, truth: Values, off: Values | float = 0.0
) -> Correction:
    """The correction with the least squared error of distributions.

    Args:
        mean, sd: of the quality of clips that were not trained on, shape (N,).
        truth: shares of their votes, (N, 5).
        off: as of :func:`shares_at`.
    """
    prior = PRIOR_CLIPS / len(truth)

    def cost(logs: Values) -> float:
        by = Correction(*np.exp(logs).tolist())
        given = shares_at(*applied(mean, sd, thresholds, by), thresholds, off)
        return float(100 * np.square(given - truth).mean() + prior * np.square(logs).sum())

    options = {"xatol": 1e-4, "fatol": 1e-7}
    found = minimize(cost, np.zeros(2), method="Nelder-Mead", options=options).x
    return Correction(*np.exp(found).tolist())


@torch.no_grad()
def corrected(
    network: GradeNetwork, clips: Clips, rows: NDArray[np.intp], batch: int = 16
) -> Correction | None:
    """Correct a network in place, on clips that it was not trained on.

    Returns:
        What was done; None of a network without a latent quality, or without such clips.
    """
    if not isinstance(network, Ours) or not len(rows):
        return None
    network.eval()
    device = next(network.parameters()).device
    parts = []
    for first in range(0, len(rows), batch):
        frames, motion, _ = tensors(clips, rows[first : first + batch], device)
        parts.append(torch.stack(network.quality(frames, motion)).double().cpu().numpy())
    mean, sd = np.concatenate(parts, axis=1)
    votes = clips.votes[rows]
    truth = votes / votes.sum(axis=1, keepdims=True)
    thresholds = network.head.thresholds().double().cpu().numpy()
    by = fitted(mean, sd, thresholds, truth)
    network.head.correct(by.stretch, by.widen)
    return by


def undo(network: GradeNetwork, by: Correction) -> None:
    """Make a network what it was before it was corrected."""
    assert isinstance(network, Ours)
    network.head.correct(1 / by.stretch, 1 / by.widen)
