"""Functions that tell their parameters without being inspected."""

import inspect
from collections.abc import Callable
from typing import Any, TypeVar

Function = TypeVar("Function", bound=Callable[..., Any])


def signed(function: Function) -> Function:
    """Return ``function`` with its signature stored.

    Snakemake asks for it at every call, of every job, and inspecting takes longer than calling.
    """
    function.__signature__ = inspect.signature(function)  # type: ignore[attr-defined]
    return function
