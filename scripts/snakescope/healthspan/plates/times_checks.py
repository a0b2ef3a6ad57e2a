"""What is refused in a table of times, as it has two meanings."""

import re
from collections.abc import Sequence

THOUSANDS = r"[1-9]\d{0,2}\.\d{3}"
ZONE = re.compile(r"\d\s*(?:Z|[+-]\d\d:?\d\d)$")
"""The end of a time of day with its zone."""


def check_width(rows: Sequence[Sequence[str]], numbers: Sequence[int]) -> None:
    """Refuse rows with more cells than the header, as of 12,5 between commas.

    Raises:
        ValueError: naming the line.
    """
    header = rows[0]
    for number, row in zip(numbers, rows, strict=True):
        if any(cell.strip() for cell in row[len(header) :]):
            raise ValueError(
                f"line {number}: expected {len(header)} cells as in the header, found {len(row)};"
                " write numbers with decimal points, or put marks between cells that no cell holds"
            )


def check_zones(told: Sequence[tuple[int, str, str]], column: str) -> None:
    """Refuse dates of which some have a zone and some none.

    Raises:
        ValueError: naming one of each.
    """
    zoned = {bool(ZONE.search(text)): text for _, _, text in told if ":" in text}
    if len(zoned) == 2:
        raise ValueError(
            f"expected dates with a time zone, or without, in the column {column}, found"
            f" {zoned[True]!r} and {zoned[False]!r}; write all in one way"
        )


def check_commas(told: Sequence[tuple[int, str, str]], column: str) -> None:
    """Refuse 1,500 where no other number of the column tells what its comma is.

    Raises:
        ValueError: naming the first such cell.
    """
    commas = [(number, text) for number, _, text in told if "," in text]
    if commas and all(re.fullmatch(r"[1-9]\d{0,2},\d{3}", text) for _, text in commas):
        number, text = commas[0]
        raise ValueError(
            f"line {number}: expected a number with a decimal point in the column {column}, found"
            f" {text!r}, which may be {text.replace(',', '')} or {text.replace(',', '.')}; write it"
            " as one of these"
        )
    pointed = [(number, text) for number, _, text in told if re.fullmatch(THOUSANDS, text)]
    if commas and pointed:
        number, text = pointed[0]
        raise ValueError(
            f"line {number}: expected a number with a decimal point in the column {column}, found"
            f" {text!r} beside {commas[0][1]!r}, so it may be {text.replace('.', '')}; write it"
            " without a point"
        )
