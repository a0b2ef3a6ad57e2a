"""Which files the rules depend on, as the manifests say."""

import json
import os
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest

from snakescope.healthspan.plates.sheet import Plate
from snakescope.healthspan.review.corrections import as_text
from snakescope.healthspan.settings import HealthspanSettings
from snakescope.healthspan.tree import BLOCK_FILES, PLATE_FILES, Healthspan
from snakescope.learning.registry import weights_checksum
from tests.healthspan.review.lines import line

SETTINGS = HealthspanSettings.model_validate({"timepoints_per_block": 3})


def raw(plate: str, timepoints: int, without: tuple[int, ...] = ()) -> None:
    Path(f"raw/{plate}").mkdir(parents=True, exist_ok=True)
    for timepoint in set(range(timepoints)) - set(without):
        Path(f"raw/{plate}/Phase_A1_1_{timepoint:02d}d00h00m.tif").write_bytes(b"x")


def plate(name: str, exclusion: str = "") -> Plate:
    return Plate(
        name=name, experiment="e", condition="c", folder=f"raw/{name}", exclusion=exclusion
    )


def scanned(
    plates: list[Plate], settings: HealthspanSettings = SETTINGS
) -> tuple[Healthspan, list[str]]:
    """A tree whose raw folders the main process has looked at, and what it noted."""
    notes: list[str] = []
    tree = Healthspan(settings, plates, scans=True, warn=notes.append)
    tree.open()
    return tree, notes


@pytest.fixture
def tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Healthspan:
    """Plate a with 11 timepoints; b excluded; c without a folder."""
    monkeypatch.chdir(tmp_path)
    raw("a", 11)
    return scanned([plate("a"), plate("b", "fogged"), plate("c")])[0]


def at(**wildcards: str) -> SimpleNamespace:
    return SimpleNamespace(**wildcards)


def test_plates_with_and_without_an_age_are_told_when_the_run_starts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    raw("a", 3)
    raw("d", 3)
    plates = [plate("a"), plate("b", "fogged").model_copy(update={"age_at_first_frame_d": 3.0})]
    (inferred,) = scanned(plates)[1]
    assert inferred.startswith("read off the raw folders, plate by plate in results/healthspan/")
    assert "bright_field (phase); elapsed times, 3 timepoints, every 24 h" in inferred
    # What was told once is not told again.
    assert scanned(plates)[1] == []
    note, _ = scanned([*plates, plate("d").model_copy(update={"age_at_first_frame_d": 3.0})])[1]
    assert note.startswith("experiment e: days of a count from the first frame")


def test_blocks_are_in_the_order_of_time(tree: Healthspan) -> None:
    assert tree.blocks("a") == ("t000-t002", "t003-t005", "t006-t008", "t009-t011")


def test_blocks_beyond_the_thousandth_timepoint_come_after_it(tree: Healthspan) -> None:
    folder = Path(tree.results, "long", "manifest")
    folder.mkdir(parents=True)
    for name in ("t1000-t1009", "t990-t999"):
        (folder / f"{name}.tsv").touch()
    assert tree.blocks("long") == ("t990-t999", "t1000-t1009")


def test_a_replaced_raw_file_is_another_manifest_of_its_block_alone(tree: Healthspan) -> None:
    manifests = Path(tree.results, "a", "manifest")
    before = {path.name: path.read_text() for path in manifests.glob("t*.tsv")}
    frame = Path("raw/a/Phase_A1_1_10d00h00m.tif")
    for change in (
        lambda: frame.write_bytes(b"another"),
        lambda: os.utime(frame, (1_700_000_000, 1_700_000_000)),
    ):
        change()
        scanned(list(tree.sheet.values()))
        after = {path.name: path.read_text() for path in manifests.glob("t*.tsv")}
        assert [name for name in before if after[name] != before[name]] == ["t009-t011.tsv"]
        before = after
    assert "2023-11-14T22:13:20Z" in after["t009-t011.tsv"]


@pytest.mark.parametrize(
    ("block", "neighbours"),
    [
        ("t000-t002", ["t000-t002", "t003-t005"]),
        ("t003-t005", ["t000-t002", "t003-t005", "t006-t008"]),
        ("t009-t011", ["t006-t008", "t009-t011"]),
    ],
)
def test_neighbours_stop_at_the_ends(tree: Healthspan, block: str, neighbours: list[str]) -> None:
    files = tree.of_neighbours("masks/{block}.json")(at(plate="a", block=block))
    assert files == [f"results/healthspan/a/masks/{name}.json" for name in neighbours]


def test_only_usable_plates_are_targets_and_the_unusable_one_a_rule_that_fails(
    tree: Healthspan,
) -> None:
    targets = tree.targets()
    assert not [target for target in targets if "/b/" in target]
    assert [target for target in targets if "/c/" in target] == [
        "results/healthspan/c/manifest/usable"
    ]
    assert tree.experiments == {"e": ["a"]}


def test_what_is_gone_on_the_way_is_asked_for_once_there_is_something(tree: Healthspan) -> None:
    folder = Path(tree.results, "a")
    results = tree.targets()
    assert not [target for target in results if "/a/masks/" in target]
    on_the_way = [f"{folder}/{name}" for name in PLATE_FILES]
    for pattern in BLOCK_FILES:
        on_the_way += [f"{folder}/{pattern}".format(block=block) for block in tree.blocks("a")]
    (folder / "contact_sheet.png").touch()
    assert set(tree.targets()) == {*results, *on_the_way}
    for path in map(Path, on_the_way):
        path.parent.mkdir(exist_ok=True)
        path.touch()
    assert tree.targets() == results
    for path in (folder / "curves.png", folder / "masks/t003-t005.json"):
        path.unlink()
        assert set(tree.targets()) == {*results, str(path)}
        path.touch()


def test_a_job_reads_what_the_main_process_found(tree: Healthspan) -> None:
    job = Healthspan(SETTINGS, list(tree.sheet.values()))
    assert job.problems == tree.problems
    assert job.targets() == tree.targets()


def test_every_plate_has_a_status_with_its_reason(tree: Healthspan) -> None:
    lines = Path("results/healthspan/status.tsv").read_text().splitlines()
    assert lines[1] == "a\te\tc\tincluded\t"
    assert lines[2] == "b\te\tc\texcluded\tfogged"
    assert lines[3].startswith("c\te\tc\tunusable\traw/c: expected a folder")


def test_an_experiment_that_loses_its_plates_says_so(tree: Healthspan) -> None:
    folder = Path(tree.results, "experiments/e")
    (folder / "curves.png").touch()
    notes = scanned(list(tree.sheet.values()))[1]
    assert not [note for note in notes if "an earlier run" in note]
    (inside,) = (folder / "plates.tsv").read_text().splitlines()[1:]
    assert inside.startswith("a\te\tc\t")
    (note,) = scanned([plate("a", "contaminated"), plate("b", "fogged")])[1]
    assert note.startswith(f"{folder}: expected a plate to compute in this experiment, found none")
    assert (folder / "plates.tsv").read_text().splitlines()[1:] == []
    assert (folder / "left_out.tsv").read_text().splitlines()[1:] == [
        "a\tc\texcluded\tcontaminated",
        "b\tc\texcluded\tfogged",
    ]
    # The same for one that the sheet names no more.
    assert scanned([])[1] == [note]


def test_scanning_again_rewrites_nothing(tree: Healthspan) -> None:
    written = {p: p.stat().st_mtime_ns for p in Path("results").rglob("*.tsv")}
    scanned(list(tree.sheet.values()))
    assert {p: p.stat().st_mtime_ns for p in Path("results").rglob("*.tsv")} == written


def test_beside_a_run_at_work_nothing_is_written(tree: Healthspan) -> None:
    def written() -> dict[Path, str]:
        return {path: path.read_text() for path in Path("results").rglob("*") if path.is_file()}

    before = written()
    raw("a", 15)  # opens a block
    raw("c", 4)  # has a folder now
    smaller = HealthspanSettings.model_validate({"timepoints_per_block": 2})
    planned = Healthspan(smaller, list(tree.sheet.values()))
    assert planned.targets() == tree.targets()
    assert written() == before
    assert planned.blocks("a") == tree.blocks("a")
    assert "c" in planned.problems


def test_settings_at_their_defaults_are_no_parameters(tree: Healthspan) -> None:
    assert tree.recorded("track") == "{}"
    other = HealthspanSettings.model_validate({"survival": {"experiment": {"confidence": 0.9}}})
    assert json.loads(Healthspan(other, []).recorded("experiment")) == {"confidence": 0.9}


def test_the_checksum_of_weights_is_that_of_their_card(tmp_path: Path) -> None:
    assert weights_checksum(tmp_path / "m.safetensors") == "unknown"
    (tmp_path / "m.json").write_text('{"sha256": "0a1b"}')
    assert weights_checksum(tmp_path / "m.safetensors") == "0a1b"


def test_a_plate_that_people_left_out_is_excluded_also_for_the_jobs_of_the_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for name in "ad":
        raw(name, 3)
    said = line(1, "exclude_plate", track=0, reason="fog")
    Path("corrections").mkdir()
    path = Path("corrections/a.anna.tsv")
    path.write_text(as_text([replace(said, plate="a")]))
    plates = [plate("a"), plate("d")]
    tree, _ = scanned(plates)
    assert list(tree.subjects) == ["d"] and tree.experiments == {"e": ["d"]}
    reason = "left out in its review (anna: fog)"
    assert tree.status()["a"] == ("excluded", reason)
    assert f"a\te\tc\texcluded\t{reason}" in Path("results/healthspan/status.tsv").read_text()
    # Somebody thinks better of it while the run is at work: its jobs have what it began with.
    path.unlink()
    assert list(Healthspan(SETTINGS, plates).excluded) == ["a"]
    assert scanned(plates)[0].excluded == {}
