"""Which plates have corrections: written when the tree is opened, and read by the jobs of a run.

A person may save a correction while a run is at work. The jobs of the run then still read what the
main process found, and the next run computes what changed.
"""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from snakescope.healthspan.review.corrections import EXCLUDE_PLATE, exclusion, files_of
from snakescope.step.checksum import sha256_of
from snakescope.step.errors import StepError, readable
from snakescope.step.output import write_if_changed
from snakescope.step.rows import table_rows, table_text
from snakescope.tree.parameters import signed

REVIEWED = "reviewed.tsv"
COLUMNS = ("plate", "corrections", "sha256")
LEFT_OUT = "left_out_in_review.tsv"
LEFT_OUT_COLUMNS = ("plate", "reason")
FOLDER = "corrected"
"""Of a plate's results: its tables with the corrections."""
CORRECTED_TABLES = ("tracks.tsv", "individuals.tsv", "counts.tsv")


class Reviews:
    """The files of corrections of a run, and which tables of a plate are read.

    Methods that take ``wildcards`` are input functions and parameters of rules.
    """

    def __init__(self, results: str, folder: str, scan: Callable[[], None]):
        """Take the folder of results, that of the corrections, and what opens the tree."""
        self.results = results
        self.folder = folder
        self.scan = scan
        self.found: dict[str, dict[str, str]] | None = None

    def write(self, plates: Collection[str], sheet: str) -> list[str]:
        """Write the files of corrections of all plates, if any, and return notes on others.

        Args:
            plates: those of the sample sheet; sheet: its path, for notes.
        """
        self.found = None
        found, others = files_of(self.folder)
        notes = [
            f"{path}: expected a file of corrections named PLATE.SCORER.tsv, the scorer of letters,"
            " digits, '-' and '_'; it is not used"
            for path in others
        ]
        rows = []
        for plate, files in found.items():
            for one in files:
                if plate in plates:
                    with readable(one.path):
                        rows.append((plate, one.path, sha256_of(one.path)))
                else:
                    notes.append(f"{one.path}: {sheet} has no plate {plate}; it is not used")
        _write(Path(self.results, REVIEWED), COLUMNS, rows)
        return notes

    def excluded(self, plates: Collection[str], looks: bool) -> dict[str, str]:
        """The plates that people left out, and why.

        Args:
            plates: those of the sample sheet.
            looks: whether this process looks at the files, and writes what it finds for the jobs
                of the run.
        """
        table = Path(self.results, LEFT_OUT)
        if not looks:
            return {row["plate"]: row["reason"] for row in _read(table)}
        found = {}
        for plate, files in files_of(self.folder)[0].items():
            paths = [one.path for one in files]
            if plate in plates and any(_says(path, EXCLUDE_PLATE) for path in paths):
                found[plate] = exclusion(paths)
        found = {plate: reason for plate, reason in found.items() if reason}
        _write(table, LEFT_OUT_COLUMNS, list(found.items()))
        return found

    def _files(self, plate: str) -> dict[str, str]:
        """The checksum of every file of corrections of a plate, as the main process found them."""
        self.scan()
        if self.found is None:
            self.found = {}
            for row in _read(Path(self.results, REVIEWED)):
                self.found.setdefault(row["plate"], {})[row["corrections"]] = row["sha256"]
        return self.found.get(plate, {})

    def corrections(self, wildcards: Any) -> list[str]:
        """The files of corrections of the plate.

        Raises:
            StepError: it has none.
        """
        if found := self._files(wildcards.plate):
            return list(found)
        raise StepError(
            f"{self.folder}: expected {wildcards.plate}.SCORER.tsv, a file of corrections, found"
            " none of this plate; make one with its page of review"
        )

    def checksums(self, wildcards: Any) -> list[str]:
        """The checksum of each of these."""
        return list(self._files(wildcards.plate).values())

    def pages(self, plates: Iterable[str], name: str = "review.html") -> list[str]:
        """The page of review, or another file, of every plate."""
        self.scan()
        return [self.path(plate, name) for plate in plates]

    def of_reviewed(self, plates: Iterable[str], name: str) -> list[str]:
        """A file that only plates with corrections have, of those."""
        return [f"{self.results}/{plate}/{FOLDER}/{name}" for plate in self.reviewed(plates)]

    def reviewed(self, plates: Iterable[str]) -> list[str]:
        """The plates that have corrections, of some."""
        self.scan()
        return [plate for plate in plates if self._files(plate)]

    def conclusions(self, experiments: Mapping[str, Sequence[str]]) -> list[str]:
        """Whether the conclusion changes, of every experiment that has a plate with corrections.

        Args:
            experiments: their plates.
        """
        return [
            f"{self.results}/experiments/{name}/conclusion.tsv"
            for name, plates in experiments.items()
            if self.reviewed(plates)
        ]

    def serve(self, plates: Sequence[str], port: int) -> None:
        """Serve the pages of plates until interrupted.

        Raises:
            StepError: a page was not made.
        """
        from snakescope.healthspan.review.server import serve

        pages = {plate: Path(self.results, plate, "review.html") for plate in plates}
        serve(pages, self.folder, port)

    def path(self, plate: str, name: str) -> str:
        """A file of a plate: of its tables the one with corrections, where it has some."""
        corrected = name in CORRECTED_TABLES and self._files(plate)
        folder = f"{self.results}/{plate}"
        return f"{folder}/{FOLDER}/{name}" if corrected else f"{folder}/{name}"

    def table(self, name: str) -> Callable[[Any], str]:
        """Make an input function: as :meth:`path`, of a job's plate."""
        return signed(lambda wildcards: self.path(wildcards.plate, name))


def _says(path: str, word: str) -> bool:
    """Whether a file holds a word; most hold no such line, and need not be parsed for it."""
    with readable(path):
        return word.encode() in Path(path).read_bytes()


def _write(table: Path, columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Write a table, or remove it where it would have no row."""
    if rows:
        write_if_changed(table, table_text(columns, rows))
    else:
        table.unlink(missing_ok=True)


def _read(table: Path) -> list[dict[str, str]]:
    return table_rows(table) if table.exists() else []
