"""What an operator is told: before a run, while it runs, at its end and after it."""

import csv
import re

from tests.healthspan.clone import Workspace


def estimate(workspace: Workspace, *arguments: str) -> str:
    snakefile = ("--snakefile", str(workspace.root / "Snakefile"))
    return workspace.command("estimate", *snakefile, "--", *(arguments or ("--cores", "1")))


def test_from_the_estimate_to_what_was_used(workspace: Workspace) -> None:
    expected = estimate(workspace, "--profile", "slurm")
    assert not workspace.ran_file.exists()
    with open(workspace.root / "logs/runs/estimate.tsv", encoding="utf-8") as file:
        table = {row["rule"]: row for row in csv.DictReader(file, delimiter="\t")}
    jobs = {rule: row["jobs"] for rule, row in table.items()}
    assert jobs["healthspan_detect"] == "9" and jobs["healthspan_track"] == "3"
    assert jobs["all"] == "42"
    assert float(table["healthspan_detect"]["gpu_h"]) > 0
    assert "Wall time at least" in expected
    # Which figures nobody has measured is said aloud, and of the others that they are measured.
    assert table["healthspan_detect"]["basis"] == "ASSUMED"
    assert table["healthspan_register"]["basis"] == "measured"
    assert "ASSUMED, NOT MEASURED: healthspan_detect" in expected

    ended = workspace.snakemake("--quiet", "all")
    assert ended.returncode == 0
    for plate in "abc":
        assert f"{plate} is done; plates: " in ended.stderr
    assert re.search(r"plates: 3 done; jobs: (\d\d) of \1 in .*, 0 attempts failed", ended.stderr)
    assert "localrule" not in ended.stderr and "rule healthspan" not in ended.stderr

    assert re.search(
        r"ended; plates: 3 done; jobs: (\d\d) of \1 in ", workspace.command("progress")
    )
    used = workspace.command("summary")
    assert re.search(r"^all +42/42 +42 ", used, re.MULTILINE)
    assert "0 jobs failed for good" in used
    assert estimate(workspace) == "nothing to be done\n"


def test_jobs_of_several_threads_are_estimated_as_such(workspace: Workspace) -> None:
    workspace.config("training: {detector: {threads: 3}}\n")
    estimate(workspace, "--profile", "slurm", "results/healthspan/models/detector.safetensors")
    with open(workspace.root / "logs/runs/estimate.tsv", encoding="utf-8") as file:
        table = {row["rule"]: row for row in csv.DictReader(file, delimiter="\t")}
    assert float(table["healthspan_train_model"]["cpu_h"]) == 3 * float(
        table["healthspan_train_model"]["gpu_h"]
    )


def test_warnings_and_errors_are_told_however_quiet_a_run_is(workspace: Workspace) -> None:
    workspace.sheet("a|one|N2|raw/absent|||")
    ended = workspace.snakemake("--quiet", "all")
    assert ended.returncode != 0
    note = "a: raw/absent: expected a folder of images, found no such folder"
    assert any(line.startswith(note) for line in ended.stderr.splitlines())
    # Stated of a lock, for one, before a second run is refused.
    lock = workspace.root / ".snakemake/locks/0.output.lock"
    lock.parent.mkdir(parents=True, exist_ok=True)
    lock.write_text("results/healthspan/plates.tsv\n")
    assert "expected no lock, found" in workspace.snakemake("--quiet", "all").stderr
    lock.unlink()
    workspace.sheet()
    for quiet in (("--quiet", "all"), ()):
        said = workspace.snakemake(*quiet).stderr
        assert said.count("config/plates.tsv") == said.count("expected a header and one row") == 1


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
    used = workspace.command("summary")
    assert "1 jobs failed for good" in used
    assert re.search("healthspan_detect a t003-t005, 2 attempts: .*masks/t003", used)
    again = estimate(workspace)
    assert re.search(r"^healthspan_curves .* measured +\d+ earlier jobs$", again, re.MULTILINE)
    # No GPU was given here, so none was measured: of a cluster's nothing is known.
    assert re.search(r"^healthspan_detect .* measured +", again, re.MULTILINE)
    elsewhere = estimate(workspace, "--profile", "slurm")
    assert re.search(r"^healthspan_detect .* ASSUMED +", elsewhere, re.MULTILINE)
