"""The benchmarks of the cluster: what they make of jobs, and their tables and pages."""

from benchmarks.cluster_faults import merged, page, text_of
from benchmarks.cluster_scale import (
    BLOCK,
    BLOCKS,
    GPUS,
    PLATES,
    Figure,
    block_table,
    bottlenecks,
    matrix,
    of_many,
    table,
)
from cluster.simulation import Task


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
    assert "| b | m | 3 | s |" in page(kept)


def test_the_model_is_shown_by_plates_and_gpus_and_by_blocks() -> None:
    figures = [
        Figure(f"{plates} plates, {gpus} GPUs, blocks of {BLOCK}", "wall time", plates / gpus, "h")
        for plates in PLATES
        for gpus in GPUS
    ]
    assert "| 300 | 300.0 | 150.0 | 75.0 | 37.5 | 18.8 |" in matrix(figures, "wall time", ".1f")
    for block in BLOCKS:
        for metric, value in (("jobs", 7), ("wall time", 2), ("GPU busy", 0.5), ("GPU held", 1)):
            figures.append(Figure(f"300 plates, 4 GPUs, blocks of {block}", metric, value, "-"))
    assert "| 25 | 7 | 2.0 | 50% | 100% |" in block_table(figures)
    assert table(figures).splitlines()[0] == "case\tmetric\tvalue\tunit"


def test_the_bottleneck_of_every_run_is_named() -> None:
    case = f"100 plates, 1 GPUs, blocks of {BLOCK}"
    said = bottlenecks([Figure(case, "bottleneck is the GPU", 1, "yes=1")])
    assert said == "- **GPU**: 100 plates, 1 GPUs"
