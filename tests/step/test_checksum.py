"""Checksums of files: equal contents give equal checksums, a missing file is named."""

import hashlib
from pathlib import Path

import pytest

from snakescope.step.checksum import check_sha256, sha256_of
from snakescope.step.errors import StepError


def test_checksum_is_of_the_contents(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"abc")
    assert sha256_of(path) == hashlib.sha256(b"abc").hexdigest()
    check_sha256(path, sha256_of(path).upper())


def test_checksum_of_an_absent_file(tmp_path: Path) -> None:
    with pytest.raises(StepError, match="gone: expected a file to checksum, found no such file"):
        sha256_of(tmp_path / "gone")
    with pytest.raises(StepError, match="expected a table, found no such file; write it"):
        sha256_of(tmp_path, "a table", "write it")


def test_other_weights_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "weights"
    path.write_bytes(b"abc")
    with pytest.raises(StepError, match="weights: expected weights with SHA-256 00"):
        check_sha256(path, "0" * 64)
