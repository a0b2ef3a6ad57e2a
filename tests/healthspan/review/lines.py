"""Corrections for tests, with everything that a test does not say filled in."""

from typing import Any

from snakescope.healthspan.review.corrections import Correction

DIGEST = "0123456789abcdef"


def line(id: int, action: str, **given: Any) -> Correction:
    """A line of scorer anna on plate p."""
    own: dict[str, Any] = {
        "time_utc": "2026-11-29T09:00:00Z", "scorer": "anna", "plate": "p", "digest": DIGEST,
        "track": 1, "timepoint": 0, "y_px": 0.0, "x_px": 0.0, "value": 0, "reason": "",
        "machine_value": "", "blind": False,
    }  # fmt: skip
    own |= given
    own.setdefault("anchor_timepoint", own["timepoint"])
    return Correction(id=id, action=action, **own)
