"""Running a step's ``main`` as a command."""

import sys
from collections.abc import Callable
from typing import NoReturn

from step.errors import StepError


def run_step(main: Callable[[], None]) -> NoReturn:
    """Run ``main`` and leave the process: 0, or 1 after one sentence on stderr.

    Only :class:`StepError` is turned into a sentence; anything else is a defect of
    ours and keeps its traceback.
    """
    try:
        main()
    except StepError as error:
        print(f"error: {error}", file=sys.stderr, flush=True)
        sys.exit(1)
    sys.exit(0)
