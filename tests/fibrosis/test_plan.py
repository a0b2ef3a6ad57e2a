"""What a plan says of scans that nothing can be learnt from."""

from pathlib import Path

from tests.fibrosis.clone import HEADER, Scans


def test_scans_without_a_stage_are_told_of(tmp_path: Path) -> None:
    clone = Scans(tmp_path / "clone")
    clone.subjects()
    clone.sheet_file("scans.tsv", HEADER + "s0\tp0\traw/s0.png\t\t\n")
    ended = clone.snakemake("--dry-run", "fibrosis")
    said = ended.stdout + ended.stderr
    assert ended.returncode == 0 and "no scan of the set train has a stage" in said, said
    clone.subjects()
    ended = clone.snakemake("--dry-run", "fibrosis")
    assert "has a stage" not in ended.stdout + ended.stderr
