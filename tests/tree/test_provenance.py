"""Provenance: the same inputs give the same text, other inputs another."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from snakescope.healthspan import provenance
from snakescope.healthspan.plates.manifest import Frame, PlateFrames, write_manifests
from snakescope.healthspan.settings import HealthspanSettings
from snakescope.reference import SECTIONS
from snakescope.settings.load import load_sections
from snakescope.step.checksum import sha256_of
from snakescope.step.command import call
from snakescope.tree.provenance import (
    PACKAGES,
    as_yaml,
    git_revision,
    software,
    stated,
)


def test_software_names_the_installed_versions() -> None:
    packages = software()["packages"]
    assert list(packages) == list(PACKAGES)
    assert packages["pydantic"] and packages["pandas"]


def test_stated_changes_with_size_and_time_only(tmp_path: Path) -> None:
    path = tmp_path / "a.tif"
    path.write_bytes(b"one")
    os.utime(path, ns=(10, 10))
    size, before = stated([path])
    assert size == 3
    path.write_bytes(b"two")
    os.utime(path, ns=(10, 10))
    assert stated([path]) == (3, before)
    os.utime(path, ns=(10, 11))
    assert stated([path])[1] != before
    path.unlink()
    assert stated([path])[0] == 0


def test_git_revision(tmp_path: Path) -> None:
    assert git_revision(tmp_path) is None
    git = ["git", "-C", str(tmp_path), "-c", "user.name=a", "-c", "user.email=a@b.c"]
    subprocess.run([*git, "init", "-q"], check=True)
    (tmp_path / "file").write_text("one")
    subprocess.run([*git, "add", "file"], check=True)
    subprocess.run([*git, "commit", "-qm", "one", "--no-verify"], check=True)
    found = git_revision(tmp_path)
    assert found and len(found["revision"]) == 40 and found["changed"] is False
    (tmp_path / "file").write_text("two")
    changed = git_revision(tmp_path)
    assert changed and changed["changed"] is True
    (tmp_path / "file").write_text("one")
    (tmp_path / "config").mkdir()
    (tmp_path / "config/plates.tsv").write_text("plate\n")
    subprocess.run([*git, "add", "-f", "config/plates.tsv"], check=True)
    sheet = git_revision(tmp_path)
    assert sheet and sheet["changed"] is False
    (tmp_path / "sub").mkdir()
    assert git_revision(tmp_path / "sub") is None


def test_recorded_settings_may_be_given_again() -> None:
    settings = HealthspanSettings(timepoints_per_block=7)
    again = yaml.safe_load(as_yaml({"healthspan": settings}))
    assert load_sections(again, SECTIONS)["healthspan"] == settings


def test_command_writes_the_same_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    raw = tmp_path / "raw.tif"
    raw.write_bytes(b"12345")
    frame = Frame(0, 0.0, "bright_field", str(raw), "present")
    write_manifests(tmp_path, PlateFrames("p1", ("bright_field",), 1, (frame,)), 10)
    weights = tmp_path / "weights"
    weights.write_bytes(b"weights")
    arguments = ["--plate", "p1"]
    arguments += ["--manifests", str(tmp_path / "t000-t009.tsv"), "--weights", str(weights)]
    (tmp_path / "configuration.yaml").write_text("healthspan: {}\n")
    (tmp_path / "own.yaml").write_text("healthspan: {plates: {}}\n")
    arguments += ["--configuration", str(tmp_path / "configuration.yaml")]
    arguments += ["--own-settings", str(tmp_path / "own.yaml")]
    arguments += ["--provenance", str(tmp_path / "out.json")]
    monkeypatch.setattr(sys, "argv", ["provenance", *arguments])
    monkeypatch.setattr("snakescope.tree.provenance.git_revision", lambda root: None)
    call(provenance)
    written = (tmp_path / "out.json").read_text()
    found = json.loads(written)
    assert found["weights"] == {str(weights): sha256_of(weights)}
    assert found["snakescope"] and found["configuration"] == {
        "sha256": sha256_of(tmp_path / "configuration.yaml"),
        "own_settings": {
            "file": str(tmp_path / "own.yaml"), "sha256": sha256_of(tmp_path / "own.yaml"),
        },
    }  # fmt: skip
    (manifest,) = found["manifests"].values()
    assert (manifest["frames"], manifest["frames_bytes"]) == (1, 5)
    call(provenance)
    assert (tmp_path / "out.json").read_text() == written
