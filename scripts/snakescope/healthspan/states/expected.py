"""Places at which a frame should show a worm, since the frames before and after do.

A worm that lies still has nearly the same mask in the frames before and after. Where these agree
and the frame between them has no mask, the detector has missed it, or something lies over it; or
the worm left, and another one lies there, which the frame itself has to tell
(:mod:`snakescope.healthspan.states.second_look`).
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

from snakescope.healthspan.states.composite import overlaps
from snakescope.healthspan.states.settings import SecondLookSettings
from snakescope.imaging.masks import Instance, intersection, iou

EXPLAINED_IOU = 0.2
"""A mask of the frame that matches a place so well is its worm, which may have turned its head."""

SAME_SHARE = 0.5
"""Two masks that share so much of the smaller one are not two worms."""


@dataclass(frozen=True)
class Place:
    """Where a worm is expected in a frame.

    Attributes:
        near: its mask in the frame nearest in time, the earlier one of two.
        far: its mask in another frame, on the other side unless the series ends there.
        agreement: IoU of both, 0 to 1.
    """

    near: Instance
    far: Instance
    agreement: float

    def overlap(self, one: Instance) -> float:
        """IoU of a mask with the one of the two that it matches less, 0 to 1."""
        return min(iou(one, self.near), iou(one, self.far))


def shared(one: Instance, other: Instance) -> float:
    """Share of the smaller of two masks that both cover, 0 to 1."""
    return intersection(one, other) / min(one.area, other.area)


def same(one: Instance, other: Instance) -> bool:
    """Whether two masks of one frame cannot be two worms."""
    return shared(one, other) > SAME_SHARE


def pairs_of_frames(
    timepoints: Sequence[int], timepoint: int, reach: int
) -> Iterator[tuple[int, int]]:
    """Yield pairs of frames around a timepoint, the nearest in time first, its nearest one first.

    One before and one after; at either end of the series, two on the side that there is.

    Args:
        timepoints: all usable ones, ascending.
        reach: how many frames away they may be.
    """
    at = timepoints.index(timepoint)
    before = [(k, timepoints[at - k]) for k in range(1, reach + 1) if at - k >= 0]
    after = [(k, timepoints[at + k]) for k in range(1, reach + 1) if at + k < len(timepoints)]
    found: Iterable[tuple[tuple[int, int], tuple[int, int]]]
    if before and after:
        found = [(one, other) for one in before for other in after]
    else:
        found = combinations(before or after, 2)
    # The sort is stable: of two frames as far away, the earlier one comes first.
    ranked = sorted(
        (sorted(pair, key=lambda frame: frame[0]) for pair in found),
        key=lambda pair: (pair[0][0] + pair[1][0], pair[1][0]),
    )
    for near, far in ranked:
        yield near[1], far[1]


def expected_places(
    frames: Mapping[int, Sequence[Instance]],
    timepoints: Sequence[int],
    timepoint: int,
    settings: SecondLookSettings,
) -> list[Place]:
    """Return the places of a frame at which worms are expected and none was found.

    Args:
        frames: masks of every usable timepoint.
        timepoints: these, ascending.
        timepoint: of the frame.
    """
    places: list[Place] = []
    known = list(frames[timepoint])
    for first, second in pairs_of_frames(timepoints, timepoint, settings.reach):
        ones = [one for one in frames[first] if not any(_known(one, k) for k in known)]
        others = [one for one in frames[second] if not any(_known(one, k) for k in known)]
        agreement, _ = overlaps(ones, others)
        matches = sorted(
            (-agreement[i, j], i, j)
            for i in range(len(ones))
            for j in range(len(others))
            if agreement[i, j] >= settings.min_agreement
        )
        for value, i, j in matches:
            if not any(_known(mask, k) for mask in (ones[i], others[j]) for k in known):
                places.append(Place(ones[i], others[j], -float(value)))
                known += [ones[i], others[j]]
    return places


def _known(one: Instance, other: Instance) -> bool:
    return iou(one, other) >= EXPLAINED_IOU or same(one, other)
