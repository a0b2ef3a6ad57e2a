"""What a user is told after a run."""

from pathlib import Path
from types import SimpleNamespace

import pytest
from snakescope.healthspan.failures import finished, unfinished

from snakescope.healthspan.plates.sheet import Plate
from snakescope.healthspan.settings import HealthspanSettings
from snakescope.healthspan.tree import Tree


@pytest.fixture
def tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Tree:
    monkeypatch.chdir(tmp_path)
    return Tree(
        [Plate(name="p", experiment="e", condition="c", folder="raw")], HealthspanSettings()
    )


def job(log: str, **wildcards: str) -> SimpleNamespace:
    rule = SimpleNamespace(name="healthspan_detect")
    return SimpleNamespace(rule=rule, wildcards=wildcards, log=[log], attempt=2, jobid=7)


def test_what_slurm_says_is_that_of_the_job(tree: Tree) -> None:
    one = job("absent.log", plate="p")
    assert "p detect: over its time" in unfinished(tree, [one], {7: "TIMEOUT", 8: "NODE_FAIL"})
    assert "p detect: ended without a word" in unfinished(tree, [one], {8: "NODE_FAIL"})


def test_failures_are_written_and_told_and_forgotten_after_success(tree: Tree) -> None:
    Path("d.log").write_text("error: weights: expected\tsome\n")
    told = unfinished(tree, [job("d.log", plate="p", block="t000-t009")], {})
    assert "p detect t000-t009: weights: expected\tsome\n    d.log" in told
    header, line = Path("results/healthspan/failures.tsv").read_text().splitlines()
    assert header.split("\t") == ["plate", "rule", "block", "reason", "log", "attempts", "status"]
    assert line.split("\t") == [
        "p",
        "detect",
        "t000-t009",
        "weights: expected some",
        "d.log",
        "2",
        "failed",
    ]
    finished(tree)
    assert not Path("results/healthspan/failures.tsv").exists()


def test_failures_are_told_though_the_disk_is_full(
    tree: Tree, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(path: str, text: str) -> bool:
        raise OSError(28, "No space left on device", path)

    monkeypatch.setattr("snakescope.step.failures.write_if_changed", full)
    told = unfinished(tree, [job("absent.log", plate="p")], {})
    assert "could not be listed in results/healthspan/failures.tsv (No space left" in told
    assert "p detect: ended without a word" in told


def test_excluded_plates_stay_in_the_table_also_after_success(tree: Tree) -> None:
    fogged = Plate(name="q", experiment="e", condition="c", folder="raw", exclusion="fogged")
    both = Tree([*tree.sheet.values(), fogged], HealthspanSettings())
    finished(both)
    _, line = Path("results/healthspan/failures.tsv").read_text().splitlines()
    assert line.split("\t") == ["q", "", "", "fogged", "", "0", "excluded"]


def test_a_good_run_names_only_pictures_that_are_there(tree: Tree) -> None:
    assert finished(tree) == ""
    page = Path("results/healthspan/p/quality.html")
    page.parent.mkdir(parents=True)
    page.touch()
    assert finished(tree) == f"Open:\n  {page}"
