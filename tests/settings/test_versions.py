"""A step's version is read from its text."""

import sys
from pathlib import Path

import pytest

from snakescope.settings.versions import step_version
from snakescope.step.errors import StepError


@pytest.fixture
def steps(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    package = tmp_path / "madeup_steps"
    package.mkdir()
    (package / "__init__.py").touch()
    (package / "third.py").write_text("raise RuntimeError('imported')\nVERSION = 3\n")
    (package / "inside.py").write_text("def main():\n    VERSION = 1\n")
    (package / "computed.py").write_text("VERSION = 1 + 1\n")
    monkeypatch.syspath_prepend(tmp_path)
    return package


def test_version_is_read_without_importing(steps: Path) -> None:
    assert step_version("madeup_steps.third") == 3
    assert "madeup_steps.third" not in sys.modules


@pytest.mark.parametrize("name", ["inside", "computed"])
def test_only_a_plain_literal_at_top_level_counts(steps: Path, name: str) -> None:
    with pytest.raises(StepError, match=rf"{name}\.py: expected VERSION = <whole number>"):
        step_version(f"madeup_steps.{name}")


def test_unknown_module(steps: Path) -> None:
    with pytest.raises(StepError, match=r"madeup_steps.fourth: expected a step's module"):
        step_version("madeup_steps.fourth")
