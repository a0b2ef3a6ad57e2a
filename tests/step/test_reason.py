"""Why a job failed."""

from pathlib import Path

import pytest

from snakescope.step.reason import reason


def test_the_reason_is_the_sentence_of_the_step(tmp_path: Path) -> None:
    log = tmp_path / "a.log"
    log.write_text("detect: 3 of 10\nerror: a.tif: expected 440 px, found 12; export it again\n\n")
    assert reason(log) == "a.tif: expected 440 px, found 12; export it again"


def test_a_traceback_is_called_a_defect(tmp_path: Path) -> None:
    log = tmp_path / "a.log"
    log.write_text("Traceback (most recent call last):\n  ...\nValueError: no\n")
    assert reason(log) == "a defect, not bad input: ValueError: no"


def test_a_killed_job_says_nothing_itself(tmp_path: Path) -> None:
    assert reason(tmp_path / "absent.log").startswith("ended without a word")


@pytest.mark.parametrize(
    ("state", "text"),
    [
        ("TIMEOUT", "over its time, says Slurm (TIMEOUT)"),
        ("CANCELLED by 1000", "cancelled, says Slurm (CANCELLED by 1000)"),
        ("FAILED", "ended without a word: killed, or out of memory or time; its last line: 3 of 9"),
    ],
)
def test_a_job_that_was_ended_from_outside_is_no_defect(
    tmp_path: Path, state: str, text: str
) -> None:
    log = tmp_path / "a.log"
    log.write_text("1 of 9\n3 of 9\n")
    assert reason(log, state) == text


def test_a_job_that_slurm_did_not_take_has_no_reason_in_its_log(tmp_path: Path) -> None:
    log = tmp_path / "a.log"
    log.write_text("error: of an attempt before\n")
    said = reason(log, "REFUSED Requested time limit is invalid")
    assert said.startswith("Slurm did not take the job: Requested time limit is invalid; adapt")
