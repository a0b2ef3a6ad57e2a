"""The written forms of the settings models: example configuration, reference and schema.

``python -m snakescope.settings.reference --write`` makes all three, ``--check`` fails where
one differs from the models.
"""

import argparse
import json
import textwrap
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin

import yaml
from pydantic import BaseModel, create_model
from pydantic.fields import FieldInfo

from snakescope.settings.load import section_model
from snakescope.settings.sections import SECTIONS
from snakescope.settings.strict import Settings
from snakescope.step.command import run_step
from snakescope.step.errors import StepError
from snakescope.step.output import atomic_write

_TYPES = {
    float: "number",
    int: "whole number",
    bool: "true or false",
    str: "text",
    NoneType: "null",
    Any: "anything",
}
_BOUNDS = {
    "ge": ">=",
    "gt": ">",
    "le": "<=",
    "lt": "<",
    "multiple_of": "a multiple of",
    "min_length": "length >=",
    "max_length": "length <=",
}
_COMMAND = "python -m snakescope.settings.reference --write"


def written_forms(sections: Mapping[str, type[Settings]]) -> dict[str, str]:
    """Return the text of every generated file, by its path in the repository."""
    return {
        "config/config.yaml": example(sections),
        "config/config.schema.json": schema(sections),
        "docs/configuration.md": reference(sections),
    }


def example(sections: Mapping[str, type[Settings]]) -> str:
    """Return a YAML configuration that holds every key with its default and meaning."""
    lines = [
        "# The configuration of the workflow. Every key is here, with its default; a key that is",
        "# removed keeps that default. docs/configuration.md has types and bounds as well.",
        f"# Written from the settings models by: {_COMMAND}",
    ]
    for name, model in sections.items():
        lines += ["", *_comment(_summary(model), 0), f"{name}:", *_yaml(model(), 1)]
    return "\n".join(lines) + "\n"


def _yaml(settings: BaseModel, depth: int) -> Iterator[str]:
    indent = "  " * depth
    for name, field in type(settings).model_fields.items():
        value = getattr(settings, name)
        if isinstance(value, BaseModel):
            yield ""
            yield from _comment(field.description or _summary(type(value)), depth)
            yield f"{indent}{name}:"
            yield from _yaml(value, depth + 1)
        else:
            yield from _comment(field.description or "", depth)
            yield f"{indent}{name}: {_scalar(settings, name)}"


def _comment(text: str, depth: int) -> list[str]:
    prefix = "  " * depth + "# "
    return textwrap.wrap(
        text, 98, initial_indent=prefix, subsequent_indent=prefix, break_on_hyphens=False
    )


def _scalar(settings: BaseModel, name: str) -> str:
    value = settings.model_dump(mode="json", include={name})[name]
    text = yaml.safe_dump(value, default_flow_style=True, width=10_000, sort_keys=False)
    return text.strip().removesuffix("...").strip()


def _summary(model: type[BaseModel]) -> str:
    return (model.__doc__ or "").strip().partition("\n\n")[0].replace("\n", " ")


def schema(sections: Mapping[str, type[Settings]]) -> str:
    """Return the JSON schema of the whole configuration, for editors and other tools."""
    fields: dict[str, Any] = {name: (model, model()) for name, model in sections.items()}
    whole = create_model("Configuration", __base__=Settings, **fields)
    whole.__doc__ = "Configuration of the workflow."
    return json.dumps(whole.model_json_schema(), indent=2) + "\n"


def reference(sections: Mapping[str, type[Settings]]) -> str:
    """Return the configuration reference as Markdown, one table a section."""
    lines = [
        "# Configuration",
        "",
        "Every key of `config/config.yaml`. Unknown keys are refused at every level. Keys may also",
        "be given in a file of your own (`snakemake --configfile mine.yaml`), which needs to hold",
        "only those that differ.",
        "",
        f"This page is written from the settings models by `{_COMMAND}`.",
    ]
    for name, model in sections.items():
        for key, section, meaning in _sections(name, model):
            heading = "#" * (key.count(".") + 2)
            lines += ["", f"{heading} {key}", "", _sentence(meaning), "", *_table(section)]
    return "\n".join(lines) + "\n"


def _sections(key: str, model: type[BaseModel]) -> Iterator[tuple[str, type[BaseModel], str]]:
    yield key, model, _summary(model)
    for name in model.model_fields:
        if nested := section_model(model, name):
            yield from _sections(f"{key}.{name}", nested)


def _table(model: type[BaseModel]) -> Iterator[str]:
    defaults = model()
    yield "| key | type | default | meaning (unit) |"
    yield "| --- | --- | --- | --- |"
    for name, field in model.model_fields.items():
        if section_model(model, name):
            yield f"| `{name}` | section | | {_cell(_sentence(field.description or ''))} |"
            continue
        default = _scalar(defaults, name)
        cells = (_type(field), f"`{default}`", _sentence(field.description or ""))
        yield f"| `{name}` | {' | '.join(_cell(cell) for cell in cells)} |"


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:]


def _type(field: FieldInfo) -> str:
    bounds = [
        f"{sign} {getattr(bound, name)}"
        for bound in field.metadata
        for name, sign in _BOUNDS.items()
        if getattr(bound, name, None) is not None
    ]
    return ", ".join([_named(field.annotation), *bounds])


def _named(annotation: Any) -> str:
    """Say a type in words, such as ``list of numbers`` or ``one of first, last``."""
    origin, members = get_origin(annotation), get_args(annotation)
    if origin is Literal:
        known = [f"`{member}`" for member in members]
        return known[0] if len(known) == 1 else f"one of {', '.join(known)}"
    if origin in (Union, UnionType):
        return " or ".join(_named(member) for member in members)
    if origin in (tuple, list):
        each = [_named(member) for member in members if member is not Ellipsis]
        return f"list of {each[0]}" if len(set(each)) == 1 else f"list of {', '.join(each)}"
    if origin is dict:
        return f"mapping from {_named(members[0])} to {_named(members[1])}"
    if hasattr(annotation, "__metadata__"):
        return _named(members[0])
    return _TYPES.get(annotation) or "section"


def main() -> None:
    """Write the generated files, or check that they agree with the models."""
    parser = argparse.ArgumentParser(
        prog="python -m snakescope.settings.reference", description=__doc__
    )
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("--write", action="store_true", help="write the files")
    what.add_argument("--check", action="store_true", help="fail where a file differs")
    parser.add_argument("--root", type=Path, default=Path(), help="root of the repository")
    options = parser.parse_args()
    for name, text in written_forms(SECTIONS).items():
        path = options.root / name
        if options.write:
            with atomic_write(path) as partial:
                partial.write_text(text, encoding="utf-8")
        elif not path.exists() or path.read_text(encoding="utf-8") != text:
            raise StepError(
                f"{name}: expected the text that the settings models give, found another; "
                f"run {_COMMAND}"
            )


if __name__ == "__main__":
    run_step(main)
