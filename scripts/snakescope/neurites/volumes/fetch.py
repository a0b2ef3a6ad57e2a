"""Download SNEMI3D and verify its checksum.

snakescope neurites fetch --settings '{}' --archive fetched/neurites/snemi.zip

The archive is 185.6 MiB, under CC BY 4.0 (Zenodo, record 7142003).
"""

import argparse
import shutil
import sys
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import url2pathname

import pooch
from tqdm import tqdm

from snakescope.neurites.volumes.settings import FetchSettings
from snakescope.step.errors import StepError
from snakescope.step.output import atomic_write

CHUNK = 1 << 20
TIMEOUT_S = 60.0
"""The download fails if the server sends nothing for this time (s)."""
MIN_FREE = 2 * 10**9
"""Size of the archive and of the volumes in it on disk (bytes)."""


def fetch(url: str, md5: str, archive: str | Path) -> None:
    """Download ``url`` to ``archive``.

    Raises:
        StepError: the download fails, or the file has another checksum.
    """
    by_hand = (
        "download it on a machine that reaches it and set neurites: volumes: fetch: url: "
        "file:///path/to/snemi.zip"
    )
    with atomic_write(archive) as partial:
        free = shutil.disk_usage(partial.parent).free
        if free < MIN_FREE:
            raise StepError(
                f"{partial.parent}: expected 2 GB of free disk for SNEMI3D, found "
                f"{free / 1e9:.1f} GB; make room"
            )
        try:
            _download(url, partial)
        except OSError as error:
            raise StepError(
                f"{url}: expected the archive of SNEMI3D, could not download it ({_reason(error)});"
                f" {by_hand}"
            ) from None
        found = pooch.file_hash(str(partial), "md5")
        if found != md5:
            raise StepError(
                f"{url}: expected an archive with the MD5 sum {md5}, found {found} in "
                f"{partial.stat().st_size} bytes; another file, or a download that was cut short: "
                f"try again, or {by_hand}"
            )


def _download(url: str, path: Path) -> None:
    # pooch.retrieve knows no file:// and leaves its temporary file where it is killed.
    if url.startswith("file:"):
        shutil.copyfile(url2pathname(urlsplit(url).path), path)
        return
    every_s = 0.1 if sys.stderr.isatty() else 15.0
    # The total is set from the answer; without any, a bar has no truth value, which pooch asks for.
    with tqdm(desc="download", total=1, unit="B", unit_scale=True, mininterval=every_s) as bar:
        get = pooch.HTTPDownloader(progressbar=bar, chunk_size=CHUNK, timeout=TIMEOUT_S)
        get(url, str(path), None)


def _reason(error: OSError) -> str:
    # requests wraps the error of the connection in one about retries.
    cause = getattr(error.args[0], "reason", error) if error.args else error
    return " ".join(str(cause).split())[:200] or type(error).__name__


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command."""
    parser.add_argument("--settings", required=True, help="JSON of neurites.fetch")
    parser.add_argument("--archive", type=Path, required=True, help="zip file to write")


def main(given: argparse.Namespace) -> None:
    """Download the archive."""
    settings = FetchSettings.model_validate_json(given.settings)
    fetch(settings.url, settings.md5, given.archive)
    print(f"{given.archive}: MD5 {settings.md5} as expected", file=sys.stderr)
