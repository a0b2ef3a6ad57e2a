"""What is kept of Snakemake's records, and read back."""

import ast
import inspect
import json
import re
from pathlib import Path

import pytest
import snakemake_executor_plugin_slurm as slurm

from snakescope.run.events import (
    NOT_SUBMITTED,
    SLURM_RUN,
    SLURM_STATE,
    SUBMITTED,
    events_of,
    failed_event,
    job_event,
    read_events,
    slurm_event,
    used,
)
from snakescope.step.errors import StepError
from tests.run.drawn_log import job


def test_of_a_job_its_requests_and_plain_paths_are_kept() -> None:
    event = job_event(job(7, "r", "a b.tsv (update)").__dict__)
    assert event["resources"] == {"mem_mb": 500, "runtime": 5, "gpu": 1}
    assert (event["job"], event["rule"], event["log"]) == (7, "r", "x.log")
    assert event["output"] == ["a b.tsv"]


def test_a_finished_job_states_what_it_used(tmp_path: Path) -> None:
    out, measured = tmp_path / "out.tif", tmp_path / "b.tsv"
    out.write_bytes(b"1" * 2_000_000)
    measured.write_text("s\th:m:s\tmax_rss\tcpu_time\n12.5\t0:00:12\t640.0\t11.0\n")
    event = job_event(job(7, "r", str(out), str(measured)).__dict__)
    found = used(event)
    assert (found["seconds"], found["cpu_seconds"], found["max_rss_mb"]) == (12.5, 11, 640)
    assert (found["output_mb"], found["files"], found["temporary_mb"]) == (2.0, 1, 0)
    found = used(event, frozenset({str(out)}))
    assert (found["output_mb"], found["files"], found["temporary_mb"]) == (0, 0, 2.0)


def test_a_step_too_short_to_be_measured_has_no_memory(tmp_path: Path) -> None:
    path = tmp_path / "b.tsv"
    path.write_text("s\tmax_rss\tcpu_time\n0.01\t-\tNA\n")
    for name, expected in ((str(path), (0.01, None, None)), ("absent", (None, None, None))):
        found = used(job_event(job(7, "r", "absent", name).__dict__))
        assert (found["seconds"], found["cpu_seconds"], found["max_rss_mb"]) == expected


REFUSED = (
    "SLURM sbatch failed. The error message was 'sbatch: error: Batch job submission failed:"
    " Requested time limit is invalid (missing or exceeds some limit)'."
)


@pytest.mark.parametrize(
    ("message", "state"),
    [
        ("For further error details see the log. SLURM status is: 'TIMEOUT'. ", "TIMEOUT"),
        (
            f"{REFUSED}\n    sbatch call:\n        sbatch --parsable --comment 'was'\n",
            "REFUSED Requested time limit is invalid (missing or exceeds some limit)",
        ),
        (None, ""),
    ],
)
def test_the_state_of_a_failed_attempt_is_that_of_slurm(message: str | None, state: str) -> None:
    event = failed_event({"rule_msg": message, "log": ["x.log", "slurm.log"]})
    assert (event["state"], event["log"]) == (state, "x.log")
    assert "--parsable" not in event["message"]


def test_jobs_of_slurm_are_events() -> None:
    told = slurm_event("Job 7 has been submitted with SLURM jobid 99 (log: /l/99.log).")
    assert told == ("submitted", {"job": 7, "slurm_job": "99", "slurm_log": "/l/99.log"})
    assert slurm_event("SLURM run ID: u-1") == ("slurm_run", {"name": "u-1"})
    assert slurm_event("Building DAG of jobs...") is None


@pytest.mark.parametrize("pattern", [SUBMITTED, SLURM_RUN, SLURM_STATE, NOT_SUBMITTED])
def test_the_installed_slurm_plugin_still_writes_the_words_that_are_looked_for(pattern) -> None:
    texts = [ast.unparse(node) for node in ast.walk(ast.parse(inspect.getsource(slurm)))
             if isinstance(node, ast.JoinedStr)]  # fmt: skip
    filled = [re.sub(r"\{[^{}]*\}", "7", text).replace("\\'", "'") for text in texts]
    assert any(map(pattern.search, filled)), f"{slurm.__file__}: {pattern.pattern}"


def test_a_line_cut_off_by_a_kill_is_left_out(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_bytes(b'{"event": "run_started"}\n7\n\x00\xff\n{}\n{"event": "job", "jo')
    assert [event["event"] for event in read_events(path)] == ["run_started"]


@pytest.mark.parametrize("text", ["", "\0\0\n", json.dumps({"event": "job"})])
def test_a_log_without_a_start_is_refused_with_a_sentence(tmp_path: Path, text: str) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text(text)
    with pytest.raises(StepError, match=f"{path}: expected the event log of a run"):
        events_of(path)
    with pytest.raises(StepError, match="absent: expected the event log of a run"):
        events_of(Path("absent"))
