"""Files that a configuration names, from whatever folder a run works in."""

from pathlib import Path

from snakescope import REPOSITORY


def repository_file(named: str) -> str:
    """Return the path of a file that a setting names, of those that the repository has, too.

    The user's own file, seen from the working directory, comes before the repository's. A name that
    stands for neither stays as it is, so that a message shows what was written.
    """
    shipped = REPOSITORY / named
    return str(shipped) if not Path(named).exists() and shipped.exists() else named
