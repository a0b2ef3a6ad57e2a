"""Loops over voxels and edges, compiled by numba and free of the interpreter's lock."""

from collections.abc import Callable
from typing import Any, TypeVar, cast

import numba

Function = TypeVar("Function", bound=Callable[..., Any])


def compiled(function: Function) -> Function:
    """Compile ``function`` at its first call, and keep the result beside its module.

    numba falls back to the user's cache where the module's folder cannot be written to. What a
    compiled function calls stands in its own file: numba would not notice a change in another one,
    and take the old code from the cache. That is why two modules have the same hash table.
    """
    return cast(Function, numba.njit(nogil=True, cache=True)(function))


def inlined(function: Function) -> Function:
    """Compile ``function`` as :func:`compiled` does, and into whatever compiled code calls it.

    For what an inner loop calls with many arrays: as arguments of a call they take a tenth longer.
    """
    return cast(Function, numba.njit(nogil=True, cache=True, forceinline=True)(function))
