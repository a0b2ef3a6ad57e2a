"""Numbers in text, one rule for sheets, tables, settings and options: digits, a point, an exponent.

Python reads more than people write: ``1_0`` is 10 to it, and ``nan`` a number. What has one meaning
is read, as digits of full width and the minus of typesetters; the rest is refused.
"""

import math
import re
import unicodedata
from types import UnionType
from typing import Annotated, Any, Union, get_args, get_origin

NUMBER = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")
MINUS = str.maketrans("\u2010\u2011\u2212", "---")


def plain(text: str) -> str:
    """Return text with digits, points and minus signs as ASCII has them, without blanks around."""
    return "".join(_ascii(one) for one in text.translate(MINUS)).strip()


def _ascii(one: str) -> str:
    """A digit, or a letter of full width, as ASCII has it; the 2 of 10² is no digit of 102."""
    if unicodedata.decimal(one, None) is not None:
        return str(unicodedata.decimal(one))
    wide = unicodedata.decomposition(one).startswith("<wide>")
    return unicodedata.normalize("NFKC", one) if wide else one


def number_of(text: str) -> float:
    """Return the finite number that a text is.

    Raises:
        ValueError: it is none, or none that people write, such as ``1_0``, ``0x10``, ``nan``.
    """
    value = float(found) if NUMBER.fullmatch(found := plain(text)) else math.nan
    if not math.isfinite(value):
        raise ValueError(f"expected a number of digits with a decimal point, found {text!r}")
    return value + 0.0  # -0 is 0


def whole_number_of(text: str) -> int:
    """Return the whole number that a text is; ``8.0`` is one, ``1.000`` may be a thousand.

    Raises:
        ValueError: it is none.
    """
    if not re.fullmatch(r"[+-]?[0-9]+(\.0)?", found := plain(text)):
        raise ValueError(f"expected a whole number, found {text!r}")
    return int(found.removesuffix(".0"))


def is_number(annotation: Any) -> bool:
    """Whether a type is a number, or a choice of types of which one is and none is a truth."""
    types = set(_members(annotation))
    return bool not in types and bool({int, float} & types)


def _members(annotation: Any) -> list[Any]:
    origin = get_origin(annotation)
    if origin is Annotated:
        return _members(get_args(annotation)[0])
    if origin in (Union, UnionType):
        return [member for one in get_args(annotation) for member in _members(one)]
    return [annotation]


def checked(value: Any) -> Any:
    """Return what a field of a number is to read: text as ASCII has it, everything else as it is.

    Raises:
        ValueError: text that Python alone takes for a number.
    """
    if not isinstance(value, str):
        return value
    found = plain(value)
    try:
        number = float(found)
    except ValueError:
        return found if found[:1].isdigit() or found[:1] in "+-." else value
    if math.isfinite(number) and not NUMBER.fullmatch(found):
        raise ValueError("expected a number of digits with a decimal point")
    return found.lstrip("-") if number == 0 else found
