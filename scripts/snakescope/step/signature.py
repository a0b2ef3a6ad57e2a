"""Functions that tell their parameters without being inspected."""

import inspect
from collections.abc import Callable
from typing import Any, TypeVar

from snakemake.common import overwrite_function_params

Function = TypeVar("Function", bound=Callable[..., Any])


def signed(function: Function) -> Function:
    """Return ``function`` with its parameters stored, where Snakemake looks before it inspects.

    It asks for them several times for every job, and inspecting takes longer than calling. It
    also asks for their kinds, so they are stored as ``inspect`` gives them, not as names alone.
    """
    overwrite_function_params(function, inspect.signature(function).parameters)
    return function
