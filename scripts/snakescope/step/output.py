"""Atomic outputs: files and folders that are complete or absent."""

import json
import os
import re
import shutil
import socket
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def atomic_write(path: str | Path) -> Iterator[Path]:
    """Yield a temporary path next to ``path``; rename it on success, remove it on failure.

    The temporary name keeps the suffixes, by which writers choose their format. Files that killed
    attempts left are removed first.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    remove_leftovers(path)
    with _renamed(path) as partial:
        yield partial


@contextmanager
def atomic_folder(path: str | Path) -> Iterator[Path]:
    """Yield the path of a temporary folder, which the caller creates; see :func:`atomic_write`."""
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    remove_leftovers(path)
    partial = _partial(path)
    try:
        yield partial
        shutil.rmtree(path, ignore_errors=True)
        partial.rename(path)
    finally:
        shutil.rmtree(partial, ignore_errors=True)


@contextmanager
def _renamed(path: Path) -> Iterator[Path]:
    partial = _partial(path)
    try:
        yield partial
        os.replace(partial, path)
    finally:
        partial.unlink(missing_ok=True)


def _partial(path: Path) -> Path:
    return path.with_name(f".partial-{_host()}-{os.getpid()}-{path.name}")


def _host() -> str:
    return f"{zlib.crc32(socket.gethostname().encode()):08x}"


def remove_leftovers(path: str | Path) -> None:
    """Remove temporary files and folders that killed attempts at an output left next to it.

    Those of a process that still runs on this machine, such as of a second run, are kept. Those
    of other machines are removed, since an attempt ends before the next one starts.
    """
    path = Path(path)
    named = re.compile(rf"\.partial-([0-9a-f]{{8}})-(\d+)-{re.escape(path.name)}")
    for left in path.parent.iterdir():
        match = named.fullmatch(left.name)
        if match is None or (match[1] == _host() and _alive(int(match[2]))):
            continue
        if left.is_dir():
            shutil.rmtree(left, ignore_errors=True)
        else:
            left.unlink(missing_ok=True)


def _alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except PermissionError:
        return True
    return True


def write_json(path: str | Path, document: object) -> None:
    """Write indented JSON, which people can read."""
    with atomic_write(path) as partial:
        partial.write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")


def write_if_changed(path: str | Path, text: str) -> bool:
    """Write ``text`` unless the file holds it already; return whether it was written.

    An unchanged file keeps its modification time, so nothing downstream is rerun. Two runs in one
    folder may write the file at the same time, so temporary files of others are kept.
    """
    path = Path(path)
    if path.exists() and path.read_text(encoding="utf-8") == text:
        return False
    path.parent.mkdir(parents=True, exist_ok=True)
    with _renamed(path) as partial:
        partial.write_text(text, encoding="utf-8")
    return True
