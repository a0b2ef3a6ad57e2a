"""How a sperm moved in its clip: by the background of the clip, and by its track in a field.

A clip of a field is cut along the track of its head, so how its background drifts is known from
where the crop was put, and from the drift of the field, which is measured on a far larger picture
than a crop. Its own background is asked as well: where it says something else, one is wrong.
"""

import numpy as np
from numpy.typing import NDArray

from snakescope.sperm.clips.motion import Motion, agreement, drift, motion, moved
from snakescope.sperm.videos.settings import CutSettings

UNSEEN = "too little background to see whether the field drifts: taken to stand"
NO_TEXTURE = "too little background: no speed"
DISAGREE = "two speeds"
"""Flags; behind the last one are both numbers."""


def movement(
    frames: NDArray[np.uint8],
    path: NDArray[np.float64] | None,
    unseen: bool,
    settings: CutSettings,
) -> tuple[Motion | None, str, list[str]]:
    """Speeds, the distances of steps (um) where they are those of a track, and flags.

    Args:
        frames: of the clip, shape (T, Y, X).
        path: the middle of the crop against the field (um), shape (T, 2); none: of no field.
        unseen: whether the field does not show if it drifts.
    """
    shifts = drift(frames)
    trusted = agreement(frames, shifts) >= settings.min_agreement
    own = motion(shifts, settings.um_per_px, settings.fps)
    if path is None:
        return (own, "", []) if trusted else (None, "", [NO_TEXTURE])
    lengths = np.hypot(*np.diff(path, axis=0).T)
    found = moved(lengths, float(np.hypot(*(path[-1] - path[0]))), settings.fps)
    steps = " ".join(f"{one:.4f}" for one in lengths)
    if not trusted:
        return found, steps, [UNSEEN] if unseen else []
    least, share = settings.max_speed_difference_um_s, settings.max_speed_difference
    if abs(own.vsl - found.vsl) > max(least, share * max(own.vsl, found.vsl)):
        told = f"{found.vsl:.1f} um/s by the track and {own.vsl:.1f} by the background of the clip"
        return None, "", [f"{DISAGREE}: {told}"]
    return found, steps, []
