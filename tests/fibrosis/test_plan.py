"""What a plan says of scans that nothing can be learnt from."""

from pathlib import Path

import numpy as np
from PIL import Image

from tests.fibrosis.clone import HEADER, ROWS, Scans


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


def test_with_only_unusable_new_scans_no_answers_are_planned(tmp_path: Path) -> None:
    clone = Scans(tmp_path / "clone")
    clone.subjects()
    new = "n0\tp8\traw/{}.png\t\t\n"
    clone.sheet_file("scans.tsv", ROWS + new.format("absent"))
    ended = clone.snakemake("--dry-run", "--printshellcmds", "fibrosis")
    said = ended.stdout + ended.stderr
    assert "answers.tsv" not in said, said
    # What the page counts is what was ingested, not the sheet.
    assert "--others results/fibrosis/ingest/others.tsv" in said, said
    clone.sheet_file("scans.tsv", ROWS + new.format("new"))
    Image.fromarray(np.full((16, 16), 99, np.uint8)).save(clone.root / "raw/new.png")
    ended = clone.snakemake("--dry-run", "fibrosis")
    assert "answers.tsv" in ended.stdout + ended.stderr


def test_what_is_wrong_with_a_sheet_is_one_sentence(tmp_path: Path) -> None:
    clone = Scans(tmp_path / "clone")
    clone.subjects()
    clone.sheet_file("config.yaml", "fibrosis: {models: [majority]}\n")
    ended = clone.snakemake("--dry-run", "fibrosis")
    assert ended.returncode != 0
    said = ended.stdout + ended.stderr
    (line,) = [line for line in said.splitlines() if "as many patients" in line]
    assert line.startswith("error: classes: expected") and "folds (10)" in line
    assert "Exception" not in said and "Traceback" not in said and "scan.py" not in said
    clone.sheet_file("config.yaml", "fibrosis: {audit: {accept: {confound: the same}}}\n")
    ended = clone.snakemake("--dry-run", "fibrosis")
    said = ended.stdout + ended.stderr
    (line,) = [line for line in said.splitlines() if "text of at least 15 characters" in line]
    assert line.startswith("error: config: fibrosis.audit.accept") and "run.py" not in said


def test_new_scans_that_cannot_be_used_are_noted_for_the_answers(tmp_path: Path) -> None:
    clone = Scans(tmp_path / "clone")
    clone.subjects()
    new = "n{}\tp8\traw/{}.png\t\t\n"
    bad = "t0\tp9\traw/away.png\t\tF1\n"
    clone.sheet_file("scans.tsv", ROWS + new.format(0, "absent") + new.format(1, "new") + bad)
    Image.fromarray(np.full((16, 16), 99, np.uint8)).save(clone.root / "raw/new.png")
    ended = clone.snakemake("--dry-run", "--printshellcmds", "fibrosis")
    noted = "results/fibrosis/ingest/manifest/unusable.tsv"
    given = f"--refused results/fibrosis/ingest/refused.tsv {noted}"
    assert given in ended.stdout + ended.stderr
    header, row = (clone.root / noted).read_text().splitlines()
    assert header == "scan\treason\tset\tstage" and row.startswith("n0\traw/absent.png: expected")
