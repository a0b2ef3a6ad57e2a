"""Pictures that come again at another time, as of a camera that delivers an old buffer.

Taken for new ones they would show worms that do not move. No two exposures are alike to the last
bit, so equal pixels are one exposure; the first time it comes is kept.
"""

import hashlib
from collections.abc import Iterable
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray


def fingerprint(frame: NDArray[Any]) -> str:
    """Return 16 hexadecimal digits that equal frames (Y, X) have in common."""
    digest = hashlib.blake2b(np.ascontiguousarray(frame).tobytes(), digest_size=8)
    return digest.hexdigest()


def repeats_of(pictures: Iterable[tuple[int, str]]) -> dict[int, str]:
    """Return the timepoints with a picture of an earlier one, and why they are left out.

    Args:
        pictures: timepoint and ``channel:fingerprint`` of its channels, separated by blanks, in
            the order of time.
    """
    first: dict[str, int] = {}
    repeats: dict[int, str] = {}
    for timepoint, text in pictures:
        found = [(one.partition(":")[0], first[one]) for one in text.split() if one in first]
        if found:
            channels = " and ".join(channel for channel, _ in found)
            repeats[timepoint] = (
                f"its {channels} is the picture of t{found[0][1]:03d} once more, to the last bit:"
                " a camera that stood still, or a file copied over another"
            )
        for one in text.split():
            first.setdefault(one, timepoint)
    return repeats


def mark_repeats(frames: pd.DataFrame) -> pd.DataFrame:
    """Return a table of registered frames with its repeated ones as unreadable, without a page.

    Args:
        frames: in order of time, with the columns timepoint, status, reason, page and, in tables
            of today, pictures.
    """
    if "pictures" not in frames.columns or frames.empty:
        return frames
    pictures = frames["pictures"].fillna("").astype(str)
    repeats = repeats_of(zip(frames["timepoint"].astype(int), pictures, strict=True))
    theirs = frames["timepoint"].astype(int).isin(list(repeats)) & (
        frames["status"] == "registered"
    )
    if not theirs.any():
        return frames
    reasons = frames["timepoint"].astype(int).map(repeats)
    empty = "" if frames["page"].dtype == object else np.nan
    return frames.assign(
        status=frames["status"].mask(theirs, "unreadable"),
        reason=frames["reason"].mask(theirs, reasons),
        page=frames["page"].mask(theirs, empty),
    )
