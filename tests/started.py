"""Programs as ``python -m MODULE`` runs them, in processes that need not load libraries first.

Loading Snakemake, or torch, takes longer than most of what tests have them do. A server loads them
once and forks for every call: a process of its own, with its own folder, environment and copy of
the package. The server itself never loads the package, so a call always finds that of its folder.
"""

import atexit
import gc
import json
import os
import runpy
import selectors
import subprocess
import sys
import tempfile
import traceback
from collections.abc import Mapping, Sequence
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any, NoReturn

SNAKEMAKE = ("snakemake.cli", "smart_open", "pydantic")
"""Loaded by Snakemake and by the Snakefile."""

MODELS = (
    "torch", "torchvision", "timm", "pandas", "cv2", "matplotlib.pyplot", "lifelines", "zarr",
    "scipy.ndimage", "scipy.optimize", "scipy.stats", "skimage.measure", "skimage.morphology",
)  # fmt: skip
"""Loaded by whatever computes with models."""


def snakemake(folder: Path, *words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run Snakemake in a folder, with variables besides those of this process."""
    return run("snakemake", words, folder, SNAKEMAKE, {**os.environ, **environment})


def step(folder: Path, *words: str | Path) -> subprocess.CompletedProcess[str]:
    """Run ``python -m snakescope``, with the step and its options, in a folder."""
    scripts = str(Path(__file__).parents[1] / "scripts")
    environment = {**os.environ, "PYTHONPATH": scripts, "MPLBACKEND": "Agg"}
    return run("snakescope", [*map(str, words)], folder, MODELS, environment)


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
    with tempfile.TemporaryDirectory() as kept:
        files = [f"{kept}/stdout", f"{kept}/stderr"]
        call = {
            "module": module,
            "words": words,
            "folder": str(folder),
            "environment": dict(environment),
            "files": files,
        }
        status = _asked(libraries, json.dumps(call), timeout)
        said = [Path(path).read_text(encoding="utf-8", errors="replace") for path in files]
    return subprocess.CompletedProcess([module, *words], status, *said)


@cache
def _server(libraries: tuple[str, ...]) -> subprocess.Popen[str]:
    """A server of this process; it ends when its input does, so at the latest with us."""
    return subprocess.Popen(
        [sys.executable, __file__, *libraries],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        env={**os.environ, "MPLBACKEND": "Agg"},
    )  # fmt: skip


def _asked(libraries: tuple[str, ...], line: str, timeout: float) -> int:
    server = _server(libraries)
    assert server.stdin and server.stdout
    print(line, file=server.stdin, flush=True)
    with selectors.DefaultSelector() as selector:
        selector.register(server.stdout, selectors.EVENT_READ)
        if not selector.select(timeout):
            server.kill()
            _server.cache_clear()
            raise subprocess.TimeoutExpired(line, timeout)
    return int(server.stdout.readline())


def _serve() -> str:
    """Answer each line with the exit status of a child; return, in a child only, its module."""
    for line in sys.stdin:
        child = os.fork()
        if not child:
            return _become(json.loads(line))
        print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
    os._exit(0)


def _become(call: dict[str, Any]) -> str:
    """Make this process what ``python -m MODULE`` would find itself in; return the module."""
    files = [os.open(os.devnull, os.O_RDONLY)]
    files += [os.open(path, os.O_WRONLY | os.O_CREAT, 0o644) for path in call["files"]]
    for at, file in enumerate(files):
        os.dup2(file, at)
        os.close(file)
    os.chdir(call["folder"])
    os.environ.clear()
    os.environ.update(call["environment"])
    paths = os.environ.get("PYTHONPATH", "").split(os.pathsep)
    sys.path[:0] = [str(Path.cwd()), *filter(None, paths)]
    sys.argv[1:] = call["words"]
    return str(call["module"])


def become(module: str) -> NoReturn:
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
    for name in sys.argv[1:]:
        import_module(name)
    if "snakemake.cli" in sys.argv:
        import_module("snakemake.cli").get_argument_parser()  # It loads the plugins.
    gc.collect()
    gc.freeze()  # Nothing of this is ever let go, so children need not look at it.
    become(_serve())
