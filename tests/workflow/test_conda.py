"""Software by ``--sdm conda``: jobs run in the environment of envs/, made once for all rules."""

from pathlib import Path

from snakescope import REPOSITORY
from tests.healthspan.clone import Workspace
from tests.workflow.stand_in_conda import conda_here

TARGETS = [f"results/healthspan/a/{name}" for name in ("masks/t000-t002.json", "provenance.json")]


def test_every_job_runs_in_the_environment_of_its_rule(
    workspace: Workspace, tmp_path: Path
) -> None:
    conda, path = conda_here(tmp_path / "conda")
    ended = workspace.snakemake("--sdm", "conda", "--", *TARGETS, **path)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert conda.asked == (REPOSITORY / "envs/snakescope.yaml").read_text()
    assert (ended.stdout + ended.stderr).count("Creating conda environment") == 1
    calls = conda.called.splitlines()
    assert len(calls) == len(workspace.made) >= 8
    for step in ("reference", "register", "tile", "detect", "provenance"):
        assert any(call.startswith(f"-m snakescope healthspan {step} ") for call in calls)


def test_results_made_without_conda_can_be_kept(done: Workspace, tmp_path: Path) -> None:
    _, path = conda_here(tmp_path / "conda")
    triggers = ("--rerun-triggers", "code", "input", "mtime", "params")
    ended = done.snakemake("--dry-run", "--sdm", "conda", *triggers, **path)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert "Nothing to be done" in ended.stdout + ended.stderr
