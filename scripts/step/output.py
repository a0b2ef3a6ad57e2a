"""Outputs that are either whole or absent."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def whole_file(path: str | Path) -> Iterator[Path]:
    """Yield a temporary path beside ``path``; rename it there on success, remove it on failure.

    The temporary name keeps the suffixes, since writers choose their format by them.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".partial-{os.getpid()}-{path.name}")
    try:
        yield partial
        os.replace(partial, path)
    finally:
        partial.unlink(missing_ok=True)


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
