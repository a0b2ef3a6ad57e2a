"""Files of the repository are found from any working folder."""

from pathlib import Path

import pytest

from snakescope import REPOSITORY
from snakescope.fibrosis.settings import ORIGINS
from snakescope.step.files import repository_file


def test_a_file_of_the_repository_is_found_from_any_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert Path(repository_file(ORIGINS)) == REPOSITORY / ORIGINS
    own = Path(ORIGINS)
    own.parent.mkdir(parents=True)
    own.touch()
    assert repository_file(ORIGINS) == ORIGINS
    assert repository_file("absent.tsv") == "absent.tsv"
    assert repository_file(str(own.resolve())) == str(own.resolve())
