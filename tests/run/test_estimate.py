"""Estimates and what was used, from events."""

import os
from argparse import Namespace
from pathlib import Path

import pandas as pd
import pytest

from snakescope.run import estimate, summary
from snakescope.run.estimate import ASSUMED, MEASURED, bounds_s, cost_of, earlier
from snakescope.run.summary import Job, by_rule, compared, jobs_of, size_of
from tests.run.drawn_log import GONE, write_run


def planned(number: int, rule: str = "r", block: str = "t000-t009", **keys: object) -> dict:
    resources = {"mem_mb": 1000, "runtime": 30, "gpu": keys.pop("gpu", None)}
    given = {
        "event": "job", "job": number, "rule": rule, "wildcards": {"plate": "p", "block": block},
        "threads": 1, "resources": resources, "input": [], "output": [f"{number}.out"], "log": "l",
        "time": "2026-01-01T00:00:00Z",
    }  # fmt: skip
    return {**given, **keys}


def done(number: int, seconds: float | None, **keys: object) -> dict:
    used = {"seconds": seconds, "cpu_seconds": seconds, "max_rss_mb": seconds, "output_mb": 5.0}
    event = {"event": "finished", "job": number, "rule": "r", "wildcards": {"plate": "p"}}
    return {**event, "time": "2026-01-01T00:01:00Z", **used, "temporary_mb": 5.0, **keys}


def one(*events: dict) -> Job:
    (job,) = jobs_of(events)
    return job


@pytest.mark.parametrize(
    ("wildcards", "size"),
    [
        ({"plate": "a-1", "block": "t010-t029"}, 20),
        ({"plate": "p"}, 1),
        ({"plate": "5-4"}, 1),
        ({"plate": "a12-20", "block": "t010-t019"}, 10),
        ({"block": "t003-t003"}, 1),
    ],
)
def test_the_size_of_a_job_is_the_length_of_its_block(wildcards, size) -> None:
    assert size_of(wildcards) == size


def test_a_job_is_one_however_often_it_is_tried_and_a_target_is_none() -> None:
    unknown = {"mem_mb": "<TBD>", "runtime": 5, "gpu": 1}
    events = [planned(1, resources=unknown), planned(1), planned(0, output=[]), done(1, 3.0)]
    job = one(*events)
    assert (job["attempts"], job["requested_mb"], job["requested_s"]) == (2, 1000, 1800)
    assert (one(events[0])["requested_mb"], one(events[0])["gpu"]) == (0, True)
    assert job["seconds"] == 3 and "seconds" not in one(events[0])


def test_earlier_jobs_come_before_the_table_and_the_table_before_the_request() -> None:
    like = [one(planned(n), done(n, seconds)) for n, seconds in ((1, 10), (2, 30), (3, 50))]
    known = {("r", False): like}
    cost = cost_of(one(planned(9, block="t000-t019")), known)
    assert (cost["seconds"], cost["max_rss_mb"], cost["output_mb"]) == (60, 50, 10)
    assert (cost["basis"], cost["source"]) == (MEASURED, "3 earlier jobs")
    # Nobody measured these on a GPU.
    for gpu, basis in ((None, MEASURED), (1, ASSUMED)):
        cost = cost_of(one(planned(9, "s", gpu=gpu, cost=[900.0, 7.0, 5.0])), known)
        assert (cost["seconds"], cost["max_rss_mb"], cost["basis"]) == (7, 900, basis)
    cost = cost_of(one(planned(9, threads=3, gpu=1)), known)
    assert (cost["seconds"], cost["cpu_seconds"], cost["max_rss_mb"]) == (1800, 5400, 1000)
    assert (cost["basis"], "not measured" in cost["source"]) == (ASSUMED, True)


def test_a_run_without_slurm_measures_no_gpu(tmp_path: Path) -> None:
    events = [planned(1, gpu=1), planned(2, gpu=0), planned(3), done(1, 3.0), done(2, 3.0)]
    write_run(tmp_path, GONE, *events, name="1")
    assert {key: len(jobs) for key, jobs in earlier(tmp_path).items()} == {("r", False): 2}
    write_run(tmp_path, GONE, {"event": "slurm_run", "name": "u-1"}, *events, name="2")
    assert {key: len(jobs) for key, jobs in earlier(tmp_path).items()} == {
        ("r", False): 3,
        ("r", True): 1,
    }


def test_lines_add_up_and_tell_temporaries_apart() -> None:
    events = [planned(1, gpu=1), done(1, 3600), planned(2, gpu=1), done(2, 1800), planned(3, "s"),
              done(3, None), planned(4, "s")]  # fmt: skip
    table = by_rule(jobs_of(events)).set_index("rule")
    assert list(table.index) == ["r", "s", "all"]
    assert table.jobs.tolist() == [2, 1, 3] and table.attempts.tolist() == [2, 2, 4]
    assert (table.gpu_h["r"], table.cpu_h["all"], table.peak_mb["all"]) == (1.5, 1.5, 3600)
    assert (table.results_mb["all"], table.temporary_mb["r"]) == (15, 10)


def test_a_run_takes_at_least_its_longest_chain_its_cores_and_its_gpus() -> None:
    jobs = jobs_of([
        planned(1, gpu=1), done(1, 10), planned(2, input=["1.out", "raw.tif"]), done(2, 20),
        planned(3, threads=2), done(3, 100, cpu_seconds=200), planned(4, gpu=1), done(4, 50),
    ])  # fmt: skip
    assert list(bounds_s(jobs, 4, 1).values()) == [100, 70, 60]
    assert list(bounds_s(jobs[:2], 1, 0).values()) == [30, 30, float("inf")]
    assert bounds_s(jobs, 1, 1)["1 cores"] == float("inf")


def test_what_was_used_stands_with_what_was_estimated() -> None:
    used = by_rule(jobs_of([planned(1, gpu=1), done(1, 1800)]))
    expected = pd.DataFrame([{"rule": "r", "jobs": 2, "cpu_h": 0.25, "gpu_h": 1, "peak_mb": 900,
                              "results_mb": 500, "temporary_mb": 0}])  # fmt: skip
    row, total = compared(used, expected).to_dict("records")
    assert (row["jobs"], row["cpu_h"], row["gpu_h"]) == ("1/2", "0.50/0.25", "0.50/1.00")
    assert total["jobs"] == "1"


def test_the_summary_names_jobs_that_failed_for_good(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    lost = {**done(1, None), "event": "failed", "log": "l", "state": "TIMEOUT", "message": ""}
    lost["time"] = "2026-01-01T00:02:00Z"
    path = write_run(tmp_path, GONE, planned(1), lost, planned(1), lost)
    summary.main(Namespace(log=path))
    said = capsys.readouterr().out
    assert "not ended, or killed, after 2 min" in said.replace("120 s", "2 min")
    assert "1 jobs failed for good" in said and "r p, 2 attempts: over its time" in said
    assert path.with_suffix(".used.tsv").exists()


def test_an_estimate_says_which_figures_nobody_measured(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    options = Namespace(arguments=[], snakefile=Path("Snakefile"), cores=4, gpus=1)
    events = [
        planned(1, gpu=1, cost=[900.0, 7200.0, 5.0]),
        planned(2, "s", cost=[90.0, 60.0, float("nan")]),
    ]
    for plan, assumed in ((events, True), (events[1:], False)):
        monkeypatch.setattr(estimate, "plan", lambda *_, plan=plan: plan)
        estimate.main(options)
        said = capsys.readouterr().out
        assert ("ASSUMED, NOT MEASURED: r, 2.00 of 2.00 GPU-hours" in said) == assumed
        assert "Wall time at least" in said
    table = pd.read_csv("logs/runs/estimate.tsv", sep="\t").set_index("rule")
    assert (table.jobs["s"], table.basis["s"]) == (1, MEASURED)
    monkeypatch.setattr(estimate, "plan", lambda *_: [planned(1, "wide", threads=8)])
    estimate.main(options)
    said = capsys.readouterr().out
    assert "wide asks for 8 threads, more than --cores 4" in said and "inf" not in said
    monkeypatch.setattr(estimate, "plan", lambda *_: [])
    estimate.main(options)
    assert capsys.readouterr().out == "nothing to be done\n"


@pytest.mark.parametrize(
    ("arguments", "cores"),
    [
        ([], None),
        (["-c", "4"], 4),
        (["--cores=3", "healthspan"], 3),
        (["-j6"], 6),
        (["--cores", "all"], None),
        (["--profile", "slurm"], 32),
        (["--executor=slurm", "--cores", "1"], 32),
    ],
)
def test_a_run_has_this_machine_unless_it_goes_to_a_cluster(
    arguments: list[str], cores: int | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SNAKEMAKE_PROFILE", raising=False)
    assert estimate.machine(arguments)[0] == (cores or len(os.sched_getaffinity(0)))


def test_without_a_gpu_what_would_use_one_runs_on_processors(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    events = [planned(1, gpu=1, cost=[900.0, 7200.0, 5.0])]
    monkeypatch.setattr(estimate, "plan", lambda *_: events)
    estimate.main(Namespace(arguments=[], snakefile=Path("Snakefile"), cores=2, gpus=0))
    said = capsys.readouterr().out
    assert "at least 2.0 h" in said and "ASSUMED" not in said
    assert pd.read_csv("logs/runs/estimate.tsv", sep="\t").gpu_h.tolist() == [0, 0]
