"""Outputs that are either whole or absent."""

import os
import shutil
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ABANDONED_S = 3600
"""What a process of another machine left unchanged for so long (s) is taken for abandoned."""


def _partial(path: Path) -> Path:
    """A name beside ``path`` for this process; it keeps the suffixes, by which writers go."""
    return path.with_name(f".partial-{os.getpid()}-{socket.gethostname()}-{path.name}")


def _runs(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)


def remove_abandoned(path: Path) -> None:
    """Remove what killed attempts left of the output ``path``: nothing runs at their end."""
    begin, end = ".partial-", f"-{path.name}"
    for found in path.parent.glob(f"{begin}*"):
        process, _, host = found.name.removeprefix(begin).removesuffix(end).partition("-")
        if not found.name.endswith(end) or not process.isdigit():
            continue
        try:
            still = time.time() - found.lstat().st_mtime < ABANDONED_S
        except FileNotFoundError:
            continue
        if _runs(int(process)) if host == socket.gethostname() else still:
            continue
        _remove(found)


@contextmanager
def whole_file(path: str | Path) -> Iterator[Path]:
    """Yield a temporary path beside ``path``; rename it there on success, remove it on failure.

    What a killed attempt at the same output left there is removed first.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    remove_abandoned(path)
    partial = _partial(path)
    try:
        yield partial
        os.replace(partial, path)
    finally:
        partial.unlink(missing_ok=True)


@contextmanager
def whole_folder(path: str | Path) -> Iterator[Path]:
    """As :func:`whole_file`, for a folder; one that is there already gives way to it."""
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    remove_abandoned(path)
    partial = _partial(path)
    try:
        yield partial
        shutil.rmtree(path, ignore_errors=True)
        partial.rename(path)
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def write_if_changed(path: str | Path, text: str) -> bool:
    """Write ``text`` unless the file holds it already; say whether it was written.

    An unchanged file keeps its modification time, so nothing downstream is redone.
    """
    path = Path(path)
    if path.exists() and path.read_text(encoding="utf-8") == text:
        return False
    with whole_file(path) as partial:
        partial.write_text(text, encoding="utf-8")
    return True
