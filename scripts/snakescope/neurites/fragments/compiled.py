"""Compilation of loops over voxels and edges by numba, without the GIL."""

from collections.abc import Callable
from typing import Any, TypeVar, cast

import numba

Function = TypeVar("Function", bound=Callable[..., Any])


def compiled(function: Function) -> Function:
    """Compile ``function`` at its first call and cache the result next to its module.

    numba falls back to the user's cache where the module's folder cannot be written to. A compiled
    function may call those of its own file only: numba does not notice a change in another file,
    and takes the old code from the cache.
    """
    return cast(Function, numba.njit(nogil=True, cache=True)(function))


def inlined(function: Function) -> Function:
    """Compile ``function`` as :func:`compiled` does, and inline it in its callers.

    For functions with many arrays in inner loops, which a call makes a tenth slower.
    """
    return cast(Function, numba.njit(nogil=True, cache=True, forceinline=True)(function))
