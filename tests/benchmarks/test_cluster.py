"""The benchmarks of the cluster: what they make of jobs, and their tables and pages."""

from dataclasses import replace

from benchmarks.workflow.cluster_faults import merged, page, text_of
from benchmarks.workflow.cluster_scale import (
    BLOCK,
    BLOCKS,
    DETECT,
    GPUS,
    PLATES,
    Figure,
    at_speed,
    block_table,
    bottlenecks,
    matrix,
    of_many,
    others,
    table,
)
from benchmarks.workflow.measured import CUDA, Cost, Job, Row
from benchmarks.workflow.simulation import Task
from tests.markdown import cells


def row(case: str, value: str) -> dict[str, str]:
    return {"case": case, "metric": "m", "value": value, "unit": "s"}


def test_plates_alike_depend_on_their_own_jobs_only() -> None:
    tasks = of_many({1: Task(1.0), 3: Task(2.0, after=(1,))}, 3)
    assert len(tasks) == 6
    assert {number: task.after for number, task in tasks.items()} == {
        1: (), 3: (1,), 5: (), 7: (5,), 9: (), 11: (9,),
    }  # fmt: skip


def test_rows_of_cases_that_were_not_run_are_kept() -> None:
    kept = merged([row("b", "1"), row("a", "1"), row("b", "2")], [row("b", "3")])
    assert kept == [row("a", "1"), row("b", "3")]
    assert text_of(kept) == "case\tmetric\tvalue\tunit\na\tm\t1\ts\nb\tm\t3\ts\n"
    assert ["b", "m", "3", "s"] in cells(page(kept))


def test_the_model_is_shown_by_plates_and_gpus_and_by_blocks() -> None:
    figures = [
        Figure(f"{plates} plates, {gpus} GPUs, blocks of {BLOCK}", "wall time", plates / gpus, "h")
        for plates in PLATES
        for gpus in GPUS
    ]
    rows = cells(matrix(figures, "wall time", ".1f"))
    assert ["300", "300.0", "150.0", "75.0", "37.5", "18.8"] in rows
    for block in BLOCKS:
        for metric, value in (("jobs", 7), ("wall time", 2), ("GPU busy", 0.5), ("GPU held", 1)):
            figures.append(Figure(f"300 plates, 4 GPUs, blocks of {block}", metric, value, "-"))
    assert ["25", "7", "2.0", "50%", "100%"] in cells(block_table(figures))
    assert table(figures).splitlines()[0] == "case\tmetric\tvalue\tunit"


def test_the_bottleneck_of_every_run_is_named() -> None:
    case = f"100 plates, 1 GPUs, blocks of {BLOCK}"
    said = bottlenecks([Figure(case, "bottleneck is the GPU", 1, "yes=1")])
    assert said == "- **GPU**: every run"
    other = f"100 plates, 16 GPUs, blocks of {BLOCK}"
    both = [
        Figure(case, "bottleneck is the GPU", 1, "yes=1"),
        Figure(other, "bottleneck is the submission", 1, "yes=1"),
    ]
    assert bottlenecks(both) == (
        "- **GPU**: 100 plates, 1 GPUs\n- **submission**: 100 plates, 16 GPUs"
    )


def test_faster_cards_are_modelled_by_their_own_seconds() -> None:
    cost = Cost(2.0, 2.0, 1.0, 0.0, 0.0, 1.0, "assumed", assumed=True)
    rows = [Row(DETECT, CUDA, 5.0, cost), Row("other", CUDA, 5.0, cost)]
    job = Job(1, DETECT, {"block": "t000-t009"}, 10, 1, None, None, 1, (), ())
    known = at_speed(rows, 0.5)
    assert known.cost(job).seconds == 5.0 + 10 * 0.5
    assert known.cost(replace(job, rule="other")).seconds == 5.0 + 10 * 2.0


def test_what_is_modelled_by_speed_is_no_measured_figure() -> None:
    figures = [
        Figure("300 plates, 4 GPUs, detection of 0.5 s a timepoint", "wall time", 1, "h"),
        Figure("300 plates, no GPU, 64 cores", "wall time", 9, "h"),
        Figure("first, 300 plates x 50 timepoints", "wall time", 3, "s"),
    ]
    assert "detection" not in others(figures) and "no GPU" not in others(figures)
    assert "first, 300 plates" in others(figures)
