"""Plates that are excluded, unusable or fail: the others finish, and the table says why."""

import csv

import pytest

from snakescope.healthspan.settings import HealthspanSettings
from snakescope.healthspan.tree import Healthspan
from snakescope.tree.failures import Failure
from tests.healthspan.clone import Workspace

EXPERIMENT_ONE = "experiments/one/survival.tsv"
EXPERIMENT_TWO = "experiments/two/survival.tsv"
ROWS = ("a|one|N2|raw/a|0|60|", "b|one|daf-16|raw/b|||", "c|two|N2|raw/c|||")


def table(workspace: Workspace, name: str) -> list[dict[str, str]]:
    with open(workspace.root / "results/healthspan" / name, encoding="utf-8") as file:
        return list(csv.DictReader(file, delimiter="\t"))


def failures(workspace: Workspace) -> list[dict[str, str]]:
    return table(workspace, "failures.tsv")


def test_an_unusable_plate_fails_with_its_sentence_while_the_others_finish(
    done: Workspace,
) -> None:
    workspace = done
    workspace.frame("a", 6).write_bytes(b"another")
    workspace.sheet(*ROWS, "empty|one|N2|raw/empty|||")
    (workspace.root / "raw/empty").mkdir()
    ended = workspace.snakemake("--keep-going")
    assert ended.returncode != 0
    assert "experiments/one/survival.tsv" in workspace.ran
    assert not {line for line in workspace.ran if line.startswith("empty/")}
    (failure,) = failures(workspace)
    assert (failure["plate"], failure["rule"]) == ("empty", "unusable")
    assert failure["reason"].startswith("raw/empty: expected images")
    assert failure["reason"] in ended.stdout + ended.stderr
    assert workspace.snakemake("--keep-going").returncode != 0
    assert workspace.ran == set()


def test_an_excluded_plate_is_not_computed_and_no_failure(workspace: Workspace) -> None:
    workspace.sheet(*ROWS[:2], "c|two|N2|raw/c|||fogged from day 3")
    plan = workspace.plan()
    assert "a/curves.tsv" in plan
    assert not {line for line in plan if line.startswith("c/") or "/two/" in line}
    status = (workspace.root / "results/healthspan/status.tsv").read_text()
    assert "c\ttwo\tN2\texcluded\tfogged from day 3" in status


def test_a_failing_job_is_listed_with_its_sentence_and_its_log(done: Workspace) -> None:
    workspace = done
    workspace.frame("a", 4).write_bytes(b"another")
    workspace.frame("b", 6).write_bytes(b"another")
    ended = workspace.snakemake("--keep-going", STUB_FAILS="healthspan/a/masks/t003")
    assert ended.returncode != 0
    (failure,) = failures(workspace)
    assert (failure["plate"], failure["rule"], failure["block"]) == ("a", "detect", "t003-t005")
    assert failure["reason"].endswith("made to fail")
    assert (workspace.root / failure["log"]).is_file()
    assert "made to fail" in ended.stdout + ended.stderr
    assert "b/curves.tsv" in workspace.ran
    workspace.run()
    assert not (workspace.root / "results/healthspan/failures.tsv").exists()


def test_a_misspelt_key_stops_the_run_with_one_sentence(workspace: Workspace) -> None:
    workspace.config("tracking:\n  gap: 3\n")
    ended = workspace.snakemake("-n")
    assert ended.returncode != 0
    assert "healthspan.tracking.gap" in ended.stdout + ended.stderr
    assert "Traceback" not in ended.stdout + ended.stderr


def test_a_misspelt_column_stops_the_run_with_one_sentence(workspace: Workspace) -> None:
    sheet = workspace.root / "config/plates.tsv"
    sheet.write_text(sheet.read_text().replace("condition", "conditon"))
    ended = workspace.snakemake("-n")
    assert ended.returncode != 0
    assert "conditon" in ended.stdout + ended.stderr
    assert "did you mean condition" in ended.stdout + ended.stderr


def test_absent_or_other_weights_stop_the_run_before_its_first_job(workspace: Workspace) -> None:
    weights = workspace.root / "resources/models/healthspan/states_vit.safetensors"
    workspace.config(f"states:\n  classify:\n    weights: {weights.relative_to(workspace.root)}\n")
    ended = workspace.snakemake()
    said = ended.stdout + ended.stderr
    assert ended.returncode != 0 and workspace.ran == set()
    assert "states_vit.safetensors: expected model weights, found no such file" in said
    assert (
        '{"training": {"classifier": {"architecture": "vit"}}}' in said and "Traceback" not in said
    )
    workspace.weights(str(weights.relative_to(workspace.root)))
    weights.write_bytes(b"damaged")
    ended = workspace.snakemake()
    assert ended.returncode != 0 and workspace.ran == set()
    assert "expected weights with SHA-256" in ended.stdout + ended.stderr
    # What needs no model is made all the same.
    registered = "a/registered/t000-t002.ome.tif"
    assert registered in workspace.run(f"results/healthspan/{registered}")
    workspace.weights(str(weights.relative_to(workspace.root)))
    assert "a/curves.tsv" in workspace.run()


def test_after_a_failed_update_earlier_results_do_not_pass_for_new_ones(done: Workspace) -> None:
    done.frame("a", 4).write_bytes(b"another")
    planned = done.plan()
    ended = done.snakemake("--keep-going", STUB_FAILS="healthspan/a/registered/t003")
    assert ended.returncode != 0
    assert done.plan() == planned


def test_a_version_raised_for_tiles_is_remembered_though_cutting_them_failed(
    done: Workspace,
) -> None:
    done.raise_version("tile")
    ended = done.snakemake("--keep-going", STUB_FAILS="healthspan/a/tiles/t003")
    assert ended.returncode != 0
    assert {"a/masks/t003-t005.json", "a/tracks.tsv"} <= done.plan()


@pytest.mark.parametrize("options", [(), ("--keep-going",)])
def test_a_plate_that_fails_leaves_its_experiment_to_the_others(
    workspace: Workspace, options: tuple[str, ...]
) -> None:
    ended = workspace.snakemake(*options, STUB_FAILS="healthspan/a/masks/t003")
    assert ended.returncode != 0
    assert {EXPERIMENT_ONE, EXPERIMENT_TWO, "plates.tsv", "b/curves.tsv"} <= workspace.ran
    assert not {line for line in workspace.ran if line.startswith("a/curves")}
    survival = (workspace.root / "results/healthspan" / EXPERIMENT_ONE).read_text()
    assert "healthspan/b/individuals.tsv" in survival
    assert "healthspan/a/" not in survival
    (left_out,) = table(workspace, "experiments/one/left_out.tsv")
    assert (left_out["plate"], left_out["status"]) == ("a", "not computed")
    assert left_out["reason"].startswith("detect t003-t005: ")
    assert left_out["reason"].endswith("made to fail")
    status = {row["plate"]: row for row in table(workspace, "status.tsv")}
    assert status["a"]["reason"] == left_out["reason"]
    assert (status["b"]["status"], status["c"]["status"]) == ("included", "included")


def test_a_plate_that_failed_is_tried_again_and_joins_its_experiment(workspace: Workspace) -> None:
    assert workspace.snakemake(STUB_FAILS="healthspan/a/tracks").returncode != 0
    workspace.run()
    assert workspace.ran == {
        "a/tracks.tsv", "a/curves.tsv", "a/contact_sheet.png", EXPERIMENT_ONE, "plates.tsv",
    }  # fmt: skip
    survival = (workspace.root / "results/healthspan" / EXPERIMENT_ONE).read_text()
    assert "healthspan/a/individuals.tsv" in survival
    assert table(workspace, "experiments/one/left_out.tsv") == []
    assert workspace.plan() == set()


def test_a_plate_that_failed_and_is_then_excluded_leaves_little_to_do(done: Workspace) -> None:
    done.frame("a", 6).write_bytes(b"another")
    assert done.snakemake(STUB_FAILS="healthspan/a/tracks").returncode != 0
    assert "healthspan/a/" not in (done.root / "results/healthspan" / EXPERIMENT_ONE).read_text()
    done.sheet("a|one|N2|raw/a|0|60|fogged", *ROWS[1:])
    # What was compared after the run, outside of a job, is compared once more.
    assert done.plan() == {EXPERIMENT_ONE, "plates.tsv"}


def test_a_plate_without_a_quality_page_stays_in_its_experiment(done: Workspace) -> None:
    done.frame("a", 6).write_bytes(b"another")
    assert done.snakemake(STUB_FAILS="healthspan/a/quality").returncode != 0
    assert "healthspan/a/" in (done.root / "results/healthspan" / EXPERIMENT_ONE).read_text()
    assert "healthspan/a/" not in (done.root / "results/healthspan/plates.tsv").read_text()
    (row,) = [row for row in table(done, "status.tsv") if row["plate"] == "a"]
    assert row["status"] == "included"
    assert row["reason"].startswith("pages: ")
    assert done.plan() == {"a/contact_sheet.png", "plates.tsv"}


def test_nothing_is_compared_while_another_plate_is_unfinished(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(workspace.root)
    tree = Healthspan(HealthspanSettings(), scans=True)
    tree.open()
    failed = [Failure("a", "detect", "t000-t002", "no", "log", 1)]
    planned = {f"results/healthspan/{name}" for name in ("plates.tsv", EXPERIMENT_ONE)}
    page = "Pages of plates that failed:\n  results/healthspan/a/problem.html"
    assert tree.without_failed(failed, {"a", "b"}, planned) == [page]
    experiment = [Failure("one", "experiment", "", "no", "log", 1)]
    assert tree.without_failed(experiment, {"one"}, planned) == []
    # A run of some files of a plate leaves the experiment as it is.
    masks = {"results/healthspan/a/masks/t000-t002.json"}
    assert tree.without_failed(failed, {"a"}, masks) == [page]
    assert not (workspace.root / "results/healthspan/plates.tsv").exists()
    assert not (workspace.root / "results/healthspan/experiments/one/survival.tsv").exists()


def test_a_section_named_twice_stops_the_run(workspace: Workspace) -> None:
    file = workspace.root / "config/config.yaml"
    file.write_text(file.read_text() + "healthspan:\n  plates:\n    interval_h: 12\n")
    ended = workspace.snakemake()
    assert ended.returncode != 0 and workspace.ran == set()
    assert "config/config.yaml, line 3: expected every key once" in ended.stdout + ended.stderr
