"""Which tree a run is about, by the words of its command line."""

import re
from collections.abc import Sequence
from typing import NamedTuple

NEURITES = re.compile(r"(neurites(_\w+)?(:.*)?|(results|simulated|fetched|logs)/neurites/.*)")
# Volumes are simulated and fetched without a sheet.
VOLUMES = re.compile(r"(neurites(_train|_paper)?|results/neurites/.*)")
HEALTHSPAN = re.compile(r"(all|healthspan(_\w+)?(:.*)?|(results|simulated)/(?!neurites/).*)")
# Options whose values, up to the next option, name rules or files that are no targets.
NOT_TARGETS = re.compile(
    r"-[RUOP]|--(forcerun|until|omit-from|prioritize|cleanup-metadata|cm)(=.*)?"
)


class Asked(NamedTuple):
    """What a run is about.

    Attributes:
        neurites: whether neurites are asked for; only_neurites: whether nothing else is.
        plates: whether it needs the sheet of plates; volumes: whether one with a volume in it.
        unlock: whether it only removes a lock, for which no sheet is read.
    """

    neurites: bool
    only_neurites: bool
    plates: bool
    volumes: bool
    unlock: bool


def targets(words: Sequence[str]) -> list[str]:
    """The words of a command line that may name targets, paths without a leading ``./``."""
    found, skipping = [], False
    for word in words:
        if word.startswith("-"):
            skipping = NOT_TARGETS.fullmatch(word) is not None
        if not skipping:
            found.append(word.removeprefix("./"))
    return found


def asked(words: Sequence[str]) -> Asked:
    """Return what is asked for by the words of a command line.

    Options and their values do not count, except those by which Snakemake tells a job's process
    its rule. Without a target, a run is about the healthspan tree.
    """
    words = targets(words)
    neurites = any(NEURITES.fullmatch(word) for word in words)
    only_neurites = neurites and not any(HEALTHSPAN.fullmatch(word) for word in words)
    unlock = "--unlock" in words
    volumes = any(VOLUMES.fullmatch(word) for word in words)
    return Asked(
        neurites,
        only_neurites,
        plates=not only_neurites and not unlock,
        volumes=volumes and not unlock,
        unlock=unlock,
    )
