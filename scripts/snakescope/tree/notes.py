"""What a run says of many subjects, in few lines."""

from collections.abc import Mapping, Sequence


class Shared(str):
    """A note of a scan that may hold for many subjects, and is told once, with their names."""


def some(names: Sequence[str], shown: int = 3) -> str:
    """Return the first of some names, and how many more there are."""
    more = len(names) - shown
    return ", ".join(names[:shown]) + (f" and {more} more" if more > 0 else "")


def to_look_at(subject: str, kinds: Mapping[str, Mapping[str, str]]) -> list[str]:
    """Return one text that names subjects of every kind with their reasons, none without any.

    Args:
        subject: what they are, such as plate.
        kinds: reasons by subject, by what is said of them.
    """
    lines = []
    for kind, reasons in kinds.items():
        if reasons:
            told = [f"{name} ({why})" if why else name for name, why in reasons.items()]
            lines.append(f"{len(reasons)} {kind}: {some(told, 5)}")
    return ["\n  ".join([f"{subject}s to look at:", *lines])] if lines else []
