"""What a run says of many subjects."""

from snakescope.tree.notes import some, to_look_at


def test_names_are_shortened_and_kinds_without_any_left_out() -> None:
    assert some(["a", "b"]) == "a, b"
    assert some(list("abcde")) == "a, b, c and 2 more"
    assert to_look_at("plate", {"failed": {}}) == []
    (text,) = to_look_at("plate", {"failed": {"a": ""}, "excluded": {"b": "fogged"}})
    assert text.splitlines() == ["plates to look at:", "  1 failed: a", "  1 excluded: b (fogged)"]
