"""What the correction of `ours` does to it, and what the same would do to a rival.

A network without a latent quality has five free shares. Their cumulative probits are taken for a
quality between even thresholds, plus what that leaves over, which stays as it is: without a
correction the shares come back as they were.
"""

from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

from benchmarks.kept import read_kept
from benchmarks.sperm.folds import SHARES, Protocol
from snakescope.sperm.simulation.raters import GRADES
from snakescope.sperm.training.correction import applied, fitted, shares_at

THRESHOLDS = np.array([-1.5, -0.5, 0.5, 1.5])
LEAST = 1e-4
"""Cumulative shares are at least this, and at most 1 less it."""
WIDEST = 20.0
Values = NDArray[np.float64]


class Quality(NamedTuple):
    """Mean and SD (N,) of a quality, and what its probits leave over, (N, 4)."""

    mean: Values
    sd: Values
    off: Values


def quality_of(shares: Values) -> Quality:
    """The quality that explains distributions (N, 5) best, by least squares of probits."""
    probits = ndtri(np.clip(shares.cumsum(axis=1)[:, :-1], LEAST, 1 - LEAST))
    slope = (probits * THRESHOLDS).sum(axis=1) / np.square(THRESHOLDS).sum()
    sd = 1 / np.maximum(slope, 1 / WIDEST)
    mean = -probits.mean(axis=1) * sd
    return Quality(mean, sd, probits - (THRESHOLDS - mean[:, None]) / sd[:, None])


def corrected_shares(held: Values, truth: Values, given: Values) -> Values:
    """Distributions corrected by what is fitted on others.

    Args:
        held: distributions of clips of other donors, (M, 5); truth: shares of their votes.
        given: what is corrected, (N, 5).
    """
    one, other = quality_of(held), quality_of(given)
    by = fitted(one.mean, one.sd, THRESHOLDS, truth, one.off)
    return shares_at(*applied(other.mean, other.sd, THRESHOLDS, by), THRESHOLDS, other.off)


def corrected_by_folds(
    protocol: Protocol, kept: Path, network: str, seed: int, shares: Values, truth: Values
) -> Values | None:
    """Held-out distributions (N, 5), each fold's corrected on its validation clips.

    Returns:
        None where what a fold said of its validation clips was not kept.
    """
    found = shares.copy()
    for fold in range(int(protocol.folds.max()) + 1):
        path = protocol.path(kept, network, fold, seed, "validation")
        table = read_kept(path, protocol.key(network, fold, seed), SHARES)
        if table is None:
            return None
        held = table[list(GRADES)].to_numpy(np.float64)
        held /= held.sum(axis=1, keepdims=True)
        rows, test = protocol.rows(fold, "validation"), protocol.rows(fold, "test")
        found[test] = corrected_shares(held, truth[rows], shares[test])
    return found
