"""The log handler of the main process: what it writes, prints and refuses."""

import logging
import os
from pathlib import Path
from types import SimpleNamespace

import pytest
from snakemake.settings.types import Quietness
from snakemake_interface_logger_plugins.base import LogHandlerBase
from snakemake_interface_logger_plugins.common import LogEvent

from snakescope.run import monitor
from snakescope.run.events import read_events, runs
from snakescope.run.monitor import Monitor, without_gpu
from tests.run.drawn_log import (
    GONE,
    SETTINGS,
    failed,
    finished,
    job,
    lock,
    record,
    snakemake_at_work,
    write_run,
)

START = record(LogEvent.WORKFLOW_STARTED, cmd="snakemake -c 1")
TREE = SimpleNamespace(name="tree", subject="plate", opened=False)
TREES = {"tree": TREE}


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def begun(**keys: object) -> Monitor:
    handler = Monitor(SETTINGS, TREES, **keys)
    handler.emit(START)
    return handler


def names(handler: Monitor) -> list[str]:
    return [event["event"] for event in read_events(handler.path)]


def test_it_is_a_handler_of_the_public_interface() -> None:
    handler = Monitor(SETTINGS, TREES)
    assert isinstance(handler, LogHandlerBase)
    assert (handler.writes_to_stream, handler.needs_rulegraph) == (False, False)


def test_a_dry_run_writes_nothing_and_a_run_without_jobs_leaves_nothing(folder: Path) -> None:
    dry = Monitor(SimpleNamespace(dryrun=True, quiet=None), TREES)
    dry.emit(START)
    dry.emit(job(1, "r", "out"))
    assert not (folder / "logs").exists()
    idle = begun()
    assert runs(folder) == [idle.path.relative_to(folder) if idle.path.is_absolute() else
                            folder / idle.path]  # fmt: skip
    idle.close()
    assert runs(folder) == []


def test_the_events_of_a_run_are_written(folder: Path) -> None:
    handler = begun()
    handler.emit(record(None, "SLURM run ID: u-1"))
    handler.emit(job(1, "r", "out"))
    handler.emit(failed(1, "SLURM status is: 'TIMEOUT'."))
    handler.emit(job(1, "r", "out"))
    handler.emit(finished(1))
    assert names(handler) == ["run_started", "slurm_run", "job", "failed", "job", "finished"]
    first, *_, failure, _, _ = read_events(handler.path)
    assert (first["process"], first["command"]) == (os.getpid(), "snakemake -c 1")
    assert (failure["state"], failure["wildcards"]) == ("TIMEOUT", {"plate": "p"})
    handler.close()
    assert len(runs(folder)) == 1 and names(handler)[-1] == "run_ended"


def test_a_second_run_is_refused_and_leaves_the_first_alone(folder: Path) -> None:
    with snakemake_at_work(folder) as process:
        first = write_run(folder, process)
        lock(folder)
        with pytest.raises(SystemExit, match=f"error: .*found one, process {process} on"):
            begun()
        Monitor(SimpleNamespace(dryrun=True, quiet=None), TREES).emit(START)
    with pytest.raises(SystemExit, match=r"run that was killed .* clear"):
        begun()
    assert runs(folder) == [first] and list((folder / ".snakemake/locks").iterdir())


def test_a_plan_is_written_with_the_costs_of_the_tree(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(monitor.PLAN, str(folder / "plan.jsonl"))
    write_run(folder, GONE)
    lock(folder)
    costs = {"detect": (900.0, 30.0)}
    tree = SimpleNamespace(**vars(TREE), cost=lambda rule, wildcards: costs[rule])
    handler = Monitor(SimpleNamespace(dryrun=True, quiet=None), {"tree": tree})
    for one in (START, job(1, "tree_detect", "out"), job(2, "tree_bare", "o"), job(3, "all", "o")):
        handler.emit(one)
    _, *jobs = read_events(folder / "plan.jsonl")
    assert [event["cost"] for event in jobs] == [[900.0, 30.0], None, None]


def test_a_plate_that_is_done_is_printed_at_once(capsys: pytest.CaptureFixture[str]) -> None:
    handler = begun(every_s=1e9)
    handler.write("planned", jobs={"r": 3}, subjects={"plate": {"p": 1, "q": 2}})
    for number, plate in ((1, "q"), (2, "p")):
        handler.emit(job(number, "r", "out", plate=plate))
        handler.emit(finished(number))
    said = capsys.readouterr().err.splitlines()
    assert len(said) == 1
    assert said[0].startswith("p is done; plates: 1 done, 1 under way; jobs: 2 of 3, about ")


def test_warnings_are_printed_where_snakemake_is_silent(capsys: pytest.CaptureFixture[str]) -> None:
    for quiet, printed in ((None, ""), ({Quietness.ALL}, "beware\n")):
        handler = Monitor(SimpleNamespace(dryrun=True, quiet=quiet), TREES)
        handler.emit(record(None, "beware", logging.WARNING))
        handler.emit(record(None, "chatter"))
        assert capsys.readouterr().err == printed


def test_a_full_disk_ends_the_log_and_not_the_run(capsys: pytest.CaptureFixture[str]) -> None:
    handler = Monitor(SETTINGS, TREES, every_s=1e9)
    handler.path = Path("/dev/full")
    handler.emit(START)
    for number in (1, 2):
        handler.emit(job(number, "r", "out"))
        handler.emit(finished(number))
    said = [line for line in capsys.readouterr().err.splitlines() if line.startswith("event log")]
    assert said == ["event log /dev/full: ends here, No space left on device"]
    assert handler.standing.finished.total() == 2


@pytest.mark.parametrize(("local", "gpu"), [(False, 0), (False, 1), (True, 0)])
def test_models_without_a_gpu_are_announced(
    monkeypatch: pytest.MonkeyPatch, local: bool, gpu: int
) -> None:
    warned: list[str] = []
    monkeypatch.setattr(monitor.logger, "warning", warned.append)
    one = SimpleNamespace(
        rule=SimpleNamespace(name="tree_detect"), resources={"gpu": gpu},
        temp_output=["t"], output=["t"],
        wildcards=SimpleNamespace(plate="a"),
    )  # fmt: skip
    handler = begun()
    dag = SimpleNamespace(needrun_jobs=lambda: [one])
    handler.started(SimpleNamespace(dag=dag, local_exec=local))
    told = [text.startswith("NO GPU: tree_detect") for text in warned]
    assert told == [True] * (gpu == 0 and not local)
    planned = list(read_events(handler.path))[-1]
    assert (planned["jobs"], planned["subjects"]) == ({"tree_detect": 1}, {"plate": {"a": 1}})
    assert handler.temporary == {"t"}


def test_rules_that_were_given_no_gpu_are_named() -> None:
    def one(rule: str, **resources: int) -> SimpleNamespace:
        return SimpleNamespace(rule=SimpleNamespace(name=rule), resources=resources)

    assert without_gpu([one("a", gpu=0), one("b", gpu=1), one("c"), one("a", gpu=0)]) == ["a"]


@pytest.mark.parametrize("fails", [False, True])
def test_the_end_of_a_run_names_what_to_look_at_or_what_failed(
    folder: Path, capsys: pytest.CaptureFixture[str], fails: bool
) -> None:
    tree = SimpleNamespace(
        name="tree", subject="plate", parts=(), opened=True, results=str(folder), excluded={},
        summary=lambda: ["Open: a.png"],
        without_failed=lambda failed, unfinished, planned: [f"{len(failed)} {sorted(unfinished)}"],
        standing=lambda failed: [f"look at {sorted(failed)}"],
    )  # fmt: skip
    handler = Monitor(SETTINGS, {"tree": tree, "other": TREE})
    handler.emit(START)
    handler.write("planned", jobs={"tree_r": 2}, subjects={"plate": {"p": 1, "q": 1}})
    handler.emit(job(1, "tree_r", "out"))
    handler.emit(failed(1) if fails else finished(1))
    capsys.readouterr()
    handler.ended(not fails)
    *lines, standing, closing, command = capsys.readouterr().err.splitlines()
    assert standing == ("look at ['p']" if fails else "look at []")
    assert lines == ["Open: a.png"] if not fails else lines[-1] == "1 ['p', 'q']"
    assert closing.startswith(f"plates: 1 {'failed' if fails else 'done'}, 1 waiting; jobs: ")
    assert command.endswith(f"summary {handler.path.resolve()}")
    assert names(handler)[-1] == "run_ended"
    assert (folder / "failures.tsv").exists() == fails
