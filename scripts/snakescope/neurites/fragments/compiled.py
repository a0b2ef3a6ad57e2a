"""Loops over voxels and edges, compiled by numba and free of the interpreter's lock."""

from collections.abc import Callable
from typing import Any, TypeVar, cast

import numba

Function = TypeVar("Function", bound=Callable[..., Any])


def compiled(function: Function) -> Function:
    """Compile ``function`` at its first call, and keep the result beside its module.

    numba falls back to the user's cache where the module's folder cannot be written to. A compiled
    function may call those of its own file only: numba does not notice a change in another file,
    and takes the old code from the cache.
    """
    return cast(Function, numba.njit(nogil=True, cache=True)(function))


def inlined(function: Function) -> Function:
    """Compile ``function`` as :func:`compiled` does, and into whatever compiled code calls it.

    For what an inner loop calls with many arrays: as arguments of a call they take a tenth longer.
    """
    return cast(Function, numba.njit(nogil=True, cache=True, forceinline=True)(function))
