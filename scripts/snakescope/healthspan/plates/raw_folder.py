"""Listing of the images below a raw folder, in one pass and without opening files."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from snakescope.healthspan.plates.naming import IMAGE_SUFFIXES

MAX_DEPTH = 8
"""Maximum depth of folders; the raw archive of an IncuCyte has six levels."""


@dataclass(frozen=True)
class ImageFile:
    """An image below a raw folder.

    Attributes:
        relative_path: Path below the folder, with slashes.
        size: Bytes.
        modified: When it was last written (s since 1970), in whole seconds, as an archive or
            another file system may keep no more of it.
    """

    relative_path: str
    size: int
    modified: int = 0


class Refused(Exception):
    """A plate that cannot be processed; becomes its :class:`PlateProblem`."""


def list_images(folder: str) -> list[ImageFile]:
    """List the images below ``folder``, by path, hidden files and folders left out.

    Raises:
        Refused: the folder is absent, not a folder, or cannot be read.
    """
    try:
        return sorted(_images(folder, "", MAX_DEPTH), key=lambda file: file.relative_path)
    except FileNotFoundError:
        raise Refused(
            "expected a folder of images, found no such folder; correct the column folder"
        ) from None
    except NotADirectoryError:
        raise Refused("expected a folder of images, found a file; name its folder") from None
    except OSError as error:
        raise Refused(
            f"expected a folder of images, found one that cannot be read ({error.strerror})"
        ) from None


def _images(folder: str, below: str, depth: int) -> Iterator[ImageFile]:
    with os.scandir(os.path.join(folder, below) if below else folder) as entries:
        for entry in entries:
            if entry.name.startswith("."):
                continue
            if entry.name.lower().endswith(IMAGE_SUFFIXES):
                # A broken link counts as an empty file.
                exists = not entry.is_symlink() or Path(entry.path).exists()
                stat = entry.stat() if exists else None
                size, modified = (stat.st_size, int(stat.st_mtime)) if stat else (0, 0)
                yield ImageFile(below + entry.name, size, modified)
            elif depth and entry.is_dir():
                yield from _images(folder, f"{below}{entry.name}/", depth - 1)
