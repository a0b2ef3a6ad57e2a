"""A clone of the workflow with tiny raw plates."""

from pathlib import Path

from tests.harness import STUB, Clone

ROWS = ("a|one|N2|raw/a|0|60|", "b|one|daf-16|raw/b|||", "c|two|N2|raw/c|||")


class Workspace(Clone):
    """A clone with raw plates of its own."""

    tree, first, last = "healthspan", "reference", "experiment"
    header = "plate\texperiment\tcondition\tfolder\tage_at_first_frame_d\tworms\texclusion\n"

    def make(self, stub: Path = STUB) -> None:
        """As of every clone, with blocks of three timepoints."""
        super().make(stub)
        self.config("")

    def config(self, text: str) -> None:
        """Write the configuration of the healthspan tree."""
        lines = "timepoints_per_block: 3\n" + text
        indented = "".join(f"  {line}\n" for line in lines.splitlines())
        self.sheet_file("config.yaml", "healthspan:\n" + indented)

    def sheet(self, *rows: str) -> None:
        """Write the sample sheet: plate, experiment, condition, folder, age, worms, exclusion."""
        lines = ["\t".join(row.split("|")) for row in rows]
        self.sheet_file("plates.tsv", self.header + "\n".join(lines) + "\n")

    def raw(self, plate: str, timepoints: int, missing: tuple[int, ...] = ()) -> None:
        """Write frames of a plate, 12 h apart, named like those of an IncuCyte."""
        for timepoint in set(range(timepoints)) - set(missing):
            path = self.frame(plate, timepoint)
            path.parent.mkdir(parents=True, exist_ok=True)
            if not path.exists():
                path.write_bytes(b"x")

    def frame(self, plate: str, timepoint: int) -> Path:
        """Path of a raw frame."""
        days, hours = divmod(12 * timepoint, 24)
        return self.root / f"raw/{plate}/Phase_A1_1_{days:02d}d{hours:02d}h00m.tif"

    def subjects(self) -> None:
        """Plates a and b in one experiment, plate c in another; seven timepoints each."""
        self.sheet(*ROWS)
        for plate in "abc":
            self.raw(plate, 7)

    def unusable(self) -> str:
        """A plate whose folder holds no image."""
        self.sheet(*ROWS, "empty|one|N2|raw/empty|||")
        (self.root / "raw/empty").mkdir(parents=True)
        return "empty"


EXAMPLE = Workspace
