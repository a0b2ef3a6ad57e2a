"""What an operator is told: before a run, while it runs, at its end and after it."""

import csv
import os
import re
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from snakescope.run.announce import Announcer
from snakescope.run.events import read_events, runs
from tests.healthspan.clone import Workspace


def command(workspace: Workspace, module: str, *words: str) -> str:
    """Call one of the commands of ``scripts/cluster``, which must succeed."""
    ended = subprocess.run(
        [sys.executable, "-m", f"cluster.{module}", *words],
        cwd=workspace.root,
        env={**os.environ, "PYTHONPATH": str(workspace.root / "scripts")},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert ended.returncode == 0, ended.stderr
    return ended.stdout


def estimate(workspace: Workspace, *arguments: str) -> str:
    snakefile = ("--snakefile", str(workspace.root / "Snakefile"))
    return command(workspace, "estimate", *snakefile, "--", *(arguments or ("--cores", "1")))


def test_from_the_estimate_to_what_was_used(workspace: Workspace) -> None:
    expected = estimate(workspace, "--profile", "slurm")
    assert not workspace.ran_file.exists()
    with open(workspace.root / "logs/runs/estimate.tsv", encoding="utf-8") as file:
        table = {row["rule"]: row for row in csv.DictReader(file, delimiter="\t")}
    jobs = {rule: row["jobs"] for rule, row in table.items()}
    assert jobs["healthspan_detect"] == "9" and jobs["healthspan_track"] == "3"
    assert jobs["all"] == "42"
    assert float(table["healthspan_detect"]["gpu_h"]) > 0
    assert "Wall time about" in expected
    # Which figures nobody has measured is said aloud, and of the others that they are measured.
    assert table["healthspan_detect"]["basis"] == "assumed"
    assert table["healthspan_register"]["basis"] == "measured"
    assert "ASSUMED, NOT MEASURED: " in expected
    (told,) = re.findall(r"^  healthspan_detect: (.+)$", expected, re.MULTILINE)
    assert "not measured on the cards" in told

    ended = workspace.snakemake("--quiet", "all")
    assert ended.returncode == 0
    for plate in "abc":
        assert f"{plate} is done; plates: " in ended.stderr
    assert re.search(r"plates: 3 done; jobs: (\d\d) of \1 in .*, 0 attempts failed", ended.stderr)
    assert "localrule" not in ended.stderr and "rule healthspan" not in ended.stderr

    assert re.search(
        r"ended; plates: 3 done; jobs: (\d\d) of \1 in ", command(workspace, "progress")
    )
    used = command(workspace, "summary")
    assert re.search(r"^all +42/42 +42 ", used, re.MULTILINE)
    assert "0 jobs failed for good" in used
    assert estimate(workspace) == "nothing to be done\n"


def test_jobs_of_several_threads_are_estimated_as_such(workspace: Workspace) -> None:
    workspace.config("training: {detector: {threads: 3}}\n")
    estimate(workspace, "--profile", "slurm", "results/healthspan/models/detector.safetensors")
    with open(workspace.root / "logs/runs/estimate.tsv", encoding="utf-8") as file:
        table = {row["rule"]: row for row in csv.DictReader(file, delimiter="\t")}
    assert float(table["healthspan_train"]["cpu_h"]) == 3 * float(
        table["healthspan_train"]["gpu_h"]
    )


def test_warnings_and_errors_are_told_however_quiet_a_run_is(workspace: Workspace) -> None:
    workspace.sheet("a|one|N2|raw/absent|||")
    ended = workspace.snakemake("--quiet", "all")
    assert ended.returncode != 0
    note = "a: raw/absent: expected a folder of images, found no such folder"
    assert ended.stderr.splitlines()[0].startswith(note)
    # Said of a lock, for one, before a second run is refused.
    lock = workspace.root / ".snakemake/locks/0.output.lock"
    lock.parent.mkdir(parents=True, exist_ok=True)
    lock.write_text("results/healthspan/plates.tsv\n")
    assert "Directory cannot be locked" in workspace.snakemake("--quiet", "all").stderr
    workspace.sheet()
    ended = workspace.snakemake("--quiet", "all")
    assert (
        ended.stderr.count("config/plates.tsv: expected a header and one row a plate, found no row")
        == 1
    )
    assert (
        workspace.snakemake().stderr.count("config/plates.tsv: expected a header and one row") == 1
    )


def test_a_failure_is_told_with_its_attempts_and_an_estimate_rests_on_the_past(
    workspace: Workspace,
) -> None:
    ended = workspace.snakemake(
        "--quiet", "all", "--retries", "1", STUB_FAILS="healthspan/a/masks/t003"
    )
    assert ended.returncode != 0
    assert re.search(r"plates: 2 done, 1 failed; .* 2 attempts failed", ended.stderr)
    path = workspace.root / "results/healthspan/failures.tsv"
    with path.open(encoding="utf-8") as file:
        (row,) = csv.DictReader(file, delimiter="\t")
    assert (row["plate"], row["rule"], row["attempts"]) == ("a", "detect", "2")
    used = command(workspace, "summary")
    assert "1 jobs failed for good" in used
    assert re.search("healthspan_detect a t003-t005, 2 attempts: .*masks/t003", used)
    again = estimate(workspace)
    assert re.search(r"^healthspan_curves .* measured +\d+ earlier jobs$", again, re.MULTILINE)
    # No GPU was given here, so none was measured.
    assert re.search(r"^healthspan_detect .* ASSUMED +", again, re.MULTILINE)


@pytest.mark.parametrize("gpu", [0, 1])
def test_models_without_a_gpu_are_announced_aloud(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch, gpu: int
) -> None:
    class Logger:
        def __init__(self) -> None:
            self.warned: list[str] = []

        def addHandler(self, handler: object) -> None:
            pass

        def warning(self, text: str) -> None:
            self.warned.append(text)

    monkeypatch.chdir(workspace.root)
    logger = Logger()
    rule = SimpleNamespace(name="healthspan_detect")
    job = SimpleNamespace(
        rule=rule, resources={"gpu": gpu}, wildcards=SimpleNamespace(plate="a"), temp_output=[]
    )
    dag = SimpleNamespace(needrun_jobs=lambda: [job])
    Announcer(logger).started(dag, "slurm")
    assert [text.startswith("NO GPU: healthspan_detect") for text in logger.warned] == [True] * (
        1 - gpu
    )
    (log,) = runs(workspace.root)
    (planned,) = [event for event in read_events(log) if event["event"] == "planned"]
    assert planned["plates"] == {"a": 1}
    assert Path(log).name.endswith(f"-{os.getpid()}.jsonl")
