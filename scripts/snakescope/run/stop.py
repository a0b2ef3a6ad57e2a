"""Ctrl-C and kill -INT: the jobs of this machine end with the run, and it says so.

Snakemake stops on the signal, but waits for its jobs, which get it from a terminal alone, and calls
those that end by it failed. A shell that is no terminal starts what it puts into the background
with the signal ignored: it would not even stop.
"""

import os
import signal
import threading
from collections.abc import Callable
from types import FrameType
from typing import Any

GRACE_S = 10.0
"""Time that jobs have to clear up, before they are ended at once."""


def stop_on_interrupt(stopped: Callable[[], None], ends_jobs: bool) -> None:
    """From now on, end the jobs of this process on SIGINT, and then raise KeyboardInterrupt.

    Args:
        stopped: called first, once; ends_jobs: whether processes below this one are jobs, not
            commands of a cluster, which cancels its jobs itself.
    """
    if threading.current_thread() is not threading.main_thread():
        return
    before = False

    def stop(number: int, frame: FrameType | None) -> None:
        nonlocal before
        if before:  # again: whoever asks twice does not want to wait
            _signal(_below(), signal.SIGKILL)
            return
        before = True
        stopped()
        if ends_jobs:
            jobs = _below()
            _signal(jobs, signal.SIGINT)
            threading.Thread(target=_end, args=(jobs,), daemon=True).start()
        raise KeyboardInterrupt

    signal.signal(signal.SIGINT, stop)


def _below() -> list[Any]:
    import psutil

    return psutil.Process(os.getpid()).children(recursive=True)


def _signal(processes: list[Any], number: int) -> None:
    import psutil

    for process in processes:
        try:
            process.send_signal(number)
        except psutil.Error:
            continue


def _end(processes: list[Any]) -> None:
    import psutil

    _, left = psutil.wait_procs(processes, timeout=GRACE_S)
    _signal(left, signal.SIGKILL)
