"""A run does what changed since the last one, what follows from it, and nothing else."""

import json
import os
import shutil
from collections.abc import Iterable
from pathlib import Path

import pytest

from snakescope.healthspan.plates.manifest import stated_until
from tests.healthspan.clone import Workspace

AFTER_STATES = {
    "{plate}/tracks.tsv",
    "{plate}/curves.tsv",
    "{plate}/contact_sheet.png",
}


def of(plate: str, steps: Iterable[str]) -> set[str]:
    return {step.replace("{plate}", plate) for step in steps}


def blocks(pattern: str, *names: str) -> set[str]:
    return {f"{{plate}}/{pattern.format(name)}" for name in names}


def until_masks(*names: str) -> set[str]:
    return blocks("registered/{}.ome.tif", *names) | blocks("masks/{}.json", *names)


def states(*names: str) -> set[str]:
    return blocks("states/{}.tsv", *names)


EXPERIMENT_ONE = "experiments/one/survival.tsv"
PLATES = "plates.tsv"
EXPERIMENT_TWO = "experiments/two/survival.tsv"
FIRST, SECOND, THIRD, FOURTH = "t000-t002", "t003-t005", "t006-t008", "t009-t011"


def test_again_there_is_nothing_to_do_though_tiles_are_gone(done: Workspace) -> None:
    assert not list(done.root.glob("results/healthspan/*/tiles/*"))
    assert done.plan() == set()


def test_tiles_are_kept_where_they_are_asked_for(workspace: Workspace) -> None:
    workspace.config("keep_tiles: true\n")
    workspace.run("results/healthspan/a/masks/t000-t002.json")
    kept = {path.name for path in workspace.root.glob("results/healthspan/a/tiles/*")}
    assert kept == {"t000-t002.ome.tif", "t000-t002.tsv"}


def test_a_replaced_frame_redoes_its_block_its_plate_and_its_experiment(done: Workspace) -> None:
    done.frame("a", 4).write_bytes(b"another")
    expected = until_masks(SECOND) | states(FIRST, SECOND, THIRD) | AFTER_STATES
    assert done.plan() == of("a", expected) | {EXPERIMENT_ONE, PLATES}


def test_a_replaced_frame_at_the_end_leaves_distant_blocks_alone(done: Workspace) -> None:
    done.frame("c", 6).write_bytes(b"another")
    expected = until_masks(THIRD) | states(SECOND, THIRD) | AFTER_STATES
    assert done.plan() == of("c", expected) | {EXPERIMENT_TWO, PLATES}


def test_a_new_timepoint_fills_its_block_and_leaves_the_reference(done: Workspace) -> None:
    done.raw("b", 8)
    expected = until_masks(THIRD) | states(SECOND, THIRD) | AFTER_STATES
    assert done.plan() == of("b", expected) | {EXPERIMENT_ONE, PLATES}


def test_a_first_frame_replaced_by_an_older_file_redoes_the_whole_plate(done: Workspace) -> None:
    reference = done.root / "results/healthspan/a/reference.json"
    manifest = done.root / "results/healthspan/a/manifest/t000-t002.tsv"
    files = stated_until(manifest, 0)
    reference.write_text(json.dumps({"timepoint": 0, "files": files}))
    os.utime(reference, (reference.with_name("reference.ome.tif").stat().st_mtime,) * 2)
    assert done.plan() == set()
    done.raw("a", 8)
    assert "a/reference.ome.tif" not in done.plan()
    done.frame("a", 0).write_bytes(b"another")
    os.utime(done.frame("a", 0), (1_500_000_000, 1_500_000_000))
    expected = until_masks(FIRST, SECOND, THIRD) | {"{plate}/reference.ome.tif"}
    assert of("a", expected) <= done.plan()


def test_a_new_timepoint_may_begin_a_block(done: Workspace) -> None:
    done.raw("b", 10)
    new = until_masks(THIRD, FOURTH) | states(SECOND, THIRD, FOURTH)
    assert done.plan() == of("b", new | AFTER_STATES) | {EXPERIMENT_ONE, PLATES}


def test_touching_every_script_and_rule_redoes_nothing(done: Workspace) -> None:
    for folder in ("scripts", "rules", "envs", "resources"):
        for path in (done.root / folder).rglob("*"):
            os.utime(path)
    os.utime(done.root / "Snakefile")
    os.utime(done.root / "config/config.yaml")
    os.utime(done.root / "config/plates.tsv")
    assert done.plan() == set()


DETECTED = blocks("masks/{}.json", FIRST, SECOND, THIRD)
CLASSIFIED = states(FIRST, SECOND, THIRD)


@pytest.mark.parametrize(
    ("step", "expected"),
    [
        ("tile", DETECTED | CLASSIFIED | AFTER_STATES),
        ("detect", DETECTED | CLASSIFIED | AFTER_STATES),
        ("second_look", CLASSIFIED | AFTER_STATES),
        ("composite", CLASSIFIED | AFTER_STATES),
        ("evidence", CLASSIFIED | AFTER_STATES),
        ("classify", CLASSIFIED | AFTER_STATES),
        ("states_table", AFTER_STATES),
        ("track", AFTER_STATES),
    ],
)
def test_a_raised_version_redoes_that_step_and_what_follows(
    done: Workspace, step: str, expected: set[str]
) -> None:
    done.raise_version(step)
    plates = set().union(*(of(plate, expected) for plate in "abc"))
    assert done.plan() == plates | {
        EXPERIMENT_ONE,
        EXPERIMENT_TWO,
        PLATES,
    }


def test_a_changed_setting_redoes_its_step_and_what_follows(done: Workspace) -> None:
    done.config("survival: {experiment: {confidence: 0.9}}\n")
    assert done.plan() == {EXPERIMENT_ONE, EXPERIMENT_TWO}
    recorded = done.root / "results/healthspan/configuration.yaml"
    assert "confidence: 0.95" in recorded.read_text()
    done.run()
    assert "confidence: 0.9\n" in recorded.read_text()


def test_another_template_of_the_mark_redoes_the_references(done: Workspace) -> None:
    template = done.root / "mark.png"
    template.write_bytes(b"cross")
    done.config("registration: {mark_template: mark.png}\n")
    done.run("results/healthspan/a/reference.json")
    assert done.plan("results/healthspan/a/reference.json") == set()
    template.write_bytes(b"another")
    assert done.plan("results/healthspan/a/reference.json") == {"a/reference.ome.tif"}


def test_where_a_model_runs_is_no_reason_to_compute_again(done: Workspace) -> None:
    done.config(
        "detection: {detect: {device: cpu, views_per_batch: 8}}\n"
        "states: {classify: {device: auto, batch: 32, threads: 2}}\n"
    )
    assert done.plan() == set()
    masks = "results/healthspan/a/masks/t000-t002.json"
    done.run("--force", masks)
    # But the job is told; the stub writes its command line.
    assert '"views_per_batch":8' in (done.root / masks).read_text()
    done.config("detection: {detect: {score_threshold: 0.6}}\n")
    assert "a/masks/t000-t002.json" in done.plan()


def test_the_threads_of_a_model_are_asked_for(done: Workspace) -> None:
    done.config("states: {classify: {threads: 2}}\n")
    told = done.snakemake("--dry-run", "--force", "results/healthspan/a/states/t000-t002.tsv")
    assert "threads: 2" in told.stdout + told.stderr


def test_other_weights_redo_the_detection_and_what_follows(done: Workspace) -> None:
    done.weights("detector", content=b"others")
    plan = done.plan()
    assert {"a/masks/t000-t002.json", "a/tracks.tsv"} <= plan
    assert not {path for path in plan if "registered" in path or "reference" in path}


def test_a_condition_in_the_sheet_redoes_the_curves_but_no_images(done: Workspace) -> None:
    done.sheet("a|one|N2|raw/a|0|60|", "b|one|age-1|raw/b|||", "c|two|N2|raw/c|||")
    assert done.plan() == {"b/curves.tsv", "b/contact_sheet.png", EXPERIMENT_ONE, PLATES}


def test_a_plate_more_leaves_the_others_alone(done: Workspace) -> None:
    done.raw("d", 2)
    rows = (done.root / "config/plates.tsv").read_text().splitlines()[1:]
    done.sheet(*(row.replace("\t", "|") for row in rows), "d|two|N2|raw/d|||")
    plan = done.plan()
    assert {path for path in plan if not path.startswith("d/")} == {EXPERIMENT_TWO, PLATES}
    assert "d/tracks.tsv" in plan


def test_a_run_after_a_change_leaves_nothing_to_do(done: Workspace) -> None:
    done.frame("a", 4).write_bytes(b"another")
    planned = done.plan()
    assert done.run() == planned
    assert done.plan() == set()


def corrections(done: Workspace, name: str, text: str = "corrected") -> Path:
    path = done.root / "corrections" / name
    path.parent.mkdir(exist_ok=True)
    path.write_text(text)
    return path


REVIEWED = {"a/corrected/tracks.tsv", "a/curves.tsv", "a/contact_sheet.png", EXPERIMENT_ONE, PLATES}
REVIEWED |= {"experiments/one/conclusion.tsv"}
"""What is made of corrections of plate a: no images, nothing of other plates."""


def test_corrections_redo_the_tables_of_their_plate_and_its_experiment(done: Workspace) -> None:
    path = corrections(done, "a.anna.tsv")
    corrections(done, "z.anna.tsv")
    assert done.plan() == REVIEWED
    assert done.run() == REVIEWED
    # The stub writes its command line.
    for made in ("a/curves.tsv", "a/contact_sheet.png", "experiments/one/survival.tsv"):
        told = (done.root / "results/healthspan" / made).read_text()
        assert "results/healthspan/a/corrected/individuals.tsv" in told
        assert "results/healthspan/a/individuals.tsv" not in told
        assert "b/corrected" not in told
    assert done.plan() == set()
    # A second scorer; another content with an old time; and none any more.
    corrections(done, "a.ben.tsv")
    assert done.run() == REVIEWED
    path.write_text("another")
    os.utime(path, (1_500_000_000, 1_500_000_000))
    assert done.run() == REVIEWED
    shutil.rmtree(path.parent)
    assert done.plan() == REVIEWED - {"a/corrected/tracks.tsv", "experiments/one/conclusion.tsv"}


def test_pages_of_review_are_made_when_asked_for_and_once(done: Workspace) -> None:
    pages = {"a/review.html", "b/review.html", "c/review.html", "review.html"}
    assert done.run("healthspan_review") == pages
    # Who corrects a plate changes what counts, not the page: it shows what the machine says.
    corrections(done, "a.anna.tsv")
    expected = REVIEWED - {"a/contact_sheet.png", EXPERIMENT_ONE, PLATES} | {"review.html"}
    assert done.plan("healthspan_review") == expected


def test_corrections_that_nobody_can_use_are_told(done: Workspace) -> None:
    corrections(done, "z.anna.tsv")
    corrections(done, "notes.tsv")
    told = done.snakemake("--dry-run")
    text = told.stdout + told.stderr
    assert "z.anna.tsv: config/plates.tsv has no plate z; it is not used" in text
    assert "notes.tsv: expected a file of corrections named PLATE.SCORER.tsv" in text
    assert done.plan() == set()
