"""Dishes of sperm, and the weights that grade and explain their clips."""

import json
import re
from abc import abstractmethod
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import Any

from snakescope.learning.registry import card_of
from snakescope.sperm.settings import SpermSettings
from snakescope.sperm.videos.lengths import no_clip
from snakescope.sperm.videos.sheet import FILES, Clip, Video
from snakescope.step.output import write_if_changed
from snakescope.step.rows import table_rows
from snakescope.tree.trained import Trained

SIMULATED = re.compile(r"simulated/sperm/(icsi_pvp|semen)/([^/]+)\.avi")
LENGTH = "length.json"
"""In the manifest of a video: its duration, and whether its file is cut off."""
SHIPPED = "resources/models/sperm/{}.safetensors"


class Dishes(Trained[Video]):
    """The part of the tree that grades all sperm, and puts those of a dish in order.

    Where there are graded clips, the networks of the cross-validation grade, each clip by the one
    that saw none of its donor; else the weights of the configuration, or none.
    """

    settings: SpermSettings

    @property
    @abstractmethod
    def graded(self) -> Mapping[str, Clip]:
        """The clips with votes of videos that can be used."""

    @abstractmethod
    def clips_of(self, video: str) -> Mapping[str, Clip]:
        """The clips that the sheet names of a video, or those that are files."""

    @cached_property
    def dishes(self) -> dict[str, list[str]]:
        """The videos of each dish; clips that are files stand for one video."""
        found: dict[str, list[str]] = {}
        for name, row in self.subjects.items():
            found.setdefault(row.dish or name, []).append(name)
        for clip in self.clips_of(FILES).values():
            videos = found.setdefault(clip.dish or FILES, [])
            if FILES not in videos:
                videos.append(FILES)
        return found

    def note_length(self, video: str, cut_off: bool, duration_s: float) -> None:
        """Keep what the end of the run and the page of the dish say of a video."""
        found = {"cut_off": cut_off, "duration_s": round(duration_s, 3)}
        write_if_changed(f"{self.manifest(video)}/{LENGTH}", json.dumps(found) + "\n")

    def _length(self, video: str) -> dict[str, Any]:
        path = Path(self.manifest(video), LENGTH)
        found: dict[str, Any] = json.loads(path.read_text("utf-8")) if path.exists() else {}
        return found

    def lengths_of_dish(self, wildcards: Any) -> str:
        """What is known of the lengths of the videos of a dish, as JSON."""
        self.open()
        return json.dumps({one: self._length(one) for one in self.dishes[wildcards.dish]})

    def verdicts(self) -> dict[str, dict[str, str]]:
        """The videos whose file is cut off, and those of which no clip came."""
        cut_off, without = {}, {}
        for name in self.subjects:
            length = self._length(name)
            if length.get("cut_off"):
                cut_off[name] = "copy it again if the copy broke off"
            path = Path(self.results, name, "clips.tsv")
            if path.exists() and not table_rows(path):
                without[name] = no_clip(length)
        return {"with a file that is cut off": cut_off, "without a clip": without}

    def ungraded(self) -> list[str]:
        """One line where no network grades."""
        if not self.dishes or self.cross_validated or self.grader:
            return []
        return [
            f"no sperm was graded, as no network was trained on grades: give votes in"
            f" {self.settings.clips_sheet}, or weights in sperm: results: grading: weights"
        ]

    def dish_tables(self, wildcards: Any) -> list[str]:
        """The tables of all dishes."""
        self.open()
        return [f"{self.results}/dishes/{dish}/clips.tsv" for dish in self.dishes]

    def of_dish(self, name: str) -> Any:
        """Make an input function: a table of each video of a dish."""

        def files(wildcards: Any) -> list[str]:
            self.open()
            return [f"{self.results}/{video}/{name}" for video in self.dishes[wildcards.dish]]

        return files

    def videos_of_dish(self, wildcards: Any) -> list[str]:
        """The names of the videos of a dish."""
        self.open()
        return self.dishes[wildcards.dish]

    def files_of_dish(self, wildcards: Any) -> str:
        """The clips of a dish that are files of their own, as JSON."""
        clips = self.clips_of(FILES).items()
        return json.dumps([name for name, row in clips if (row.dish or FILES) == wildcards.dish])

    def table_of_dish(self, wildcards: Any) -> str:
        """The table of the dish of a video."""
        row = self.sheet[wildcards.video]
        return f"{self.results}/dishes/{row.dish or row.name}/clips.tsv"

    @property
    def cross_validated(self) -> bool:
        """Whether the networks of the cross-validation grade the clips."""
        self.open()
        named = self.settings.results.grading.weights
        return bool(self.graded and self.settings.models and not named)

    @property
    def grader(self) -> str:
        """The weights that grade where there is no cross-validation; empty: there are none."""
        named = self.settings.results.grading.weights
        return self.weights_of(named) if named else ""

    def _of_folds(self, model: str) -> list[str]:
        return [f"{self.folder}/{model}/fold_{at}/weights.safetensors" for at in self.folds]

    def grader_weights(self, wildcards: Any) -> list[str]:
        """The weights that grade the clips of a run."""
        if self.cross_validated:
            return self._of_folds(self.settings.models[0])
        return [self.grader] if self.grader else []

    def grader_splits(self, wildcards: Any) -> list[str]:
        """Which fold held out which clip."""
        return [f"{self.folder}/splits.tsv"] if self.cross_validated else []

    def grader_predictions(self, wildcards: Any) -> list[str]:
        """Predictions of clips that were held out."""
        return [f"{self.folder}/predictions.tsv"] if self.cross_validated else []

    def grader_checksum(self, wildcards: Any) -> str:
        """Of weights that no rule makes."""
        return self.checksum(self.grader) if self.grader else ""

    def origin(self, wildcards: Any) -> str:
        """What the grades come from, as JSON: in words, and whether it saw simulations only."""
        if self.cross_validated:
            videos = [self.sheet[row.video].path for row in self.graded.values() if row.video]
            simulated = bool(videos) and all(SIMULATED.fullmatch(path) for path in videos)
            name = f"{self.settings.models[0]}, cross-validated by donor"
            return json.dumps({"grader": name, "simulated": simulated})
        card = card_of(self.grader) if self.grader else Path()
        stated = json.loads(card.read_text(encoding="utf-8")) if card.is_file() else {}
        simulated = "simulated" in stated.get("model", {}).get("origin", "")
        return json.dumps({"grader": self.grader, "simulated": simulated})

    def explained(self, wildcards: Any) -> bool:
        """Whether a network that is to be explained was cross-validated."""
        self.open()
        return bool(self.graded) and wildcards.grader in self.settings.models

    def explained_weights(self, wildcards: Any) -> list[str]:
        """Weights of a network: of the folds, shipped ones, or ones to train on simulations."""
        if self.explained(wildcards):
            return self._of_folds(wildcards.grader)
        shipped = self.weights_of(SHIPPED.format(wildcards.grader))
        trained = f"{self.results}/models/{wildcards.grader}.safetensors"
        return [shipped if Path(shipped).exists() else trained]

    def explained_splits(self, wildcards: Any) -> list[str]:
        """Which fold held out which clip."""
        return [f"{self.folder}/splits.tsv"] if self.explained(wildcards) else []
