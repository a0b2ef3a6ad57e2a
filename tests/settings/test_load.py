"""A configuration is either valid or refused in one sentence with the dotted key."""

from copy import deepcopy
from typing import Literal

import pytest
from pydantic import Field, ValidationError

from snakescope.reference import SECTIONS
from snakescope.settings.load import dotted_keys, load_sections
from snakescope.settings.strict import Settings
from snakescope.step.errors import StepError
from snakescope.trees import TREES


class Inner(Settings):
    interval_h: float | None = Field(None, gt=0)
    mode: Literal["first", "last"] = "first"
    names: tuple[str, ...] = ("a", "b")


class Worms(Settings):
    min_worms: int = 1
    max_worms: int = 9


class Middle(Settings):
    inner: Inner = Inner()


class Outer(Settings):
    count: int = Field(10, ge=1)
    word: str = Field("sentence", min_length=5, max_length=8, pattern="^[a-z]+$")
    some: tuple[int, ...] = Field((1,), min_length=1, max_length=2)
    channels: Literal["auto"] | tuple[Literal["bright", "dark"], ...] = "auto"
    middle: Middle = Middle()
    other: Middle = Middle(inner=Inner(mode="last", names=("c",)))


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


def test_what_is_not_given_of_a_section_is_as_where_nothing_is_given() -> None:
    for given in (None, {}, {"inner": None}, {"inner": {}}):
        assert load({"outer": {"other": given}}) == Outer()
    inner = load({"outer": {"other": {"inner": {"names": ["d"]}}}}).other.inner
    assert (inner.mode, inner.names) == ("last", ("d",))
    assert load({"outer": {"middle": {"inner": {"names": ["d"]}}}}).middle.inner.mode == "first"


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
        ({"word": "same"}, "outer.word: expected text of at least 5 characters, found 'same'"),
        (
            {"word": "sentences"},
            "outer.word: expected text of at most 8 characters, found 'sentences'",
        ),
        ({"word": "Upper"}, "outer.word: expected text of the pattern ^[a-z]+$, found 'Upper'"),
        ({"some": []}, "outer.some: expected at least 1 value, found []"),
        ({"some": [1, 2, 3]}, "outer.some: expected at most 2 values, found [1, 2, 3]"),
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


class Choices(Settings):
    limit: float | None = None
    count: int | Literal["auto"] = "auto"
    either: int | bool = 1


@pytest.mark.parametrize("key", ["limit", "count"])
def test_a_truth_is_no_number_in_a_choice_of_types_either(key: str) -> None:
    with pytest.raises(ValidationError, match="a number"):
        Choices.model_validate({key: True})
    assert Choices.model_validate({"either": True, "limit": 1, "count": 2}).either is True


class Renamed(Settings):
    old_keys = {  # noqa: RUF012
        "count": "sheet",
        "first": "count",
        "first.least": "count.min_worms",
        "most": "count.max_worms",
        "gone": "",
    }

    sheet: str = "a.tsv"
    count: Worms = Worms()


def renamed(config: dict, places: dict[str, str] | None = None) -> tuple[Renamed, list[str]]:
    said: list[str] = []
    loaded = load_sections({"r": config}, {"r": Renamed}, "config", places, said.append)["r"]
    assert isinstance(loaded, Renamed)
    return loaded, said


def test_old_keys_are_read_with_a_warning_that_names_the_new_ones() -> None:
    config = {"count": "b.tsv", "first": {"least": 2}, "most": 5, "gone": True}
    before = deepcopy(config)
    loaded, said = renamed(config, {"r.first.least": "mine.yaml, line 4"})
    assert loaded == Renamed(sheet="b.tsv", count=Worms(min_worms=2, max_worms=5))
    assert config == before
    assert "mine.yaml, line 4: r.first.least is called r.count.min_worms now" in said[1]
    assert [line.split(": ")[1].split()[0] for line in said] == [
        "r.count",
        "r.first.least",
        "r.most",
        "r.gone",
    ]
    assert "no effect" in said[-1]


def test_new_keys_are_read_without_a_warning() -> None:
    assert renamed({"count": {"min_worms": 3}, "sheet": "c.tsv"})[1] == []
    assert renamed({"count": None})[1] == []


def test_a_key_under_both_names_is_refused() -> None:
    with pytest.raises(StepError, match=r"r.count.max_worms: expected .* old name r.most"):
        renamed({"most": 5, "count": {"max_worms": 5}})
    # Further keys of a section whose name has changed join those under the new one.
    assert renamed({"first": {"least": 2}, "count": {"max_worms": 5}})[0].count.min_worms == 2


def test_a_refused_value_is_shown_with_its_line_under_either_name() -> None:
    places = {"r.count.min_worms": "mine.yaml, line 3", "r.first.least": "mine.yaml, line 8"}
    for key, line in (("count", 3), ("first", 8)):
        name = {"count": "min_worms", "first": "least"}[key]
        at = {place: where for place, where in places.items() if place.startswith(f"r.{key}.")}
        with pytest.raises(StepError, match=rf"r.count.min_worms \(mine.yaml, line {line}\): "):
            renamed({key: {name: "few"}}, at)


@pytest.mark.parametrize("tree", sorted(TREES))
def test_every_old_key_of_a_tree_still_loads(tree: str) -> None:
    model = TREES[tree].section
    default = model().model_dump()
    for old, new in model.old_keys.items():
        value: object = True
        parts = new.split(".") if new else []
        if parts:
            value = default
            for part in parts:
                value = value[part]  # type: ignore[index]
        config: object = value
        for part in reversed(old.split(".")):
            config = {part: config}
        said: list[str] = []
        assert load_sections({tree: config}, {tree: model}, warn=said.append)[tree] == model(), old
        assert len(said) == 1 and f"{tree}.{old} " in said[0] and new in said[0]


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
