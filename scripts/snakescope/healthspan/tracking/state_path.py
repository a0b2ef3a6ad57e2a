"""Most probable state sequence healthy -> immobile -> dead of a tracked worm.

Viterbi decoding of a left-to-right hidden semi-Markov model: states do not recur, and the duration
of ``immobile`` has the gamma distribution of the immobile period. With three states, a sequence is
given by two change points, so all pairs of them are evaluated.

The state at a timepoint is the state of the worm at that moment, as in the ground truth of the
simulation. A worm first dead at frame b died after frame b - 1, at or before frame b.
"""

import numpy as np
from numpy.typing import NDArray
from scipy.special import gammainc

Floats = NDArray[np.float64]


def log_emissions(probability: Floats, floor: float) -> Floats:
    """Return the logarithm of the probabilities of the classifier, clipped; 0 for NaN.

    Args:
        probability: (T, 3) healthy, immobile, dead; a row of NaN, of a frame without detection or
            with an unknown state, favours no state.
        floor: minimum to which probabilities are clipped.
    """
    return np.nan_to_num(np.log(np.clip(probability, floor, 1.0)), nan=0.0)


def log_immobile_prior(day: Floats, onset_after: float, shape: float, scale_d: float) -> Floats:
    """Return the log prior of the change points, (T+1, T+1): first stopped, first dead frame.

    ``[a, b]``: locomotion ended at a uniform time within (day[a-1], day[a]], and the immobile
    period, gamma distributed, ended within (day[b-1], day[b]]; b = T: not by the last frame. -inf
    for b < a.

    Args:
        day: (T,) days of the frames.
        onset_after: day of the frame before the first.
    """
    count = len(day)
    prior = np.full((count + 1, count + 1), -np.inf)
    prior[count, count] = 0.0
    before = np.concatenate(([onset_after], day))
    within = (np.arange(8) + 0.5) / 8
    for a in range(count):
        onset = before[a] + within * (day[a] - before[a])
        ended = gammainc(shape, (day[a:, None] - onset) / scale_d).mean(axis=1)
        mass = np.diff(ended, prepend=0.0, append=1.0)
        prior[a, a:] = np.log(np.maximum(mass, 1e-12))
    return prior


def most_probable_path(
    log_emission: Floats, day: Floats, onset_after: float, shape: float, scale_d: float
) -> tuple[int, int]:
    """Return the indices (a, b) of the first stopped and first dead frame, 0 <= a <= b <= T.

    Args:
        log_emission: (T, 3), see :func:`log_emissions`.
        day, onset_after, shape, scale_d: see :func:`log_immobile_prior`.
    """
    count = len(day)
    total = np.zeros((count + 1, 3))
    total[1:] = np.cumsum(log_emission, axis=0)
    healthy, immobile, dead = total.T
    first = (healthy - immobile)[:, None]
    second = (immobile - dead)[None, :] + dead[-1]
    score = first + second + log_immobile_prior(day, onset_after, shape, scale_d)
    a, b = np.unravel_index(int(np.argmax(score)), score.shape)
    return int(a), int(b)


def path_states(count: int, a: int, b: int) -> list[str]:
    """Return the states of ``count`` frames with change points ``a`` and ``b``."""
    return ["healthy"] * a + ["immobile"] * (b - a) + ["dead"] * (count - b)
