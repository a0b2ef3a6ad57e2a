"""Folds over contiguous blocks of sections, and draws of some of them. Free of numpy.

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


def drawn(sections: Sequence[int], count: int, draw: int, draws: int) -> tuple[int, ...]:
    """So many sections, as far from each other as can be, others with every draw.

    Neighbouring sections teach little that is new. The sections are parted into ``count`` blocks of
    contiguous ones, and the same place of each is taken.

    Args:
        draw: number of the draw, from 0, of ``draws``.
    """
    ordered = sorted(sections)
    size = len(ordered) / count
    within = (draw + 0.5) / draws * size
    return tuple(ordered[min(int(n * size + within), len(ordered) - 1)] for n in range(count))


def draws_apart(sections: Sequence[int], count: int, draws: int) -> list[int]:
    """Numbers of the draws that take other sections than those before them.

    There are few ways to take nearly all sections, or to part few of them. A draw that repeats
    another says nothing of how much sections differ.
    """
    first: dict[tuple[int, ...], int] = {}
    for draw in range(draws):
        first.setdefault(drawn(sections, count, draw, draws), draw)
    return list(first.values())
