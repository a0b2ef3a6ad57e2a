"""The fibrosis tree: from B-mode scans to liver masks and stages of fibrosis."""

import json
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar

from snakescope.fibrosis import costs
from snakescope.fibrosis.scans.scan import SIMULATED, check_classes, conflicts, look
from snakescope.fibrosis.scans.sheet import REFUSED, Scan
from snakescope.fibrosis.settings import FibrosisSettings
from snakescope.fibrosis.simulation.cohort import cohort
from snakescope.fibrosis.steps import STEPS
from snakescope.settings.alike import notes_of_persons
from snakescope.step.errors import StepError
from snakescope.step.output import write_if_changed
from snakescope.step.rows import table_text
from snakescope.tree.costs import Size
from snakescope.tree.trained import Trained


class Fibrosis(Trained[Scan]):
    """The scans of a sample sheet, and the models that stage them.

    The images that are audited and learnt from are those that the rule ``ingest`` writes; its
    table is that of the items.
    """

    name = "fibrosis"
    subject = "scan"
    parts = ("model", "fold", "set")
    row = Scan
    section = FibrosisSettings
    steps = STEPS
    costs = costs.COSTS
    jobs: ClassVar = {}
    settings: FibrosisSettings

    def scan(self, row: Scan) -> list[str]:
        """Look at the files of a scan, and at rows that contradict it."""
        if row.name in self._conflicts:
            raise StepError(self._conflicts[row.name])
        look(row)
        return []

    @cached_property
    def _conflicts(self) -> Mapping[str, str]:
        return conflicts(self.sheet.values())

    def after_scan(self) -> list[str]:
        """Write the rows of the scans that can be used, and which new ones cannot."""
        rows = self.subjects.values()
        check_classes(rows, self.settings.training.classes, len(self.folds))
        columns = list(Scan.columns())
        cells = [row.model_dump(by_alias=True).values() for row in rows]
        write_if_changed(f"{self.results}/ingest/manifest/scans.tsv", table_text(columns, cells))
        lost = [
            (name, reason, self.sheet[name].set, self.sheet[name].stage)
            for name, reason in self.problems.items()
            if self.sheet[name].is_other
        ]
        write_if_changed(f"{self.results}/ingest/manifest/unusable.tsv", table_text(REFUSED, lost))
        notes = notes_of_persons("patients", (row.patient for row in rows if row.patient))
        if rows and not self.labelled:
            notes.append(
                f"{self.settings.sheet}: no scan of the set train has a stage, so nothing is"
                " trained and no liver outlined; scans are only brought into one form"
            )
        return notes

    @property
    def labelled(self) -> bool:
        """Whether there are scans to train on."""
        return any(row.set == "train" and row.stage for row in self.subjects.values())

    def wanted(self) -> list[str]:
        """The cross-validation and the results of scans and patients."""
        if not self.subjects:
            return []
        found = [f"{self.results}/ingest/complete", f"{self.results}/ingest/overview.png"]
        if self.labelled and self.settings.models:
            found += [f"{self.folder}/page.html", f"{self.results}/report/page.html"]
            if any(row.is_other for row in self.subjects.values()):
                found.append(f"{self.results}/ensemble/answers.tsv")
        return found

    def of_first_model(self, name: str) -> list[str]:
        """A file of the first model's fit to every fold."""
        if not self.settings.models:
            return []
        first = self.settings.models[0]
        return [f"{self.folder}/{first}/fold_{fold}/{name}" for fold in self.folds]

    def nnunet_folder(self) -> str:
        """The data set that is exported."""
        return f"{self.results}/export/Dataset{self.settings.export.dataset:03d}_Liver"

    def items_table(self, wildcards: Any) -> str:
        """The table of ingested scans."""
        return f"{self.results}/ingest/items.tsv"

    def images(self, wildcards: Any) -> list[str]:
        """What the ingested images depend on is in their table."""
        return []

    def sheet_rows(self, wildcards: Any) -> str:
        """The rows of usable scans, which the main process writes."""
        self.open()
        return f"{self.results}/ingest/manifest/scans.tsv"

    def raw_files(self, wildcards: Any) -> list[str]:
        """All images and masks of usable scans."""
        self.open()
        rows = self.subjects.values()
        return sorted({path for row in rows for path in (row.image, row.mask) if path})

    def simulated(self) -> dict[str, str | list[str]]:
        """The files of the simulated set, by what they are."""
        folder = self.simulated_folder()
        planned = cohort(self.settings.simulation)
        return {
            "images": [f"{folder}/{one.image}" for one in planned],
            "masks": [f"{folder}/{one.mask}" for one in planned],
            "sheet": f"{folder}/scans.tsv",
            "truth": f"{folder}/truth.tsv",
            "oracle": f"{folder}/oracle.tsv",
        }

    def simulated_folder(self) -> str:
        """Where the simulated set is written."""
        return f"{SIMULATED}{self.settings.simulation.set}"

    def described(self) -> str:
        """Classes and models as JSON; whether training scans are simulated, and others there."""
        simulated = any(
            row.image.startswith(SIMULATED) for row in self.sheet.values() if row.set == "train"
        )
        return json.dumps(
            {
                "classes": self.settings.training.classes,
                "models": list(self.settings.models),
                "training": self.settings.training.model_dump(mode="json", exclude_defaults=True),
                "simulated": simulated,
                "others": any(row.is_other for row in self.sheet.values()),
            },
            sort_keys=True,
        )

    def size(self, step: str, wildcards: Any) -> Size:
        """Scans of the sheet, or of the simulated set."""
        if step == "simulate":
            return Size("", {"item": float(sum(self.settings.simulation.images))})
        if step in ("fit", "predict"):
            return costs.of_training(self.settings.training, wildcards.model, len(self.sheet))
        return super().size(step, wildcards)

    def summary(self) -> list[str]:
        """The page to open."""
        page = f"{self.results}/report/page.html"
        return [f"open {page}"] if self.labelled and Path(page).exists() else []
