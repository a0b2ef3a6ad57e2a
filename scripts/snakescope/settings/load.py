"""From the raw configuration mapping to validated settings, or to one sentence."""

import difflib
from collections.abc import Callable, Iterable, Iterator, Mapping
from copy import deepcopy
from types import NoneType
from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from snakescope.settings.strict import Settings
from snakescope.step.errors import StepError

_LENGTHS = {
    "string_too_short": ("min", "text of {} character{}"),
    "string_too_long": ("max", "text of {} character{}"),
    "too_short": ("min", "{} value{}"),
    "too_long": ("max", "{} value{}"),
}
"""By pydantic's type of error: which bound it states, and how we say it."""


def load_sections(
    config: Mapping[str, Any],
    sections: Mapping[str, type[Settings]],
    source: str = "config",
    places: Mapping[str, str] | None = None,
    warn: Callable[[str], None] | None = None,
) -> dict[str, Settings]:
    """Validate every section of ``config``; a section that is absent gets its defaults.

    Args:
        config: The mapping as Snakemake holds it, files and ``--config`` merged.
        sections: The model of each top-level key; keys that a model lists in ``old_keys`` are read
            under their new names.
        source: What to call the configuration in a message.
        places: File and line of dotted keys, for messages.
        warn: Called with a sentence for each key that stands under its old name.

    Raises:
        StepError: an unknown key at any depth, a key under its old name and its new one, or a
            value that its field refuses; all findings in one sentence, each with its dotted key.
    """
    places = dict(places or {})
    findings = [
        (
            str(key),
            f"expected a section ({', '.join(sections)}), found this key"
            + _meant(str(key), (), sections),
        )
        for key in config
        if key not in sections
    ]
    loaded: dict[str, Settings] = {}
    for name, model in sections.items():
        section, renamed, twice = _with_new_keys(config.get(name), name, model)
        findings += twice
        for old, new in renamed.items():
            if warn is not None:
                said = f"is called {new} now" if new else "has no effect any more"
                where = places.get(old, source)
                warn(f"{where}: {old} {said}; version 0.3 will refuse this key")
            below = [key for key in places if f"{key}.".startswith(f"{old}.")]
            places |= {new + key.removeprefix(old): places[key] for key in below}
        try:
            loaded[name] = model.model_validate(_with_defaults(section, model()))
        except ValidationError as error:
            findings += _findings(error, name, sections)
    if findings:
        at = {key: f" ({place})" for key, place in places.items()}
        told = (f"{key}{at.get(key, '')}: {text}" for key, text in findings)
        raise StepError(f"{source}: {'; also '.join(told)}")
    return loaded


def _with_new_keys(
    section: Any, name: str, model: type[Settings]
) -> tuple[Any, dict[str, str], list[tuple[str, str]]]:
    """Move values from old keys to new ones: the section, the keys moved, what stands twice."""
    if not isinstance(section, Mapping):
        return section, {}, []
    moved, twice = deepcopy(dict(section)), []
    renamed: dict[str, str] = {}
    # First names that a section has taken over, then keys before the sections that hold them.
    for old, new in sorted(
        model.old_keys.items(),
        key=lambda pair: (section_model(model, pair[0]) is None, -pair[0].count(".")),
    ):
        *parents, key = old.split(".")
        holder = moved
        for parent in parents:
            inner = holder.get(parent)
            holder = inner if isinstance(inner, dict) else {}
        is_new = section_model(model, old) and isinstance(holder.get(key), Mapping | NoneType)
        if key not in holder or is_new:
            continue
        value = holder.pop(key)
        if _is_empty(value):
            continue
        renamed[f"{name}.{old}"] = f"{name}.{new}" if new else ""
        if not new:
            continue
        for part in reversed(new.split(".")):
            value = {part: value}
        twice += [
            (
                f"{name}.{key}",
                f"expected this key or its old name {name}.{old}, found both; remove the old one",
            )
            for key in _merge(moved, value)
        ]
    return moved, renamed, twice


def _is_empty(value: Any) -> bool:
    return isinstance(value, dict) and all(map(_is_empty, value.values()))


def _merge(target: dict[str, Any], more: Mapping[str, Any], prefix: str = "") -> Iterator[str]:
    """Add ``more`` to ``target`` at every depth; yield the dotted keys that both have."""
    for key, value in more.items():
        if isinstance(target.get(key), dict) and isinstance(value, Mapping):
            yield from _merge(target[key], value, f"{prefix}{key}.")
        elif target.get(key) is not None:
            yield f"{prefix}{key}"
        else:
            target[key] = value


def _with_defaults(value: Any, default: BaseModel) -> Any:
    """Add to what is given of a section the values that its defaults are here.

    A section may have other defaults in one place than in another: ``splits: {seed: 2}`` leaves the
    folds as many as they are where no ``splits`` is given. ``tracking:`` with nothing under it,
    which YAML makes null, is read as all defaults.
    """
    if value is None:
        value = {}
    if not isinstance(value, Mapping):
        return value
    fields = type(default).model_fields
    own = {
        name: here
        for name, field in fields.items()
        if name not in value
        and (here := getattr(default, name)) != field.get_default(call_default_factory=True)
    }
    given = {
        key: _with_defaults(item, getattr(default, key))
        if section_model(type(default), str(key))
        else item
        for key, item in value.items()
    }
    return own | given


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


def _findings(
    error: ValidationError, name: str, sections: Mapping[str, type[Settings]]
) -> list[tuple[str, str]]:
    """One phrase per key: a field of a union may fail once for every member."""
    expected: dict[str, list[str]] = {}
    found: dict[str, str] = {}
    unknown: list[tuple[str, str]] = []
    for details in error.errors(include_url=False):
        key = _dotted(details, name, sections[name])
        if details["type"] == "extra_forbidden":
            path = tuple(key.split("."))
            meant = _meant(path[-1], path[:-1], sections)
            unknown.append((key, f"expected a known key, found {path[-1]!r}{meant}"))
            continue
        phrase = expected_value(details)
        if phrase not in expected.setdefault(key, []):
            expected[key].append(phrase)
        hint = point_for_comma(str(details["input"])) if details["type"] == "float_parsing" else ""
        found.setdefault(key, _shown(details) + hint)
    return unknown + [
        (key, f"expected {' or '.join(phrases)}, found {found[key]}")
        for key, phrases in expected.items()
        # Where one member of a list is wrong, the list need not be another type as well.
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
    if details["type"] in _LENGTHS:
        bound, of = _LENGTHS[details["type"]]
        count = details["ctx"][f"{bound}_length"]
        least = {"min": "at least", "max": "at most"}[bound]
        return of.format(f"{least} {count}", "" if count == 1 else "s")
    if details["type"] == "string_pattern_mismatch":
        return f"text of the pattern {details['ctx']['pattern']}"
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
