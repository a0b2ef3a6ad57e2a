"""A copy of the real workflow beside tiny raw plates, its steps replaced by a stub.

Rules, configuration, scanning and manifests are the real ones; only the modules that the rules
call are not. A whole run then takes seconds, and what Snakemake decides to run is what it would
decide for a user.
"""

import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from snakescope import REPOSITORY

STUB = Path(__file__).with_name("stub.py")
CALLED = re.compile(r"python -m healthspan\.(\w+)")
OTHER_STEPS = (
    "/tiles/", "/composites/", "/frames.tsv", "/states.tsv", "/provenance.json", "/quality.html",
)  # fmt: skip
"""First outputs of steps that are not what the job is listed by, that of another of its steps."""
HEADER = "plate\texperiment\tcondition\tfolder\tage_at_first_frame_d\tworms\texclusion\n"


def called_steps() -> list[str]:
    """Every step that a rule of the tree calls."""
    text = "".join(p.read_text() for p in (REPOSITORY / "rules/healthspan").glob("*.smk"))
    return sorted({*CALLED.findall(text), "train_detector", "train_classifier"} - {"train_"})


class Workspace:
    """A fresh clone with its own raw plates."""

    def __init__(self, root: Path, fresh: bool = True):
        self.root = root
        self.ran_file = root / "ran.txt"
        if not fresh:
            return
        for name in ("rules", "scripts", "envs", "resources", "profiles"):
            ignore = shutil.ignore_patterns("__pycache__", "*.safetensors", "*.pt")
            shutil.copytree(REPOSITORY / name, root / name, ignore=ignore)
        shutil.copy(REPOSITORY / "Snakefile", root / "Snakefile")
        (root / "slurm").symlink_to("profiles/slurm")
        self.weights("detector", "states_mlp_mixer")
        for step in called_steps():
            self.set_version(step, 1)
        self.config("")

    def weights(self, *names: str, content: bytes = b"stub") -> None:
        """Write model weights in place of the shipped ones, and cards with their checksum."""
        for name in names:
            path = self.root / f"resources/models/{name}.safetensors"
            path.write_bytes(content)
            card = {"sha256": hashlib.sha256(content).hexdigest()}
            path.with_suffix(".json").write_text(json.dumps(card))

    def config(self, text: str) -> None:
        """Write the configuration of the healthspan tree."""
        (self.root / "config").mkdir(exist_ok=True)
        lines = "timepoints_per_block: 3\n" + text
        indented = "".join(f"  {line}\n" for line in lines.splitlines())
        (self.root / "config/config.yaml").write_text("healthspan:\n" + indented)

    def sheet(self, *rows: str) -> None:
        """Write the sample sheet: plate, experiment, condition, folder, age, worms, exclusion."""
        lines = ["\t".join(row.split("|")) for row in rows]
        (self.root / "config/plates.tsv").write_text(HEADER + "\n".join(lines) + "\n")

    def raw(self, plate: str, timepoints: int, missing: tuple[int, ...] = ()) -> None:
        """Write frames of a plate, 12 h apart, named like those of an IncuCyte."""
        for timepoint in set(range(timepoints)) - set(missing):
            path = self.frame(plate, timepoint)
            path.parent.mkdir(parents=True, exist_ok=True)
            if not path.exists():
                path.write_bytes(b"x")

    def frame(self, plate: str, timepoint: int) -> Path:
        """Path of a raw frame."""
        days, hours = divmod(12 * timepoint, 24)
        return self.root / f"raw/{plate}/Phase_A1_1_{days:02d}d{hours:02d}h00m.tif"

    def set_version(self, step: str, version: int) -> None:
        """Put the stub in the place of a step, at some version of it."""
        text = f"VERSION = {version}\n" + STUB.read_text()
        (self.root / f"scripts/healthspan/{step}.py").write_text(text)

    def snakemake(self, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        """Run Snakemake as a user would."""
        self.ran_file.unlink(missing_ok=True)
        return subprocess.run(
            [sys.executable, "-m", "snakemake", "--cores", "2", *arguments],
            cwd=self.root,
            env={**os.environ, "STUB_RAN": str(self.ran_file), **environment},
            capture_output=True,
            text=True,
            timeout=1800,
            check=False,
        )

    def run(self, *arguments: str) -> set[str]:
        """Run Snakemake, which must succeed, and return the jobs that ran, by first output."""
        ended = self.snakemake(*arguments)
        assert ended.returncode == 0, ended.stdout + ended.stderr
        return self.ran

    def plan(self, *arguments: str) -> set[str]:
        """Return the jobs that Snakemake would run, by first output."""
        ended = self.snakemake("--dry-run", *arguments)
        assert ended.returncode == 0, ended.stdout + ended.stderr
        outputs = re.findall(r"^    output: ([^,\n]+)", ended.stdout + ended.stderr, re.MULTILINE)
        return {output.removeprefix("results/healthspan/") for output in outputs}

    @property
    def ran(self) -> set[str]:
        """What ran in the last call, by first output, results/healthspan/ left away."""
        return {path for path in self.made if not any(step in path for step in OTHER_STEPS)}

    @property
    def made(self) -> list[str]:
        """The first output of every step that ran in the last call; a job may have two steps."""
        if not self.ran_file.exists():
            return []
        lines = self.ran_file.read_text().splitlines()
        return [line.removeprefix("results/healthspan/") for line in lines]


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    """Two experiments: plates a and b in one, plate c in the other; seven timepoints each."""
    return two_experiments(tmp_path)


def two_experiments(root: Path) -> Workspace:
    workspace = Workspace(root)
    workspace.sheet("a|one|N2|raw/a|0|60|", "b|one|daf-16|raw/b|||", "c|two|N2|raw/c|||")
    for plate in "abc":
        workspace.raw(plate, 7)
    return workspace


@pytest.fixture(scope="session")
def finished_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace in which everything has been computed once; to be copied, not changed."""
    workspace = two_experiments(tmp_path_factory.mktemp("finished"))
    assert len(workspace.run()) == 42
    return workspace.root


@pytest.fixture
def done(finished_run: Path, tmp_path: Path) -> Workspace:
    """A copy of the finished run, with the times of its files and Snakemake's own notes."""
    shutil.copytree(finished_run, tmp_path / "done", symlinks=True)
    return Workspace(tmp_path / "done", fresh=False)
