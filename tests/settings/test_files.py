"""A configuration file that YAML refuses, or takes otherwise than it reads, is told by its line."""

import json
from pathlib import Path

import pytest

from snakescope import REPOSITORY
from snakescope.settings.files import check_config_files, read_config
from snakescope.step.errors import StepError


def refusal(path: Path, text: str | bytes) -> str:
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(StepError) as refused:
        check_config_files([path])
    sentence = str(refused.value)
    assert sentence.startswith(str(path)) and "\n" not in sentence
    return sentence.removeprefix(str(path))


def test_what_is_shipped_is_read() -> None:
    shipped = list((REPOSITORY / "config").rglob("*.yaml"))
    assert shipped
    check_config_files([*shipped, "absent.yaml"])


@pytest.mark.parametrize("text", ["", "a: {b: 1}\nc: {b: 1}\n", "\ufeffa: 1\r\nb: 2\r\n"])
def test_files_in_order(tmp_path: Path, text: str) -> None:
    path = tmp_path / "mine.yaml"
    path.write_bytes(text.encode())
    check_config_files([path])


def test_json_may_be_indented_by_tabs(tmp_path: Path) -> None:
    path = tmp_path / "mine.json"
    path.write_text(json.dumps({"healthspan": {"plates": {"interval_h": 12}}}, indent="\t"))
    assert "healthspan" in check_config_files([path])


def test_a_section_that_would_replace_another(tmp_path: Path) -> None:
    text = "healthspan:\n  plates:\n    pixel_size_um: 11.28\n# mine\nhealthspan:\n  plates: {}\n"
    assert refusal(tmp_path / "mine.yaml", text) == (
        ", line 5: expected every key once, found healthspan again (first on line 1), which would "
        "replace the first; join the two"
    )
    text = "healthspan:\n  plates:\n    interval_h: 12\n    interval_h: 24\n"
    assert "line 4: expected every key once, found healthspan.plates.interval_h again" in refusal(
        tmp_path / "mine.yaml", text
    )


@pytest.mark.parametrize(
    ("text", "where"),
    [
        ("a:\n   b: 1\n    c: 2\n", "line"),
        ("a:\n    c: 1\n   d: 2\n", "lines 1 to 3"),
        ("a:\n\tb: 1\n", "line"),
        ("a: [1,\n", "line"),
    ],
)
def test_what_yaml_cannot_read(tmp_path: Path, text: str, where: str) -> None:
    sentence = refusal(tmp_path / "mine.yaml", text)
    assert (
        sentence.startswith(f", {where}")
        and ": expected YAML, found text that is not (" in sentence
    )
    assert "spaces, without tabs" in sentence


def test_another_encoding(tmp_path: Path) -> None:
    sentence = refusal(tmp_path / "mine.yaml", b"# Gr\xf6\xdfe\n")
    assert sentence == ": expected text in UTF-8, found byte 0xf6 at 4; save the file in UTF-8"


@pytest.mark.parametrize("value", ["!include other.yaml", "!!python/name:os.system", "!!binary x"])
def test_tags_are_refused_by_name(tmp_path: Path, value: str) -> None:
    path = tmp_path / "c.yaml"
    path.write_text(f"healthspan:\n  plates: {value}\n")
    with pytest.raises(StepError, match=r"c.yaml, line 2: expected numbers, text.*found the tag !"):
        read_config(path)
