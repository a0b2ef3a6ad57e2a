"""What is said of a video that is too short for a clip."""

from collections.abc import Mapping
from typing import Any

CLIP_S = 15 / 16
"""From the first frame of a clip to its last (s)."""


def no_clip(length: Mapping[str, Any]) -> str:
    """Why no clip came of a video.

    Args:
        length: its ``duration_s``, where it is known.
    """
    seconds = length.get("duration_s")
    if seconds is not None and seconds < CLIP_S:
        return f"it lasts {seconds:.2f} s, and a clip takes {CLIP_S:.2f} s"
    return f"no head was followed for {CLIP_S:.2f} s, which a clip takes"
