"""The written forms of the settings and sheets: the reference page and the JSON schema.

``python -m snakescope.reference --write`` makes both, ``--check`` fails where one differs from the
models.
"""

import argparse
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin

import yaml
from pydantic import BaseModel, create_model
from pydantic.fields import FieldInfo

from snakescope.healthspan.fine_tuning.sheet import AnnotatedImage
from snakescope.run.settings import sections_of
from snakescope.settings.load import section_model
from snakescope.settings.sheet import Row
from snakescope.settings.strict import Settings
from snakescope.step.command import run_step
from snakescope.step.errors import StepError
from snakescope.step.output import atomic_write
from snakescope.trees import TREES

SECTIONS: Mapping[str, type[Settings]] = sections_of(TREES)
"""The model of each top-level key of the configuration."""

SHEETS: Mapping[str, type[Row]] = {name: tree.row for name, tree in TREES.items()}
"""The model of a row of each tree's sample sheet."""

FURTHER_SHEETS: Mapping[str, tuple[str, type[Row]]] = {
    "config/annotations.tsv": ("healthspan: fine_tuning", AnnotatedImage),
}
"""Sheets beside the sample sheets: what reads them, and the model of a row."""

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
_COMMAND = "make docs"


def written_forms(
    sections: Mapping[str, type[Settings]], sheets: Mapping[str, type[Row]]
) -> dict[str, str]:
    """Return the text of every generated file, by its path in the repository."""
    return {
        "config/config.schema.json": schema(sections),
        "docs/reference/configuration.md": reference(sections, sheets),
    }


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


def reference(sections: Mapping[str, type[Settings]], sheets: Mapping[str, type[Row]]) -> str:
    """Return the reference of sheets and configuration as Markdown, one table a section."""
    lines = [
        "# Sample sheets and configuration",
        "",
        f"Written from the models of rows and settings by `{_COMMAND}`.",
        "`config/README.md` says how to begin.",
        "",
        "## Sample sheets",
        "",
        "Tab-separated text. A column that is not described here is carried, as it is written, to",
        "the tables of results.",
    ]
    for name, row in sheets.items():
        sheet = f"{sections[name]().model_dump()['sheet']}"
        lines += ["", f"### {sheet}", "", f"{_sentence(_summary(row))} (`{name}`)", ""]
        lines += _columns(row)
    for sheet, (key, row) in FURTHER_SHEETS.items():
        lines += ["", f"### {sheet}", "", f"{_sentence(_summary(row))} (`{key}`)", ""]
        lines += _columns(row)
    lines += [
        "",
        "## Configuration",
        "",
        "The keys that `config/config.yaml`, or a file given with `snakemake --configfile`, may",
        "hold; a key that is absent has its default. Unknown keys are refused at every level.",
    ]
    for name, model in sections.items():
        for key, section in _sections(name, model()):
            heading, meaning = "#" * (key.count(".") + 3), _summary(type(section))
            lines += ["", f"{heading} {key}", "", _sentence(meaning), "", *_table(section)]
    return "\n".join(lines) + "\n"


def _sections(key: str, section: BaseModel) -> Iterator[tuple[str, BaseModel]]:
    """Yield every section with its values where nothing is given: one model has several such."""
    yield key, section
    for name in type(section).model_fields:
        if section_model(type(section), name):
            yield from _sections(f"{key}.{name}", getattr(section, name))


def _columns(row: type[Row]) -> Iterator[str]:
    yield "| column | type | if empty | meaning (unit) |"
    yield "| --- | --- | --- | --- |"
    for name, field in row.columns().items():
        default = f"`{field.default}`" if field.default else ""
        empty = "refused" if field.is_required() else default
        cells = (_type(field).replace(" or null", ""), empty, _sentence(field.description or ""))
        yield f"| `{name}` | {' | '.join(_cell(cell) for cell in cells)} |"


def _table(defaults: BaseModel) -> Iterator[str]:
    model = type(defaults)
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
    parser = argparse.ArgumentParser(prog="python -m snakescope.reference", description=__doc__)
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("--write", action="store_true", help="write the files")
    what.add_argument("--check", action="store_true", help="fail where a file differs")
    parser.add_argument("--root", type=Path, default=Path(), help="root of the repository")
    options = parser.parse_args()
    for name, text in written_forms(SECTIONS, SHEETS).items():
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
