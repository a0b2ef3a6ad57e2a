"""Folds over contiguous blocks of sections. Free of numpy.

Neighbouring sections resemble each other, so that folds of single sections would test on what was
nearly trained on.
"""

from collections.abc import Sequence
from itertools import pairwise

from snakescope.step.errors import StepError


def blocks_of(sections: Sequence[int], folds: int) -> list[tuple[int, ...]]:
    """Divide sections, in their order, into blocks whose sizes differ by one at most.

    Raises:
        StepError: there are fewer sections than two a fold, or fewer than three folds.
    """
    if folds < 3 or len(sections) < 2 * folds:
        raise StepError(
            "folds: expected at least 3 folds and 2 labelled sections for each, found"
            f" {folds} folds of {len(sections)} sections; label more, or lower membranes:"
            " cross_validation: folds"
        )
    ordered = sorted(sections)
    ends = [round(n * len(ordered) / folds) for n in range(folds + 1)]
    return [tuple(ordered[a:b]) for a, b in pairwise(ends)]


def parts_of_fold(sections: Sequence[int], folds: int, fold: int) -> dict[str, tuple[int, ...]]:
    """Sections to train with, to tune thresholds with, and to test with, of a fold (from 0).

    The block of the fold is tested, the one after it (of the last, the first) is for tuning.
    """
    blocks = blocks_of(sections, folds)
    tune = (fold + 1) % folds
    train = [z for n, block in enumerate(blocks) if n not in (fold, tune) for z in block]
    return {"train": tuple(train), "tune": blocks[tune], "test": blocks[fold]}
