"""Which tree a run is about, by the words of its command line."""

import re
from collections.abc import Sequence

NEURITES = re.compile(r"(neurites(_\w+)?(:.*)?|(results|simulated|fetched|logs)/neurites/.*)")
HEALTHSPAN = re.compile(r"(all|healthspan(_\w+)?(:.*)?|(results|simulated)/(?!neurites/).*)")


def asked(words: Sequence[str]) -> tuple[bool, bool]:
    """Return whether neurites are asked for, and whether nothing else is.

    Words that name no target, such as options and their values, do not count. Without a target,
    a run is about the healthspan tree.
    """
    neurites = any(NEURITES.fullmatch(word) for word in words)
    return neurites, neurites and not any(HEALTHSPAN.fullmatch(word) for word in words)
