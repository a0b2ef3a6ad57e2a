"""Progress of long work: a bar in a terminal, lines in a log."""

import sys
import time
from collections.abc import Iterable, Iterator, Sized
from typing import TypeVar

from tqdm import tqdm

Item = TypeVar("Item")


def progress(items: Iterable[Item], label: str, every_s: float = 15.0) -> Iterator[Item]:
    """Yield ``items`` and report the progress on stderr."""
    if sys.stderr.isatty():
        yield from tqdm(items, desc=label)
        return
    total = len(items) if isinstance(items, Sized) else None
    started = last = time.monotonic()
    for done, item in enumerate(items, start=1):
        yield item
        now = time.monotonic()
        if now - last >= every_s or done == total:
            of = f" of {total}" if total is not None else ""
            print(f"{label}: {done}{of}, {now - started:.0f} s", file=sys.stderr, flush=True)
            last = now
