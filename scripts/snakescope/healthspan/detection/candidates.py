"""Candidates of a frame: what may be a worm, if the frames before and after show one there.

ByteTrack (Zhang et al. 2022) keeps detections of low scores for a second association, since most of
them that lie where an object is expected are that object. Here they are what the network found less
surely, and what was found surely and did not look like the other worms of the frame.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace

from snakescope.healthspan.detection.detections import TileDetection
from snakescope.healthspan.detection.merge import keep_distinct, largest_piece
from snakescope.healthspan.detection.settings import DetectSettings
from snakescope.healthspan.detection.size_prior import length_px
from snakescope.imaging.masks import INSTANCES_PER_TIMEPOINT, Instance, intersection

FIRST_CANDIDATE = INSTANCES_PER_TIMEPOINT // 2
"""Identifiers of candidates begin here, beyond those of the worms of a frame."""

LEAST_SHARE = 0.5
"""Candidates are at least so much of the least length of a worm: pieces of one count."""


def candidates_of(
    objects: Sequence[TileDetection | Instance],
    worms: Sequence[Instance],
    settings: DetectSettings,
    on_plate: Callable[[Instance], bool],
    pixel_size_um: float,
) -> list[TileDetection]:
    """Return the candidates of a frame, the most certain of several at one place.

    Args:
        objects: of the frame, none of which is among the worms.
        worms: the worms; what is mostly one of them is no candidate.
        on_plate: whether an object lies where worms may be.
    """
    pieces = [largest_piece(_of_tile(one)) for one in objects if one.mask.any()]
    least_px = LEAST_SHARE * settings.min_length_um / pixel_size_um
    fit = [
        one
        for one in pieces
        if length_px(one) >= least_px
        and on_plate(one)
        and not any(
            intersection(one, worm) > settings.max_overlap * min(one.area, worm.area)
            for worm in worms
        )
    ]
    kept = sorted(keep_distinct(fit, settings.max_overlap).kept, key=lambda o: (o.top, o.left))
    first = FIRST_CANDIDATE
    return [
        replace(one, identifier=one.timepoint * INSTANCES_PER_TIMEPOINT + first + k)
        for k, one in enumerate(kept)
    ]


def _of_tile(one: TileDetection | Instance) -> TileDetection:
    if isinstance(one, TileDetection):
        return one
    return TileDetection(
        one.timepoint, one.identifier, one.top, one.left, one.mask, one.score, cut=False
    )
