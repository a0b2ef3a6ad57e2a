"""The versions that steps state of themselves."""

import ast
from functools import cache
from importlib.util import find_spec
from pathlib import Path

from snakescope.step.errors import StepError


@cache
def step_version(module: str) -> int:
    """Return the literal ``VERSION`` of a step such as ``snakescope.healthspan.registration.register``.

    The module is parsed, never imported: the Snakefile asks for every step, in every
    job, and a step may import torch.

    Raises:
        StepError: no such module, or no plain ``VERSION = <whole number>`` at its top level.
    """
    spec = find_spec(module)
    if spec is None or spec.origin is None:
        raise StepError(f"{module}: expected a step's module, found none of that name")
    version = _version(Path(spec.origin))
    if version is None:
        raise StepError(
            f"{spec.origin}: expected VERSION = <whole number> at its top level, found none; "
            "state the version of the step"
        )
    return version


def _version(path: Path) -> int | None:
    text = path.read_text(encoding="utf-8")
    if "VERSION" not in text:
        return None
    for statement in ast.parse(text, str(path)).body:
        match statement:
            case ast.Assign(
                targets=[ast.Name(id="VERSION")], value=ast.Constant(value=int() as version)
            ):
                return version
    return None
