"""A copy of the real workflow whose steps are replaced by a stub.

Rules, configuration, the look at raw data and manifests are the real ones; the command that rules
call is not. A whole run then takes seconds, and what Snakemake decides to run is what it would
decide for a user.
"""

import hashlib
import json
import os
import re
import shutil
import subprocess
from importlib import import_module
from pathlib import Path

from snakescope import REPOSITORY
from snakescope.trees import TREES
from tests.started import SNAKEMAKE, run, snakemake

STUB = Path(__file__).with_name("stub.py")
COPIED = ("rules", "scripts", "envs", "resources", "profiles")
NOT_COPIED = shutil.ignore_patterns(".mypy_cache", "*.egg-info", "*.safetensors", "*.pt")
"""Compiled modules are copied with the times of their sources, so nothing is compiled again."""

OTHER_STEPS = (
    "/tiles/", "/composites/", "/evidence/", "/second_look/", "/frames.tsv", "/states.tsv",
    "/provenance.json", "/quality.html",
)  # fmt: skip
"""First outputs of steps that are not what the job is listed by, that of another of its steps."""
VERSION = re.compile(r"(    version: ClassVar\[int\] = )(\d+)")


class Clone:
    """A fresh clone of the workflow for one tree."""

    tree: str
    first: str
    """A step whose version counts for everything of a subject."""
    last: str
    """A step that nothing depends on."""

    def __init__(self, root: Path, fresh: bool = True):
        self.root = root
        self.ran_file = root / "ran.txt"
        if fresh:
            self.make()

    def make(self, stub: Path = STUB) -> None:
        """Copy the workflow, with a stub in place of its steps and small files for weights."""
        self.root.mkdir(parents=True, exist_ok=True)
        for name in COPIED:
            shutil.copytree(REPOSITORY / name, self.root / name, ignore=NOT_COPIED)
        shutil.copy(REPOSITORY / "Snakefile", self.root / "Snakefile")
        (self.root / "slurm").symlink_to("profiles/slurm")
        self.stub(stub)
        for path in (REPOSITORY / "resources/models").rglob("*.safetensors"):
            self.weights(str(path.relative_to(REPOSITORY)))

    def stub(self, stub: Path) -> None:
        """Put a script in the place of the command that rules call."""
        shutil.copy(stub, self.root / "scripts/snakescope/__main__.py")

    def weights(self, *paths: str, content: bytes = b"stub") -> None:
        """Write model weights, by path or name, and their checksum in the card beside them."""
        for name in paths:
            models = self.root / "resources/models"
            known = [path.with_suffix(".safetensors") for path in models.rglob(f"{name}.json")]
            path = (
                self.root / name if "/" in name else (known or [models / f"{name}.safetensors"])[0]
            )
            path.write_bytes(content)
            card = path.with_suffix(".json")
            stated = json.loads(card.read_text()) if card.exists() else {}
            stated["sha256"] = hashlib.sha256(content).hexdigest()
            card.write_text(json.dumps(stated))

    def raise_version(self, step: str) -> None:
        """State a new version of the results of a step."""
        model = TREES[self.tree].steps[step].settings
        path = self.root / "scripts" / (model.__module__.replace(".", "/") + ".py")
        text = path.read_text(encoding="utf-8")
        begin = text.index(f"class {model.__name__}(")
        raised = VERSION.sub(lambda m: f"{m[1]}{int(m[2]) + 100}", text[begin:], count=1)
        assert raised != text[begin:]
        path.write_text(text[:begin] + raised, encoding="utf-8")

    def snakemake(self, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        """Run Snakemake as a user would."""
        self.ran_file.unlink(missing_ok=True)
        told = {"STUB_RAN": str(self.ran_file), **environment}
        return snakemake(self.root, "--cores", "2", *arguments, **told)

    def command(self, *words: str) -> str:
        """Run one of the commands for people in this folder; it must succeed."""
        environment = {**os.environ, "PYTHONPATH": str(REPOSITORY / "scripts")}
        ended = run("snakescope", words, self.root, SNAKEMAKE, environment)
        assert ended.returncode == 0, ended.stdout + ended.stderr
        return ended.stdout

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
        return {self.short(output) for output in outputs}

    def short(self, path: str) -> str:
        """A path without the folder of the tree's results."""
        return path.removeprefix(f"results/{self.tree}/")

    @property
    def ran(self) -> set[str]:
        """What ran in the last call, by first output."""
        return {path for path in self.made if not any(step in path for step in OTHER_STEPS)}

    @property
    def made(self) -> list[str]:
        """The first output of every step that ran in the last call; a job may have two steps."""
        if not self.ran_file.exists():
            return []
        return [self.short(line) for line in self.ran_file.read_text().splitlines()]

    def subjects(self) -> None:
        """Write raw data and a sheet of at least two subjects that can be used."""
        raise NotImplementedError

    def unusable(self) -> str:
        """Add a subject that cannot be used to the sheet, and return its name."""
        raise NotImplementedError

    def sheet_file(self, name: str, text: str) -> None:
        """Write a sample sheet below config/."""
        (self.root / "config").mkdir(exist_ok=True)
        (self.root / "config" / name).write_text(text)


def clone_of(tree: str) -> type[Clone]:
    """The clone for a tree: ``EXAMPLE`` of ``tests/<tree>/clone.py``, which every tree has."""
    found: type[Clone] = import_module(f"tests.{tree}.clone").EXAMPLE
    return found


def example(tree: str, root: Path) -> Clone:
    """A clone with subjects of a tree."""
    made = clone_of(tree)(root)
    made.subjects()
    return made
