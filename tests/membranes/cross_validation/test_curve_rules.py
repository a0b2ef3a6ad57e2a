"""What a plan of a learning curve says of stacks that have none."""

from pathlib import Path

from tests.harness import example
from tests.membranes.clone import ROWS


def test_stacks_without_a_curve_are_refused_in_a_sentence(tmp_path: Path) -> None:
    clone = example("membranes", tmp_path / "clone")
    curve = "results/membranes/{}/learning_curve.tsv"
    ended = clone.snakemake("--dry-run", curve.format("b"))
    assert ended.returncode != 0
    assert "expected sections of b to train with" in ended.stdout + ended.stderr
    ended = clone.snakemake("--dry-run", "results/membranes/b/cross_validation.tsv")
    assert ended.returncode != 0
    assert "2 labelled sections for each" in ended.stdout + ended.stderr
    # What was found of stack a stays on the disk when its row is no use any more.
    clone.sheet_file("stacks.tsv", ROWS.replace("0-3\t4,5", "0-4\t4,5"))
    ended = clone.snakemake("--dry-run", curve.format("a"))
    said = ended.stdout + ended.stderr
    assert ended.returncode != 0 and "expected a stack a that can be used" in said
    assert "KeyError" not in said


def test_a_search_without_sections_to_train_with_is_refused_in_a_sentence(tmp_path: Path) -> None:
    clone = example("membranes", tmp_path / "clone")
    # With sections to train with, and weights that stay as they are, a note says what is left out.
    ended = clone.snakemake("--dry-run")
    said = ended.stdout + ended.stderr
    assert "a: sections are named in the column train, but membranes are predicted" in said
    assert clone.snakemake("--dry-run", "membranes_search").returncode == 0
    header, _, without_labels, _ = ROWS.split("\n")
    clone.sheet_file("stacks.tsv", f"{header}\n{without_labels}\n")
    ended = clone.snakemake("--dry-run", "membranes_search")
    said = ended.stdout + ended.stderr
    assert ended.returncode != 0 and "expected a stack with sections to train with" in said
    assert "column train, but" not in said
