"""Running a step's ``main`` as a command."""

import errno
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn

from snakescope.step.errors import StepError


def run_step(main: Callable[[], None]) -> NoReturn:
    """Run ``main`` and leave the process: 0, or 1 after one sentence on stderr.

    Only :class:`StepError` and a full disk are turned into a sentence; anything else is a defect
    of ours and keeps its traceback.
    """
    try:
        main()
    except StepError as error:
        print(f"error: {error}", file=sys.stderr, flush=True)
        sys.exit(1)
    except OSError as error:
        full = full_disk(error)
        if not full:
            raise
        where = error.filename or Path.cwd()
        print(
            f"error: {where}: expected room on the disk, found {full}; make room and start again,"
            " what was finished is kept",
            file=sys.stderr,
            flush=True,
        )
        sys.exit(1)
    sys.exit(0)


def full_disk(error: OSError) -> str:
    """Return how the system calls a full disk or a used up quota, empty for any other error."""
    # Libraries in C, such as HDF5, tell it in their message only.
    called = (os.strerror(code) for code in (errno.ENOSPC, errno.EDQUOT))
    return next((words for words in called if words in str(error)), "")
