"""Configuration files as people write them: refused where they are no YAML or repeat a key.

Snakemake reads them with PyYAML, which takes the last of repeated keys without a word. ruamel.yaml
refuses them, but takes ten times as long to import as this module, reads other YAML (1.2, where yes
is text) and does not name the line of the first.
"""

import json
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import yaml

from snakescope.step.errors import StepError, no_utf8, readable

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
        StepError: no UTF-8, no YAML, no sections, a section within itself, a number that YAML reads
            as another one, a key twice in one section, or a key that is a section in
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


def read_config(path: str | Path) -> dict[str, Any]:
    """Return the configuration in a file, checked as :func:`check_config_files` does.

    Raises:
        StepError: as there.
    """
    check_config_files([path])
    return yaml.load(Path(path).read_text(encoding="utf-8-sig"), Loader=LOADER) or {}


def _keys_of(path: str | Path) -> list[tuple[str, int, bool]]:
    """Dotted keys of a file with their lines, and whether they are sections."""
    try:
        with readable(path, "a configuration file"):
            text = Path(path).read_text(encoding="utf-8-sig")
        node = yaml.compose(text, Loader=LOADER)
        _check_nodes(path, node, ())
        return list(_keys(node, ""))
    except UnicodeDecodeError as error:
        raise no_utf8(path, error, "save the file in UTF-8") from None
    except RecursionError:
        raise StepError(
            f"{path}: expected sections in sections, found them hundreds deep; write it anew"
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


ODD = re.compile(
    r"[-+]?(?:0[0-7_]+|0[xb][0-9a-fA-F_]+|[0-9][0-9_]*(?::[0-5]?[0-9])+(?:\.[0-9_]*)?"
    r"|[0-9.]*_[0-9._]*)"
)
"""Numbers that YAML 1.1 reads as others than people write: 010 is 8, 1:30 is 90, 1_0 is 10."""


TAGS = {"null", "bool", "int", "float", "str", "seq", "map", "timestamp", "merge"}
"""Kinds of values that a configuration may hold, as YAML calls them."""


def _check_nodes(path: str | Path, node: yaml.Node | None, above: tuple[int, ...]) -> None:
    """Refuse what is no configuration though it is YAML."""
    line = node.start_mark.line + 1 if node is not None else 0
    if not above and isinstance(node, yaml.SequenceNode | yaml.ScalarNode):
        empty = node.tag == "tag:yaml.org,2002:null"
        if not empty:
            raise StepError(
                f"{path}, line {line}: expected sections with keys, such as healthspan:, found"
                f" {'a list' if isinstance(node, yaml.SequenceNode) else 'a lone value'}; write a"
                " key and a colon before it"
            )
    if id(node) in above:
        raise StepError(
            f"{path}, line {line}: expected sections that end, found one that holds itself (* after"
            " &); remove the alias"
        )
    if node is not None and node.tag.removeprefix("tag:yaml.org,2002:") not in TAGS:
        raise StepError(
            f"{path}, line {line}: expected numbers, text, lists and sections, found the tag"
            f" {node.tag.replace('tag:yaml.org,2002:', '!!')}; write the value without it"
        )
    if isinstance(node, yaml.ScalarNode):
        number = node.tag in ("tag:yaml.org,2002:int", "tag:yaml.org,2002:float")
        if number and ODD.fullmatch(node.value) and node.value not in ("0", "00"):
            raise StepError(
                f"{path}, line {line}: expected a number with digits alone, found {node.value},"
                " which YAML reads as another one; write it out, or in quotation marks if it is"
                " text"
            )
        return
    inner = node.value if node is not None else ()
    for one in inner:
        for part in one if isinstance(one, tuple) else (one,):
            _check_nodes(path, part, (*above, id(node)))


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
