"""Programs as ``python -m MODULE`` runs them, in processes that need not load libraries first.

Loading Snakemake, or torch, takes longer than most of what tests have them do. A server loads them
once and forks for every call: a process of its own, with its own folder, environment and copy of
the package. The server itself never loads the package, so a call always finds that of its folder.
Steps that rules call can be forked as well, see :func:`quick_steps`.
"""

import atexit
import gc
import os
import runpy
import selectors
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import traceback
from collections.abc import Mapping, Sequence
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import NamedTuple, NoReturn

SNAKEMAKE = ("snakemake.cli", "smart_open", "pydantic")
"""Loaded by Snakemake and by the Snakefile."""

MODELS = (
    "torch", "torchvision", "timm", "pandas", "cv2", "matplotlib.pyplot", "lifelines", "zarr",
    "scipy.ndimage", "scipy.optimize", "scipy.stats", "skimage.measure", "skimage.morphology",
)  # fmt: skip
"""Loaded by whatever computes with models."""

CALLS = "calls"
"""A pipe in the folder of a server, by which it is told the names of files with calls.

Such a file holds, each with a zero byte behind it: the files of standard output and error, the
working directory, the module, the number of words, the words, and all variables as ``NAME=value``.
The exit status comes back by a pipe of the same name with ``.ended``.
"""

# Where a process writes is known by its number, so nothing is passed but names; those of copies,
# since its output is the pipe of calls for the moment in which it writes there.
SHELL = """python() {
  if [ "${1-} ${2-}" != "-m snakescope" ]; then command python "$@"; return; fi
  local call=FOLDER/$BASHPID.$RANDOM status ended out err
  mkfifo "$call.ended"
  exec {ended}<> "$call.ended" {out}>&1 {err}>&2
  { printf '%s\\0' "/proc/$BASHPID/fd/$out" "/proc/$BASHPID/fd/$err" "$PWD" snakescope "$(($# - 2))"
    shift 2; for word; do printf '%s\\0' "$word"; done; env -0; } > "$call"
  printf '%s\\n' "$call" > FOLDER/CALLS
  read -r -t 1800 status <&"$ended"
  exec {ended}>&- {out}>&- {err}>&-
  rm "$call.ended"
  return "$status"
}
"""


def snakemake(folder: Path, *words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run Snakemake in a folder, with variables besides those of this process."""
    return run("snakemake", words, folder, SNAKEMAKE, {**os.environ, **environment})


def step(folder: Path, *words: str | Path) -> subprocess.CompletedProcess[str]:
    """Run ``python -m snakescope``, with the step and its options, in a folder."""
    scripts = str(Path(__file__).parents[1] / "scripts")
    environment = {**os.environ, "PYTHONPATH": scripts, "MPLBACKEND": "Agg"}
    return run("snakescope", [*map(str, words)], folder, MODELS, environment)


def quick_steps() -> dict[str, str]:
    """Variables under which the jobs of a run of Snakemake fork from a server of this process.

    None where what a process writes to has no name, as it has on Linux.
    """
    if not Path("/proc/self/fd").exists():
        return {}
    functions = _server(MODELS).folder / "functions.sh"
    text = SHELL.replace("FOLDER", shlex.quote(str(functions.parent))).replace("CALLS", CALLS)
    functions.write_text(text)
    return {"BASH_ENV": str(functions)}


def run(
    module: str,
    words: Sequence[str],
    folder: Path,
    libraries: tuple[str, ...],
    environment: Mapping[str, str],
    timeout: float = 1800,
) -> subprocess.CompletedProcess[str]:
    """Run a module as a program.

    Args:
        module, words: of the command line.
        folder: working directory.
        libraries: what is loaded before; a server is kept for each such list.
        environment: all variables.
        timeout: seconds after which the call is given up.

    Raises:
        subprocess.TimeoutExpired: it took longer.
    """
    server = _server(libraries)
    with tempfile.TemporaryDirectory(dir=server.folder) as kept:
        files = [f"{kept}/stdout", f"{kept}/stderr"]
        for path in files:
            Path(path).touch()
        variables = (f"{name}={value}" for name, value in environment.items())
        parts = [*files, str(folder), module, str(len(words)), *words, *variables]
        call = Path(kept, "call")
        call.write_bytes(b"".join(os.fsencode(part) + b"\0" for part in parts))
        os.mkfifo(f"{call}.ended")
        ended = os.open(f"{call}.ended", os.O_RDONLY | os.O_NONBLOCK)
        os.write(server.calls, os.fsencode(call) + b"\n")
        until, told = time.monotonic() + timeout, False
        with selectors.DefaultSelector() as selector:
            selector.register(ended, selectors.EVENT_READ)
            while not told and time.monotonic() < until and server.process.poll() is None:
                told = bool(selector.select(5))
        status = os.read(ended, 64) if told else b""
        os.close(ended)
        said = [Path(path).read_text(encoding="utf-8", errors="replace") for path in files]
        if not status:
            raise subprocess.TimeoutExpired([module, *words], timeout, *said)
    return subprocess.CompletedProcess([module, *words], int(status), *said)


class _Server(NamedTuple):
    folder: Path
    process: "subprocess.Popen[bytes]"
    calls: int
    """The pipe of calls, which is open as long as we are, so that writing never waits."""


@cache
def _server(libraries: tuple[str, ...]) -> _Server:
    """A server of this process; it ends when its input does, so at the latest with us."""
    folder = Path(tempfile.mkdtemp(prefix="started_"))
    os.mkfifo(folder / CALLS)
    process = subprocess.Popen(
        [sys.executable, __file__, str(folder), *libraries],
        stdin=subprocess.PIPE, stdout=subprocess.DEVNULL,
        env={**os.environ, "MPLBACKEND": "Agg"},
    )  # fmt: skip
    atexit.register(_stop, process, folder)
    return _Server(folder, process, os.open(folder / CALLS, os.O_RDWR))


def _stop(process: "subprocess.Popen[bytes]", folder: Path) -> None:
    process.kill()
    process.wait()
    shutil.rmtree(folder, ignore_errors=True)


def _serve(folder: Path) -> str:
    """Fork for every call; return, in a child only, the module that it is to become."""
    pipe = os.open(folder / CALLS, os.O_RDWR)  # Also written, so that it never ends.
    children: dict[int, str] = {}
    woken, wake = os.pipe()
    os.set_blocking(wake, False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.set_wakeup_fd(wake)
    begun = b""
    with selectors.DefaultSelector() as selector:
        for file in (0, pipe, woken):
            selector.register(file, selectors.EVENT_READ)
        while True:
            ready = {key.fd for key, _ in selector.select()}
            if 0 in ready:
                os._exit(0)
            if woken in ready:
                os.read(woken, 4096)
                _answer(children)
            if pipe in ready:
                *calls, begun = (begun + os.read(pipe, 65536)).split(b"\n")
                for call in map(os.fsdecode, calls):
                    child = os.fork()
                    if not child:
                        signal.set_wakeup_fd(-1)
                        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
                        return _become(Path(call).read_bytes().split(b"\0")[:-1])
                    children[child] = call


def _answer(children: dict[int, str]) -> None:
    """Tell those who called how the children that have ended did."""
    while children and (found := os.waitpid(-1, os.WNOHANG))[0]:
        call = Path(children.pop(found[0]))
        status = os.waitstatus_to_exitcode(found[1])
        call.unlink(missing_ok=True)
        # As a shell has it of a process that a signal ended.
        told = status if status >= 0 else 128 - status
        try:
            ended = os.open(f"{call}.ended", os.O_WRONLY | os.O_NONBLOCK)
        except OSError:  # Nobody waits any more.
            continue
        os.write(ended, f"{told}\n".encode())
        os.close(ended)


def _become(parts: list[bytes]) -> str:
    """Make this process what the caller would have started; return the module."""
    out, error, folder, module, count, *rest = map(os.fsdecode, parts)
    words, variables = rest[: int(count)], rest[int(count) :]
    # A log that two steps write, one after the other, is never begun again.
    files = [os.open(path, os.O_WRONLY | os.O_APPEND) for path in (out, error)]
    files.insert(0, os.open(os.devnull, os.O_RDONLY))
    for at, file in enumerate(files):
        os.dup2(file, at)
        os.close(file)
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(dict(variable.split("=", 1) for variable in variables))
    paths = os.environ.get("PYTHONPATH", "").split(os.pathsep)
    sys.path[:0] = [str(Path.cwd()), *filter(None, paths)]
    sys.argv[1:] = words
    return module


def _run(module: str) -> NoReturn:
    """Run a module as a program, and end without taking the interpreter apart.

    That would touch, and so copy, all the memory that is shared with the server: a second a call.
    """
    status: object = 0
    try:
        runpy.run_module(module, run_name="__main__", alter_sys=True)
    except SystemExit as left:
        status = left.code
    except BaseException:
        traceback.print_exc()
        status = 1
    if isinstance(status, str):
        print(status, file=sys.stderr)
    atexit._run_exitfuncs()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status if isinstance(status, int) else int(status is not None))


if __name__ == "__main__":
    # The folder of this file is no part of the path of those who run a module.
    sys.path.pop(0)
    for name in sys.argv[2:]:
        import_module(name)
    if "snakemake.cli" in sys.argv:
        import_module("snakemake.cli").get_argument_parser()  # It loads the plugins.
    gc.collect()
    gc.freeze()  # Nothing of this is ever let go, so children need not look at it.
    _run(_serve(Path(sys.argv[1])))
