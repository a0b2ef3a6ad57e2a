"""A configuration is either valid or refused in one sentence with the dotted key."""

from typing import Literal

import pytest
from pydantic import Field

from snakescope.settings.load import dotted_keys, load_sections
from snakescope.settings.sections import SECTIONS
from snakescope.settings.strict import Settings
from snakescope.step.errors import StepError


class Inner(Settings):
    interval_h: float | None = Field(None, gt=0)
    mode: Literal["first", "last"] = "first"
    names: tuple[str, ...] = ("a", "b")


class Middle(Settings):
    inner: Inner = Inner()


class Outer(Settings):
    count: int = Field(10, ge=1)
    channels: Literal["auto"] | tuple[Literal["bright", "dark"], ...] = "auto"
    middle: Middle = Middle()


def load(config: dict) -> Outer:
    loaded = load_sections(config, {"outer": Outer}, "mine.yaml")["outer"]
    assert isinstance(loaded, Outer)
    return loaded


def refusal(config: dict) -> str:
    with pytest.raises(StepError) as refused:
        load(config)
    assert "\n" not in str(refused.value)
    return str(refused.value)


def test_absent_and_empty_sections_have_defaults() -> None:
    assert load({}) == Outer()
    assert load({"outer": None}) == Outer()
    assert load({"outer": {"middle": None}}) == Outer()
    assert load({"outer": {"middle": {"inner": None}}}) == Outer()


def test_values_as_the_command_line_gives_them() -> None:
    loaded = load({"outer": {"count": "20", "middle": {"inner": {"interval_h": "12"}}}})
    assert loaded.count == 20
    assert loaded.middle.inner.interval_h == 12.0


def test_unknown_section_suggests_the_known_one() -> None:
    assert refusal({"outr": {}}) == (
        "mine.yaml: outr: expected a section (outer), found this key; did you mean outer?"
    )


@pytest.mark.parametrize(
    ("config", "sentence"),
    [
        ({"coutn": 1}, "outer.coutn: expected a known key, found 'coutn'; did you mean count?"),
        (
            {"middle": {"iner": {}}},
            "outer.middle.iner: expected a known key, found 'iner'; did you mean inner?",
        ),
        (
            {"middle": {"inner": {"intervall_h": 1}}},
            "outer.middle.inner.intervall_h: expected a known key, found 'intervall_h'; "
            "did you mean interval_h?",
        ),
        (
            {"interval_h": 1},
            "outer.interval_h: expected a known key, found 'interval_h'; "
            "did you mean outer.middle.inner.interval_h?",
        ),
        ({"xyzzy": 1}, "outer.xyzzy: expected a known key, found 'xyzzy'"),
    ],
)
def test_typo_at_any_depth(config: dict, sentence: str) -> None:
    assert refusal({"outer": config}) == f"mine.yaml: {sentence}"


@pytest.mark.parametrize(
    ("config", "sentence"),
    [
        ({"count": 0}, "outer.count: expected greater than or equal to 1, found 0"),
        ({"count": "1O"}, "outer.count: expected a valid integer, found '1O'"),
        (
            {"middle": {"inner": {"interval_h": "9,74"}}},
            "outer.middle.inner.interval_h: expected a valid number, found '9,74'; "
            "write 9.74, with a point",
        ),
        (
            {"middle": {"inner": {"interval_h": "12h"}}},
            "outer.middle.inner.interval_h: expected a valid number, found '12h'",
        ),
        ({"middle": 3}, "outer.middle: expected a section of keys, found 3"),
        (
            {"middle": {"inner": {"mode": "middle"}}},
            "outer.middle.inner.mode: expected 'first' or 'last', found 'middle'",
        ),
        (
            {"middle": {"inner": {"names": ["a", 3]}}},
            "outer.middle.inner.names[1]: expected a valid string, found 3",
        ),
    ],
)
def test_refused_value(config: dict, sentence: str) -> None:
    assert refusal({"outer": config}) == f"mine.yaml: {sentence}"


def test_members_of_a_union_become_one_phrase() -> None:
    sentence = refusal({"outer": {"channels": "both"}})
    assert sentence.startswith("mine.yaml: outer.channels: expected 'auto' or ")
    assert sentence.endswith(", found 'both'")
    assert "literal" not in sentence.lower()


def test_wrong_member_of_a_list_is_named_alone() -> None:
    assert refusal({"outer": {"channels": ["bright", "red"]}}) == (
        "mine.yaml: outer.channels[1]: expected 'bright' or 'dark', found 'red'"
    )


def test_key_that_is_no_text() -> None:
    assert refusal({"outer": {1: 2}}) == "mine.yaml: outer[1]: expected a key of text, found 1"


def test_several_findings_are_one_sentence() -> None:
    sentence = refusal({"outer": {"count": 0, "middel": {}}, "other": 1})
    assert sentence.count("; also ") == 2
    assert "outer.count" in sentence and "outer.middel" in sentence and "other:" in sentence


def test_every_section_of_the_workflow_loads_empty() -> None:
    for name, section in load_sections({}, SECTIONS).items():
        assert section == SECTIONS[name]()


def test_a_typo_of_every_real_key_is_refused_with_its_own_name() -> None:
    for name, model in SECTIONS.items():
        for key in dotted_keys(model, name):
            parts = key.split(".")
            config: dict = {parts[-1] + "_": 1}
            for part in reversed(parts[:-1]):
                config = {part: config}
            with pytest.raises(StepError, match=rf"{key}_: .*did you mean "):
                load_sections(config, SECTIONS)
