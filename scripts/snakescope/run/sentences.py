"""What Snakemake says of errors that users can repair, without what is of no use to them."""

import logging
import re

_PRINTED = (
    re.compile(
        r"InputFunctionException in rule [^\n]*\nError:\n  StepError: (.*?)\nWildcards:\n",
        re.DOTALL,
    ),
    re.compile(
        r'WorkflowError[^\n]*:\n([^\n]*)\n(?:  File "[^\n]*\n)*'
        r'  File "[^\n"]*/snakescope/run/run\.py", [^\n]*\s*\Z'
    ),
)
"""A StepError of a function that a rule calls, and one of ours as a run is made; both with a way
through code behind them."""


def alone(record: logging.LogRecord) -> bool:
    """Leave its sentence alone of a StepError that was raised while a run was planned.

    A filter of Snakemake's logger, which lets every record pass.
    """
    if record.levelno >= logging.ERROR:
        text = record.getMessage()
        for printed in _PRINTED:
            if found := printed.match(text):
                record.msg, record.args = f"error: {found[1]}", ()
    return True
