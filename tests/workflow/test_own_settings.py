"""A plate with settings of its own: they count for that plate alone."""

from pathlib import Path

from tests.healthspan.clone import Workspace


def test_settings_of_one_plate_compute_that_plate_alone(tmp_path: Path) -> None:
    work = Workspace(tmp_path / "work")
    work.header = work.header.rstrip("\n") + "\tsettings\n"
    work.sheet("a|one|N2|raw/a|0|60||", "b|one|N2|raw/b|||", "c|two|N2|raw/c|||")
    for plate in "abc":
        work.raw(plate, 3)
    work.run()
    (work.root / "own.yaml").write_text("healthspan: {detection: {detect: {rim_um: 90}}}\n")
    work.sheet("a|one|N2|raw/a|0|60||own.yaml", "b|one|N2|raw/b|||", "c|two|N2|raw/c|||")
    planned = work.plan()
    assert "a/masks/t000-t002.json" in planned
    assert not any(path.startswith(("b/", "c/")) for path in planned)
    # One that is refused costs its plate alone.
    (work.root / "own.yaml").write_text("healthspan: {detection: {detect: {rim: 90}}}\n")
    ended = work.snakemake("--dry-run", "--keep-going")
    assert "found 'rim'" in ended.stdout + ended.stderr
