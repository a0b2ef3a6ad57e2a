"""Steps that rules call, in processes that need not load libraries first.

Rules call ``python -m snakescope TREE STEP``. To load torch takes longer than most steps do on the
tiny inputs of tests, so a server loads the libraries once and forks for every call: a process of
its own, with the folder, variables, output and package that the shell of the job would give it.
"""

import atexit
import gc
import os
import selectors
import shlex
import shutil
import subprocess
import sys
import tempfile
from functools import cache
from importlib import import_module
from pathlib import Path

from tests.started import MODELS, become

CALLS = "calls"
"""A pipe by which shells name the files of their calls."""

# The output of a process is known by its number, so nothing is passed but names.
SHELL = """python() {
  if [ "${1-} ${2-}" != "-m snakescope" ]; then command python "$@"; return; fi
  local call=FOLDER/$BASHPID.$RANDOM status
  mkfifo "$call.ended"
  { printf '%s\\0' "$BASHPID" "$PWD" "$#" "$@"; env -0; } > "$call"
  printf '%s\\n' "$call" > FOLDER/CALLS
  read -r status < "$call.ended"
  return "$status"
}
"""


def quick_steps() -> dict[str, str]:
    """Variables under which the jobs of a run of Snakemake fork from the server of this process.

    None where the output of a process is not known by its number, as it is on Linux.
    """
    if not Path("/proc/self/fd").exists():
        return {}
    return {"BASH_ENV": str(_started()[0] / "functions.sh")}


@cache
def _started() -> tuple[Path, subprocess.Popen[bytes]]:
    """A folder and its server, which ends when its input does, so at the latest with us."""
    folder = Path(tempfile.mkdtemp(prefix="quick_steps_"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    os.mkfifo(folder / CALLS)
    text = SHELL.replace("FOLDER", shlex.quote(str(folder))).replace("CALLS", CALLS)
    (folder / "functions.sh").write_text(text)
    command = [sys.executable, "-m", __name__, str(folder), *MODELS]
    return folder, subprocess.Popen(
        command, stdin=subprocess.PIPE, cwd=Path(__file__).parents[1],
        env={**os.environ, "MPLBACKEND": "Agg"},
    )  # fmt: skip


def _serve(folder: Path) -> None:
    """Fork for every call, and return in the child that is to become the step."""
    pipe = os.open(folder / CALLS, os.O_RDWR)  # Also written, so that it never ends.
    begun = b""
    with selectors.DefaultSelector() as selector:
        selector.register(0, selectors.EVENT_READ)
        selector.register(pipe, selectors.EVENT_READ)
        while True:
            for key, _ in selector.select():
                if key.fd == 0:
                    os._exit(0)
                if key.fd != pipe:
                    selector.unregister(key.fd)
                    _ended(key.fd, *key.data)
                    continue
                *calls, begun = (begun + os.read(pipe, 65536)).split(b"\n")
                for call in map(Path, map(os.fsdecode, calls)):
                    child = os.fork()
                    if not child:
                        return _become(call.read_bytes().split(b"\0")[:-1])
                    ended = os.pidfd_open(child)
                    selector.register(ended, selectors.EVENT_READ, (child, call))


def _ended(file: int, child: int, call: Path) -> None:
    """Tell the shell of a call how its step ended."""
    os.close(file)
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    call.unlink()
    # As a shell has it of a process that a signal ended.
    call.with_name(f"{call.name}.ended").write_text(f"{status if status >= 0 else 128 - status}\n")


def _become(parts: list[bytes]) -> None:
    """Make this process what the shell would have started."""
    number, folder, count, *rest = map(os.fsdecode, parts)
    words, variables = rest[: int(count)], rest[int(count) :]
    files = [os.open(os.devnull, os.O_RDONLY)]
    # A log that two steps write, one after the other, is never begun again.
    files += [os.open(f"/proc/{number}/fd/{at}", os.O_WRONLY | os.O_APPEND) for at in (1, 2)]
    for at, file in enumerate(files):
        os.dup2(file, at)
        os.close(file)
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(dict(variable.split("=", 1) for variable in variables))
    paths = os.environ.get("PYTHONPATH", "").split(os.pathsep)
    sys.path[:0] = [folder, *filter(None, paths)]
    sys.argv[1:] = words[2:]


if __name__ == "__main__":
    sys.path.pop(0)  # The folder of the tests' repository; that of a call takes its place.
    for name in sys.argv[2:]:
        import_module(name)
    gc.collect()
    gc.freeze()  # Nothing of this is ever let go, so children need not look at it.
    _serve(Path(sys.argv[1]))
    become("snakescope")
