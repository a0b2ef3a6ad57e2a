"""The real steps on a real Slurm: a good plate, bad plates, a GPU that is none, a full disk."""

import csv
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from statistics import median

import pytest

from snakescope import REPOSITORY
from snakescope.healthspan.simulation.settings import SimulateSettings
from snakescope.healthspan.simulation.simulate import file_name, simulate_plate
from snakescope.run.events import read_events, runs
from tests.slurm.cluster import Cluster
from tests.slurm.conftest import outputs_of
from tests.slurm.figures import Figures

SETTINGS = SimulateSettings(
    frame_px=400, timepoints=3, worms=3, interval_h=24, lifespan_scale_d=4.0, missing_share=0.0,
    stage_error_px=8,
)  # fmt: skip
CONFIG = """\
healthspan:
  timepoints_per_block: 3
  plates:
    channels: [bright_field, dark_field]
    interval_h: 24
cluster:
  cpu_in_place_of_gpu: true
"""
GPU_RULES = ("healthspan_detect",)
FRAMES = "results/healthspan/{}/frames.tsv"
DEMO = ("good", "fine")
SITE_GPU = "    gpu_model: rtx2080ti\n    runtime: 55\n"


class Clone:
    """A fresh clone with real steps and models, and simulated plates of 400 px."""

    def __init__(self, root: Path):
        self.root = root
        for name in ("rules", "scripts", "envs", "resources", "profiles"):
            ignore = shutil.ignore_patterns(".mypy_cache", "*.egg-info")
            shutil.copytree(REPOSITORY / name, root / name, ignore=ignore)
        shutil.copy(REPOSITORY / "Snakefile", root / "Snakefile")
        (root / "slurm").symlink_to("profiles/slurm")
        (root / "config").mkdir()
        (root / "config/config.yaml").write_text(CONFIG)
        profile = root / "profiles/slurm/config.yaml"
        text = profile.read_text()
        assert text.count("&gpu\n    gpu: 1\n") == 1
        profile.write_text(
            # Time enough also where others keep the processors busy: nobody is to be tried again.
            text.replace("&gpu\n    gpu: 1\n", f"&gpu\n    gpu: 1\n{SITE_GPU}")
        )

    def plates(self, *names: str) -> None:
        """Write the sample sheet."""
        rows = "".join(f"{name}\te\tc\traw/{name}/raw\t1\t3\n" for name in names)
        header = "plate\texperiment\tcondition\tfolder\tage_at_first_frame_d\tworms\n"
        (self.root / "config/plates.tsv").write_text(header + rows)

    def simulate(self, *names: str) -> None:
        """Simulate raw plates."""
        for seed, name in enumerate(names):
            simulate_plate(SETTINGS, name, 40 + seed, self.root / "raw")

    def run_here(self, *arguments: str) -> None:
        """Run without a cluster."""
        subprocess.run(
            [sys.executable, "-m", "snakemake", "--cores", "2", *arguments],
            cwd=self.root, capture_output=True, check=True,
        )  # fmt: skip

    def failures(self) -> list[dict[str, str]]:
        """The rows of the table of failures."""
        with open(self.root / "results/healthspan/failures.tsv", encoding="utf-8") as file:
            return list(csv.DictReader(file, delimiter="\t"))


@pytest.fixture(scope="module")
def demo(cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> tuple[Clone, int, str]:
    """A clone after a run on the cluster, its status, and what it said."""
    clone = Clone(tmp_path_factory.mktemp("demo"))
    clone.simulate(*DEMO, "late", "hurt", "dim")
    clone.plates(*DEMO)
    code, said = cluster.snakemake(clone.root)
    return clone, code, said


def test_the_demo_makes_the_same_as_a_local_run(
    demo: tuple[Clone, int, str], tmp_path: Path, figures: Figures
) -> None:
    clone, code, said = demo
    assert code == 0, said[-5000:]
    local = Clone(tmp_path)
    (local.root / "raw").symlink_to(clone.root / "raw")
    local.plates(*DEMO)
    local.run_here()
    made = outputs_of(clone.root)
    assert made == outputs_of(local.root)
    figures.add("undisturbed demo", "outputs identical to a local run", len(made), "files")


def seconds_of(time: str) -> float:
    """Seconds of a time as sacct tells it: 88, 00:05.155, 01:02:03 or 1-02:03:04."""
    days, _, rest = time.rpartition("-")
    total = 0.0
    for part in rest.split(":"):
        total = 60 * total + float(part)
    return 86400 * float(days or 0) + total


def check_memory(cluster: Cluster, rows: list[dict[str, str]], rules: dict[str, str]) -> None:
    """See that jobs took no more memory than they asked for; ``rows`` have JobID and ReqMem."""
    peaks = cluster.peak_mb()
    for row in rows:
        asked, taken = float(row["ReqMem"].rstrip("M")) * 2**20 / 1e6, peaks[row["JobID"]]
        assert taken < asked, f"{rules[row['JobID']]} asked for {asked} MB and took {taken}"


def test_gpu_rules_had_one_gpu_of_the_right_type_and_others_none(
    demo: tuple[Clone, int, str], cluster: Cluster, figures: Figures
) -> None:
    (log,) = runs(demo[0].root)
    events = list(read_events(log))
    rules = {event["job"]: event["rule"] for event in events if event["event"] == "job"}
    numbers = {
        event["slurm_job"]: rules[event["job"]] for event in events if event["event"] == "submitted"
    }
    fields = (
        "JobID", "Partition", "NodeList", "AllocTRES", "State", "ElapsedRaw", "TotalCPU", "ReqMem",
    )  # fmt: skip
    rows = [row for row in cluster.account(*fields) if row["JobID"] in numbers]
    assert len(rows) == len(numbers) >= 16
    # The partition of a titanxp is the same, its node is not.
    assert {row["NodeList"] for row in rows} <= {"cpu01", "cpu02", "gpu01", "gpu02"}
    for row in rows:
        assert row["State"] == "COMPLETED"
        if numbers[row["JobID"]] in GPU_RULES:
            assert row["Partition"] == "gpu"
            assert row["NodeList"] in ("gpu01", "gpu02")
            assert "gres/gpu:rtx2080ti=1" in row["AllocTRES"]
        else:
            assert row["Partition"] == "cpu"
            assert "gpu" not in row["AllocTRES"]
    check_memory(cluster, rows, numbers)
    finished = {event["job"]: event for event in events if event["event"] == "finished"}
    steps = {
        event["slurm_job"]: finished[event["job"]]
        for event in events
        if event["event"] == "submitted"
    }
    for key, column, unit in (("seconds", "ElapsedRaw", "s"), ("cpu_seconds", "TotalCPU", "CPU s")):
        besides = {
            row["JobID"]: seconds_of(row[column]) - (steps[row["JobID"]][key] or 0.0)
            for row in rows
        }
        if min(besides.values()) <= 0:
            # Slurm did not tell what it used, or less than the step: no figure rather than a wrong.
            continue
        case, metric = "overhead of a job", f"{column} less that of the step"
        figures.add(case, f"{metric}, median of {len(rows)} jobs", median(besides.values()), unit)
        for rule in sorted(set(numbers.values())):
            of_rule = [besides[number] for number in besides if numbers[number] == rule]
            figures.add(case, f"{metric}, {rule}", median(of_rule), unit)
    on_gpu = sum(numbers[row["JobID"]] in GPU_RULES for row in rows)
    figures.add("undisturbed demo", "jobs on GPU nodes, one GPU each", on_gpu, "count")
    figures.add("undisturbed demo", "jobs on CPU nodes", len(rows) - on_gpu, "count")


def test_another_tree_runs_as_well(
    demo: tuple[Clone, int, str], cluster: Cluster, figures: Figures
) -> None:
    clone = demo[0]
    shutil.copytree(REPOSITORY / "config/examples", clone.root / "config/examples")
    code, said = cluster.snakemake(
        clone.root,
        "neurites",
        "--configfile",
        "config/config.yaml",
        "config/examples/neurites_demo/config.yaml",
    )
    assert code == 0, said[-5000:]
    for name in ("scores.tsv", "sections.png", "segmentation.ome.zarr/.zattrs"):
        assert (clone.root / "results/neurites/demo" / name).is_file()
    events = list(read_events(runs(clone.root)[-1]))
    assert not [event for event in events if event["event"] == "failed"]
    rules = {event["job"]: event["rule"] for event in events if event["event"] == "job"}
    numbers = {
        event["slurm_job"]: rules[event["job"]] for event in events if event["event"] == "submitted"
    }
    fields = ("JobID", "Partition", "AllocTRES", "ReqMem")
    rows = [row for row in cluster.account(*fields) if row["JobID"] in numbers]
    assert len(rows) == len(numbers) >= 10
    on_gpu = [numbers[row["JobID"]] for row in rows if row["Partition"] == "gpu"]
    assert set(on_gpu) == {"neurites_affinities"}
    for row in rows:
        given = "gres/gpu:rtx2080ti=1" in row["AllocTRES"]
        assert given == (numbers[row["JobID"]] == "neurites_affinities")
    check_memory(cluster, rows, numbers)
    figures.add("demo of the neurites", "jobs on GPU nodes, one GPU each", len(on_gpu), "count")
    figures.add("demo of the neurites", "jobs on CPU nodes", len(rows) - len(on_gpu), "count")


def test_bad_plates_are_named_and_stop_no_other(
    demo: tuple[Clone, int, str], cluster: Cluster, figures: Figures
) -> None:
    clone = demo[0]
    for timepoint in (24, 48):
        path = clone.root / "raw/hurt/raw" / file_name("hurt", "bright_field", timepoint)
        path.write_bytes(path.read_bytes()[:2000])
    for path in (clone.root / "raw/dim/raw").glob("*Green*"):
        path.unlink()
    clone.plates(*DEMO, "late", "hurt", "dim")
    targets = [
        FRAMES.format("late"),
        FRAMES.format("hurt"),
        "results/healthspan/dim/manifest/usable",
    ]
    code, said = cluster.snakemake(clone.root, "--retries", "0", "--", *targets)
    assert code != 0
    assert (clone.root / FRAMES.format("late")).is_file(), said[-5000:]
    table = {row["plate"]: row for row in clone.failures()}
    assert set(table) == {"hurt", "dim"}
    assert table["dim"]["status"] == "unusable"
    assert "dark_field" in table["dim"]["reason"]
    assert (table["hurt"]["status"], table["hurt"]["rule"]) == ("failed", "track")
    assert "unreadable" in table["hurt"]["reason"] or "missing" in table["hurt"]["reason"]
    assert (clone.root / table["hurt"]["log"]).is_file()
    figures.add("two bad plates", "plates that finished", 1, "count")
    figures.add("two bad plates", "plates named in failures.tsv", len(table), "count")
    figures.add("two bad plates", "exit code", code, "status")


def test_a_gpu_that_cannot_be_used_fails_with_one_sentence(
    demo: tuple[Clone, int, str], cluster: Cluster, figures: Figures
) -> None:
    clone = demo[0]
    clone.plates(*DEMO)
    masks = "results/healthspan/good/masks/t000-t002.json"
    (clone.root / masks).unlink()
    forbidden = "cluster={cpu_in_place_of_gpu: false}"
    code, said = cluster.snakemake(clone.root, "--retries", "0", "--config", forbidden, "--", masks)
    assert code != 0
    assert not (clone.root / masks).exists()
    reasons = [row["reason"] for row in clone.failures() if row["rule"] == "detect"]
    assert len(reasons) == 1, said[-3000:]
    assert "on which Slurm gave this job a GPU: expected a CUDA GPU, found none" in reasons[0]
    figures.add("GPU without driver", "fails with one sentence", 1, "yes=1")


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A folder on a file system of its own, of 400 kB; made larger by the test."""
    folder = tmp_path / "small" / "results"
    folder.mkdir(parents=True)
    command = ["mount", "-t", "tmpfs", "-o", "size=400k", "tmpfs", str(folder)]
    if os.geteuid() != 0 or subprocess.run(command, capture_output=True, check=False).returncode:
        pytest.skip("a small file system can only be mounted as root")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


def test_on_a_full_disk_nothing_truncated_is_believed(
    demo: tuple[Clone, int, str], cluster: Cluster, small_disk: Path,
    figures: Figures,
) -> None:  # fmt: skip
    root = small_disk.parent
    clone = Clone.__new__(Clone)
    clone.root = root
    # A package of the workflow is called results as well: only those of the run stay behind.
    left = {"results", ".snakemake", "logs"}
    shutil.copytree(
        demo[0].root, root, symlinks=True, dirs_exist_ok=True,
        ignore=lambda folder, names: left & set(names) if folder == str(demo[0].root) else (),
    )  # fmt: skip
    clone.plates("good")
    whole = demo[0].root / "results/healthspan/good"
    wanted = "results/healthspan/good/registered/t000-t002.tsv"
    needed = sum(path.stat().st_size for path in whole.glob("re*/t*")) + 50_000
    needed += (whole / "reference.ome.tif").stat().st_size
    size = f"remount,size={int(needed * 0.75)}"
    subprocess.run(["mount", "-o", size, str(small_disk)], check=True)
    code, said = cluster.snakemake(root, "--retries", "0", "--", wanted)
    assert code != 0, said[-3000:]
    assert not (root / wanted).exists()
    assert not list(small_disk.rglob(".partial-*"))
    # It was the disk, and what was made before it was full is whole.
    (row,) = [row for row in clone.failures() if row["status"] == "failed"]
    assert (row["plate"], row["rule"]) == ("good", "register")
    assert "expected room on the disk, found No space left on device" in row["reason"]
    made = small_disk / "healthspan/good"
    for path in [*made.glob("reference.*"), *made.glob("registered/*")]:
        assert path.read_bytes() == (whole / path.relative_to(made)).read_bytes()
    subprocess.run(["mount", "-o", "remount,size=100m", str(small_disk)], check=True)
    clone.run_here("--rerun-incomplete", wanted)
    for name in ("registered/t000-t002.tsv", "registered/t000-t002.ome.tif", "reference.ome.tif"):
        assert (small_disk / "healthspan/good" / name).read_bytes() == (whole / name).read_bytes()
    figures.add("no space left", "clean failure, then a whole output", 1, "yes=1")
