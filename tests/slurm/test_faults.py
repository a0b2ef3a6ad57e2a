"""Jobs that are cancelled, killed, too large or too slow, and what else goes wrong on a cluster."""

import csv
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from snakescope import REPOSITORY
from snakescope.run.events import read_events, runs
from tests.healthspan.clone import Workspace
from tests.slurm.cluster import PATIENCE_S, Cluster, ending, wait_for
from tests.slurm.conftest import outputs_of, stubbed
from tests.slurm.figures import Figures
from tests.workflow.stand_in_conda import StandInConda

REGISTERED = "results/healthspan/{}/registered/t000-t002.tsv"
SIZES = (
    "--set-resources",
    "healthspan_register:mem_mb=700*attempt",
    # A minute is the least that Slurm knows; only the slow plate is to run into it.
    "healthspan_register:runtime=attempt if wildcards.plate == 'slow' else 30 * attempt",
    "healthspan_reference:mem_mb=500",
)
MAIL = "--mail-type=FAIL --mail-user=operator@example.org"
# The job whose node dies is alone there, and may go anywhere afterwards.
PLACES = (
    "healthspan_register:slurm_extra='--nodelist=' + ('cpu02' if wildcards.plate == 'crashed'"
    f" and attempt == 1 else 'cpu01') + ' {MAIL}'"
)


def fault(workspace: Workspace, plate: str, word: str) -> Path:
    """Let the registration of a plate misbehave; removing the file ends it."""
    path = workspace.root / "faults" / plate
    path.write_text(word)
    return path


def met(workspace: Workspace, plate: str) -> bool:
    return (workspace.root / "faults" / f"{plate}.met").exists()


def registering(cluster: Cluster, plate: str) -> str:
    """Number of the running job that registers a plate."""
    jobs = cluster.jobs("R").items()
    (found,) = [number for number, text in jobs if "register_" in text and plate in text]
    return found


def local_outputs(tmp_path: Path, *plates: str) -> dict[str, bytes]:
    """What a local run makes of the same targets."""
    workspace = stubbed(tmp_path / "local", *plates)
    ended = workspace.snakemake(*(REGISTERED.format(plate) for plate in plates))
    assert ended.returncode == 0, ended.stderr
    return outputs_of(workspace.root)


def test_jobs_that_are_lost_are_tried_again_with_more(
    cluster: Cluster, tmp_path: Path, figures: Figures
) -> None:
    plates = ("cancelled", "crashed", "hungry", "slow")
    workspace = stubbed(tmp_path / "cluster", *plates)
    for plate, word in zip(plates, ("hold", "hold", "eat", "linger"), strict=True):
        fault(workspace, plate, word)
    targets = [REGISTERED.format(plate) for plate in plates]
    started = time.monotonic()
    process = cluster.start_snakemake(workspace.root, *SIZES, PLACES, "--", *targets)
    with ending(process):
        wait_for(lambda: met(workspace, "cancelled") and met(workspace, "crashed"))
        cluster.ask("scancel", registering(cluster, "cancelled"))
        node = cluster.node_of(registering(cluster, "crashed"))
        cluster.script("crash_node.sh", node)
        # Not before: the job would go on and end well. The next attempt is not held.
        for plate in ("cancelled", "crashed"):
            (workspace.root / "faults" / plate).unlink()
        code = process.wait(timeout=PATIENCE_S)
    said = (workspace.root / "said.txt").read_text()
    cluster.script("crash_node.sh", node, "--restart")
    assert code == 0, said[-5000:]
    assert outputs_of(workspace.root) == local_outputs(tmp_path, *plates)
    (log,) = runs(workspace.root)
    failed = [event for event in read_events(log) if event["event"] == "failed"]
    states = {event["wildcards"]["plate"]: event["state"] for event in failed}
    assert states["cancelled"].startswith("CANCELLED")
    assert states["crashed"] == "NODE_FAIL"
    assert states["hungry"] in ("FAILED", "OUT_OF_MEMORY")
    assert states["slow"] == "TIMEOUT"
    asked: dict[str, list[dict[str, int]]] = {plate: [] for plate in plates}
    for event in read_events(log):
        if event["event"] == "job" and event["rule"] == "healthspan_register":
            asked[event["wildcards"]["plate"]].append(event["resources"])
    for plate in plates:
        (before, after) = asked[plate][:2]
        assert after["mem_mb"] == 2 * before["mem_mb"]
        assert after["runtime"] == 2 * before["runtime"]
    assert (cluster.state / "log/mail").read_text().count("operator@example.org") >= 2
    seconds = time.monotonic() - started
    attempts = {plate: len(asked[plate]) for plate in plates}
    for plate, case in zip(
        plates, ("job cancelled", "slurmd killed", "over memory", "over time"), strict=True
    ):
        figures.add(case, "attempts of the job", attempts[plate], "count")
        figures.add(case, f"Slurm calls it {states[plate]}", 1, "yes=1")
        figures.add(case, "outputs identical to a local run", 1, "yes=1")
    figures.add("four faults at once", "wall time", seconds, "s")


def test_a_controller_away_for_30_seconds_ends_nothing(
    cluster: Cluster, tmp_path: Path, figures: Figures
) -> None:
    workspace = stubbed(tmp_path / "cluster", "a")
    held = fault(workspace, "a", "hold")
    process = cluster.start_snakemake(workspace.root, *SIZES, "--", REGISTERED.format("a"))
    with ending(process):
        wait_for(lambda: met(workspace, "a"))
        cluster.script("controller.sh", "stop")
        time.sleep(15)
        held.unlink()
        time.sleep(15)
        cluster.script("controller.sh", "start")
        started = time.monotonic()
        code = process.wait(timeout=PATIENCE_S)
    assert code == 0, (workspace.root / "said.txt").read_text()[-5000:]
    assert outputs_of(workspace.root) == local_outputs(tmp_path, "a")
    figures.add("slurmctld away", "time away", 30, "s")
    figures.add("slurmctld away", "from its return to the end", time.monotonic() - started, "s")


def test_a_killed_run_leaves_nothing_that_is_believed_and_no_orphans(
    cluster: Cluster, tmp_path: Path, figures: Figures
) -> None:
    workspace = stubbed(tmp_path / "cluster", "a")
    held = fault(workspace, "a", "hold")
    target = REGISTERED.format("a")
    process = cluster.start_snakemake(workspace.root, *SIZES, "--", target)
    with ending(process):
        wait_for(lambda: met(workspace, "a"))
        # Two runs in one folder: the second refuses and says who works there.
        code, said = cluster.snakemake(workspace.root, *SIZES, "--", target)
        assert code != 0
        assert f"found one, process {process.pid} on" in said, said[-3000:]
        assert "; wait for it, or stop it first" in said
        assert "Traceback" not in said and "locked" not in said
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
    orphan = registering(cluster, "a")
    code, said = cluster.snakemake(workspace.root, *SIZES, "--", target)
    assert code != 0
    assert f"killed (process {process.pid} on" in said and said.rstrip().endswith("clear")
    cleared = subprocess.run(
        [sys.executable, "-m", "snakescope", "clear"],
        cwd=workspace.root,
        env={**cluster.environment, "PYTHONPATH": str(REPOSITORY / "scripts")},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert cleared.returncode == 0, cleared.stderr
    assert orphan not in cluster.jobs()
    held.unlink()
    code, said = cluster.snakemake(workspace.root, *SIZES, "--", target)
    assert code == 0, said[-5000:]
    ran = (workspace.root / "ran.txt").read_text().splitlines()
    assert sorted(ran) == sorted(set(ran))
    assert outputs_of(workspace.root) == local_outputs(tmp_path, "a")
    figures.add("snakemake killed", "finished jobs done again", len(ran) - len(set(ran)), "count")
    figures.add("snakemake killed", "orphan jobs cancelled", 1, "count")
    figures.add("two runs at once", "second refuses with a sentence", 1, "yes=1")


SMALL = ("--set-resources", "healthspan_reference:mem_mb=500", "healthspan_register:mem_mb=500")


def test_without_accounting_squeue_does(
    plain_cluster: Cluster, tmp_path: Path, figures: Figures
) -> None:
    workspace = stubbed(tmp_path / "cluster", "a")
    code, said = plain_cluster.snakemake(workspace.root, *SMALL, "--", REGISTERED.format("a"))
    assert code == 0, said[-5000:]
    assert outputs_of(workspace.root) == local_outputs(tmp_path, "a")
    figures.add("no accounting", "run ends green", 1, "yes=1")
    figures.add("no accounting", "jobs", len(re.findall("has been submitted", said)), "count")


def test_a_job_that_is_lost_for_good_is_named_with_what_slurm_calls_it(
    plain_cluster: Cluster, tmp_path: Path, figures: Figures
) -> None:
    workspace = stubbed(tmp_path / "cluster", "a")
    fault(workspace, "a", "hold")
    process = plain_cluster.start_snakemake(
        workspace.root, *SMALL, "--retries", "0", "--", REGISTERED.format("a")
    )
    with ending(process):
        wait_for(lambda: met(workspace, "a"))
        plain_cluster.ask("scancel", registering(plain_cluster, "a"))
        code = process.wait(timeout=PATIENCE_S)
    assert code != 0
    with open(workspace.root / "results/healthspan/failures.tsv", encoding="utf-8") as file:
        (row,) = csv.DictReader(file, delimiter="\t")
    assert (row["plate"], row["rule"], row["attempts"]) == ("a", "register", "1")
    assert row["reason"].startswith("cancelled, says Slurm (CANCELLED")
    assert not (workspace.root / REGISTERED.format("a")).exists()
    figures.add("job lost for good", "failures.tsv says what Slurm calls it", 1, "yes=1")


def test_a_job_that_slurm_refuses_is_told_in_slurms_words(
    plain_cluster: Cluster, tmp_path: Path
) -> None:
    workspace = stubbed(tmp_path / "cluster", "a")
    # The partition takes jobs of an hour.
    longer = (
        "--set-resources",
        "healthspan_reference:runtime=61",
        "healthspan_reference:mem_mb=500",
    )
    target = "results/healthspan/a/reference.json"
    code, said = plain_cluster.snakemake(
        workspace.root, *longer, "--retries", "0", "--quiet", "all", "--", target
    )
    assert code != 0
    with open(workspace.root / "results/healthspan/failures.tsv", encoding="utf-8") as file:
        (row,) = csv.DictReader(file, delimiter="\t")
    assert row["reason"].startswith("Slurm did not take the job: Requested time limit is invalid")
    assert f"a reference: {row['reason']}" in said and "sbatch --parsable" not in said


CHOICES = {
    "none": ("gpu: 0", ("cpu01", "cpu02")),
    "either": ("gpu: 1", ("gpu01", "gpu02", "gpu03")),
    "titanxp": ("gpu: 1\n    gpu_model: titanxp", ("gpu03",)),
}
"""Which GPU a site has: the lines of the profile, and the nodes on which models may then run."""


@pytest.mark.parametrize("site", CHOICES)
def test_models_run_where_the_site_says_in_one_place(
    plain_cluster: Cluster, tmp_path: Path, figures: Figures, site: str
) -> None:
    lines, nodes = CHOICES[site]
    workspace = stubbed(tmp_path / "cluster", "a")
    masks = "results/healthspan/a/masks/t000-t002.json"
    # Only the models' job has to go through Slurm.
    assert workspace.snakemake(REGISTERED.format("a")).returncode == 0
    profile = workspace.root / "profiles/slurm/config.yaml"
    text = profile.read_text()
    assert text.count("&gpu\n    gpu: 1\n") == 1
    profile.write_text(text.replace("&gpu\n    gpu: 1\n", f"&gpu\n    {lines}\n"))
    code, said = plain_cluster.snakemake(workspace.root, "--", masks)
    assert code == 0, said[-5000:]
    assert ("NO GPU: healthspan_detect run on the CPU" in said) == (site == "none")
    events = read_events(runs(workspace.root)[-1])
    (number,) = [event["slurm_job"] for event in events if event["event"] == "submitted"]
    asked = plain_cluster.ask(
        "squeue", "-h", "-t", "all", "-j", number,
        "-O", "NodeList:20,Partition:20,tres-per-job:60",
    ).split()  # fmt: skip
    assert asked[0] in nodes
    assert asked[1] == nodes[0][:3]
    assert ("gpu" in asked[2]) == (site != "none")
    assert site != "titanxp" or "titanxp:1" in asked[2]
    figures.add(f"GPU of the site: {site}", f"job of a model ran on {asked[0]}", 1, "yes=1")


def test_jobs_find_their_software_by_conda(
    plain_cluster: Cluster, tmp_path: Path, figures: Figures
) -> None:
    workspace = stubbed(tmp_path / "cluster", "a")
    conda = StandInConda(tmp_path / "conda")
    path = {"PATH": conda.path(plain_cluster.environment)}
    code, said = plain_cluster.snakemake(
        workspace.root,
        *SMALL,
        "--sdm",
        "conda",
        "--",
        "results/healthspan/a/reference.json",
        **path,
    )
    assert code == 0, said[-5000:]
    assert "has been submitted" in said
    assert conda.called.startswith("-m snakescope healthspan reference ")
    figures.add("--sdm conda", "jobs run in the environment of envs/", 1, "yes=1")
