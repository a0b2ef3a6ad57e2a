"""What Snakemake says of errors that users can repair, without what is of no use to them."""

import logging
import re

_IN_A_FUNCTION = re.compile(
    r"InputFunctionException in rule [^\n]*\nError:\n  StepError: (.*?)\nWildcards:\n", re.DOTALL
)
"""As Snakemake prints a StepError of a function that a rule calls; a way through code follows."""


def alone(record: logging.LogRecord) -> bool:
    """Leave its sentence alone of a StepError that was raised while a run was planned.

    A filter of Snakemake's logger, which lets every record pass.
    """
    if record.levelno >= logging.ERROR and (found := _IN_A_FUNCTION.match(record.getMessage())):
        record.msg, record.args = f"error: {found[1]}", ()
    return True
