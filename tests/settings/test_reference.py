"""The reference and the schema say what the models of settings and rows say."""

import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

import pytest
from pydantic import BaseModel, Field

from snakescope import REPOSITORY, reference
from snakescope.fibrosis.settings import ORIGINS
from snakescope.reference import SECTIONS, SHEETS
from snakescope.settings.load import load_sections, section_model
from snakescope.settings.sheet import Row
from snakescope.settings.strict import Settings
from snakescope.step.errors import StepError

ROOT = REPOSITORY


def fields(model: type[BaseModel], key: str) -> Iterator[tuple[str, type[BaseModel], str]]:
    for name in model.model_fields:
        if nested := section_model(model, name):
            yield from fields(nested, f"{key}.{name}")
        else:
            yield f"{key}.{name}", model, name


ALL_FIELDS = [one for name, model in SECTIONS.items() for one in fields(model, name)]


WRITTEN = reference.written_forms(SECTIONS, SHEETS)


@pytest.mark.parametrize("name", sorted(WRITTEN))
def test_written_file_agrees_with_the_models(name: str) -> None:
    assert (ROOT / name).read_text(encoding="utf-8") == WRITTEN[name], "run make docs"


def test_every_field_has_a_meaning_and_a_default() -> None:
    for key, model, name in ALL_FIELDS:
        field = model.model_fields[name]
        assert field.description, f"{key} has no description"
        assert not field.is_required(), f"{key} has no default"


def test_every_column_of_a_sheet_has_a_meaning() -> None:
    for tree, row in SHEETS.items():
        assert all(field.description for field in row.columns().values()), tree
        assert next(iter(row.columns())) == reference.TREES[tree].subject


def test_every_quantity_names_its_unit() -> None:
    """A key that ends in a unit says that unit in its meaning, too."""
    units = {"h": "h(ours)?", "d": "d(ays)?", "s": "s(econds)?", "deg": "deg(rees)?"}
    units |= {name: name for name in ("px", "um", "cm", "mm")}
    for key, model, name in ALL_FIELDS:
        if unit := units.get(name.rpartition("_")[2]):
            description = model.model_fields[name].description or ""
            assert re.search(rf"\([^)]*\b({unit})\b[^)]*\)", description), f"{key} says no ({unit})"


def test_schema_refuses_unknown_keys_at_every_level() -> None:
    schema = json.loads((ROOT / "config/config.schema.json").read_text(encoding="utf-8"))
    objects = [schema, *(one for one in schema["$defs"].values() if one.get("type") == "object")]
    assert len(objects) > len(SECTIONS)
    assert all(one["additionalProperties"] is False for one in objects)


class Example(Settings):
    """An example."""

    sheet: str = Field("config/subjects.tsv", description="path of the sheet")
    choice: Literal["a", "b"] = Field("a", description="a | b")
    limit: float | None = Field(None, gt=0, le=2, description="upper limit (h)")
    sizes: tuple[int, ...] = Field((1, 2), description="sizes (px)")


class Subject(Row):
    """A subject."""

    name: str = Field(alias="subject", description="its name")
    dose: float | None = Field(None, ge=0, description="its dose (mg)")
    side: Literal["left", "right"] = Field("left", description="where it is")


def test_reference_says_types_bounds_and_defaults() -> None:
    text = reference.reference({"example": Example}, {"example": Subject})
    assert "| `subject` | text | refused | Its name |" in text
    assert "| `dose` | number, >= 0 |  | Its dose (mg) |" in text
    assert "| `side` | one of `left`, `right` | `left` | Where it is |" in text
    assert r"| `choice` | one of `a`, `b` | `a` | A \| b |" in text
    assert "| `limit` | number or null, > 0, <= 2 | `null` | Upper limit (h) |" in text
    assert "| `sizes` | list of whole number | `[1, 2]` | Sizes (px) |" in text


def test_a_section_of_other_defaults_is_described_with_these() -> None:
    text = (ROOT / "docs/reference/configuration.md").read_text(encoding="utf-8")
    of = {part.partition("\n")[0]: part for part in text.split("\n#### ")}
    assert "| `folds` | whole number, >= 2 | `10` |" in of["fibrosis.splits"]
    assert "| `folds` | whole number, >= 2 | `5` |" in of["sperm.splits"]
    assert f"`{ORIGINS}`" in of["fibrosis.audit"] and ORIGINS not in of["sperm.audit"]
    given = load_sections({"fibrosis": {"audit": {"margin": 0.2}, "splits": {"seed": 2}}}, SECTIONS)
    tree: Any = given["fibrosis"]
    assert (tree.audit.known_origins, tree.splits.folds) == (ORIGINS, 10)


def test_check_fails_where_a_file_differs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", ["reference", "--write", "--root", str(tmp_path)])
    reference.main()
    monkeypatch.setattr(sys, "argv", ["reference", "--check", "--root", str(tmp_path)])
    reference.main()
    with (tmp_path / "docs/reference/configuration.md").open("a") as file:
        file.write("more\n")
    with pytest.raises(StepError, match=r"docs/reference/configuration.md: .*make docs"):
        reference.main()
