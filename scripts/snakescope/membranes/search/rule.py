"""The rule of Takaya et al. without an eye: which kernel to change, by what branches do.

They looked at the feature maps of a first training, shrank the deconvolution kernel of the branch
that worked too little, and trained again.
"""

from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple

from snakescope.membranes.networks.kernels import BRANCHES, Kernels

PRIMARY = "loss_without"
"""Of the statistics, what the rule was fixed to before any training: the loss without a branch."""


class Tried(NamedTuple):
    """A setting that was trained, and its score on tuning sections (greater is better)."""

    kernels: Kernels
    score: float


def idle_order(
    statistics: Mapping[str, Mapping[str, float]], name: str = PRIMARY, low_is_idle: bool = True
) -> list[str]:
    """Branches, the one that works least first."""
    sign = 1 if low_is_idle else -1
    return sorted(statistics, key=lambda branch: (sign * statistics[branch][name], branch))


def steps_from(kernels: Kernels, branch: str, candidates: Collection[Kernels]) -> list[Kernels]:
    """Candidates that differ from ``kernels`` in one branch, in the order of the rule.

    Smaller kernels come first, as the paper shrinks them; the nearest first on either side.
    """
    place = BRANCHES.index(branch)
    own = kernels[place]
    single = [
        one
        for one in candidates
        if one[place] != own and all(one[n] == kernels[n] for n in range(3) if n != place)
    ]
    return sorted(single, key=lambda one: (one[place] > own, abs(one[place] - own)))


def propose(
    statistics: Mapping[str, Mapping[str, float]],
    history: Sequence[Tried],
    candidates: Collection[Kernels],
) -> Kernels | None:
    """The setting to train next, or None where the rule ends.

    The branch that works least is changed first; where all its steps from the best setting were
    tried, the next one. It ends when nothing is left, or when a whole branch was tried without an
    improvement of the best setting.

    Args:
        statistics: of the branches of the best setting so far, on tuning sections.
        history: what was trained, in order; the first is where the search begins.
        candidates: settings that may be trained.
    """
    best = max(history, key=lambda one: one.score)
    tried = {one.kernels for one in history}
    since = history[history.index(best) + 1 :]
    for branch in idle_order(statistics):
        steps = steps_from(best.kernels, branch, candidates)
        left = [one for one in steps if one not in tried]
        if left:
            return left[0]
        if steps and {one.kernels for one in since} >= set(steps):
            return None
    return None
