"""Listing of the images below a raw folder, in one pass and without opening files."""

import errno
import os
import stat as mode
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from snakescope.healthspan.plates.naming import IMAGE_SUFFIXES

MAX_DEPTH = 8
"""Maximum depth of folders; the raw archive of an IncuCyte has six levels."""

TOO_DEEP = f"folders below {MAX_DEPTH} others"
NO_FILE = "no files, such as pipes"
NO_TEXT = "names that are no UTF-8"
SYSTEM_FOLDERS = {
    "@eadir", "#recycle", "@recycle", "@recently-snapshot", "@snapshot", "$recycle.bin",
    "system volume information", "__macosx", "lost+found", "thumbnails",
}  # fmt: skip
"""Folders of servers and file systems, in small letters; some hold an image a file."""
BESIDE = {
    "", ".txt", ".xml", ".json", ".csv", ".tsv", ".yaml", ".yml", ".ini", ".log", ".md", ".db",
    ".pdf", ".doc", ".docx", ".xls", ".xlsx", ".html", ".htm", ".lnk",
}  # fmt: skip
"""Endings of what lies beside images and is none; others are named where they are left out."""
NATIVE = {
    ".czi": "ZEN: Export, TIFF", ".nd2": "NIS-Elements: Save As, TIFF",
    ".lif": "LAS X: Export, TIFF",
    ".oib": "Fiji: File, Save As, Tiff", ".oif": "Fiji: File, Save As, Tiff",
    ".vsi": "Fiji with Bio-Formats: File, Save As, Tiff", ".lsm": "Fiji: File, Save As, Tiff",
}  # fmt: skip
"""Formats of microscopes that are not read here, and how to export from them."""


@dataclass(frozen=True)
class ImageFile:
    """An image below a raw folder.

    Attributes:
        relative_path: Path below the folder, with slashes.
        size: Bytes; -1 of a link to what is not there.
        modified: When it was last written (s since 1970), in whole seconds, as an archive or
            another file system may keep no more of it.
    """

    relative_path: str
    size: int
    modified: int = 0


class Refused(Exception):
    """A plate that cannot be processed; the scan adds where it is."""


@dataclass(frozen=True)
class Listing:
    """What lies below a raw folder: its images, by path, and how many files of other endings."""

    images: tuple[ImageFile, ...]
    others: Mapping[str, int] = field(default_factory=dict)

    def other_endings(self) -> str:
        """Return the endings of files that are left out and may be images, such as .czi (2)."""
        shown = sorted(self.others.items(), key=lambda pair: (-pair[1], pair[0]))
        return ", ".join(f"{ending} ({count})" for ending, count in shown)

    def how_to_export(self) -> str:
        """Return how to export files of a microscope's own format, empty where there are none."""
        told = [f"{ending} with {NATIVE[ending]}" for ending in self.others if ending in NATIVE]
        return f"; export {', '.join(told)}, one file a channel and timepoint" if told else ""


def list_images(folder: str) -> list[ImageFile]:
    """List the images below ``folder``, by path, hidden files and folders left out.

    Raises:
        Refused: the folder is absent, not a folder, or cannot be read.
    """
    return list(list_folder(folder).images)


def list_folder(folder: str) -> Listing:
    """List the images below ``folder`` and count the other files, hidden ones left out.

    Raises:
        Refused: the folder is absent, not a folder, or cannot be read.
    """
    others: Counter[str] = Counter()
    try:
        images = sorted(_images(folder, "", MAX_DEPTH, others), key=lambda file: file.relative_path)
        return Listing(tuple(images), dict(others))
    except FileNotFoundError:
        raise Refused(
            "expected a folder of images, found no such folder; correct the column folder"
        ) from None
    except NotADirectoryError:
        raise Refused("expected a folder of images, found a file; name its folder") from None
    except OSError as error:
        where = f" at {error.filename}" if error.filename else ""
        raise Refused(
            f"expected a folder of images, found one that cannot be read ({error.strerror}{where});"
            " nothing is known of its images: see to it and run again"
        ) from None


def _images(folder: str, below: str, depth: int, others: Counter[str]) -> Iterator[ImageFile]:
    with os.scandir(os.path.join(folder, below) if below else folder) as entries:
        for entry in entries:
            name = entry.name.lower()
            if name.startswith(".") or name in SYSTEM_FOLDERS:
                continue
            if not _is_text(entry.name):
                others[NO_TEXT] += 1
            elif _is_folder(entry):
                if entry.is_symlink() and _leads_back(entry.path):
                    continue
                if not depth:
                    others[TOO_DEEP] += 1
                else:
                    yield from _images(folder, f"{below}{entry.name}/", depth - 1, others)
            elif name.endswith(IMAGE_SUFFIXES):
                exists = not entry.is_symlink() or Path(entry.path).exists()
                stat = entry.stat() if exists else None
                # To read a pipe is to wait for ever.
                if stat and not mode.S_ISREG(stat.st_mode):
                    others[NO_FILE] += 1
                    continue
                size, modified = (stat.st_size, int(stat.st_mtime)) if stat else (-1, 0)
                yield ImageFile(below + entry.name, size, modified)
            elif (ending := os.path.splitext(name)[1]) not in BESIDE:  # noqa: PTH122
                others[ending] += 1


def _is_text(name: str) -> bool:
    """Return whether a name can be written to a table; the disk takes any bytes for one."""
    try:
        name.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError as error:
        if error.errno == errno.ELOOP:  # a link to itself is a link to nothing
            return False
        raise


def _leads_back(link: str) -> bool:
    """Return whether a link leads to a folder that it lies in."""
    here = Path(link).parent.resolve()
    target = Path(link).resolve()
    return target == here or target in here.parents
