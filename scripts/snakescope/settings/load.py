"""From the raw configuration mapping to validated settings, or to one sentence."""

import difflib
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from snakescope.settings.strict import Settings
from snakescope.step.errors import StepError


def load_sections(
    config: Mapping[str, Any],
    sections: Mapping[str, type[Settings]],
    source: str = "config",
) -> dict[str, Settings]:
    """Validate every section of ``config``; a section that is absent gets its defaults.

    Args:
        config: The mapping as Snakemake holds it, files and ``--config`` merged.
        sections: The model of each top-level key.
        source: What to call the configuration in a message.

    Raises:
        StepError: an unknown key at any depth or a value that its field refuses; all
            findings in one sentence, each with its dotted key.
    """
    findings = [
        f"{key}: expected a section ({', '.join(sections)}), found this key"
        + _meant(str(key), (), sections)
        for key in config
        if key not in sections
    ]
    loaded: dict[str, Settings] = {}
    for name, model in sections.items():
        try:
            loaded[name] = model.model_validate(_without_empty_sections(config.get(name), model))
        except ValidationError as error:
            findings += _findings(error, name, sections)
    if findings:
        raise StepError(f"{source}: {'; also '.join(findings)}")
    return loaded


def _without_empty_sections(value: Any, model: type[BaseModel]) -> Any:
    """Read ``register:`` with nothing under it, which YAML makes null, as all defaults."""
    if value is None:
        return {}
    if not isinstance(value, Mapping):
        return value
    return {
        key: _without_empty_sections(item, nested)
        if (nested := section_model(model, str(key)))
        else item
        for key, item in value.items()
    }


def section_model(model: type[BaseModel] | None, key: str) -> type[BaseModel] | None:
    """Return the model of the section ``key`` of ``model``, or None where it is no section."""
    field = model.model_fields.get(key) if model else None
    annotation = field.annotation if field else None
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return None


def dotted_keys(model: type[BaseModel], prefix: str) -> Iterator[str]:
    """Yield the dotted key of every field of ``model``, sections before their fields."""
    for name in model.model_fields:
        key = f"{prefix}.{name}"
        yield key
        if nested := section_model(model, name):
            yield from dotted_keys(nested, key)


def _findings(error: ValidationError, name: str, sections: Mapping[str, type[Settings]]) -> list:
    """One phrase per key: a field of a union may fail once for every member."""
    expected: dict[str, list[str]] = {}
    found: dict[str, str] = {}
    unknown: list[str] = []
    for details in error.errors(include_url=False):
        key = _dotted(details, name, sections[name])
        if details["type"] == "extra_forbidden":
            path = tuple(key.split("."))
            unknown.append(
                f"{key}: expected a known key, found {path[-1]!r}"
                + _meant(path[-1], path[:-1], sections)
            )
            continue
        phrase = expected_value(details)
        if phrase not in expected.setdefault(key, []):
            expected[key].append(phrase)
        hint = point_for_comma(str(details["input"])) if details["type"] == "float_parsing" else ""
        found.setdefault(key, _shown(details) + hint)
    return unknown + [
        f"{key}: expected {' or '.join(phrases)}, found {found[key]}"
        for key, phrases in expected.items()
        # A list of which one member is wrong is not wrong for not being another type, too.
        if not any(other.startswith(f"{key}[") for other in expected)
    ]


def _dotted(details: ErrorDetails, name: str, model: type[BaseModel]) -> str:
    """The key as a user writes it; pydantic adds the names of a union's members."""
    key, current = name, model
    for part in details["loc"]:
        if isinstance(part, int):
            key += f"[{part}]"
        elif current is not None:
            key += f".{part}"
            current = section_model(current, part)  # type: ignore[assignment]
    return key


def expected_value(details: ErrorDetails) -> str:
    """Say in words what pydantic expected of a value."""
    if details["type"] == "missing":
        return "a value"
    if details["type"] in {"model_type", "model_attributes_type"}:
        return "a section of keys"
    if details["type"] == "invalid_key":
        return "a key of text"
    message = details["msg"].removeprefix("Value error, ").removeprefix("Input should be ")
    return message.removeprefix("expected ").split(", unable to parse")[0].rstrip(".")


def _shown(details: ErrorDetails) -> str:
    if details["type"] == "missing":
        return "none"
    text = repr(details["input"])
    return text if len(text) <= 60 else text[:57] + "..."


def _meant(found: str, parents: tuple[str, ...], sections: Mapping[str, type[Settings]]) -> str:
    """Suggest a sibling spelt alike, or else where in the tree this very key lives."""
    every = [*sections, *(key for name in sections for key in dotted_keys(sections[name], name))]
    siblings = [key for key in every if tuple(key.split(".")[:-1]) == parents]
    suggestion = did_you_mean(found, [key.split(".")[-1] for key in siblings])
    if suggestion:
        return suggestion
    elsewhere = [key for key in every if key.split(".")[-1] == found]
    return f"; did you mean {elsewhere[0]}?" if elsewhere else ""


def did_you_mean(found: str, known: Iterable[str]) -> str:
    """Return ``"; did you mean X?"`` for the nearest of ``known``, or an empty string."""
    lower = {name.lower(): name for name in known}
    near = difflib.get_close_matches(found.lower(), lower, n=1, cutoff=0.6)
    return f"; did you mean {lower[near[0]]}?" if near else ""


def point_for_comma(text: str) -> str:
    """Return what to do about a number with a decimal comma, or an empty string for other text.

    Such numbers are not read as they stand: 1,250 may be meant as either.
    """
    try:
        float(text.replace(",", "."))
    except ValueError:
        return ""
    return f"; write {text.replace(',', '.')}, with a point" if "," in text else ""
