"""Settings of one subject where they differ from those of the run: a file as the configuration."""

from collections.abc import Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any, TypeVar

from snakescope.settings.files import read_config
from snakescope.settings.load import did_you_mean, load_sections
from snakescope.settings.strict import Settings
from snakescope.step.errors import StepError

S = TypeVar("S", bound=Settings)


def with_differences(settings: S, path: str | Path, name: str, allowed: Sequence[str]) -> S:
    """Return settings with the differences that a file states.

    Args:
        settings: those of the run.
        path: YAML with one section, ``name``, as in the configuration.
        allowed: the sections in it that one subject may have of its own.

    Raises:
        StepError: no such file, no YAML, a section that cannot differ, or a value that is refused.
    """
    file = Path(path)
    if not file.is_file():
        raise StepError(f"{path}: expected settings of the {name} tree, found no such file")
    stated = _read(file, file.stat().st_mtime_ns)
    given = stated.get(name) or {}
    others = [str(key) for key in stated if key != name]
    if others or not isinstance(given, Mapping):
        found = others[0] if others else f"no keys under {name}:"
        raise StepError(
            f"{path}: expected one section {name}: with the settings that differ, found {found};"
            f" indent them below {name}:"
        )
    for key in given:
        if key not in allowed:
            raise StepError(
                f"{path}: expected sections that a sheet's row may have of its own"
                f" ({', '.join(allowed)}), found {name}: {key}{did_you_mean(str(key), allowed)};"
                " move it to the configuration"
            )
    merged = _merged(settings.model_dump(exclude_unset=True), given)
    loaded = load_sections({name: merged}, {name: type(settings)}, str(path))[name]
    assert isinstance(loaded, type(settings))
    return loaded


@lru_cache(maxsize=256)
def _read(path: Path, modified: int) -> dict[str, Any]:
    return read_config(path)


def _merged(base: Mapping[str, Any], more: Mapping[str, Any]) -> dict[str, Any]:
    """Return ``base`` with ``more`` over it, at every depth."""
    both = dict(base)
    for key, value in more.items():
        inner = both.get(key)
        nested = isinstance(inner, Mapping) and isinstance(value, Mapping)
        both[key] = _merged(inner, value) if nested else value  # type: ignore[arg-type]
    return both
