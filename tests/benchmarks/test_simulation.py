"""The model of a cluster, and the table of costs that it takes."""

from pathlib import Path

import pytest

from benchmarks.workflow.measured import (
    Cost,
    Job,
    Measured,
    Row,
    dependencies,
    earlier,
    planned_jobs,
    read_rows,
    rows_of,
    tasks_of,
)
from benchmarks.workflow.measured import text_of as measured_text
from benchmarks.workflow.simulation import Cluster, Task, lower_bounds, simulate
from snakescope import REPOSITORY
from snakescope.run.summary import size_of
from snakescope.step.errors import StepError

UNIT = Cost(2.0, 1.5, 900.0, 10.0, 0.0, 2.0, "measured")
SWIFT = Cluster(cores=2, gpus=1, jobs=100, submit_s=0, start_s=0, poll_s=1e-3, poll_step_s=0)


def job(number: int, rule: str = "r", block: str = "t000-t009", **more: object) -> Job:
    given = {
        "number": number, "rule": rule, "wildcards": {"plate": "p", "block": block},
        "size": size_of({"block": block}), "threads": 1, "mem_mb": 1000.0, "runtime_min": 30.0,
        "gpus": None, "inputs": (), "outputs": (f"{number}.out",),
    }  # fmt: skip
    return Job(**{**given, **more})  # type: ignore[arg-type]


def test_a_job_is_planned_once_however_often_it_is_tried() -> None:
    resources = {"mem_mb": "<TBD>", "runtime": 5, "gpu": 1}
    event = {"event": "job", "job": 1, "rule": "r", "wildcards": {}, "threads": 1,
             "resources": resources, "input": ["a"], "output": ["b"]}  # fmt: skip
    target = {**event, "job": 0, "output": []}
    (found,) = planned_jobs([event, event, target, {"event": "finished", "job": 1}])
    assert (found.mem_mb, found.runtime_min, found.gpus) == (None, 5, 1)


def test_jobs_wait_for_those_that_make_their_inputs() -> None:
    jobs = [job(1), job(2, inputs=("1.out", "raw.tif"))]
    assert dependencies(jobs) == {1: set(), 2: {1}}
    assert tasks_of(jobs, {1: UNIT, 2: UNIT})[2].after == (1,)


def test_earlier_runs_come_before_the_table_and_the_table_before_the_request() -> None:
    rows = [Row("r", "cpu", 3.0, UNIT), Row("r", "cuda", 5.0, UNIT)]
    known = Measured(rows, {("s", "cpu"): UNIT})
    assert known.cost(job(1)).seconds == 3 + 2 * 10
    assert known.cost(job(1, gpus=1)).seconds == 5 + 2 * 10
    assert known.cost(job(1, "s")).seconds == 2 * 10
    unknown = known.cost(job(1, "t"))
    assert (unknown.seconds, unknown.max_rss_mb) == (1800, 1000)
    assert "not measured" in unknown.source
    on_cpu = Measured(rows[:1], {}).cost(job(1, gpus=1))
    assert on_cpu.source == "measured, on the CPU"
    assert (unknown.assumed, on_cpu.assumed, known.cost(job(1)).assumed) == (True, True, False)


def test_costs_of_earlier_jobs_are_medians_per_timepoint() -> None:
    def done(seconds: float, block: str) -> dict:
        return {"event": "finished", "rule": "r", "wildcards": {"block": block}, "seconds": seconds,
                "cpu_seconds": seconds, "max_rss_mb": seconds, "output_mb": 5.0, "files": 1,
                "temporary_mb": 5.0}  # fmt: skip

    events = [done(10, "t000-t009"), done(4, "t010-t011"), done(60, "t012-t021")]
    cost = earlier([*events, {**events[0], "seconds": None}])["r"]
    assert (cost.seconds, cost.max_rss_mb, cost.temporary_mb) == (2.0, 60, 0.5)
    assert cost.source == "3 earlier jobs"


def test_rows_of_a_run_tell_the_start_from_the_work(tmp_path: Path) -> None:
    def done(seconds: float, block: str) -> dict:
        return {"event": "finished", "rule": "r", "wildcards": {"block": block}, "seconds": 99.0,
                "cpu_seconds": seconds, "max_rss_mb": 10, "output_mb": 5.0, "files": 1,
                "temporary_mb": 5.0}  # fmt: skip

    rows = rows_of([done(23, "t000-t009")], [done(3, "t000-t002")], "cpu", "here")
    rows.append(Row("r", "cuda", 1.0, Cost(1.0, 1.0, 1.0, 1.0, 1.0, 1.0, "a guess", assumed=True)))
    assert [(row.start_s, row.cost.seconds) for row in rows] == [(3, 2.0), (1.0, 1.0)]
    path = tmp_path / "m.tsv"
    path.write_text(measured_text(rows))
    assert read_rows(path) == rows


def test_the_shipped_table_knows_the_rules_of_a_plate() -> None:
    rows = {
        (row.rule, row.device): row for row in read_rows(REPOSITORY / "docs/tables/measured.tsv")
    }
    for rule in ("register", "detect", "classify", "track", "pages"):
        row = rows[f"healthspan_{rule}", "cpu"]
        assert row.start_s + row.cost.seconds > 0 and row.cost.max_rss_mb > 50 and row.cost.source


def test_a_table_with_a_gap_is_refused_with_one_sentence(tmp_path: Path) -> None:
    path = tmp_path / "m.tsv"
    path.write_bytes(b"rule\tdevice\n\xff\xfe\x00")
    with pytest.raises(StepError, match="found what cannot be read as one"):
        read_rows(path)
    path.write_text("<html>\n<body>\n")
    with pytest.raises(StepError, match="expected a rule and cpu or cuda as its device"):
        read_rows(path)
    path.write_text("rule\tdevice\tstart_s\nr\tcpu\tnan\n")
    with pytest.raises(StepError, match="expected a number in start_s of r, found 'nan'"):
        read_rows(path)
    path.write_text("rule\tdevice\tstart_s\nr\tcpu\t1\n")
    with pytest.raises(StepError, match="expected a number in seconds of r"):
        read_rows(path)
    whole = measured_text([Row("r", "cpu", 3.0, UNIT)])
    path.write_text(whole.replace("\tmeasured\t", "\tguessed\t"))
    with pytest.raises(StepError, match="expected measured or assumed in basis of r"):
        read_rows(path)


def test_jobs_run_side_by_side_as_far_as_cores_reach() -> None:
    tasks = {number: Task(10) for number in range(4)}
    assert simulate(tasks, SWIFT).wall_s == pytest.approx(20, abs=0.1)
    assert simulate({n: Task(10, cores=2) for n in range(4)}, SWIFT).wall_s == pytest.approx(
        40, abs=1
    )


def test_a_gpu_takes_one_job_at_a_time_and_cpus_go_on_meanwhile() -> None:
    tasks = {1: Task(10, gpu=True), 2: Task(10, gpu=True), 3: Task(15)}
    run = simulate(tasks, SWIFT)
    assert run.wall_s == pytest.approx(20, abs=0.1)
    assert run.busy_s == {"cpu": 15, "gpu": 20}


def test_what_follows_waits_for_the_next_look_at_the_queue() -> None:
    tasks = {1: Task(5), 2: Task(5, after=(1,))}
    slow = Cluster(cores=2, gpus=0, submit_s=0, start_s=0, poll_s=40, poll_step_s=10)
    assert simulate(tasks, slow).wall_s == 80


def test_submission_and_the_limit_of_jobs_hold_a_run_back() -> None:
    tasks = {number: Task(0) for number in range(10)}
    one_a_second = Cluster(cores=99, gpus=0, submit_s=1, start_s=0, poll_s=1e-3, poll_step_s=0)
    assert simulate(tasks, one_a_second).wall_s == pytest.approx(10, abs=0.1)
    tight = Cluster(cores=99, gpus=0, jobs=1, submit_s=0, start_s=2, poll_s=1e-3, poll_step_s=0)
    assert simulate(tasks, tight).wall_s == pytest.approx(20, abs=0.1)


def test_no_simulated_run_beats_its_bounds() -> None:
    tasks = {n: Task(3.0, gpu=n % 3 == 0, after=(n - 1,) if n % 5 else ()) for n in range(60)}
    cluster = Cluster(cores=3, gpus=2, poll_s=5)
    bounds = lower_bounds(list(tasks.values()), cluster)
    assert simulate(tasks, cluster).wall_s >= max(bounds.values()) > 0


def test_a_job_that_can_never_run_is_refused() -> None:
    with pytest.raises(ValueError, match="never runs"):
        simulate({1: Task(1, gpu=True)}, Cluster(cores=1, gpus=0))
