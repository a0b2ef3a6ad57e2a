"""Dates in text, as people, cameras and spreadsheets write them: one meaning, or none.

Months may be words of English, German, French, Spanish or Italian, or signs of Chinese, Japanese or
Korean. Of 11/03/2026 nobody knows which is the month; other cells of its column may tell.
"""

import re
import unicodedata
from collections.abc import Iterable
from contextlib import suppress
from datetime import datetime, timedelta

FORMS = (
    "%Y-%m-%d %H:%M:%S", "%Y-%m-%d %H:%M", "%Y-%m-%d", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%dT%H:%M",
    "%Y:%m:%d %H:%M:%S", "%d.%m.%Y %H:%M:%S", "%d.%m.%Y %H:%M", "%d.%m.%Y", "%Y/%m/%d %H:%M:%S",
    "%Y/%m/%d %H:%M", "%Y/%m/%d",
)  # fmt: skip
DAYS = tuple(form for form in FORMS if "%H" not in form)
MONTHS = (
    "jan january januar janner jaenner janvier janv enero ene gennaio gen",
    "feb february februar feber fevrier fevr fev febrero febbraio",
    "mar march marz maerz mrz mars marzo",
    "apr april avril avr abril abr aprile",
    "may mai mayo maggio mag",
    "jun june juni juin junio giugno giu",
    "jul july juli juillet juil julio luglio lug",
    "aug august aout agosto ago",
    "sep sept september septembre septiembre settembre set",
    "oct october oktober okt octobre octubre ottobre ott",
    "nov november novembre noviembre",
    "dec december dezember dez decembre diciembre dic dicembre",
)
"""Words of every month in small letters without accents and dots."""
WORDS = {word: number for number, words in enumerate(MONTHS, start=1) for word in words.split()}
CLOCK = re.compile(
    r"(?<![\d:])(?:(午前|午後|오전|오후)\s*)?(\d{1,2}):(\d\d)(?::(\d\d)(?:\.\d+)?)?"
    r"(?:\s*([ap])\.?m\.?(?![a-z]))?",
    re.IGNORECASE,
)
SIGNS = re.compile(r"(\d{4})\s*[年년]\s*(\d{1,2})\s*[月월]\s*(\d{1,2})\s*[日일]?")
KOREAN = re.compile(r"(\d{4})\.\s*(\d{1,2})\.\s*(\d{1,2})\.?")
NUMBERS = re.compile(r"(\d{1,2})([/-])(\d{1,2})\2(\d{4})")


def parse_date(text: str, day_first: bool | None = None) -> datetime | None:
    """Return a date, with or without a time of day, that is written in one clear way; else None.

    With a zone such as +02:00 it is the time of Greenwich.

    Args:
        day_first: what the first number of 11/03/2026 is, None where nobody knows.
    """
    zone = (
        re.search(r"(?:\.\d+)?(?:Z|([+-])(\d\d):?(\d\d))?$", text.strip()) if ":" in text else None
    )
    cleaned = text.strip()[: zone.start()] if zone else text
    # Hours from the time of the zone to that of Greenwich, by which summer time is no step.
    ahead = timedelta()
    if zone and zone[1]:
        ahead = timedelta(hours=int(zone[2]), minutes=int(zone[3])) * (1 if zone[1] == "+" else -1)
    for form in FORMS:
        try:
            return datetime.strptime(cleaned.strip(), form) - ahead
        except ValueError:
            continue
    found = _in_words(cleaned, day_first)
    return None if found is None else found - ahead


def _in_words(text: str, day_first: bool | None) -> datetime | None:
    text = unicodedata.normalize("NFKC", text)
    clock = CLOCK.search(text)
    day = text if clock is None else f"{text[: clock.start()]} {text[clock.end() :]}"
    try:
        date = _date_of(day.strip().removesuffix("T").strip(" ,"), day_first)
        passed = timedelta() if clock is None else _since_midnight(clock)
        return None if date is None else date + passed
    except ValueError:
        return None


def _since_midnight(clock: re.Match[str]) -> timedelta:
    """Return the time of day of a match of ``CLOCK``.

    Raises:
        ValueError: there is no such time of day.
    """
    half = {"午前": "a", "오전": "a", "午後": "p", "오후": "p"}.get(clock[1] or "", clock[5] or "")
    hour, minute, second = int(clock[2]), int(clock[3]), int(clock[4] or 0)
    if not (hour < 24 and minute < 60 and second < 60) or (half and not 1 <= hour <= 12):
        raise ValueError
    if half:
        hour = hour % 12 + 12 * (half.lower() == "p")
    return timedelta(hours=hour, minutes=minute, seconds=second)


def _date_of(text: str, day_first: bool | None) -> datetime | None:
    if match := SIGNS.fullmatch(text) or KOREAN.fullmatch(text):
        return datetime(int(match[1]), int(match[2]), int(match[3]))
    if match := NUMBERS.fullmatch(text):
        first, second = int(match[1]), int(match[3])
        day_first = True if first > 12 else False if second > 12 else day_first
        if day_first is None and first != second:
            return None
        day, month = (first, second) if day_first else (second, first)
        return datetime(int(match[4]), month, day)
    for form in DAYS:
        with suppress(ValueError):
            return datetime.strptime(text, form)
    parts = unicodedata.normalize("NFKD", text.lower())
    plain = "".join(one for one in parts if not unicodedata.combining(one))
    tokens = [one for one in re.split(r"[\s.,_-]+", plain) if one and one not in ("de", "of")]
    named = [one for one in tokens if one in WORDS]
    # A day of the week may stand before all.
    if len(tokens) == 4 and tokens[0].isalpha() and len(named) == 1 and tokens[0] != named[0]:
        tokens = tokens[1:]
    if len(tokens) == 1:
        tokens = re.findall(r"\d+|[a-z]+", tokens[0])
    return _of_tokens(tokens)


def _of_tokens(tokens: list[str]) -> datetime | None:
    """Return the date of a month's word, a day and a year of four digits, in a usual order."""
    numbers = [re.fullmatch(r"(\d{1,4})(st|nd|rd|th|er)?", one) for one in tokens]
    kinds = ["word" if t in WORDS else "year" if n and len(n[1]) == 4 else "day" if n and len(
        n[1]) < 3 else "" for t, n in zip(tokens, numbers, strict=True)]  # fmt: skip
    if kinds not in (["day", "word", "year"], ["word", "day", "year"], ["year", "word", "day"]):
        return None
    of = {kind: at for at, kind in enumerate(kinds)}
    day, year = numbers[of["day"]], numbers[of["year"]]
    assert day is not None and year is not None
    return datetime(int(year[1]), WORDS[tokens[of["word"]]], int(day[1]))


def day_first_of(texts: Iterable[str]) -> bool | None:
    """Return whether dates such as 11/03/2026 begin with the day, by those that tell.

    Raises:
        ValueError: some begin with the day and some with the month, or none tells and one may be
            either; the message names the cells.
    """
    told: dict[bool, str] = {}
    either = ""
    for text in texts:
        match = NUMBERS.match(unicodedata.normalize("NFKC", text).strip())
        if match is None:
            continue
        first, second = int(match[1]), int(match[3])
        if first > 12 or second > 12:
            told.setdefault(first > 12, text)
        elif first != second:
            either = either or text
    if len(told) == 2:
        raise ValueError(
            f"expected dates of one form, found {told[True]!r}, which begins with the day, and"
            f" {told[False]!r}, which begins with the month; write all as 2024-05-31"
        )
    if either and not told:
        raise ValueError(
            f"expected dates as 2024-05-31 or 31 May 2024, found {either!r}, of which no other"
            " date tells whether it begins with the day or the month; write them so"
        )
    return next(iter(told), None)


def hours_of(when: datetime) -> float:
    """Return hours since the year 1."""
    return when.toordinal() * 24 + when.hour + when.minute / 60 + when.second / 3600
