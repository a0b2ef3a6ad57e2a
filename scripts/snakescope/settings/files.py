"""Configuration files as people write them: refused where they are no YAML or repeat a key.

Snakemake reads them with PyYAML, which takes the last of repeated keys without a word. ruamel.yaml
refuses them, but takes ten times as long to import as this module, reads other YAML (1.2, where yes
is text) and does not name the line of the first.
"""

import json
from collections.abc import Iterable, Iterator
from pathlib import Path

import yaml

from snakescope.step.errors import StepError

# The one in C where PyYAML has it, as files are looked at before every run.
LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def check_config_files(paths: Iterable[str | Path]) -> dict[str, str]:
    """Check every file that is there; of absent ones Snakemake tells by itself.

    Returns:
        File and line of every dotted key, in the last file that has it.

    Raises:
        StepError: as :func:`check_config_file` does.
    """
    places: dict[str, str] = {}
    for path in paths:
        if Path(path).exists():
            lines = check_config_file(path)
            places |= {key: f"{path}, line {line}" for key, line in lines.items()}
    return places


def check_config_file(path: str | Path) -> dict[str, int]:
    """Refuse a configuration file that cannot be read, or that silently takes a key's last value.

    Snakemake says of the first only that some file is no YAML, and YAML itself lets a section that
    is named a second time replace the first whole, with every value in it.

    Returns:
        The line of every dotted key.

    Raises:
        StepError: no such file, no UTF-8, no YAML, or a key that stands twice in one section.
    """
    try:
        text = Path(path).read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        raise StepError(
            f"{path}: expected a configuration, found no such file; correct the path"
        ) from None
    except UnicodeDecodeError as error:
        raise StepError(
            f"{path}: expected text in UTF-8, found byte {error.object[error.start]:#04x} "
            f"at {error.start}; save the file in UTF-8"
        ) from None
    try:
        root = yaml.compose(text, Loader=LOADER)
    except yaml.MarkedYAMLError as error:
        if _is_json(text):
            return {}
        raise StepError(
            f"{path}, {_lines(error)}: expected YAML, found text that is none ({error.problem}); "
            "give all keys of a section equally many spaces and no tabs, and follow every key by "
            "a colon and a space"
        ) from None
    except yaml.YAMLError as error:
        raise StepError(f"{path}: expected YAML, found {' '.join(str(error).split())}") from None
    lines: dict[str, int] = {}
    for key, line in _keys(root, ""):
        if key in lines:
            raise StepError(
                f"{path}, line {line}: expected every key once, found {key} again (first on line "
                f"{lines[key]}), which would replace what stands there; join the two"
            )
        lines[key] = line
    return lines


def _is_json(text: str) -> bool:
    """JSON may be indented by tabs, which YAML refuses."""
    try:
        json.loads(text)
    except json.JSONDecodeError:
        return False
    return True


def _lines(error: yaml.MarkedYAMLError) -> str:
    """The line at fault is often the one where the section began, so both are told."""
    marks = (error.context_mark, error.problem_mark)
    lines = sorted({mark.line + 1 for mark in marks if mark is not None})
    if len(lines) == 2:
        return f"lines {lines[0]} to {lines[1]}"
    return f"line {lines[0] if lines else '?'}"


def _keys(node: yaml.Node | None, parent: str) -> Iterator[tuple[str, int]]:
    """Dotted keys of all sections with their lines, in the order of the file."""
    for key, value in node.value if isinstance(node, yaml.MappingNode) else ():
        if isinstance(key, yaml.ScalarNode):
            dotted = f"{parent}.{key.value}".lstrip(".")
            yield dotted, key.start_mark.line + 1
            yield from _keys(value, dotted)
