"""The whole workflow with its real steps and models, on small simulated plates, some bad."""

import re
import subprocess
from html import unescape
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import tifffile

from snakescope import REPOSITORY
from snakescope.healthspan.simulation.settings import SimulateSettings
from snakescope.healthspan.simulation.simulate import file_name, simulate_plate
from tests.started import quick_steps, snakemake

SETTINGS = SimulateSettings(
    frame_px=500, timepoints=6, worms=4, interval_h=24, lifespan_scale_d=4.0, missing_share=0.0,
    stage_error_px=12,
)  # fmt: skip


def run(folder: Path, *options: str) -> subprocess.CompletedProcess[str]:
    words = ["--snakefile", str(REPOSITORY / "Snakefile")]
    words += ["--configfile", str(folder / "config.yaml"), "--cores", "2", "--keep-going", *options]
    return snakemake(folder, *words, **quick_steps())


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str, int]:
    """Plates good, hurt (three bad frames of six), without a channel and spoilt, after a run."""
    folder = tmp_path_factory.mktemp("plates")
    for seed, plate in enumerate(("good", "hurt", "dim")):
        simulate_plate(SETTINGS, plate, 40 + seed, folder)
    for path in (folder / "good" / "raw").iterdir():
        spoilt = folder / "spoilt" / "raw" / path.name.replace("good", "spoilt")
        spoilt.parent.mkdir(parents=True, exist_ok=True)
        # The first frame is whole, so it is found out only when the others are registered.
        spoilt.write_bytes(path.read_bytes() if "00d00h00m" in path.name else b"II*\0 and no more")
    hurt = folder / "hurt" / "raw"
    small = np.random.default_rng(0).integers(0, 99, (300, 500), dtype=np.uint8)
    whole = (hurt / file_name("hurt", "bright_field", 24)).read_bytes()
    (hurt / file_name("hurt", "bright_field", 24)).write_bytes(whole[: len(whole) // 3])
    tifffile.imwrite(hurt / file_name("hurt", "dark_field", 72), np.zeros((500, 500), np.uint8))
    tifffile.imwrite(hurt / file_name("hurt", "dark_field", 96), small)
    for path in (folder / "dim" / "raw").glob("*Green*"):
        path.unlink()
    rows = "".join(f"{p}\te\tc\t{p}/raw\t1\t4\n" for p in ("good", "hurt", "dim", "spoilt"))
    header = "plate\texperiment\tcondition\tfolder\tage_at_first_frame_d\tworms\n"
    (folder / "plates.tsv").write_text(header + rows)
    (folder / "config.yaml").write_text(
        "healthspan:\n  sheet: plates.tsv\n  timepoints_per_block: 3\n"
        "  plates:\n    channels: [bright_field, dark_field]\n    interval_h: 24\n"
        "    max_missing_fraction: 0.5\n"
    )
    done = run(folder)
    return folder, done.stdout + done.stderr, done.returncode


def test_the_good_plate_has_every_result(finished: tuple[Path, str, int]) -> None:
    folder, said, _ = finished
    results = folder / "results" / "healthspan" / "good"
    for name in ("curves.svg", "curves.png", "contact_sheet.html", "quality.html", "states.tsv",
                 "tracks.tsv", "individuals.tsv", "summary.tsv"):  # fmt: skip
        assert (results / name).stat().st_size > 0, said[-3000:]
    frames = pd.read_csv(results / "frames.tsv", sep="\t")
    assert (frames["status"] == "registered").all()


def test_its_worms_are_found(finished: tuple[Path, str, int]) -> None:
    folder = finished[0]
    counts = pd.read_csv(folder / "results" / "healthspan" / "good" / "counts.tsv", sep="\t")
    assert counts["total"].median() >= 2


def test_every_worm_is_compared_with_the_first_frames(finished: tuple[Path, str, int]) -> None:
    states = pd.read_csv(finished[0] / "results" / "healthspan" / "good" / "states.tsv", sep="\t")
    later = states[states["timepoint"] > 1]
    assert len(later) > 0
    assert later[["start_correlation", "start_contrast"]].notna().all(axis=None)
    assert states.loc[states["timepoint"] <= 1, "start_contrast"].isna().all()


def cells_of(page: Path) -> list[str]:
    """What a page of results says, cell by cell."""
    parts = re.split(r"</?(?:td|th|p|h1|h2|tr|li|figcaption)[^>]*>", page.read_text())
    return [unescape(re.sub(r"<[^>]+>", "", part)).strip() for part in parts]


def test_tables_pages_figures_and_exports_say_the_same_numbers(
    finished: tuple[Path, str, int],
) -> None:
    results = finished[0] / "results" / "healthspan"
    plates = pd.read_csv(results / "plates.tsv", sep="\t").set_index("plate")
    experiment = results / "experiments" / "e"
    survival = pd.read_csv(experiment / "survival.tsv", sep="\t")
    for plate in ("good", "hurt"):
        individuals = pd.read_csv(results / plate / "individuals.tsv", sep="\t")
        worms = len(individuals)
        died = int((individuals["death_censored"] == 0).sum())
        summary = pd.read_csv(results / plate / "summary.tsv", sep="\t").iloc[0]
        own = survival.query("plate == @plate and outcome == 'lifespan'")
        assert worms > 0
        assert summary[["worms", "deaths"]].tolist() == [worms, died]
        assert plates.loc[plate, ["worms", "deaths"]].tolist() == [worms, died]
        assert [len(own), int(own["event"].sum())] == [worms, died]
        quality = cells_of(results / plate / "quality.html")
        assert quality[quality.index("worms") + 2].split(" of ")[0] == str(worms)
        seen, before = (
            int(quality[quality.index(name) + 2])
            for name in ("seen to die", "dead at the first picture")
        )
        assert seen + before == died
        overview = cells_of(results / "plates.html")
        assert {str(worms), str(died)} <= set(overview[overview.index(plate) :][:30])
        title = cells_of(results / plate / "contact_sheet.html")
        rows = next(cell for cell in title if "worms that stopped" in cell)
        assert sum(map(int, re.findall(r"(\d+)(?= worms| more)", rows))) == worms
        counts = pd.read_csv(results / plate / "counts.tsv", sep="\t").set_index("timepoint")
        headings = re.findall(r"\(t(\d+)\): (\d+) worms", " ".join(quality))
        assert headings
        assert all(counts.loc[int(time), "total"] == int(number) for time, number in headings)
        median = summary["median_lifespan_d"]
        drawn = unescape((results / plate / "curves.svg").read_text())
        assert ("median" in drawn) and (np.isnan(median) or f"{median:.1f} d" in drawn)
    whole = survival[survival["outcome"] == "lifespan"]
    figure = unescape((experiment / "curves.svg").read_text())
    assert re.findall(r"c \(n = (\d+), ", figure)[0] == str(len(whole))
    jmp = pd.read_csv(experiment / "jmp.csv").query("outcome == 'lifespan'")
    assert jmp["count"].sum() == len(whole)
    assert jmp.query("censored == 0")["count"].sum() == whole["event"].sum()
    prism = pd.read_csv(experiment / "prism_lifespan.csv")
    assert [prism["c"].notna().sum(), prism["c"].sum()] == [len(whole), whole["event"].sum()]
    oasis = (experiment / "oasis2_lifespan.txt").read_text().splitlines()
    listed = np.array([line.split("\t") for line in oasis if line and line[0] != "%"], float)
    assert listed[:, 1:].sum(axis=0).tolist() == [
        whole["event"].sum(), len(whole) - whole["event"].sum()
    ]  # fmt: skip


def test_bad_frames_are_left_out_with_their_reasons(finished: tuple[Path, str, int]) -> None:
    folder, said, _ = finished
    results = folder / "results" / "healthspan" / "hurt"
    frames = pd.read_csv(results / "frames.tsv", sep="\t").set_index("timepoint")
    assert frames.loc[[1, 3, 4], "status"].tolist() == ["unreadable"] * 3, said[-3000:]
    assert frames.loc[[0, 2, 5], "status"].tolist() == ["registered"] * 3
    for timepoint, name in ((1, "Phase"), (3, "Green"), (4, "Green")):
        assert name in frames.loc[timepoint, "reason"]
    assert "300" in frames.loc[4, "reason"] and "500" in frames.loc[4, "reason"]
    assert (results / "curves.png").exists()


def test_the_plate_without_a_channel_is_named_and_stops_no_other(
    finished: tuple[Path, str, int],
) -> None:
    folder, said, code = finished
    assert code != 0
    table = pd.read_csv(folder / "results" / "healthspan" / "status.tsv", sep="\t")
    status = table.set_index("plate").loc["dim"]
    assert status["status"] == "unusable"
    assert "dark_field" in status["reason"]
    assert "dim" in said
    assert (folder / "results" / "healthspan" / "experiments" / "e" / "curves.png").exists()


def test_a_plate_that_fails_late_is_listed_and_its_experiment_made_without_it(
    finished: tuple[Path, str, int],
) -> None:
    folder, said, _ = finished
    results = folder / "results" / "healthspan"
    assert not (results / "spoilt" / "frames.tsv").exists()
    plates = pd.read_csv(results / "plates.tsv", sep="\t").set_index("plate")
    assert plates.loc["spoilt", "status"] == "not computed", said[-3000:]
    assert plates.loc["spoilt", "remarks"].startswith("track: ")
    assert plates.loc["dim", "status"] == "unusable"
    assert not set(plates.loc[["good", "hurt"], "status"]) & {"not computed", "unusable"}
    left_out = pd.read_csv(results / "experiments" / "e" / "left_out.tsv", sep="\t")
    assert left_out["plate"].tolist() == ["dim", "spoilt"]
    failures = pd.read_csv(results / "failures.tsv", sep="\t")
    assert set(failures["plate"]) == {"dim", "spoilt"}


def test_a_second_run_makes_the_same_again_bit_for_bit(finished: tuple[Path, str, int]) -> None:
    folder = finished[0]
    made = [
        folder / "results" / "healthspan" / "good" / name
        for name in ("masks/t000-t002.json", "states.tsv", "tracks.tsv", "curves.svg", "curves.png")
    ]
    before = [path.read_bytes() for path in made]
    made[0].unlink()
    run(folder, "results/healthspan/good/curves.png", "--forcerun", "healthspan_detect")
    assert [path.read_bytes() for path in made] == before
