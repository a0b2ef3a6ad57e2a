"""What a user of the neurites tree is told after a run."""

from pathlib import Path
from types import SimpleNamespace

import pytest
from snakescope.neurites.last_words import finished, unfinished

from snakescope.neurites.settings import NeuritesSettings
from snakescope.neurites.tree import Tree
from snakescope.neurites.volumes.sheet import Volume

TABLE = Path("results/neurites/failures.tsv")


def job(name: str, number: int, log: str, **wildcards: str) -> SimpleNamespace:
    rule = SimpleNamespace(name=name)
    return SimpleNamespace(rule=rule, wildcards=wildcards, log=[log], jobid=number, attempt=1)


def test_failed_jobs_are_told_and_listed_with_their_reason_until_a_run_succeeds(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    tree = Tree([Volume(name="v", image="v.tif", voxel_nm=(30.0, 6.0, 6.0))], NeuritesSettings())
    Path("a.log").write_text("error: image.tif: expected a volume, found none\n")
    Path("c.log").write_text("error: w.h5: expected a dataset\n")
    jobs = [
        job("neurites_ingest", 0, "a.log", volume="v", kind="image", slab="3"),
        job("neurites_affinities", 1, "b.log", volume="v", box="z0000-0002"),
        job("neurites_unusable", 2, "c.log", volume="w"),
        job("healthspan_detect", 3, "d.log", plate="p"),
    ]
    told = unfinished(tree, jobs, {1: "TIMEOUT"})
    assert told.startswith("3 failed, listed in results/neurites/failures.tsv; what does not")
    assert "  v ingest image 3: image.tif: expected a volume, found none\n    a.log" in told
    assert "  v affinities z0000-0002: over its time, says Slurm (TIMEOUT)\n" in told
    rows = [line.split("\t") for line in TABLE.read_text().splitlines()]
    assert rows[0] == ["volume", "rule", "block", "reason", "log", "attempts", "status"]
    assert [(row[0], row[1], row[2], row[6]) for row in rows[1:]] == [
        ("v", "affinities", "z0000-0002", "failed"),
        ("v", "ingest", "image 3", "failed"),
        ("w", "unusable", "", "unusable"),
    ]
    assert rows[3][3] == "w.h5: expected a dataset"
    finished(tree)
    assert not TABLE.exists()


def test_nothing_is_told_of_a_tree_whose_jobs_did_not_fail(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    tree = Tree((), NeuritesSettings())
    assert unfinished(tree, [job("healthspan_detect", 3, "d.log", plate="p")], {}) == ""
    assert not TABLE.exists()


def test_scores_of_volumes_that_were_trained_on_are_told_as_such(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    sheet = [
        Volume(name=use, image=f"{use}.tif", voxel_nm=(30.0, 6.0, 6.0), labels="l.tif", set=use)
        for use in ("train", "test")
    ]
    for volume in sheet:
        folder = tmp_path / "results/neurites" / volume.name
        (folder / "manifest").mkdir(parents=True)
        header = "scoring\tthreshold\twritten\tarand\tvoi_split\tvoi_merge\n"
        (folder / "scores.tsv").write_text(header + "mean\t0.5\tyes\t0.1\t0.2\t0.3\n")
    lines = finished(Tree(sheet, NeuritesSettings())).splitlines()
    told = [line for line in lines if "ARAND" in line]
    assert [line.split(":")[0] for line in told] == [
        "train (labels of the set train), written (mean, threshold 0.5)",
        "train (labels of the set train), best (mean, threshold 0.5)",
        "test, written (mean, threshold 0.5)",
        "test, best (mean, threshold 0.5)",
    ]
