"""Channels of raw images, by the words in their names and folders."""

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from snakescope.healthspan.plates.naming import CHANNELS, NameParts
from snakescope.healthspan.plates.raw_folder import ImageFile, Refused
from snakescope.healthspan.plates.settings import IngestSettings
from snakescope.healthspan.plates.sheet import Plate
from snakescope.settings.load import did_you_mean

EVERYDAY = {"p", "c1", "c2"}
"""Words for channels that people also call wells, groups and plates by."""
PLAIN = {"bright_field", "brightfield", "dark_field", "darkfield", "phase", "gfp", "rfp"}
"""Words for channels that nobody calls a plate by."""


@dataclass(frozen=True)
class Acquisition:
    """A file with a parsed name; ``word`` is the word for its channel in the name or a folder."""

    file: ImageFile
    parts: NameParts
    channel: str = ""
    word: str = ""
    time_h: float = math.nan


def aliases_of(settings: IngestSettings) -> dict[str, str]:
    """Return the channel of every word, in small letters."""
    return {name.lower(): channel for channel, names in settings.channel_names for name in names}


def with_channels(
    plate: Plate, settings: IngestSettings, named: Sequence[Acquisition]
) -> list[Acquisition]:
    """Return the images of channels that are not ignored, each with its channel.

    Raises:
        Refused: a channel of no known name, or images with and without one.
    """
    aliases = aliases_of(settings)
    own = Path(plate.folder).name.lower()
    words = [_channel_word(one, own, aliases) for one in named]
    # A short word is an everyday one as well, such as the well or the control C1: it decides only
    # where it separates channels within the plate.
    explicit = any(one.parts.channel for one in named)
    if not explicit and len({aliases.get(word or "") for word in words}) == 1:
        words = [None if word in EVERYDAY else word for word in words]
    labelled, unlabelled = [], []
    for one, word in zip(named, words, strict=True):
        if word is None:
            unlabelled.append(one)
        else:
            labelled.append(replace(one, channel=aliases[word], word=word))
    if unlabelled and any(one.channel == settings.default_channel for one in labelled):
        # Images with and without a channel in their names: a guess would mix channels.
        raise Refused(
            "expected a channel in every name or in none, found "
            f"{unlabelled[0].file.relative_path} next to {labelled[0].file.relative_path}; "
            "add its channel to plates.channel_names (under ignored to leave it unread)"
        )
    labelled += [replace(one, channel=settings.default_channel) for one in unlabelled]
    return [one for one in labelled if one.channel != "ignored"]


def _channel_word(one: Acquisition, own: str, aliases: dict[str, str]) -> str | None:
    """Return the word for the channel in the name, else in the nearest folder, else None.

    Args:
        own: the name of the plate's folder, in small letters; it holds all images of the plate, so
            it is read only where it can mean nothing but a channel.
    """
    if word := one.parts.channel.lower():
        # MetaMorph numbers its wavelengths: w1BF, w2GFP.
        for known in (word, word.lstrip("0123456789")):
            if known in aliases:
                return known
        # ch1 is not the c1 of another microscope: a number is no slip of the keyboard.
        meant = "" if re.search(r"\d", word) else did_you_mean(word, aliases)
        raise Refused(
            f"expected a channel named in plates.channel_names, found {one.parts.channel!r} in "
            f"{one.file.relative_path}"
            + (meant or "; write it there under bright_field, dark_field or ignored")
        )
    words = one.parts.head.lower().replace("-", "_").replace(" ", "_").split("_")
    folders = one.file.relative_path.lower().split("/")[:-1]
    for name in (words[-1], "_".join(words[-2:]), *reversed(folders)):
        if name in aliases:
            return name
    return own if own in aliases and own in PLAIN else None


def wanted(settings: IngestSettings, acquisitions: Sequence[Acquisition]) -> tuple[str, ...]:
    """Return the channels of the plate, bright field first.

    Raises:
        Refused: none, or not those that the settings ask for.
    """
    there = {one.channel for one in acquisitions}
    if not there:
        raise Refused(
            "expected images of a channel, found only such as are ignored; "
            "correct plates.channel_names"
        )
    if settings.channels == "auto":
        return tuple(channel for channel in CHANNELS if channel in there)
    for channel in settings.channels:
        if channel not in there:
            raise Refused(
                f"expected the channels {' and '.join(settings.channels)} (plates.channels), found "
                f"no {channel} image; add its images, or set plates.channels to auto"
            )
    return settings.channels
