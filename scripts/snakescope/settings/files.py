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

# The parser in C where PyYAML has it, as files are read before every run.
LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def check_config_files(paths: Iterable[str | Path]) -> dict[str, str]:
    """Refuse configuration files that cannot be read, or that silently take a key's last value.

    Snakemake names neither file nor line of what is no YAML, and YAML itself lets a section that is
    named a second time replace the first, with every value in it. Absent files are left to
    Snakemake.

    Returns:
        File and line of every dotted key, in the last file that has it.

    Raises:
        StepError: no UTF-8, no YAML, a key twice in one section, or a key that is a section in
            one file and a value in another, of which Snakemake would keep the last alone.
    """
    places: dict[str, str] = {}
    sections: dict[str, bool] = {}
    for path in paths:
        if not Path(path).exists():
            continue
        lines: dict[str, int] = {}
        for key, line, section in _keys_of(path):
            if sections.setdefault(key, section) != section:
                raise StepError(
                    f"{path}, line {line}: expected {key} as a {'value' if section else 'section'},"
                    f" as in {places.get(key, path)}, found a {'section' if section else 'value'};"
                    " write both files with today's keys (CHANGELOG.md)"
                )
            if key in lines:
                raise StepError(
                    f"{path}, line {line}: expected every key once, found {key} again (first on "
                    f"line {lines[key]}), which would replace the first; join the two"
                )
            lines[key] = line
        places |= {key: f"{path}, line {line}" for key, line in lines.items()}
    return places


def _keys_of(path: str | Path) -> list[tuple[str, int, bool]]:
    """Dotted keys of a file with their lines, and whether they are sections."""
    try:
        text = Path(path).read_text(encoding="utf-8-sig")
        return list(_keys(yaml.compose(text, Loader=LOADER), ""))
    except UnicodeDecodeError as error:
        raise StepError(
            f"{path}: expected text in UTF-8, found byte {error.object[error.start]:#04x} "
            f"at {error.start}; save the file in UTF-8"
        ) from None
    except yaml.YAMLError as error:
        try:
            # JSON may be indented by tabs, which YAML refuses.
            return [(key, 1, True) for key in json.loads(text)]
        except json.JSONDecodeError:
            raise StepError(
                f"{path}{_lines(error)}: expected YAML, found text that is not "
                f"({getattr(error, 'problem', ' '.join(str(error).split()))}); indent all keys of "
                "a section by equally many spaces, without tabs, and write a colon and a space "
                "after every key"
            ) from None


def _lines(error: yaml.YAMLError) -> str:
    """The lines at fault; often it is the one where the section begins, so both are named."""
    marks = (getattr(error, name, None) for name in ("context_mark", "problem_mark"))
    lines = sorted({mark.line + 1 for mark in marks if mark is not None})
    return f", line{'s' * (len(lines) > 1)} {' to '.join(map(str, lines))}" if lines else ""


def _keys(node: yaml.Node | None, parent: str) -> Iterator[tuple[str, int, bool]]:
    """Dotted keys of all sections with their lines, in the order of the file."""
    for key, value in node.value if isinstance(node, yaml.MappingNode) else ():
        if isinstance(key, yaml.ScalarNode):
            dotted = f"{parent}.{key.value}".lstrip(".")
            empty = value.tag == "tag:yaml.org,2002:null"
            yield dotted, key.start_mark.line + 1, empty or isinstance(value, yaml.MappingNode)
            yield from _keys(value, dotted)
