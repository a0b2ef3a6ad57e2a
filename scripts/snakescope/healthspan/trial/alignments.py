"""How well frames of a plate can be brought onto its reference, by how freely the dish may move.

The pieces of the plate that are found again are compared with motions of three kinds: shift and
rotation; a change of distance as well; a lean as well. What a motion leaves over, and where, tells
which of them a plate needs.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from snakescope.healthspan.registration.motion import (
    Freedom,
    Motion,
    Points,
    transform_points,
)
from snakescope.healthspan.registration.register import Reference, freedom_of
from snakescope.healthspan.registration.settings import RegisterSettings
from snakescope.healthspan.registration.texture import (
    MIN_CORRELATION,
    Registration,
    coarse_search,
    matched,
    refine,
)

LOOKED_FOR = 0.06
"""Change of magnification that a trial looks for, whatever the settings (fraction)."""
REACH_PX = 14
KINDS: tuple[Freedom, ...] = ("rigid", "similar", "tilted")
NAMES = {
    "shift": "shift only",
    "rigid": "shift and rotation",
    "similar": "shift, rotation and distance",
    "tilted": "shift, rotation, distance and lean",
}
MIN_GAIN_PX = 0.7
"""How far a freer motion must move the edge of the dish to be proposed (px)."""
MIN_GAIN = 0.03
"""Share of the pieces of a plate that a freer motion must bring into place to be proposed."""


@dataclass(frozen=True)
class Alignment:
    """One frame on the reference.

    Attributes:
        places: (N, 2) centres (x, y) of pieces of the reference that were found in the frame.
        found: (N, 2) where they are in the frame.
        fits: the motion of each kind, as far as there is one.
        edge: (M, 2) points on the edge of the dish.
        pieces: number of pieces of the reference.
    """

    places: Points
    found: Points
    fits: Mapping[str, Registration]
    edge: Points
    pieces: int
    shape: tuple[int, int]

    def residuals(self, kind: str) -> Points:
        """Return what a motion leaves over at every place (px), (N, 2)."""
        return self.found - transform_points(self.matrix(kind), self.places)

    def matrix(self, kind: str) -> NDArray[np.float64]:
        """Return the 3 x 3 matrix of a motion."""
        return self.fits[kind].motion.matrix(*self.shape)

    def share(self, kind: str, tolerance_px: float) -> float:
        """Return the share of the pieces of the plate that a motion brings into place."""
        if kind not in self.fits:
            return 0.0
        errors = np.linalg.norm(self.residuals(kind), axis=1)
        return float((errors <= tolerance_px).sum()) / max(1, self.pieces)

    def moved_edge_px(self, kind: str, freer: str) -> float:
        """Return how far two motions lie apart at the edge of the dish, at most (px)."""
        one, other = (transform_points(self.matrix(name), self.edge) for name in (kind, freer))
        return float(np.linalg.norm(one - other, axis=1).max())


def align(
    reference: Reference, frame: NDArray[Any], settings: RegisterSettings
) -> Alignment | None:
    """Fit motions of all kinds to a frame (Y, X); None where nothing of the plate is found."""
    anchors = reference.anchors
    if frame.shape != (anchors.height, anchors.width):
        return None
    widest = max(settings.max_scale_change, LOOKED_FOR)
    candidates = coarse_search(
        anchors, frame, settings.max_shift_px, settings.max_rotation_deg, widest
    )
    fits: dict[str, Registration] = {}
    for kind in reversed(KINDS):
        # The freest motion brings the others near, as worms and dust do not move with the dish.
        starts = [fits["tilted"].motion] if fits else candidates
        tried = [
            refine(
                anchors, frame, start, (REACH_PX, 5), (4.0, max(2.0, settings.tolerance_px)), kind
            )
            for start in starts
        ]
        there = [one for one in tried if one is not None]
        if there:
            fits[kind] = max(there, key=lambda one: one.agreeing)
    if not fits:
        return None
    best = next(fits[kind] for kind in reversed(KINDS) if kind in fits)
    found, scores = matched(anchors, frame, best.motion, REACH_PX)
    good = scores >= MIN_CORRELATION
    # Beyond some px a piece was taken for another, such as a worm that moved.
    errors = np.linalg.norm(
        found - transform_points(best.motion.matrix(*frame.shape), anchors.centres), axis=1
    )
    good &= errors <= 4.0
    return Alignment(
        anchors.centres[good], found[good], fits, anchors.outline, len(anchors.corners),
        (frame.shape[0], frame.shape[1]),
    )  # fmt: skip


def needed_kind(alignments: Mapping[int, Alignment], tolerance_px: float) -> str:
    """Return the least free motion that leaves nothing over that a freer one would take away."""
    kind = "rigid"
    for freer in ("similar", "tilted"):
        for one in alignments.values():
            if freer not in one.fits or kind not in one.fits:
                continue
            gain = one.share(freer, tolerance_px) - one.share(kind, tolerance_px)
            if gain >= MIN_GAIN and one.moved_edge_px(kind, freer) >= MIN_GAIN_PX:
                kind = freer
                break
    return kind


def needed_tolerance(alignments: Mapping[int, Alignment], kind: str) -> float:
    """Return 2 px where the agar itself gives way by more than 1 px in many places, else 1 px."""
    shares = [
        (one.share(kind, 1.0), one.share(kind, 2.0))
        for one in alignments.values()
        if kind in one.fits
    ]
    return 2.0 if any(two - one >= 0.08 for one, two in shares) else 1.0


def ranges(alignments: Mapping[int, Alignment], kind: str) -> dict[str, float]:
    """Return the settings that let a motion of a kind be found, three times what was seen.

    A few frames do not show the largest motion of a series; 6 and 5 % are usual by hand.
    """
    motions: list[Motion] = [
        one.fits[kind].motion for one in alignments.values() if kind in one.fits
    ]
    keys: dict[str, float] = {}
    if kind in ("similar", "tilted"):
        seen = max((abs(one.scale - 1) for one in motions), default=0.0)
        keys["registration.max_scale_change"] = min(0.2, round(max(0.06, 3 * seen), 3))
    if kind == "tilted":
        seen = max((float(np.hypot(one.tilt_y, one.tilt_x)) for one in motions), default=0.0)
        keys["registration.max_tilt"] = min(0.2, round(max(0.05, 3 * seen), 3))
    return keys


def current_kind(settings: RegisterSettings) -> str:
    """Return the kind of motion that the settings allow; shifts count as rigid motions."""
    kind = freedom_of(settings)
    return "rigid" if kind == "shift" else kind
