"""The sperm tree: videos, clips of them, and the networks that grade clips."""

from collections import Counter
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import Any

from snakescope.learning.registry import Model
from snakescope.settings.alike import is_copy, is_one, notes_of_alike, notes_of_persons
from snakescope.settings.sheet import read_rows
from snakescope.sperm.costs import COSTS
from snakescope.sperm.dishes import SIMULATED, Dishes
from snakescope.sperm.settings import SpermSettings
from snakescope.sperm.steps import STEPS
from snakescope.sperm.videos.sheet import FILES, GRADES, Clip, Video
from snakescope.step.errors import StepError
from snakescope.step.output import write_if_changed
from snakescope.step.rows import table_rows, table_text
from snakescope.tree.costs import Size

CLIPS_OF_A_FIELD, FRAMES_OF_A_FIELD = 100, 3000
"""Of a minute of video, for requests of memory and time."""
PLAN = ("clip", "path", "start_s", "x_px", "y_px", "um_per_px", "fps", "flags", "moved_px")


class Sperm(Dishes):
    """The videos of a sample sheet, the clips in them, and who grades these."""

    name = "sperm"
    subject = "video"
    parts = ("model", "fold", "dish", "grader", "clip", "method", "preset")
    row = Video
    section = SpermSettings
    steps = STEPS
    costs = COSTS
    pictures = ("folds", "agreement", "calibration", "risk")
    settings: SpermSettings

    @cached_property
    def clips(self) -> dict[str, Clip]:
        """The clips of the sheet, by name.

        Raises:
            StepError: a clip of a video that is not in the sheet of videos.
        """
        path = self.settings.clips_sheet
        named = path != type(self.settings).model_fields["clips_sheet"].default
        rows = read_rows(path, Clip, needed=named) if self.sheet else ()
        for row in rows:
            if row.video and row.video not in self.sheet:
                raise StepError(
                    f"{path}, clip {row.name}: expected a video of {self.settings.sheet}, found"
                    f" {row.video!r}; add the video, or correct the cell"
                )
        return {row.name: row for row in rows}

    def clips_of(self, video: str) -> dict[str, Clip]:
        """The clips that the sheet names of a video, or those that are files."""
        wanted = "" if video == FILES else video
        return {name: row for name, row in self.clips.items() if row.video == wanted}

    # Looking at the raw data.

    def scan(self, row: Video) -> list[str]:
        """Check that a video can be read and whose it is, and write which clips to cut from it."""
        self._check_file(row)
        notes = self._copies(row)
        self._check_dish(row)
        if match := SIMULATED.fullmatch(row.path):
            if match[2] != row.name:
                raise StepError(
                    f"{self.settings.sheet}, video {row.name}: expected the simulated video of this"
                    f" name, found {row.path}; write {row.name}.avi"
                )
        else:
            notes += self._look(row)
        self._write_plan(row.name)
        return notes

    def _copies(self, row: Video) -> list[str]:
        """Tell of a video that is in a row before once more, or a copy of that one."""
        for one in self.sheet.values():
            if one.name == row.name:
                break
            if is_one(one.path, row.path) or is_copy(one.path, row.path):
                return [
                    f"{self.settings.sheet}, video {row.name}: {row.path} is the video {one.name}"
                    " once more, whose sperm would count twice; remove a row"
                ]
        return []

    def _check_file(self, row: Video) -> None:
        """Rows of one file agree in donor, scale, rate and dish."""
        same = [one for one in self.sheet.values() if is_one(one.path, row.path)]
        for one in same:
            if one.donor != row.donor:
                raise StepError(
                    f"{self.settings.sheet}, video {row.name}: expected one donor of {row.path},"
                    f" found {row.donor} here, {one.donor} for video {one.name}; correct the donor,"
                    " or one clip would be tested on a donor that it was trained on"
                )
        for one in same:
            if (one.um_per_px, one.fps) != (row.um_per_px, row.fps):
                raise StepError(
                    f"{self.settings.sheet}, video {row.name}: expected one um_per_px and one fps"
                    f" of {row.path}, found others for video {one.name}; correct the cells"
                )
            if one.dish != row.dish:
                raise StepError(
                    f"{self.settings.sheet}, video {row.name}: expected one dish of {row.path},"
                    f" found {row.dish or 'none'} here, {one.dish or 'none'} for video {one.name};"
                    " write the same dish in both rows"
                )

    def _check_dish(self, row: Video) -> None:
        """A dish holds the sperm of one donor."""
        for one in self.sheet.values():
            if row.dish and one.dish == row.dish and one.donor != row.donor:
                raise StepError(
                    f"{self.settings.sheet}, video {row.name}: expected one donor of dish"
                    f" {row.dish}, found {row.donor} here, {one.donor} for video {one.name}; name"
                    " the dishes apart, since sperm are ranked within a dish"
                )

    def _look(self, row: Video) -> list[str]:
        from snakescope.imaging.videos.video import Video as Opened
        from snakescope.imaging.videos.video import check_rate

        video = Opened(row.path, row.fps)
        check_rate(video, self.settings.clips.fps)
        self.note_length(row.name, video.cut_off, video.duration_s)
        if row.um_per_px is None:
            video.notes.append(
                f"{self.settings.sheet}, video {row.name}: no um_per_px, so there are no speeds,"
                " and clips keep the pixels of the video"
            )
        return video.notes

    def _write_plan(self, video: str) -> None:
        rows = []
        for name, clip in self.clips_of(video).items():
            source = self.sheet[clip.video] if clip.video else None
            path = source.path if source else clip.file
            um = source.um_per_px if source else clip.um_per_px
            fps = source.fps if source else clip.fps
            rows.append([name, path, clip.start_s, clip.x_px, clip.y_px, um, fps, "", ""])
        write_if_changed(f"{self.manifest(video)}/clips.tsv", table_text(PLAN, rows))

    def after_scan(self) -> list[str]:
        """Write the tables of items and of the clips that are files."""
        notes = []
        if self.clips_of(FILES):
            self._write_plan(FILES)
            self._check_donors()
            absent = [one.file for one in self._files_of_clips if not Path(one.file).exists()]
            if absent:
                raise StepError(
                    f"{self.settings.clips_sheet}: expected the files of {len(absent)} clips, found"
                    f" no {absent[0]}; correct the cells"
                )
        every = [row.donor for row in self.sheet.values()]
        dishes = [row.dish for row in self.sheet.values()]
        notes += notes_of_alike("dishes", dishes, "are ranked apart")
        notes += notes_of_persons("donors", [*every, *(row.donor for row in self._files_of_clips)])
        labels = self.labels()
        donors = {self.groups()[name] for name in labels}
        if labels and len(donors) < self.settings.splits.folds:
            folds = self.settings.splits.folds
            notes.append(
                f"{self.settings.clips_sheet}: expected graded clips of at least {folds} donors,"
                f" found {len(donors)}; lower sperm: splits: folds, or add donors"
            )
        return [*notes, *super().after_scan()]

    @property
    def _files_of_clips(self) -> list[Clip]:
        return list(self.clips_of(FILES).values())

    def _check_donors(self) -> None:
        """Refuse one file as clips of two donors: one would be tested on what it was trained on."""
        first: dict[Path, Clip] = {}
        for row in self._files_of_clips:
            before = first.setdefault(Path(row.file).resolve(), row)
            if before.donor != row.donor:
                raise StepError(
                    f"{self.settings.clips_sheet}: expected one donor of {row.file}, found"
                    f" {before.donor} for clip {before.name}, {row.donor} for clip {row.name};"
                    " correct the donor, or the file"
                )

    # Items of the cross-validation.

    @cached_property
    def graded(self) -> dict[str, Clip]:
        """The clips with votes of videos that can be used."""
        usable = {"", *self.subjects}
        return {
            name: row for name, row in self.clips.items() if sum(row.votes) and row.video in usable
        }

    def labels(self) -> Mapping[str, str]:
        """The grade nearest to the mean of the votes; grades of one donor join their neighbour.

        Folds are stratified by it; what is predicted are the votes.
        """
        found = {}
        for name, row in self.graded.items():
            mean = sum(at * votes for at, votes in enumerate(row.votes)) / sum(row.votes)
            found[name] = GRADES[int(mean + 0.5)]
        groups = self.groups()
        for grade, into in zip("AEBD", "BDCC", strict=True):
            if len({groups[name] for name, one in found.items() if one == grade}) < 2:
                found = {name: into if one == grade else one for name, one in found.items()}
        return found

    def groups(self) -> Mapping[str, str]:
        """The donor of each clip."""
        return {
            name: self.sheet[row.video].donor if row.video else row.donor
            for name, row in self.graded.items()
        }

    def files(self) -> Mapping[str, str]:
        """The stack of each clip."""
        return {name: self.clip_file(row) for name, row in self.graded.items()}

    def clip_file(self, clip: Clip) -> str:
        """Where the stack of a clip is."""
        return f"{self.results}/{clip.video or FILES}/clips/{clip.name}.tif"

    def metadata(self) -> Mapping[str, Mapping[str, str]]:
        """The votes, and the device, which must not give the grade away."""
        return {
            name: {
                "truth": " ".join(map(str, row.votes)),
                "device": self.sheet[row.video].device if row.video else "",
            }
            for name, row in self.graded.items()
        }

    def images(self, wildcards: Any) -> list[str]:
        """The tables of the clips, which are written after their stacks."""
        self.open()
        videos = Counter(row.video or FILES for row in self.graded.values())
        return [f"{self.results}/{name}/clips.tsv" for name in sorted(videos)]

    # What a run makes.

    def wanted(self) -> list[str]:
        """The tables of clips, and the page of the cross-validation where there are votes."""
        files = [FILES] if self.clips_of(FILES) else []
        tables = [f"{self.results}/{name}/clips.tsv" for name in (*self.subjects, *files)]
        page = [f"{self.folder}/page.html"] if self.graded and self.settings.models else []
        fields = [name for name in self.subjects if not self.clips_of(name)]
        return [
            *tables,
            *page,
            *(f"{self.results}/dishes/{dish}/page.html" for dish in self.dishes),
            *([f"{self.results}/clips.tsv"] if self.dishes else []),
            *(f"{self.results}/{video}/overlay.mp4" for video in fields),
        ]

    def summary(self) -> list[str]:
        """The page and the first scores."""
        path = Path(f"{self.folder}/scores.tsv")
        lines = []
        if path.exists():
            for row in table_rows(path):
                if row["metric"] == "mse_e2" and " - " not in row["model"]:
                    ends = f" ({row['low']} to {row['high']})" if row["low"] else ""
                    lines.append(f"{row['model']}: squared error {row['value']}e-2{ends}")
        pages = [f"{self.folder}/page.html"] if lines else []
        dishes = [f"{self.results}/dishes/{dish}/page.html" for dish in self.dishes]
        there = [page for page in dishes if Path(page).exists()]
        return [*lines, *self.ungraded(), *pages, *there]

    # Parameters and files of jobs.

    def videos_of(self, wildcards: Any) -> list[str]:
        """The files that the clips of a video are cut from."""
        self.open()
        if wildcards.video == FILES:
            return sorted({row.file for row in self._files_of_clips})
        return [self.sheet[wildcards.video].path]

    def plan_of(self, wildcards: Any) -> str:
        """Which clips to cut from a video: those of the sheet, else one of each track."""
        self.open()
        if self.clips_of(wildcards.video):
            return f"{self.manifest(wildcards.video)}/clips.tsv"
        return f"{self.results}/{wildcards.video}/windows.tsv"

    def scale_of(self, wildcards: Any) -> str:
        """Pixel size (um) and frames per second that the sheet gives, as ``0.46:50``."""
        row = self.sheet[wildcards.video]
        return ":".join("" if one is None else f"{one:g}" for one in (row.um_per_px, row.fps))

    @property
    def head_weights(self) -> str:
        """The weights of the network that finds heads; empty where there is none."""
        named = self.settings.detection.weights
        return self.weights_of(named) if named else ""

    def head_files(self, wildcards: Any) -> list[str]:
        """The same, as an input."""
        return [self.head_weights] if self.head_weights else []

    def models(self) -> Mapping[str, Model]:
        """The networks that find heads, and that grade where none is trained."""
        found = {}
        made = "snakemake results/sperm/models/{}.safetensors"
        if self.head_weights:
            key = "sperm: detection: weights"
            found["detect"] = Model(self.head_weights, key, made.format("heads"))
        if self.settings.results.grading.weights:
            key = "sperm: results: grading: weights"
            found["grade"] = Model(self.grader, key, made.format("ours"))
        return found

    def donor_of(self, wildcards: Any) -> str:
        """The donor of a simulated video; without a row, the video itself."""
        row = self.sheet.get(wildcards.video)
        return row.donor if row else wildcards.video

    def seconds_of(self, wildcards: Any) -> int:
        """Seconds of a simulated video that follows one sperm after another."""
        starts = [row.start_s for row in self.clips_of(wildcards.video).values()]
        return int(max(starts, default=0)) + 1

    def size(self, step: str, wildcards: Any) -> Size:
        """How much a job of a step works on."""
        items = float(max(len(self.graded) if self.opened else len(self.clips), 1))
        match step:
            case "simulate":
                simulation = self.settings.simulation
                field = simulation.field_s * simulation.field_fps
                frames = self.seconds_of(wildcards) * simulation.fps
                return Size("", {"frame": field if wildcards.preset == "semen" else frames})
            case "cut":
                listed = len(self.clips_of(wildcards.video))
                return Size("", {"clip": float(listed or CLIPS_OF_A_FIELD)})
            case "grade" | "dish":
                return Size("", {"clip": items if self.graded else float(CLIPS_OF_A_FIELD)})
            case "train_grader":
                grading = self.settings.grader_training
                clips = grading.dishes * grading.each
                steps = float(clips * grading.epochs)
                return Size("", {"item": clips + 20.0 * grading.held_out, "step": steps})
            case "overlay":
                return Size("", {"frame": float(FRAMES_OF_A_FIELD)})
            case "detect" | "track":
                return Size("", {"frame": float(FRAMES_OF_A_FIELD)})
            case "train_heads":
                return Size("", {"step": float(self.settings.head_training.steps)})
            case "fit":
                return Size("", {"item": items, "step": items * self.settings.training.epochs})
        return Size("", {"item": items})
