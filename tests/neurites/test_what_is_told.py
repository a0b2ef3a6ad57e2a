"""What a user of the neurites tree is told by the workflow itself, mistakes and failures first."""

import csv
import subprocess
from pathlib import Path

import pytest

from snakescope import REPOSITORY
from tests import started

HEADER = "volume\timage\tvoxel_nm\n"


def snakemake(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """Run the real workflow in a folder with the shipped configuration and no other file."""
    (folder / "config").mkdir(exist_ok=True)
    (folder / "config/config.yaml").write_text((REPOSITORY / "config/config.yaml").read_text())
    snakefile = str(REPOSITORY / "Snakefile")
    return started.snakemake(folder, "--snakefile", snakefile, "--cores", "1", *words)


@pytest.mark.parametrize("text", ["", HEADER])
def test_a_sheet_without_a_volume_is_one_sentence(tmp_path: Path, text: str) -> None:
    (tmp_path / "config").mkdir()
    (tmp_path / "config/volumes.tsv").write_text(text)
    ended = snakemake(tmp_path, "neurites")
    assert ended.returncode != 0
    said = (ended.stdout + ended.stderr).splitlines()
    sentence = "config/volumes.tsv: expected a header and one row a volume, found no row; add"
    (line,) = [line for line in said if sentence in line]
    assert line.startswith("error: ") and "Traceback" not in "".join(said)
    assert not (tmp_path / "results").exists()


@pytest.mark.parametrize("target", [(), ("neurites",)])
def test_a_folder_is_unlocked_without_any_sheet(tmp_path: Path, target: tuple[str, ...]) -> None:
    lock = tmp_path / ".snakemake/locks/0.input.lock"
    lock.parent.mkdir(parents=True)
    lock.touch()
    ended = snakemake(tmp_path, *target, "--unlock")
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert not lock.exists() and not (tmp_path / "results").exists()


def test_failures_of_volumes_are_listed_and_volumes_are_counted(tmp_path: Path) -> None:
    (tmp_path / "config").mkdir()
    (tmp_path / "config/volumes.tsv").write_text(HEADER + "v\tabsent.tif\t30 6 6\n")
    ended = snakemake(tmp_path, "neurites")
    assert ended.returncode != 0
    assert "1 failed, listed in results/neurites/failures.tsv; " in ended.stderr
    assert "\nvolumes: 1 failed; jobs: 0 of 2 in " in ended.stderr
    assert "plates" not in ended.stderr
    with open(tmp_path / "results/neurites/failures.tsv", encoding="utf-8", newline="") as file:
        (row,) = csv.DictReader(file, delimiter="\t")
    assert (row["volume"], row["rule"], row["status"]) == ("v", "unusable", "unusable")
    assert row["reason"].startswith("absent.tif: expected a TIFF stack")
    assert (tmp_path / row["log"]).is_file()
    assert not (tmp_path / "results/healthspan").exists()
