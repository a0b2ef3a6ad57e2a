"""The naming pattern of a folder of images, inferred from the names of all of them.

A pattern is proposed only as far as names tell: which files it leaves out, whether it tells a time,
and how sure each of its fields is.
"""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from snakescope.healthspan.inspection.name_fields import (
    Fields,
    find_date,
    find_elapsed,
    find_time_of_day,
    is_well,
    months,
    word_before,
)
from snakescope.healthspan.inspection.name_tokens import Series, series_of
from snakescope.healthspan.inspection.name_words import (
    CHANNEL_WORDS,
    CLOCK_WORDS,
    IMAGE_WORDS,
    INDEX_WORDS,
    PLATE_WORDS,
    is_month,
)
from snakescope.healthspan.plates.naming import compile_pattern, read_name

SURE, LIKELY, UNSURE = "sure", "likely", "unsure"
MAIN_SHARE = 0.9
"""Share of the names with the most frequent tokens below which marks between them may differ."""
_PLATE = "\0plate"


@dataclass(frozen=True)
class Naming:
    """How the images of a folder are named.

    Attributes:
        pattern: as in the configuration, without the plate's own name where there are several.
        time: what the names tell of time: ``date``, ``elapsed``, ``timepoint`` (a number without a
            unit), or nothing.
        sure: how sure the fields are: sure, likely or unsure; ``why``: from what.
        paths: the images that it describes; ``foreign``: the others.
        plates: the texts in place of ``{plate}``, where there are several plates in the folder.
        numbers: the numbers in place of ``{timepoint}``, ascending.
    """

    pattern: str
    time: str
    sure: str
    why: str
    paths: tuple[str, ...]
    foreign: tuple[str, ...] = ()
    plates: tuple[str, ...] = ()
    numbers: tuple[int, ...] = ()
    doubles: tuple[tuple[str, str], ...] = field(default=())


def infer_pattern(
    paths: Sequence[str], aliases: Mapping[str, str], timed: bool = False
) -> Naming | None:
    """Infer the pattern of names; None where they have nothing in common that varies.

    Args:
        paths: of all images, relative to the folder.
        aliases: channel of every name of a channel, in small letters.
        timed: times are known from elsewhere, so that a number is no time without a word for it.
    """
    groups = series_of(paths)
    if not groups:
        return None
    main = groups[0]
    naming = _of_series(main, aliases, timed)
    if len(main.paths) < MAIN_SHARE * len(paths):
        several = _of_plates(groups, aliases, timed, naming) if naming else None
        loose = series_of(paths, loose=True)[0]
        if several is not None:
            naming = several
        elif len(loose.paths) > len(main.paths):
            naming = _of_series(loose, aliases, timed)
    if naming is None:
        return None
    # Names with other tokens may fit all the same, such as plate_day7 beside plate_day07b.
    names = naming.plates or ("",)
    compiled = [compile_pattern(_filled(naming.pattern, name), name, timed=False) for name in names]
    fits = [path for path in paths if read_name(path, compiled) is not None]
    foreign = [path for path in paths if path not in set(fits)]
    naming = replace(naming, paths=tuple(fits), foreign=tuple(foreign))
    if naming.numbers:
        read = (read_name(path, compiled) for path in fits)
        told = {one.timepoint for one in read if one is not None and one.timepoint is not None}
        naming = replace(naming, numbers=tuple(sorted(told)))
    return replace(naming, doubles=tuple(_doubles(naming)))


def _filled(pattern: str, plate: str) -> str:
    return pattern if plate else pattern.replace("{plate}", "{any}")


def _of_plates(
    groups: Sequence[Series], aliases: Mapping[str, str], timed: bool, main: Naming
) -> Naming | None:
    """Return a pattern with ``{plate}`` where groups of names differ in one stretch of text."""
    namings = [_of_series(one, aliases, timed) for one in groups if len(one.paths) > 2]
    alike = [one for one in namings if one is not None and one.time == main.time]
    patterns = [re.findall(r"\{\w+\}|[^{}]", one.pattern) for one in alike]
    if len(alike) < 2 or main.plates:
        return None
    shortest = min(map(len, patterns))
    head = next((k for k in range(shortest) if len({p[k].lower() for p in patterns}) > 1), shortest)
    tail = next(
        (k for k in range(shortest - head) if len({p[-1 - k].lower() for p in patterns}) > 1),
        shortest - head,
    )
    # Whole words: of N2 and N3 the plate is not called 2 and 3.
    while head and patterns[0][head - 1].isalnum():
        head -= 1
    while tail and patterns[0][len(patterns[0]) - tail].isalnum():
        tail -= 1
    middles = ["".join(p[head : len(p) - tail]) for p in patterns]
    if any("{" in one or "/" in one for one in middles) or not all(middles):
        return None
    if len({re.sub(r"[\W_]+", "", one).lower() for one in middles}) < len(middles):
        return None
    # Plates are imaged at the same times; one series named in two ways is not.
    times = [_times(one) for one in alike]
    if any(len(one & times[0]) < 0.5 * min(len(one), len(times[0])) for one in times):
        return None
    first = patterns[0]
    pattern = "".join([*first[:head], "{plate}", *first[len(first) - tail :]])
    return replace(
        main, pattern=pattern, sure=LIKELY if main.sure == SURE else main.sure,
        why=f"{main.why}; words that tell plates apart", plates=tuple(sorted(set(middles))),
    )  # fmt: skip


def _of_series(series: Series, aliases: Mapping[str, str], timed: bool) -> Naming | None:
    fields: Fields = {}
    why, sure, time = [], SURE, ""
    dated = find_date(series)
    if dated is not None and any(series.varies(place) for place in dated[0]):
        fields |= dated[0]
        sure, time = dated[1], "date"
        why.append(f"a date in the order {dated[2]}")
        if not any("hours" in names for names in fields.values()):
            fields |= find_time_of_day(series, max(dated[0]))
            if any("hours" in names for names in fields.values()):
                why.append("the time of day after it")
    else:
        elapsed = find_elapsed(series, set())
        if dated is not None and not elapsed:
            # The day stays the same, and the time of day tells the images apart.
            of_day = find_time_of_day(series, max(dated[0]))
            if any(series.varies(place) for place in of_day):
                elapsed = dated[0] | of_day
        fields |= elapsed
        if elapsed:
            time = "date" if dated is not None and set(dated[0]) <= set(elapsed) else "elapsed"
            names = [name for one in elapsed.values() for name in one]
            why.append(f"words beside the numbers for {', '.join(names)}")
    wells = {place for place in range(len(series.columns)) if is_well(series, place)}
    wells = {p for p in wells if p + 1 not in fields and (series.varies(p) or series.varies(p + 1))}
    for place in wells:
        fields[place], fields[place + 1] = ["well"], []
        why.append("a letter and a number for the well")
    _channels(series, fields, aliases, why)
    plates = _others(series, fields, timed or bool(time), why)
    number = None
    if not time and not timed and months(series):
        return None
    if not time and not timed:
        number = _index(series, fields)
        if number is None:
            return None
        fields[number] = ["timepoint"]
        time = "timepoint"
        before = word_before(series, number)
        why.append("the number that counts up" + (f", after the word {before}" if before else ""))
        sure = UNSURE
    pattern = _written(series, fields)
    if plates and sure == SURE:
        sure = LIKELY
    numbers: tuple[int, ...] = ()
    if number is not None:
        texts = series.texts(number)
        numbers = tuple(sorted({int(float(text.replace(",", "."))) for text in texts}))
    return Naming(
        pattern, time, sure, "; ".join(why) or "the names", tuple(series.paths), (),
        tuple(sorted(plates)), numbers,
    )  # fmt: skip


def _channels(series: Series, fields: Fields, aliases: Mapping[str, str], why: list[str]) -> None:
    """Find the word, or the word with a number, that tells channels apart."""
    for place in range(len(series.columns)):
        if place in fields or series.kind(place) != "word":
            continue
        texts = series.texts(place)
        at = place + 1
        numbered = at < len(series.columns) and series.kind(at) == "number" and at not in fields
        # MetaMorph writes w1BF and w2FITC: of words behind such numbers one known is enough.
        wave = place > 1 and series.kind(place - 1) == "number" and word_before(
            series, place - 1) == "w"  # fmt: skip
        known = [text in aliases for text in texts]
        # Where each image is there under two words, these are two channels; the run asks which.
        paired = any(known) and len(set(texts)) == 2 and _each_in_all(series, place)
        if series.varies(place) and (all(known) or (wave and any(known)) or paired):
            fields[place] = ["channel"]
        elif (
            numbered
            and series.varies(at)
            and set(texts) <= CHANNEL_WORDS
            and len(set(series.texts(at))) <= 4
            and (set(texts) != {"w"} or _each_in_all(series, at))  # else weeks
        ):
            fields[place], fields[at] = ["channel"], []
        else:
            continue
        why.append("words for channels")
        return


def _each_in_all(series: Series, place: int) -> bool:
    """Return whether most names have one like them for every value of a number."""
    others = [at for at in range(len(series.columns)) if at != place]
    rest = Counter(
        tuple(series.columns[at][k].text for at in others) for k in range(len(series.paths))
    )
    every = len(set(series.texts(place)))
    return sum(count >= every for count in rest.values()) >= 0.8 * len(rest)


def _others(series: Series, fields: Fields, has_time: bool, why: list[str]) -> set[str]:
    """Place what varies besides: positions, plates, counters; return the names of plates."""
    plates: set[str] = set()
    plate_places: list[int] = []
    for place in range(len(series.columns)):
        if place in fields or not series.varies(place):
            continue
        kind, before = series.kind(place), word_before(series, place)
        if kind == "mark":
            fields[place] = ["any"]
        elif kind == "number" and before in IMAGE_WORDS and ["image"] not in fields.values():
            fields[place] = ["image"]
            why.append("positions in the plate")
        elif kind == "word" and all(
            text in CLOCK_WORDS or is_month(text) for text in series.texts(place)
        ):
            fields[place] = ["any"]
        elif kind == "word" or (before in PLATE_WORDS and _repeats(series, place)):
            plate_places.append(place)
    if plate_places:
        first, last = min(plate_places), max(plate_places)
        # Whole words: of N2 and daf2 the plates are not called N and daf.
        while _continues(series, fields, first - 1):
            first -= 1
        while _continues(series, fields, last + 1):
            last += 1
        between = [at for at in range(first, last + 1) if at in fields]
        if not between:
            texts = [
                "".join(series.columns[at][k].text for at in range(first, last + 1))
                for k in range(len(series.paths))
            ]
            counts = Counter(text.lower() for text in texts)
            # A plate has several images; a word of its own in every name is a remark.
            if len(counts) < len(texts) and min(counts.values()) > 1:
                plates = set({text.lower(): text for text in texts}.values())
                for at in range(first, last + 1):
                    fields[at] = []
                fields[first] = [_PLATE]
                why.append("words that tell plates apart")
                return plates
        for place in plate_places:
            fields[place] = ["any"]
    if has_time:
        for place in range(len(series.columns)):
            if place not in fields and series.varies(place):
                fields[place] = ["any"]
    return plates


def _continues(series: Series, fields: Fields, place: int) -> bool:
    """Return whether a place holds letters or digits that are alike in all names."""
    inside = 0 <= place < len(series.columns) and place not in fields
    return inside and series.kind(place) != "mark" and not series.varies(place)


def _repeats(series: Series, place: int) -> bool:
    counts = Counter(series.texts(place))
    return len(counts) < len(series.paths) and min(counts.values()) > 1


def _index(series: Series, fields: Fields) -> int | None:
    """Return the number that counts images: the one that differs most often."""
    numbers = [
        place
        for place in range(len(series.columns))
        if place not in fields
        and series.kind(place) == "number"
        and (series.varies(place) or len(series.paths) == 1)
    ]
    if not numbers:
        return None
    best = max(
        numbers,
        key=lambda p: (len(set(series.texts(p))), word_before(series, p) in INDEX_WORDS, p),
    )
    for place in numbers:
        if place != best:
            fields[place] = ["any"]
    return best


def _written(series: Series, fields: Fields) -> str:
    """Write the pattern; without the folders where no field and no difference is in them."""
    pieces: list[str] = []
    for place in range(len(series.columns)):
        names = fields.get(place)
        if names is not None:
            pieces.append("".join("{plate}" if n == _PLATE else f"{{{n}}}" for n in names))
        else:
            text = series.columns[place][0].text
            pieces.append("{any}" if text in ("{", "}") or series.varies(place) else text)
    pattern = re.sub(r"(\{any\})+", "{any}", "".join(pieces))
    head, slash, tail = pattern.rpartition("/")
    if slash and "{" not in head:
        return tail
    return pattern


def _times(naming: Naming) -> set[tuple[object, ...]]:
    """Return the times that the names of a series tell."""
    compiled = [compile_pattern(_filled(naming.pattern, ""), "", timed=False)]
    parts = [read_name(path, compiled) for path in naming.paths]
    return {(one.time_h, one.timepoint) for one in parts if one is not None}


def _doubles(naming: Naming) -> list[tuple[str, str]]:
    """Return pairs of images that the pattern gives the same plate, place, channel and time."""
    seen: dict[tuple[object, ...], str] = {}
    found = []
    for name in naming.plates or ("",):
        compiled = [compile_pattern(_filled(naming.pattern, name), name, timed=False)]
        for path in naming.paths:
            parts = read_name(path, compiled)
            if parts is None:
                continue
            told = parts.time_h is not None or parts.timepoint is not None
            key = (name, parts.position, parts.channel.lower(), parts.time_h, parts.timepoint)
            if told and seen.setdefault(key, path) != path:
                found.append((seen[key], path))
    return found
