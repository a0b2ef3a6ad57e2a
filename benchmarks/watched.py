"""Run a program and append what it took to a file: ``python -S watched.py FILE PROGRAM ...``.

Linux counts the memory of the parent into the peak of what it starts, so a bare interpreter, which
imports next to nothing, starts the program. Seconds of the clock and of processors, peak resident
memory in the unit of ``ru_maxrss``, exit status and words are written as one line of JSON.
"""

import json
import os
import sys
import time

started = time.perf_counter()
child = os.posix_spawn(sys.argv[2], sys.argv[2:], os.environ)
_, status, usage = os.wait4(child, 0)
taken = {
    "seconds": time.perf_counter() - started,
    "cpu_seconds": usage.ru_utime + usage.ru_stime,
    "maxrss": usage.ru_maxrss,
    "status": os.waitstatus_to_exitcode(status),
    "words": sys.argv[3:],
}
with open(sys.argv[1], "a", encoding="utf-8") as file:
    file.write(json.dumps(taken) + "\n")
sys.exit(min(abs(taken["status"]), 255))
