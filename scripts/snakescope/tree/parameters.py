"""Functions of rules that Snakemake calls for every job."""

import inspect
from collections.abc import Callable
from typing import Any, TypeVar

Parameter = Callable[..., Any]
Files = Callable[[Any], list[str]]
"""An input function."""
P = TypeVar("P", bound=Parameter)


def signed(function: P) -> P:
    """Return a function with its signature stored, as :func:`inspect.signature` finds it first.

    Snakemake asks for it several times a job, and to work it out takes longer than most calls.
    """
    setattr(function, "__signature__", inspect.signature(function))  # noqa: B010
    return function
