"""What the numbers and words of names of images mean: times, channels, wells, plates.

A word beside a number says most (day 4, 12h, t007); a date is known by its digits.
"""

import re
from collections import Counter
from collections.abc import Sequence
from datetime import date
from itertools import pairwise

from snakescope.healthspan.inspection.name_tokens import Series
from snakescope.healthspan.inspection.name_words import (
    DAY_WORDS,
    HOUR_WORDS,
    IMAGE_WORDS,
    INDEX_WORDS,
    MINUTE_WORDS,
    PLATE_WORDS,
    WEEK_WORDS,
    is_month,
)
from snakescope.healthspan.plates.naming import MONTHS

FIRST_SHORT_YEAR = 5
"""Years of two digits before which six digits are a counter, such as 000101."""

DATE_ORDERS = ("year month day", "day month year", "month day year")

_WIDTHS = {"year": (2, 4), "month": (1, 2), "day": (1, 2)}

Fields = dict[int, list[str]]
"""Fields of the pattern that stand in place of a token, by its place."""


def word_before(series: Series, place: int) -> str:
    """Return the constant word directly before a number, or before one mark; in small letters."""
    for back in (1, 2):
        at = place - back
        if at < 0:
            return ""
        if series.kind(at) == "word":
            texts = set(series.texts(at))
            return texts.pop() if len(texts) == 1 else ""
        if series.kind(at) != "mark" or set(series.texts(at)) & {"/"}:
            return ""
    return ""


def unit_after(series: Series, place: int) -> str:
    """Return the constant word directly after a number, in small letters."""
    at = place + 1
    if at < len(series.columns) and not any(series.texts(at)):
        at += 1
    if at >= len(series.columns) or series.kind(at) != "word":
        return ""
    texts = set(series.texts(at))
    return texts.pop() if len(texts) == 1 else ""


def counts_up(texts: Sequence[str]) -> bool:
    """Return whether numbers count by one, each as often: images, and not minutes of a day."""
    often = Counter(int(text) for text in texts)
    numbers = sorted(often)
    steps = {after - before for before, after in pairwise(numbers)}
    return len(numbers) > 2 and steps == {1} and len(set(often.values())) == 1


def months(series: Series) -> bool:
    """Return whether the names tell months in a way that no date was found by."""
    columns = [
        set(series.texts(place))
        for place in range(len(series.columns))
        if series.kind(place) == "word" and series.varies(place)
    ]
    return any(all(is_month(text) for text in texts) for texts in columns)


def words_after(series: Series, place: int) -> set[str]:
    """Return the words directly after a number or a blank, of all names; of none a mark."""
    for at in range(place + 1, min(place + 3, len(series.columns))):
        texts = set(series.texts(at))
        if series.kind(at) == "word":
            return texts
        if series.kind(at) != "mark" or not texts <= {"", " ", "_"}:
            break
    return {"."}


def is_unit_of_earlier(series: Series, place: int) -> bool:
    """Return whether the word before a number directly follows another number, as in 06d12h."""
    back = [at for at in range(place - 1, -1, -1) if any(series.texts(at))][:2]
    return len(back) == 2 and [series.kind(at) for at in back] == ["word", "number"]


def units_before(series: Series) -> bool:
    """Return whether units stand before their numbers, as in d05h12, not behind, as in 05d12h."""
    units = DAY_WORDS | HOUR_WORDS | MINUTE_WORDS
    at = [k for k in range(len(series.columns)) if any(series.texts(k))]
    for k, here in enumerate(at):
        neighbours = [*at[max(0, k - 1) : k], *at[k + 1 : k + 3]]
        if series.kind(here) != "number" or k == 0 or len(neighbours) < 3:
            continue
        before, after, _ = neighbours
        kinds = [series.kind(one) for one in neighbours]
        if kinds == ["word", "word", "number"] and not (
            k > 1 and series.kind(at[k - 2]) == "number"
        ):
            return set(series.texts(before)) <= units and set(series.texts(after)) <= units
    return False


def _dates(parts: Sequence[Sequence[str]]) -> list[date] | None:
    """Return dates of (year, month, day) texts, or None where one is none."""
    found = []
    for year, month, day in parts:
        try:
            number = MONTHS.index(month[:3]) + 1 if month[:1].isalpha() else int(month)
            if len(year) <= 2 and int(year) < FIRST_SHORT_YEAR:
                return None
            whole = int(year) + (2000 if len(year) <= 2 else 0)
            found.append(date(whole, number, int(day)))
        except ValueError:
            return None
        if not 1990 <= whole <= 2069:
            return None
    return found


def _span(dates: Sequence[date]) -> int:
    return (max(dates) - min(dates)).days


def find_date(series: Series) -> tuple[Fields, str, str] | None:
    """Find a date in the names.

    Returns:
        Its fields, how sure it is, and in which order it stands; None without one.
    """
    candidates: list[tuple[int, int, Fields, str]] = []
    for place in range(len(series.columns)):
        for rank, (fields, order, parts) in enumerate(_readings(series, place)):
            dates = _dates(parts)
            if dates is not None:
                candidates.append((_span(dates), rank, fields, order))
    varied = [one for one in candidates if any(series.varies(place) for place in one[2])]
    candidates = varied or candidates
    if not candidates:
        return None
    # The reading in which the series is shortest: a wrong order of day and month spreads it over
    # a year.
    candidates.sort(key=lambda one: (one[0], one[1]))
    best = candidates[0]
    rivals = [one for one in candidates[1:] if set(one[2]) == set(best[2]) and one[2] != best[2]]
    near = [one for one in rivals if one[0] <= 2 * max(best[0], 3)]
    return best[2], "unsure" if near else "likely" if rivals else "sure", best[3]


def _readings(series: Series, place: int) -> list[tuple[Fields, str, list[tuple[str, str, str]]]]:
    """Return the ways to read a date that begins at a place: fields, order, (year, month, day)."""
    found: list[tuple[Fields, str, list[tuple[str, str, str]]]] = []
    if series.kind(place) != "number":
        return found
    texts = series.texts(place)
    widths = {len(text) for text in texts}
    if widths <= {8} or widths <= {12} or widths <= {14}:
        for order, cuts in (
            ("year month day", (0, 4, 6, 8)),
            ("day month year", (0, 2, 4, 8)),
            ("month day year", (0, 2, 4, 8)),
        ):
            names = order.split()
            pieces = [[text[a:b] for a, b in pairwise(cuts)] for text in texts]
            rows = [dict(zip(names, piece, strict=True)) for piece in pieces]
            fields = [*names]
            rest = [text[8:] for text in texts]
            if widths != {8}:
                if not all(_is_time_of_day(one) for one in rest):
                    continue
                fields += ["hours", "minutes", *(["seconds"] if widths == {14} else [])]
            found.append(({place: fields}, order, [_of(row) for row in rows]))
    if widths <= {12} and all(_is_time_of_day(text[6:]) for text in texts):
        short = [(text[:2], text[2:4], text[4:6]) for text in texts]
        fields = ["year", "month", "day", "hours", "minutes", "seconds"]
        found.append(({place: fields}, "year month day", short))
    if widths <= {6} and word_before(series, place) not in INDEX_WORDS:
        for order in ("year month day", "day month year"):
            names = order.split()
            rows = [
                dict(zip(names, (text[:2], text[2:4], text[4:]), strict=True)) for text in texts
            ]
            found.append(({place: names}, order, [_of(row) for row in rows]))
    triple = _triple(series, place)
    if triple:
        columns = [series.texts(at) for at in triple]
        if series.kind(triple[1]) == "word":
            for order in ("day month year", "year month day"):
                names = order.split()
                rows = [dict(zip(names, row, strict=True)) for row in zip(*columns, strict=True)]
                if all(one["month"][:3] in MONTHS for one in rows) and _fit(names, columns):
                    placed: Fields = {
                        at: ["monthname" if name == "month" else name]
                        for at, name in zip(triple, names, strict=True)
                    }
                    found.append((placed, order, [_of(row) for row in rows]))
        else:
            for order in DATE_ORDERS:
                names = order.split()
                if not _fit(names, columns):
                    continue
                rows = [dict(zip(names, row, strict=True)) for row in zip(*columns, strict=True)]
                placed = {at: [name] for at, name in zip(triple, names, strict=True)}
                found.append((placed, order, [_of(row) for row in rows]))
    return found


def _of(row: dict[str, str]) -> tuple[str, str, str]:
    return row["year"], row["month"], row["day"]


def _fit(names: Sequence[str], columns: Sequence[Sequence[str]]) -> bool:
    for name, column in zip(names, columns, strict=True):
        widths = {len(text) for text in column}
        if column[0][:1].isdigit() and not widths <= set(_WIDTHS[name]):
            return False
    # A year of two digits is taken for one only where all three have two: 21-05-14.
    year = columns[list(names).index("year")]
    short = {len(text) for text in year} == {2}
    named = any(not column[0][:1].isdigit() for column in columns)
    return named or not short or all({len(t) for t in column} == {2} for column in columns)


def _triple(series: Series, place: int) -> list[int] | None:
    """Return the places of three numbers, or number, word, number, with one same mark between."""
    places, at = [place], place + 1
    marks: list[str] = []
    count = len(series.columns)
    while len(places) < 3 and at < count:
        if series.kind(at) == "mark":
            texts = set(series.texts(at))
            if (
                len(texts) != 1
                or not texts <= {"-", "_", ".", " ", "/", ""}
                or len(marks) > len(places)
            ):
                return None
            marks.append(texts.pop())
            at += 1
            if at >= count or series.kind(at) == "mark":
                return None
        kind = series.kind(at)
        if kind == "word" and len(places) != 1:
            return None
        places.append(at)
        at += 1
    if len(places) < 3 or len(set(marks)) > 1:
        return None
    numbers_touch = not marks and series.kind(places[1]) == "number"
    return None if numbers_touch else places


def _is_time_of_day(text: str) -> bool:
    if not text.isdigit():
        return False
    pieces = [int(text[at : at + 2]) for at in range(0, len(text), 2)]
    return len(text) in (4, 6) and pieces[0] < 24 and all(one < 60 for one in pieces[1:])


def find_time_of_day(series: Series, after: int) -> Fields:
    """Find the time of day that follows a date, by place; nothing where there is none."""
    numbers = [
        at
        for at in range(after + 1, min(after + 12, len(series.columns)))
        if series.kind(at) == "number"
    ]
    if not numbers or numbers[0] > after + 4:
        return {}
    first = numbers[0]
    between = {t for at in range(after + 1, first) for t in series.texts(at)}
    if between & (DAY_WORDS | PLATE_WORDS | IMAGE_WORDS | INDEX_WORDS) - {"t"} or "/" in between:
        return {}
    texts = series.texts(first)
    if {len(text) for text in texts} <= {4} or {len(text) for text in texts} <= {6}:
        if all(_is_time_of_day(text) for text in texts) and not counts_up(texts):
            long = len(texts[0]) == 6
            return {first: ["hours", "minutes", *(["seconds"] if long else [])]}
        return {}
    if {len(text) for text in texts} <= {9} and all(_is_time_of_day(text[:6]) for text in texts):
        return {first: ["hours", "minutes", "seconds", "any"]}
    if not all(len(text) <= 2 and int(text) < 24 for text in texts):
        return {}
    found: Fields = {first: ["hours"]}
    if unit_after(series, first) in HOUR_WORDS and len(numbers) == 1:
        return found
    if words_after(series, first) <= {"am", "pm"}:
        return found
    previous = first
    for at, name in zip(numbers[1:3], ("minutes", "seconds"), strict=False):
        marks = {t for k in range(previous + 1, at) for t in series.texts(k)}
        usual = marks <= {"-", "_", ".", ":", " "} | HOUR_WORDS | MINUTE_WORDS
        if not usual or not all(
            len(t) <= 2 and t.isdigit() and int(t) < 60 for t in series.texts(at)
        ):
            break
        found[at] = [name]
        previous = at
    return found if len(found) > 1 else {}


def find_elapsed(series: Series, taken: set[int]) -> Fields:
    """Find elapsed days, hours and minutes that a word beside them names."""
    found: Fields = {}
    ahead = units_before(series)
    numbers = [p for p in range(len(series.columns)) if series.kind(p) == "number"]
    if any(series.varies(p) and word_before(series, p) in WEEK_WORDS for p in numbers):
        return {}  # No pattern tells weeks, and their days alone would be wrong times.
    for place in numbers:
        if place in taken:
            continue
        before, unit = word_before(series, place), unit_after(series, place)
        if ahead:
            unit = ""
        elif is_unit_of_earlier(series, place) or unit in DAY_WORDS | HOUR_WORDS:
            before = ""
        if unit == "d" and word_before(series, place) in IMAGE_WORDS | {"f"}:
            continue  # field 7 of channel 0 is f07d0
        if before in DAY_WORDS or unit in DAY_WORDS:
            name = "days"
        elif before in HOUR_WORDS or unit in HOUR_WORDS:
            name = "hours"
        elif (unit in MINUTE_WORDS or before in MINUTE_WORDS - {"m"}) and (found or unit != "m"):
            name = "minutes"
        else:
            continue
        if [name] not in found.values():
            found[place] = [name]
    hours = [place for place in found if found[place] == ["hours"]]
    if hours and ["minutes"] not in found.values() and not ahead:
        found |= _minutes_after(series, hours[0], numbers)
    return found if any(series.varies(place) for place in found) else {}


def _minutes_after(series: Series, hours: int, numbers: Sequence[int]) -> Fields:
    """Find the minutes without a unit behind hours, as in 6h30."""
    after = next((place for place in numbers if place > hours), None)
    if after is None or unit_after(series, hours) not in HOUR_WORDS:
        return {}
    between = range(hours + 1, after)
    if sum(series.kind(at) == "word" for at in between) != 1 or any(
        "".join(series.texts(at)) for at in between if series.kind(at) != "word"
    ):
        return {}
    texts = series.texts(after)
    told = all(len(text) == 2 and int(text) < 60 for text in texts) and not unit_after(
        series, after
    )
    return {after: ["minutes"]} if told else {}


def is_well(series: Series, place: int) -> bool:
    """Return whether a one-letter word and the number behind it are a well, such as E11."""
    at = place + 1
    if series.kind(place) != "word" or at >= len(series.columns) or series.kind(at) != "number":
        return False
    letters, numbers = set(series.texts(place)), series.texts(at)
    if not all(re.fullmatch("[a-p]", letter) for letter in letters):
        return False
    bounds = place == 0 or series.kind(place - 1) == "mark"
    alone = len(letters) == 1 and letters & (
        DAY_WORDS | HOUR_WORDS | INDEX_WORDS | PLATE_WORDS | {"c"}
    )
    return bounds and not alone and all(0 < int(one) <= 24 for one in numbers if one.isdigit())
