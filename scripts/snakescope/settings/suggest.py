"""Suggesting what a misspelt name or number was meant to be."""

import difflib
from collections.abc import Iterable


def did_you_mean(found: str, known: Iterable[str]) -> str:
    """Return ``"; did you mean X?"`` for the nearest of ``known``, or an empty string."""
    lower = {name.lower(): name for name in known}
    near = difflib.get_close_matches(found.lower(), lower, n=1, cutoff=0.6)
    return f"; did you mean {lower[near[0]]}?" if near else ""


def point_for_comma(text: str) -> str:
    """Return what to do about a number with a decimal comma, or an empty string for other text.

    Such numbers are not read as they stand: 1,250 may be meant as either.
    """
    try:
        float(text.replace(",", "."))
    except ValueError:
        return ""
    return f"; write {text.replace(',', '.')}, with a point" if "," in text else ""
