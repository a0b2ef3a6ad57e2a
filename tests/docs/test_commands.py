"""What pages say of commands and settings is true of the program."""

import re
from pathlib import Path

import pytest
import yaml

from snakescope import REPOSITORY
from snakescope.__main__ import COMMANDS
from snakescope.run.settings import sections_of
from snakescope.settings.load import load_sections
from snakescope.trees import TREES

PAGES = [
    *REPOSITORY.glob("*.md"),
    *REPOSITORY.glob("config/**/*.md"),
    *REPOSITORY.glob("docs/**/*.md"),
]
SECTIONS = sections_of(TREES)
CALLED = re.compile(r"^(?:.*&& )?snakescope ([a-z]+)|`snakescope ([a-z]+)", re.MULTILINE)
BLOCK = re.compile(r"^( *)```yaml\n(.*?)^ *```", re.DOTALL | re.MULTILINE)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(REPOSITORY)))
def test_commands_and_settings_exist(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    called = {one or other for one, other in CALLED.findall(text)}
    assert called <= {*COMMANDS, *TREES}
    for indent, block in BLOCK.findall(text):
        given = yaml.safe_load("\n".join(line.removeprefix(indent) for line in block.splitlines()))
        if set(given) <= set(SECTIONS):
            load_sections(given, SECTIONS, warn=pytest.fail)


def test_every_command_is_explained() -> None:
    page = (REPOSITORY / "docs/reference/cli.md").read_text(encoding="utf-8")
    assert all(f"`snakescope {command}" in page for command in COMMANDS)


@pytest.mark.parametrize("tree", TREES)
def test_every_renamed_setting_is_in_the_changelog(tree: str) -> None:
    text = (REPOSITORY / "CHANGELOG.md").read_text(encoding="utf-8")
    old = {key.rpartition(".")[2] for key in TREES[tree].section.old_keys}
    assert {key for key in old if f"{key}`" not in text} == set()
