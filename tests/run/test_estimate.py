"""Estimates, what was used, and the simulated cluster."""

from pathlib import Path

import pytest

from snakescope import REPOSITORY
from snakescope.run.estimate import COLUMNS, check_cluster, lines, tasks_of, text_of, told, warning
from snakescope.run.jobs import Job, dependencies, planned_jobs, size_of
from snakescope.run.measured import Cost, Measured, Row, by_device, earlier, read_rows, rows_of
from snakescope.run.measured import text_of as measured_text
from snakescope.run.simulation import Cluster, Task, lower_bounds, simulate
from snakescope.run.summary import beside, failures, used_by_rule
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


def test_a_run_without_slurm_measures_no_gpu() -> None:
    def event(name: str, number: int, gpu: int = 0) -> dict:
        return {"event": name, "job": number, "resources": {"gpu": gpu}}

    run = [event("job", 1, 1), event("job", 2), event("finished", 1), event("finished", 2)]
    start, slurm = {"event": "run_started"}, {"event": "slurm_run"}
    found = by_device([start, *run, start, slurm, *run, start, *run])
    assert [one["job"] for one in found["cuda"]] == [1]
    assert [one["job"] for one in found["cpu"]] == [1, 2, 2, 1, 2]


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


def test_lines_add_up_and_tell_temporaries_apart() -> None:
    jobs = [job(1, gpus=1), job(2, gpus=1), job(3, "s")]
    costs = {1: UNIT, 2: UNIT, 3: Cost(3600, 7200, 50, 0, 7, 1, "measured")}
    r, s, total = lines(jobs, costs)
    assert (r.jobs, r.results_mb, r.temporary_mb) == (2, 20, 0)
    assert r.gpu_h == pytest.approx(4 / 3600)
    assert (s.cpu_h, s.gpu_h, s.temporary_mb) == (2, 0, 7)
    assert (total.jobs, total.peak_mb) == (3, 900)
    assert text_of([r]).splitlines()[0].split("\t") == list(COLUMNS)


@pytest.mark.parametrize(
    ("nodes", "cores", "gpus", "at_a_time", "said"),
    [
        (0, 4, 1, 9, "--nodes: expected at least 1, found 0"),
        (1, 4, 1, 0, "--jobs: expected at least 1, found 0"),
        (1, 4, 0, 9, "--gpus: expected at least 1, as rules ask for a GPU, found 0"),
        (9, 3, 1, 9, "--cores-per-node: expected at least 4, as wide asks for, found 3"),
    ],
)
def test_an_estimate_for_nodes_on_which_a_job_never_runs_is_refused(
    nodes: int, cores: int, gpus: int, at_a_time: int, said: str
) -> None:
    jobs = [job(1, gpus=1), job(2, "wide", threads=4)]
    with pytest.raises(StepError, match=said):
        check_cluster(jobs, nodes, cores, gpus, at_a_time)
    check_cluster(jobs, 1, 4, 1, 1)


def test_what_nobody_measured_is_said_aloud() -> None:
    jobs = [job(1, gpus=1), job(2, "s"), job(3, "s")]
    guess = Cost(7200, 3600, 50, 0, 0, 0, "a guess", assumed=True)
    table = lines(jobs, {1: guess, 2: UNIT, 3: UNIT})
    assert [line.basis for line in table] == ["assumed", "measured", "assumed in part"]
    said = warning(table)
    assert said.startswith("ASSUMED, NOT MEASURED: 2.00 of 2.00 GPU-hours and 1.00 of 1.00 CPU")
    assert "r: a guess" in said and "s: " not in said
    assert [line.split()[8] for line in told(table).splitlines()[1:3]] == ["ASSUMED", "measured"]
    assert warning(lines(jobs[1:], {2: UNIT, 3: UNIT})) == "All times are measured (1 rules)."


def test_used_stands_beside_estimated_and_failures_are_the_last_attempts() -> None:
    def event(name: str, number: int, **more: object) -> dict:
        return {"event": name, "job": number, "rule": "r", "wildcards": {"plate": "p"}, **more}

    resources = {"resources": {"mem_mb": 1000, "gpu": 1}, "output": ["o"]}
    done = {"seconds": 3600.0, "cpu_seconds": 1800.0, "max_rss_mb": 700.0, "output_mb": 1000.0,
            "temporary_mb": 5.0}  # fmt: skip
    bad = {"message": "TIMEOUT", "logs": []}
    events = [
        event("job", 1, **resources), event("failed", 1, **bad), event("job", 1, **resources),
        event("finished", 1, **done), event("job", 2, **resources), event("failed", 2, **bad),
        event("job", 2, **resources), event("failed", 2, **bad),
    ]  # fmt: skip
    used = used_by_rule(events)["r"]
    assert (used.jobs, used.tries, used.cpu_h, used.gpu_h, used.peak_mb) == (1, 4, 0.5, 1.0, 700)
    (left,) = failures(events)
    assert (left["job"], left["attempts"]) == (2, 2)
    estimate = {"r": {"jobs": "2", "cpu_h": "0.25", "gpu_h": "1", "peak_mb": "900",
                      "results_mb": "500", "temporary_mb": "0"}}  # fmt: skip
    assert "0.50/0.25" in beside({"r": used}, estimate)
    assert "1.00/0.50" in beside({"r": used}, estimate)


def test_the_shipped_table_knows_the_rules_of_a_plate() -> None:
    rows = {(row.rule, row.device): row for row in read_rows(REPOSITORY / "resources/measured.tsv")}
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
