"""The exceptions whose message is shown to users without a traceback."""

import errno
import os
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager


class StepError(Exception):
    """An error that users can repair, described in one sentence.

    The message names the file, what was expected, what was found and what to do.
    """


class SystemFault(StepError):
    """The system did not let a file be read or written: nothing is known of what is in it.

    Never a reason to take a file for damaged or missing: the job fails, and is tried again.
    """


OF_THE_FILE = (
    errno.ENOENT, errno.ENOTDIR, errno.EISDIR, errno.EINVAL, errno.EFBIG, errno.EOVERFLOW,
    errno.ELOOP, errno.ENAMETOOLONG, errno.ESPIPE,
)  # fmt: skip
"""Errors that tell of a path that is not there, or come of numbers in a damaged file."""
LOCKED = (errno.EAGAIN, errno.EWOULDBLOCK, errno.EBUSY, errno.ENOLCK, errno.EDEADLK, errno.ETXTBSY)
_IN_WORDS = re.compile(r"errno = (\d+)")


def system_words(error: BaseException | None) -> str:
    """Return the system's words for what kept it from a file, empty for any other error.

    Permission, input/output, stale handle, time-out, too many files, lock, memory, full disk and
    the like, also where a library wraps them or states them in its message only, as HDF5 does.
    """
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        if isinstance(error, MemoryError):
            return os.strerror(errno.ENOMEM)
        if isinstance(error, OSError) and (code := _code(error)):
            return os.strerror(code)
        error = error.__cause__ or error.__context__
    return ""


def _code(error: OSError) -> int:
    stated = _IN_WORDS.search(str(error))
    code = error.errno or (int(stated[1]) if stated else 0)
    return 0 if code in OF_THE_FILE else code


def system_fault(path: object, error: BaseException) -> SystemFault | None:
    """Return the sentence on a file that the system did not let be read, None for other errors."""
    words = system_words(error)
    if not words:
        return None
    if words in map(os.strerror, LOCKED):
        return SystemFault(
            f"{path}: expected a file that can be read, found it locked ({words}): another program"
            " has it open for writing; close it there and run again"
        )
    advice = "see to it and run again; the file itself may be whole"
    if words == os.strerror(errno.EACCES):
        advice = "give this account leave to read it (chmod, or ask its owner) and run again"
    return SystemFault(f"{path}: expected a file that can be read, found {words!r}; {advice}")


@contextmanager
def readable(path: object, what: str = "") -> Iterator[None]:
    """Tell in a sentence where the system does not let a file or a folder be read.

    Args:
        what: is expected, for a sentence where there is something else, such as a folder.

    Raises:
        SystemFault: it does not, as where a spreadsheet has the file open.
        StepError: there is something else than ``what``; one that is absent is an OSError.
    """
    try:
        yield
    except OSError as error:
        if fault := system_fault(path, error):
            raise fault from None
        if what and not isinstance(error, FileNotFoundError):
            raise StepError(
                f"{path}: expected {what}, found {error.strerror}; name a file"
            ) from None
        raise


def no_utf8(path: object, error: UnicodeDecodeError, remedy: str) -> StepError:
    """Return the sentence on a file of text in another encoding."""
    return StepError(
        f"{path}: expected text in UTF-8, found byte {error.object[error.start]:#04x} at"
        f" {error.start}; {remedy}"
    )


@contextmanager
def decoded(
    path: object,
    sentence: Callable[[Exception], str],
    kinds: type[Exception] | tuple[type[Exception], ...] = Exception,
) -> Iterator[None]:
    """Tell in a sentence that a file cannot be decoded, or that the system keeps it.

    Args:
        sentence: what is said of the decoder's error.
        kinds: its errors; others pass. Decoders raise what they like on damaged files.

    Raises:
        SystemFault: the system does not let the file be read.
        StepError: the sentence, or whatever the work itself refuses.
    """
    try:
        yield
    except StepError:
        raise
    except kinds as error:
        raise (system_fault(path, error) or StepError(sentence(error))) from None
