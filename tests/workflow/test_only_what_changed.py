"""A run does what changed since the last one, what follows from it, and nothing else."""

import os
from collections.abc import Iterable
from pathlib import Path

import pytest

from tests.workflow.conftest import Workspace

AFTER_STATES = {
    "states_table {plate}/states.tsv",
    "track {plate}/tracks.tsv",
    "curves {plate}/curves.tsv",
    "contact_sheet {plate}/contact_sheet.png",
    "quality {plate}/quality.html",
}


def of(plate: str, steps: Iterable[str]) -> set[str]:
    return {step.replace("{plate}", plate) for step in steps}


def blocks(step: str, pattern: str, *names: str) -> set[str]:
    return {f"{step} {{plate}}/{pattern.format(name)}" for name in names}


def until_masks(*names: str) -> set[str]:
    return (
        blocks("register", "registered/{}.ome.tif", *names)
        | blocks("tile", "tiles/{}.ome.tif", *names)
        | blocks("detect", "masks/{}.json", *names)
    )


def from_composites(*names: str) -> set[str]:
    return blocks("composite", "composites/{}.tif", *names) | blocks(
        "classify", "states/{}.tsv", *names
    )


FRAMES = {"frames_table {plate}/frames.tsv", "provenance {plate}/provenance.json"}
EXPERIMENT_ONE = "experiment experiments/one/survival.tsv"
PLATES = "plates_table plates.tsv"
FIRST, SECOND, THIRD, FOURTH = "t000-t002", "t003-t005", "t006-t008", "t009-t011"


@pytest.fixture
def done(workspace: Workspace) -> Workspace:
    """Everything has been computed once."""
    assert len(workspace.run()) == 72
    return workspace


def test_again_there_is_nothing_to_do_though_tiles_are_gone(done: Workspace) -> None:
    assert not list(done.root.glob("results/healthspan/*/tiles/*"))
    assert done.run() == set()


def test_a_replaced_frame_redoes_its_block_its_plate_and_its_experiment(done: Workspace) -> None:
    done.frame("a", 4).write_bytes(b"another")
    expected = until_masks(SECOND) | from_composites(FIRST, SECOND, THIRD) | FRAMES | AFTER_STATES
    assert done.run() == of("a", expected) | {EXPERIMENT_ONE, PLATES}


def test_a_replaced_frame_at_the_end_leaves_distant_blocks_alone(done: Workspace) -> None:
    done.frame("c", 6).write_bytes(b"another")
    expected = until_masks(THIRD) | from_composites(SECOND, THIRD) | FRAMES | AFTER_STATES
    assert done.run() == of("c", expected) | {"experiment experiments/two/survival.tsv", PLATES}


def test_a_new_timepoint_fills_its_block_and_leaves_the_reference(done: Workspace) -> None:
    done.raw("b", 8)
    expected = until_masks(THIRD) | from_composites(SECOND, THIRD) | FRAMES | AFTER_STATES
    assert done.run() == of("b", expected) | {EXPERIMENT_ONE, PLATES}


def test_a_new_timepoint_may_begin_a_block(done: Workspace) -> None:
    done.raw("b", 10)
    new = until_masks(THIRD, FOURTH) | from_composites(SECOND, THIRD, FOURTH)
    assert done.run() == of("b", new | FRAMES | AFTER_STATES) | {EXPERIMENT_ONE, PLATES}


def test_touching_every_script_and_rule_redoes_nothing(done: Workspace) -> None:
    for folder in ("scripts", "rules", "envs", "resources"):
        for path in (done.root / folder).rglob("*"):
            os.utime(path)
    os.utime(done.root / "Snakefile")
    os.utime(done.root / "config/config.yaml")
    os.utime(done.root / "config/plates.tsv")
    assert done.run() == set()


@pytest.mark.parametrize(
    ("step", "expected"),
    [
        ("track", AFTER_STATES - {"states_table {plate}/states.tsv"}),
        ("composite", from_composites(FIRST, SECOND, THIRD) | AFTER_STATES),
        (
            "tile",
            (
                until_masks(FIRST, SECOND, THIRD)
                | from_composites(FIRST, SECOND, THIRD)
                | AFTER_STATES
            )
            - blocks("register", "registered/{}.ome.tif", FIRST, SECOND, THIRD),
        ),
    ],
)
def test_a_raised_version_redoes_that_step_and_what_follows(
    done: Workspace, step: str, expected: set[str]
) -> None:
    done.set_version(step, 2)
    plates = set().union(*(of(plate, expected) for plate in "abc"))
    assert done.run() == plates | {
        EXPERIMENT_ONE,
        "experiment experiments/two/survival.tsv",
        PLATES,
    }


def test_a_changed_setting_redoes_its_step_and_what_follows(done: Workspace) -> None:
    done.config("experiment:\n  confidence: 0.9\n")
    assert done.run() == {EXPERIMENT_ONE, "experiment experiments/two/survival.tsv"}


def test_other_weights_redo_the_detection(done: Workspace) -> None:
    card = done.root / "resources/models/detector.json"
    card.parent.mkdir(exist_ok=True)
    card.write_text('{"sha256": "0123"}')
    ran = done.run()
    assert {line.split()[0] for line in ran} >= {"tile", "detect", "composite", "track"}
    assert not {line for line in ran if line.startswith(("register", "reference", "frames"))}


def test_a_condition_in_the_sheet_redoes_curves_and_experiment_only(done: Workspace) -> None:
    done.sheet("a|one|N2|raw/a|0|60|", "b|one|age-1|raw/b|||", "c|two|N2|raw/c|||")
    ran = done.run()
    assert {line.split()[0] for line in ran} == {
        "curves",
        "quality",
        "experiment",
        "plates_table",
    }
    assert not {line for line in ran if " a/" in line or " c/" in line}


def test_a_plate_more_leaves_the_others_alone(done: Workspace) -> None:
    done.raw("d", 2)
    done.sheet(
        "a|one|N2|raw/a|0|60|", "b|one|daf-16|raw/b|||", "c|two|N2|raw/c|||", "d|two|N2|raw/d|||"
    )
    ran = done.run()
    assert not {line for line in ran if " a/" in line or " b/" in line or " c/" in line}
    assert {"experiment experiments/two/survival.tsv", PLATES} <= ran
    assert EXPERIMENT_ONE not in ran


def test_a_repaired_file_of_the_results_is_made_again(done: Workspace) -> None:
    Path(done.root, "results/healthspan/a/summary.tsv").unlink()
    ran = done.run("results/healthspan/a/summary.tsv")
    assert ran == {"curves a/curves.tsv"}
