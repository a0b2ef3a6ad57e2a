"""A step as a command: its options, its exit status, its one sentence on stderr.

A step is a module with two functions: ``add_arguments(parser)`` adds its options, ``main(options)``
does the work. Rules call it by the name that its tree's table gives it.
"""

import argparse
import atexit
import errno
import gc
import os
import sys
from collections.abc import Callable, Sequence
from functools import partial
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import NoReturn

from snakescope.step.errors import StepError, system_words
from snakescope.step.numbers import number_of, whole_number_of


def parser_of(module: ModuleType, name: str) -> argparse.ArgumentParser:
    """Return the parser of a step; ``name`` is the command as users type it."""
    summary = (module.__doc__ or "").strip().partition("\n\n")[0]
    parser = argparse.ArgumentParser(prog=name, description=summary)
    # Options are numbers as people write them: Python would take 1_0 for 10, and nan for a number.
    parser.register("type", float, partial(_option, number_of))
    parser.register("type", int, partial(_option, whole_number_of))
    module.add_arguments(parser)
    return parser


def _option(read: Callable[[str], float], text: str) -> float:
    try:
        return read(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def call(module: ModuleType, arguments: Sequence[str] | None = None) -> None:
    """Run a step in this process, with ``arguments`` or those of the command line.

    Raises:
        StepError: as the step does.
    """
    module.main(parser_of(module, module.__name__.rpartition(".")[2]).parse_args(arguments))


def run_module(path: str, name: str, arguments: Sequence[str]) -> NoReturn:
    """Import the step at a dotted ``path``, run it and leave the process."""
    # A search at the end of the process frees what ends with it.
    atexit.register(gc.freeze)
    module = _imported(path)
    options = parser_of(module, name).parse_args(arguments)
    run_step(lambda: module.main(options))


def _imported(path: str) -> ModuleType:
    """Import a module; what loads with it is no garbage, and is not searched for it.

    A step of a model takes 3.3 s of a processor to start and to end so, and 4.8 s with the searches
    of its libraries, while they load, later on and at the end.
    """
    gc.disable()
    try:
        return import_module(path)
    finally:
        gc.freeze()
        gc.enable()


def run_step(main: Callable[[], None]) -> NoReturn:
    """Run ``main`` and leave the process: 0, or 1 after one sentence on stderr.

    :class:`StepError` and what the system refuses, such as a full disk or a folder that may not be
    written to, become a sentence; anything else is a defect of the software and keeps its
    traceback.
    """
    try:
        main()
    except StepError as error:
        _end(str(error))
    except (OSError, MemoryError) as error:
        where = getattr(error, "filename", None) or Path.cwd()
        if full := full_disk(error):
            _end(
                f"{where}: expected room on the disk, found {full}; make room and start again,"
                " finished results are kept"
            )
        words = system_words(error)
        if not words:
            raise
        _end(f"{where}: expected to read or write it, found {words!r}; see to it and run again")
    sys.exit(0)


def _end(sentence: str) -> NoReturn:
    print(f"error: {sentence}", file=sys.stderr, flush=True)
    sys.exit(1)


def full_disk(error: BaseException) -> str:
    """Return the system's words for a full disk or an exceeded quota, empty for other errors."""
    # Libraries in C, such as HDF5, state it in their message only.
    texts = (os.strerror(code) for code in (errno.ENOSPC, errno.EDQUOT))
    return next((words for words in texts if words in str(error)), "")
