"""Commands in the pages run as they stand there, also where no environment is activated."""

import re
from pathlib import Path

import pytest

from snakescope import REPOSITORY

ROOT = REPOSITORY
BARE = re.compile(r"(?<![\w/])python benchmarks/\S+")
PAGES = [*ROOT.glob("*.md"), *ROOT.glob("config/*.md"), *ROOT.glob("docs/**/*.md")]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_benchmarks_are_called_by_the_python_of_make_setup(page: Path) -> None:
    assert not BARE.findall(page.read_text(encoding="utf-8"))


@pytest.mark.parametrize("script", ROOT.glob("benchmarks/*.py"), ids=lambda path: path.name)
def test_what_writes_a_page_says_so_too(script: Path) -> None:
    # Its own docstring is no page.
    text = script.read_text(encoding="utf-8").split('"""', 2)[2]
    assert not BARE.findall(text)
