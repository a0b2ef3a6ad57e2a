"""Checksums of files, without torch: a run checks its models while it is planned."""

import hashlib
from pathlib import Path

from snakescope.step.errors import StepError

RESTORE = (
    "restore the file and its card (.json) from the repository, or name another file in the config"
)


def sha256_of(path: str | Path, expected: str = "a file to checksum", remedy: str = "") -> str:
    """Return the SHA-256 of a file's contents, 64 lower-case hexadecimal digits.

    Args:
        expected: what the file should be, for the sentence where there is none.
        remedy: what to do about it, for the sentence.

    Raises:
        StepError: there is no such file.
    """
    try:
        with open(path, "rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except (FileNotFoundError, IsADirectoryError):
        what_to_do = f"; {remedy}" if remedy else ""
        raise StepError(f"{path}: expected {expected}, found no such file{what_to_do}") from None


def check_sha256(path: str | Path, sha256: str, remedy: str = RESTORE) -> None:
    """Refuse model weights whose checksum is not ``sha256``.

    Args:
        sha256: the expected checksum, in either case.
        remedy: what to do about other weights, for the sentence.

    Raises:
        StepError: there is no such file, or its checksum differs.
    """
    found = sha256_of(path, "model weights", remedy)
    if found != sha256.strip().lower():
        raise StepError(f"{path}: expected weights with SHA-256 {sha256}, found {found}; {remedy}")
