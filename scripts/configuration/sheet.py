"""The header of a sample sheet: which columns there are, each once, tabs between them."""

from collections.abc import Sequence

from configuration.suggest import did_you_mean
from step.errors import StepError


def check_header(
    where: str, header: Sequence[str], columns: Sequence[str], required: Sequence[str]
) -> None:
    """Check the names in a sheet's header.

    Args:
        where: file and line, for messages.
        columns: the names that may stand there; required: those that must.

    Raises:
        StepError: another separator, or a name that is unknown, repeated or missing.
    """
    if len(header) == 1 and any(mark in header[0] for mark in ",;"):
        raise StepError(
            f"{where}: expected columns separated by tabs, found {header[0]!r}; "
            "save the sheet as tab-separated text"
        )
    for name in header:
        if name not in columns:
            raise StepError(
                f"{where}: expected the columns {', '.join(columns)}, found {name!r}"
                + did_you_mean(name, columns)
            )
        if header.count(name) > 1:
            raise StepError(
                f"{where}: expected every column once, found {name!r} "
                f"{header.count(name)} times; remove one"
            )
    missing = [name for name in required if name not in header]
    if missing:
        raise StepError(
            f"{where}: expected the columns {', '.join(required)}, "
            f"found no {', '.join(missing)}; add it"
        )
