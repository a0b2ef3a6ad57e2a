"""A tree whose results are models and their scores: audit, folds, fits, predictions, a page."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

from snakescope.learning.settings import (
    AcceptSettings,
    AuditSettings,
    CrossValidationPageSettings,
    ScoreSettings,
    SplitSettings,
    TrainedSettings,
)
from snakescope.step.errors import StepError
from snakescope.step.output import write_if_changed
from snakescope.step.rows import table_text
from snakescope.tree.costs import Cost, Size
from snakescope.tree.steps import Step
from snakescope.tree.tree import R, Tree

FOLDER = "cross_validation"
"""Of the results; the row model of a tree reserves it, so that no subject is called so."""

STEPS: Mapping[str, Step] = {
    "audit": Step("snakescope.learning.audit.audit", AuditSettings),
    "accept": Step("snakescope.learning.audit.accept", AcceptSettings),
    "splits": Step("snakescope.learning.splits", SplitSettings),
    "scores": Step("snakescope.learning.cross_validation.scores", ScoreSettings),
    "page": Step("snakescope.report.cross_validation", CrossValidationPageSettings),
}
"""Of every trained tree; it adds ``fit`` and ``predict``, and may replace any of these."""

COSTS: Mapping[str, Cost] = {
    "audit": Cost(350, {"item": 0.1}, 10, {"item": 0.05}),
    "accept": Cost(150),
    "splits": Cost(250),
    "scores": Cost(400, {"item": 0.05}, 20, {"item": 0.05}),
    "page": Cost(150),
}


class Trained(Tree[R]):
    """Labelled subjects, and models that are cross-validated on them by group.

    ``rules/shared/cross_validation.smk`` makes the rest. A tree states its labels, groups and
    files, and has two steps of its own, whose options and tables are those of
    :mod:`snakescope.learning.cross_validation.folds`: ``fit`` trains a model for a fold,
    ``predict`` writes its probabilities of the items of that fold. A tree whose truth is no class
    has its own step ``scores``.

    Attributes:
        columns: of the sheet that hold the class, the group and the image, where an item is a row;
            else the tree has its own ``scan``, ``labels``, ``groups`` and ``files``.
        pictures: of the scores, which the step ``scores`` writes and the page shows.
    """

    section: ClassVar[type[TrainedSettings]]
    parts: ClassVar[tuple[str, ...]] = ("model", "fold")
    columns: ClassVar[tuple[str, str, str]]
    pictures: ClassVar[tuple[str, ...]] = ("confusion", "roc", "reliability", "folds", "errors")
    settings: TrainedSettings

    def scan(self, row: R) -> list[str]:
        """Look whether there is an image."""
        path = getattr(row, self.columns[2])
        if not Path(path).is_file():
            raise StepError(f"{path}: expected an image, found no such file; correct the sheet")
        return []

    def labels(self) -> Mapping[str, str]:
        """The class of each item (an image, a clip) of the subjects that can be used."""
        return self._column(0)

    def groups(self) -> Mapping[str, str]:
        """The patient, donor or plate of each item; empty where it is not known."""
        return self._column(1)

    def files(self) -> Mapping[str, str]:
        """The image of each item that the audit looks at."""
        return self._column(2)

    def _column(self, place: int) -> dict[str, str]:
        return {name: getattr(row, self.columns[place]) for name, row in self.subjects.items()}

    def metadata(self) -> Mapping[str, Mapping[str, str]]:
        """Further fields of items, which the audit holds against the class.

        ``mask`` is a file, and ``truth`` what is to be predicted where it is more than a class.
        """
        return {}

    @property
    def folder(self) -> str:
        """Of the cross-validation's results."""
        return f"{self.results}/{FOLDER}"

    @property
    def folds(self) -> range:
        """Numbers of the folds."""
        return range(self.settings.splits.folds)

    def after_scan(self) -> list[str]:
        """Write the table of items."""
        labels, groups, files, more = self.labels(), self.groups(), self.files(), self.metadata()
        fields = list(dict.fromkeys(name for values in more.values() for name in values))
        rows = []
        for item, label in labels.items():
            given = [more.get(item, {}).get(name, "") for name in fields]
            rows.append([item, groups.get(item, ""), label, files[item], *given])
        text = table_text(["item", "group", "class", "path", *fields], rows)
        write_if_changed(f"{self.folder}/manifest/items.tsv", text)
        return []

    def wanted(self) -> list[str]:
        """The page of the cross-validation."""
        return [f"{self.folder}/page.html"] if self.subjects and self.settings.models else []

    def items_table(self, wildcards: Any) -> str:
        """The table of items, which the main process writes."""
        self.open()
        return f"{self.folder}/manifest/items.tsv"

    def images(self, wildcards: Any) -> list[str]:
        """The images that the audit looks at, and what follows depends on."""
        self.open()
        return sorted(self.files().values())

    def of_folds(self, pattern: str) -> list[str]:
        """``pattern``, with ``{model}`` and ``{fold}``, for every fit."""
        return [
            f"{self.folder}/{pattern.format(model=model, fold=fold)}"
            for model in self.settings.models
            for fold in self.folds
        ]

    def size(self, step: str, wildcards: Any) -> Size:
        """Items of the sheet."""
        return Size("", {"item": float(len(self.sheet))})

    def accepted(self) -> str:
        """Findings of the audit that do not stop the training, and why, as JSON."""
        return json.dumps(self.settings.audit.accept, sort_keys=True)

    def threads(self, step: str) -> int:
        """Threads of a step, one where its settings do not say."""
        return int(getattr(self.settings_of(step), "threads", 1))
