"""Download SNEMI3D, whole and with the right checksum or not at all.

python -m snakescope.neurites.volumes.fetch --settings '{}' --archive fetched/neurites/snemi.zip

The archive is 185.6 MiB, under CC BY 4.0 (Zenodo, record 7142003).
"""

import argparse
import hashlib
import http.client
import shutil
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

from snakescope.neurites.volumes.settings import FetchSettings
from snakescope.step.errors import StepError
from snakescope.step.output import atomic_write
from snakescope.step.progress import progress

CHUNK = 1 << 20
SILENCE_S = 60.0
"""A server that says nothing for so long (s) is given up."""
SMALLEST_FREE = 2 * 10**9
"""What the archive and the volumes in it take on disk (bytes)."""


def fetch(url: str, md5: str, archive: str | Path) -> None:
    """Download ``url`` to ``archive``.

    Raises:
        StepError: the address cannot be reached, breaks off, or what comes has another sum.
    """
    by_hand = (
        "download it on a machine that reaches it and set neurites: fetch: url: "
        "file:///path/to/snemi.zip"
    )
    with atomic_write(archive) as partial:
        free = shutil.disk_usage(partial.parent).free
        if free < SMALLEST_FREE:
            raise StepError(
                f"{partial.parent}: expected 2 GB of free disk for SNEMI3D, found "
                f"{free / 1e9:.1f} GB; make room"
            )
        digest = hashlib.md5(usedforsecurity=False)
        try:
            with open(partial, "wb") as file:
                for chunk in progress(_chunks(url), "MiB downloaded"):
                    file.write(chunk)
                    digest.update(chunk)
        except (OSError, http.client.HTTPException) as error:
            raise StepError(
                f"{url}: expected the archive of SNEMI3D, could not download it ({_reason(error)});"
                f" {by_hand}"
            ) from None
        if digest.hexdigest() != md5:
            raise StepError(
                f"{url}: expected an archive with the MD5 sum {md5}, found {digest.hexdigest()} "
                f"in {partial.stat().st_size} bytes; another file, or a download that was cut "
                f"short: try again, or {by_hand}"
            )


def _chunks(url: str) -> Iterator[bytes]:
    with urllib.request.urlopen(url, timeout=SILENCE_S) as answer:
        while chunk := answer.read(CHUNK):
            yield chunk


def _reason(error: Exception) -> str:
    cause = error.reason if isinstance(error, urllib.error.URLError) else error
    return " ".join(str(cause).split())[:120] or type(error).__name__


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command."""
    parser.add_argument("--settings", required=True, help="JSON of neurites.fetch")
    parser.add_argument("--archive", type=Path, required=True, help="zip file to write")


def main(given: argparse.Namespace) -> None:
    """Download the archive."""
    settings = FetchSettings.model_validate_json(given.settings)
    fetch(settings.url, settings.md5, given.archive)
    print(f"{given.archive}: MD5 {settings.md5} as expected", file=sys.stderr)
