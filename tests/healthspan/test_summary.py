"""What to look at after a run."""

from pathlib import Path

import pytest

from snakescope.healthspan.plates.sheet import Plate
from snakescope.healthspan.settings import HealthspanSettings
from snakescope.healthspan.tree import Healthspan


def test_a_good_run_names_only_pictures_that_are_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    plate = Plate(plate="p", experiment="e", condition="c", folder="raw")
    tree = Healthspan(HealthspanSettings(), [plate])
    Path(tree.manifest("p")).mkdir(parents=True)
    page = Path("results/healthspan/p/problem.html")
    page.touch()
    assert tree.summary() == [] and not page.exists()
    page = Path("results/healthspan/p/quality.html")
    page.touch()
    assert tree.summary() == [f"Open:\n  {page}"]
