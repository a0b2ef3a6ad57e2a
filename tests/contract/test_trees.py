"""What a run of every tree does, and what it leaves alone."""

import csv
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from snakescope import REPOSITORY
from snakescope.trees import TREES
from tests.harness import Clone, example


def files(folder: Path) -> set[str]:
    """Files of a folder, those of Snakemake and of Python left out."""
    hidden = {".snakemake", "__pycache__"}
    return {str(path) for path in folder.rglob("*") if not hidden & set(path.parts)}


def test_a_second_run_does_nothing_though_all_code_was_touched(done: Clone) -> None:
    for folder in ("scripts", "rules", "envs", "resources", "profiles", "config"):
        for path in (done.root / folder).rglob("*"):
            os.utime(path)
    assert done.plan("--", done.tree) == set()


def test_a_raised_version_reruns_its_step_and_what_follows(done: Clone) -> None:
    done.raise_version(done.last)
    some = done.plan("--", done.tree)
    done.raise_version(done.first)
    every = done.plan("--", done.tree)
    assert some and some < every


def test_an_unusable_subject_fails_alone_and_with_its_sentence(done: Clone) -> None:
    name = done.unusable()
    ended = done.snakemake("--", done.tree)
    assert ended.returncode != 0
    with open(done.root / f"results/{done.tree}/failures.tsv", encoding="utf-8") as file:
        (row,) = csv.DictReader(file, delimiter="\t")
    tree = TREES[done.tree]
    assert (row[tree.subject], row["rule"], row["status"]) == (name, "unusable", "unusable")
    assert row["reason"] in ended.stderr and "expected" in row["reason"]
    assert "Traceback" not in ended.stderr
    # Nothing is left to do of the others, and the next run says the same again.
    assert done.plan("--", done.tree) == {f"{name}/manifest/usable"}


@pytest.mark.parametrize("name", TREES)
def test_a_tree_without_rows_asks_for_nothing(name: str, tmp_path: Path) -> None:
    clone = example(name, tmp_path / "clone")
    for sheet in (clone.root / "config").glob("*.tsv"):
        sheet.write_text("\t".join(TREES[name].row.columns()) + "\n")
    before = files(clone.root)
    ended = clone.snakemake("--dry-run")
    said = ended.stdout + ended.stderr
    assert ended.returncode != 0 and "found no row" in said and "Traceback" not in said
    assert files(clone.root) - before <= {str(clone.root / "logs")}
    # A workbook that nothing names is pointed to.
    ended = clone.snakemake("--dry-run", name)
    sheet = re.search(r"config/\w+(?=\.tsv: expected a header)", ended.stdout + ended.stderr)
    assert sheet is not None
    workbook = f"{sheet[0]}.xlsx"
    (clone.root / workbook).touch()
    ended = clone.snakemake("--dry-run", name)
    said = ended.stdout + ended.stderr
    assert ended.returncode != 0 and f"{workbook} is there; to read that, set" in said


@pytest.mark.parametrize("words", [("--lint",), ("--list-rules",)])
@pytest.mark.parametrize("name", TREES)
def test_reading_commands_write_nothing(name: str, words: tuple[str, ...], tmp_path: Path) -> None:
    clone = example(name, tmp_path / "clone")
    before = files(clone.root)
    ended = clone.snakemake(*words)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert files(clone.root) == before


def test_the_default_target_is_every_tree_with_rows(tmp_path: Path) -> None:
    clones = [example(name, tmp_path / name) for name in TREES]
    planned = clones[0].plan()
    assert planned and not [path for path in planned if path.startswith("results/")]


def test_the_snakefile_loads_neither_torch_nor_numpy() -> None:
    """The process of every job parses it again."""
    code = (
        "import sys; import snakescope.run.run, snakescope.trees;"
        " print(sorted({'torch', 'numpy', 'pandas', 'cv2', 'matplotlib'} & set(sys.modules)))"
    )
    ended = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True,
        env={**os.environ, "PYTHONPATH": str(REPOSITORY / "scripts")},
    )  # fmt: skip
    assert ended.stdout.strip() == "[]"
