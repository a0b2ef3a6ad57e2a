"""Checksums of model weights, without torch: a run looks at its models while it is planned."""

import hashlib
from pathlib import Path

from snakescope.step.errors import StepError

RESTORE = (
    "restore the file and its card (.json) from the repository, or name another file in the config"
)


def sha256_of(path: str | Path, remedy: str = RESTORE) -> str:
    """SHA-256 of a weights file, 64 lower-case hexadecimal digits.

    Args:
        remedy: what to do where there is no such file, for the sentence.

    Raises:
        StepError: no such file.
    """
    try:
        with open(path, "rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except (FileNotFoundError, IsADirectoryError):
        raise StepError(f"{path}: expected model weights, found no such file; {remedy}") from None


def check_sha256(path: str | Path, sha256: str, remedy: str = RESTORE) -> None:
    """Refuse weights that are not those meant.

    Args:
        sha256: the checksum that the file must have, in either case.
        remedy: what to do about other weights, for the sentence.

    Raises:
        StepError: no such file, or another checksum.
    """
    found = sha256_of(path, remedy)
    if found != sha256.strip().lower():
        raise StepError(f"{path}: expected weights with SHA-256 {sha256}, found {found}; {remedy}")
