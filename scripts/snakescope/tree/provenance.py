"""What results were made with: software, settings, and inputs by checksum."""

import hashlib
import platform
import subprocess
from collections.abc import Mapping, Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, ClassVar

import yaml

from snakescope import REPOSITORY, __version__
from snakescope.settings.strict import Settings
from snakescope.step.checksum import sha256_of as sha256_of_file

PACKAGES = (
    "snakemake",
    "snakemake-executor-plugin-slurm",
    "torch",
    "torchvision",
    "timm",
    "safetensors",
    "numpy",
    "scipy",
    "pandas",
    "opencv-python-headless",
    "scikit-image",
    "tifffile",
    "imagecodecs",
    "pycocotools",
    "PuLP",
    "highspy",
    "lifelines",
    "matplotlib",
    "pydantic",
    "zarr",
    "h5py",
    "numba",
    "waterz",
)
"""Packages whose version may change a result, and the one that runs the steps."""


class ProvenanceSettings(Settings):
    """A statement of provenance has no settings."""

    version: ClassVar[int] = 2


def software() -> dict[str, Any]:
    """Return the revision of the code, the platform and the versions of the packages."""
    return {
        "snakescope": __version__,
        "code": git_revision(REPOSITORY),
        "python": platform.python_version(),
        "platform": platform.platform(),
        "packages": {name: _installed(name) for name in PACKAGES},
    }


def git_revision(root: Path) -> dict[str, Any] | None:
    """Return the revision of the repository at ``root`` and whether files differ from it.

    Sheets and settings in ``config`` are a user's own, and no change of the code.

    None where ``root`` is no repository of its own, or git is absent.
    """
    top = _git(root, "rev-parse", "--show-toplevel")
    revision = _git(root, "rev-parse", "HEAD")
    if top is None or revision is None or Path(top).resolve() != root.resolve():
        return None
    where = ("--", ".", ":(exclude)config")
    changed = _git(root, "status", "--porcelain", "--untracked-files=no", *where)
    return {"revision": revision, "changed": bool(changed)}


def _git(root: Path, *arguments: str) -> str | None:
    try:
        done = subprocess.run(
            ["git", "-C", str(root), *arguments], capture_output=True, text=True, timeout=30
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.strip() if done.returncode == 0 else None


def _installed(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def configuration(path: str | Path, own: str | Path = "") -> dict[str, Any]:
    """Return the digests of the settings that a job of this run works by.

    Args:
        path: configuration.yaml of the run, with all settings; own: the file of the subject's own.
    """
    found: dict[str, Any] = {"sha256": sha256_of_file(path) if Path(path).is_file() else None}
    if own:
        found["own_settings"] = {"file": str(own), "sha256": sha256_of_file(own)}
    return found


def stated(paths: Sequence[str | Path]) -> tuple[int, str]:
    """Sum up files without reading them.

    Returns:
        Their size (bytes) and the SHA-256 of one line each: path, size in bytes and time
        of modification in ns, separated by tabs; a file that is gone is ``absent``.
    """
    lines, size = [], 0
    for path in paths:
        try:
            status = Path(path).stat()
        except FileNotFoundError:
            lines.append(f"{path}\tabsent\n")
        else:
            lines.append(f"{path}\t{status.st_size}\t{status.st_mtime_ns}\n")
            size += status.st_size
    return size, hashlib.sha256("".join(lines).encode()).hexdigest()


def summed(kind: str, paths: Sequence[str | Path]) -> dict[str, Any]:
    """Return number, size and checksum of files, as :func:`stated`, by what they are called."""
    size, checksum = stated(paths)
    return {kind: len(paths), f"{kind}_bytes": size, f"{kind}_sha256": checksum}


def as_yaml(sections: Mapping[str, Settings]) -> str:
    """Return settings with all their defaults as YAML, as a configuration may give them again."""
    whole = {name: settings.model_dump(mode="json") for name, settings in sections.items()}
    return yaml.safe_dump(whole, sort_keys=False, allow_unicode=True, width=98)
