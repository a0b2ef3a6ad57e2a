"""Scan of a raw folder for the frames of a plate.

The folder is listed once and no file is opened: channel, position and time follow from the names.
Unreadable files are found later, at registration.
"""

import math
import os
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

from snakescope.healthspan.plates.channels import Acquisition, aliases_of, wanted, with_channels
from snakescope.healthspan.plates.gaps import widest_gap
from snakescope.healthspan.plates.manifest import Frame, Inferred, PlateFrames
from snakescope.healthspan.plates.naming import (
    CHANNELS,
    IMAGE_SUFFIXES,
    INCUCYTE,
    INCUCYTE_EXAMPLES,
    NameParts,
    compile_pattern,
    read_name,
)
from snakescope.healthspan.plates.raw_folder import ImageFile, Listing, Refused, list_folder
from snakescope.healthspan.plates.settings import IngestSettings
from snakescope.healthspan.plates.sheet import Plate
from snakescope.healthspan.plates.times_table import Times, read_times, with_time
from snakescope.step.errors import StepError
from snakescope.tree.notes import some

MOST_TIMEPOINTS = 100_000
"""Timepoints beyond which a time or the interval is wrong: 11 years of an image an hour."""


class PlateScanner:
    """Scanner of plates; a folder that several of them share is listed once.

    Plates are scanned by the settings given here, or by their own.
    """

    def __init__(self, settings: IngestSettings):
        self.settings = settings
        self._listings: dict[str, Listing | Refused] = {}

    def scan(self, plate: Plate, settings: IngestSettings | None = None) -> PlateFrames:
        """Return the frames of one plate.

        Raises:
            StepError: it cannot be used.
        """
        if plate.folder not in self._listings:
            try:
                self._listings[plate.folder] = list_folder(plate.folder)
            except Refused as refused:
                self._listings[plate.folder] = refused
        listing = self._listings[plate.folder]
        try:
            if isinstance(listing, Refused):
                raise listing
            return _frames(plate, settings or self.settings, listing)
        except Refused as refused:
            own = "plates." in str(refused) and plate.settings
            where = f" ({plate.settings} has settings of this plate)" if own else ""
            raise StepError(f"{plate.folder}: {refused}{where}") from None

    def positions(self, folder: str, pattern: str = "") -> list[str]:
        """Return the wells and positions of a folder that was scanned, such as E11_5.

        Args:
            pattern: of a plate, empty for that of the settings.
        """
        listing = self._listings[folder]
        given = {"plate": "plate", "experiment": "e", "condition": "c", "folder": folder}
        plate = Plate.model_validate({**given, "pattern": pattern})
        if isinstance(listing, Refused):
            return []
        try:
            named, _ = _understood(plate, self.settings, listing.images)
        except Refused:
            return []
        return sorted({one.parts.position for one in named} - {""})


def _frames(plate: Plate, settings: IngestSettings, listing: Listing) -> PlateFrames:
    images = listing.images
    if not images:
        found = listing.other_endings()
        raise Refused(
            f"expected images ({', '.join(IMAGE_SUFFIXES)}), found "
            + (f"none, but files of other endings: {found}" if found else "none")
            + (
                listing.how_to_export()
                or "; copy the raw images there or correct the column folder"
            )
        )
    named, unnamed = _understood(plate, settings, images)
    notes = []
    left_out = listing.other_endings()
    if unnamed:
        lack = "" if settings.times is None else f", or no time in {settings.times},"
        notes.append(
            f"{plate.folder}: {len(unnamed)} of {len(images)} images have other names{lack} and"
            f" are left out, such as {unnamed[0].relative_path}"
        )
    if left_out:
        notes.append(f"{plate.folder}: files of other endings are left out: {left_out}")
    named = _one_position(plate, named)
    acquisitions = with_channels(plate, settings, named)
    channels = wanted(settings, acquisitions)
    timed = _with_times(settings, [one for one in acquisitions if one.channel in channels])
    frames = _table(plate, settings, channels, timed)
    if settings.interval_h is None:
        notes += _gaps(plate, frames)
    _check_missing(settings, frames)
    if unnamed:
        left_out = ", ".join(filter(None, [f"{len(unnamed)} images of other names", left_out]))
    inferred = _inferred(plate, settings, timed, frames, left_out)
    own = Path(plate.folder).name
    words = {one.word for one in timed}
    if own.lower() in aliases_of(settings) and not words - {""}:
        notes.append(
            f"{plate.folder}: no name tells a channel, and {own!r}, the name of the plate's folder,"
            f" may be that of a group: read as {settings.default_channel}"
            " (plates.default_channel)"
        )
    count = frames[-1].timepoint + 1
    return PlateFrames(plate.name, channels, count, tuple(frames), tuple(notes), inferred)


def _inferred(
    plate: Plate,
    settings: IngestSettings,
    timed: Sequence[Acquisition],
    frames: Sequence[Frame],
    left_out: str,
) -> Inferred:
    words: dict[str, dict[str, None]] = {}
    for one in timed:
        words.setdefault(one.channel, {})[one.word] = None
    told = [
        f"{channel} ({', '.join(word or 'no word, by default' for word in words[channel])})"
        for channel in CHANNELS
        if channel in words
    ]
    parts = timed[0].parts
    times = "numbers" if parts.timepoint is not None else "dates" if parts.absolute else "elapsed"
    hours = list(dict.fromkeys(frame.time_h for frame in frames))
    steps = sorted(round(b - a, 3) for a, b in pairwise(hours))
    return Inferred(
        naming=plate.pattern or settings.pattern or "exports of the IncuCyte",
        example=timed[0].file.relative_path,
        channels=", ".join(told),
        times=times,
        interval_h=steps[len(steps) // 2] if steps else None,
        left_out=left_out,
    )


def _understood(
    plate: Plate, settings: IngestSettings, listing: Sequence[ImageFile]
) -> tuple[list[Acquisition], list[ImageFile]]:
    timed = settings.times is None
    pattern = plate.pattern or settings.pattern
    try:
        patterns = [compile_pattern(pattern, plate.name, timed)] if pattern else INCUCYTE
    except ValueError as error:
        raise Refused(f"expected {error} ({_of_pattern(plate)})") from None
    times = _times_of(settings, plate.name)
    named, unnamed = [], []
    for file in listing:
        parts = read_name(file.relative_path, patterns)
        if times is not None:
            parts = with_time(file.relative_path, parts, times, pattern is not None)
        if parts is None:
            unnamed.append(file)
        else:
            named.append(Acquisition(file, parts))
    if not named:
        expected = (
            f"the images of the table {settings.times} (plates.times)"
            if settings.times is not None
            else f"the pattern {pattern} ({_of_pattern(plate)})"
            if pattern
            else f"names of the IncuCyte such as {', '.join(INCUCYTE_EXAMPLES)}"
        )
        raise Refused(
            f"expected {expected}, found {len(listing)} images named otherwise, such as "
            f"{listing[0].relative_path}; describe their naming in {_of_pattern(plate)}"
        )
    return named, unnamed


def _of_pattern(plate: Plate) -> str:
    """Return where the pattern of a plate's names is from, or belongs."""
    return "column pattern of the sample sheet" if plate.pattern else "plates.pattern"


def _times_of(settings: IngestSettings, plate: str) -> Times | None:
    """Read the times of a plate from their table, where the settings name one."""
    try:
        return None if settings.times is None else read_times(settings.times, plate)
    except StepError as error:
        raise Refused(str(error)) from None


def _one_position(plate: Plate, named: list[Acquisition]) -> list[Acquisition]:
    """Keep the well and image of this plate."""
    vessels = {one.parts.vessel for one in named}
    if len(vessels) > 1 and plate.name in vessels:
        named = [one for one in named if one.parts.vessel == plate.name]
    positions = Counter(one.parts.position for one in named)
    if plate.well:
        named = [one for one in named if _selects(plate.well, one.parts)]
        if not named:
            raise Refused(
                f"expected images of {plate.well} (column well), found those of "
                f"{some(sorted(positions), 4)}; correct the column well"
            )
        positions = Counter(one.parts.position for one in named)
    if len(positions) > 1:
        raise Refused(
            f"expected the images of one well and one position in it, found {len(positions)}: "
            f"{some([position or 'none' for position in sorted(positions)], 4)}; "
            "say in the column well of the sample sheet which one is the plate"
        )
    return named


def _selects(selection: str, parts: NameParts) -> bool:
    inner = [parts.well, f"{parts.well}_{parts.image}", parts.image if not parts.well else ""]
    names = [*inner, parts.vessel, *(f"{parts.vessel}/{name}" for name in inner if name)]
    return _as_written(selection) in {_as_written(name) for name in names if name}


def _as_written(position: str) -> str:
    """Normalise a position: E11-5 becomes E11_5, and plate-7 plate_7."""
    return position.replace("-", "_").upper()


def _with_times(settings: IngestSettings, acquisitions: Sequence[Acquisition]) -> list[Acquisition]:
    """Add to every acquisition its time since the plate's first (h)."""
    times_h = []
    for one in acquisitions:
        time_h = one.parts.time_h
        if one.parts.timepoint is not None:
            if settings.interval_h is None:
                raise Refused(
                    "expected the time between images (plates.interval_h), since {timepoint} in the"
                    " pattern tells none, found none; set it, in hours"
                )
            time_h = one.parts.timepoint * settings.interval_h
        assert time_h is not None
        times_h.append(time_h)
    by_date = [one for one in acquisitions if one.parts.absolute]
    if by_date and len(by_date) < len(acquisitions):
        elapsed = next(one for one in acquisitions if not one.parts.absolute)
        raise Refused(
            "expected either dates or elapsed times in the names, found both: "
            f"{by_date[0].file.relative_path} and {elapsed.file.relative_path}; "
            "keep one export in the folder"
        )
    first_h = min(times_h)
    pairs = zip(acquisitions, times_h, strict=True)
    return [replace(one, time_h=time_h - first_h) for one, time_h in pairs]


def _table(
    plate: Plate,
    settings: IngestSettings,
    channels: Sequence[str],
    timed: Sequence[Acquisition],
) -> list[Frame]:
    by_timepoint: dict[int, dict[str, Acquisition]] = {}
    for timepoint, one in _with_timepoints(settings, timed):
        earlier = by_timepoint.setdefault(timepoint, {}).get(one.channel)
        if earlier and settings.duplicates == "refuse":
            raise Refused(
                f"expected one {one.channel} image a timepoint, found two for t{timepoint:03d}: "
                f"{earlier.file.relative_path} and {one.file.relative_path}; "
                + _remedy(earlier, one)
            )
        if not earlier or settings.duplicates == "last":
            by_timepoint[timepoint][one.channel] = one
    _check_span(settings, by_timepoint)
    frames = []
    for timepoint in range(max(by_timepoint) + 1):
        there = by_timepoint.get(timepoint, {})
        if there:
            time_h = min(one.time_h for one in there.values())
        else:
            assert settings.interval_h is not None  # without a schedule there are no gaps
            time_h = timepoint * settings.interval_h
        for channel in channels:
            path, reason = "", ""
            file = there[channel].file if channel in there else None
            if file is not None:
                path = os.path.join(plate.folder, file.relative_path)
                if file.size <= 0:
                    reason = "the file is empty" if file.size == 0 else "a link to no file"
            elif there:
                reason = f"no {channel} image at this timepoint"
            else:
                reason = f"no image at about {time_h:g} h"
            status = "missing" if reason else "present"
            size, modified = (max(0, file.size), file.modified) if file is not None else (0, 0)
            frames.append(Frame(timepoint, time_h, channel, path, status, reason, size, modified))
    return frames


def _remedy(one: Acquisition, other: Acquisition) -> str:
    if one.word == other.word:
        return "remove one, or set plates.duplicates to first or last"
    return (
        f"{one.word} and {other.word} are both names of {one.channel} in plates.channel_names: "
        "move the one that is not to be used to its list ignored"
    )


def _with_timepoints(
    settings: IngestSettings, timed: Sequence[Acquisition]
) -> Iterator[tuple[int, Acquisition]]:
    interval_h = settings.interval_h
    if interval_h is None:
        # Rounded to seconds: sums of days, hours and minutes differ in their last bits.
        seconds = [round(one.time_h * 3600) for one in timed]
        index = {second: timepoint for timepoint, second in enumerate(sorted(set(seconds)))}
        for second, one in zip(seconds, timed, strict=True):
            yield index[second], one
        return
    for one in timed:
        timepoint = math.floor(one.time_h / interval_h + 0.5)
        off_h = one.time_h - timepoint * interval_h
        if abs(off_h) > settings.interval_tolerance * interval_h + 1e-6:
            raise Refused(
                f"expected an image every {interval_h:g} h (plates.interval_h), found "
                f"{one.file.relative_path} at {one.time_h:g} h; remove it, raise "
                "plates.interval_tolerance, or set plates.interval_h to null"
            )
        yield timepoint, one


def _check_span(
    settings: IngestSettings, by_timepoint: Mapping[int, Mapping[str, Acquisition]]
) -> None:
    """Refuse a time so far from the others that the timepoints between them cannot be listed."""
    count = max(by_timepoint) + 1
    if count <= MOST_TIMEPOINTS:
        return
    before, after = max(pairwise([0, *sorted(by_timepoint)]), key=lambda pair: pair[1] - pair[0])
    one = next(iter(by_timepoint[after].values()))
    raise Refused(
        f"expected at most {MOST_TIMEPOINTS} timepoints, found {count} of"
        f" {settings.interval_h:g} h (plates.interval_h), {after - before - 1} of them without an"
        f" image before {one.file.relative_path}; correct its time or the interval"
    )


def _check_missing(settings: IngestSettings, frames: Sequence[Frame]) -> None:
    reasons = {frame.timepoint: frame.reason for frame in frames if frame.status == "missing"}
    count = frames[-1].timepoint + 1
    if len(reasons) > settings.max_missing_fraction * count:
        shown = [f"t{timepoint:03d}, {reason}" for timepoint, reason in list(reasons.items())[:3]]
        more = "; ..." if len(reasons) > len(shown) else ""
        raise Refused(
            f"expected at most {settings.max_missing_fraction:.0%} of {count} timepoints missing "
            f"(plates.max_missing_fraction), found {len(reasons)} missing ({'; '.join(shown)}"
            f"{more}); add their images or raise the limit"
        )


def _gaps(plate: Plate, frames: Sequence[Frame]) -> list[str]:
    """Return a note on gaps of a series without a schedule, of which no frame counts as missing."""
    times_h = list(dict.fromkeys(frame.time_h for frame in frames))
    gap = widest_gap(times_h)
    if gap is None:
        return []
    index, width_h, usual_h, count = gap
    more = f" (the widest of {count} such gaps)" if count > 1 else ""
    return [
        f"{plate.folder}: no image for {width_h:g} h after the one at {times_h[index]:g} h, where "
        f"{usual_h:g} h are usual{more}; set plates.interval_h to have missing ones listed"
    ]
