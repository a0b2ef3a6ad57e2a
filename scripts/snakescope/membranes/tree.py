"""The membranes tree: from sections of electron micrographs to membranes."""

import json
from collections.abc import Callable, Iterable, Mapping
from functools import cache
from math import prod
from pathlib import Path
from typing import Any

from snakescope.learning.registry import Model, rebuilds
from snakescope.membranes import costs
from snakescope.membranes.networks.kernels import name_of
from snakescope.membranes.prediction.settings import OWN
from snakescope.membranes.search.plan import cost_of_halving, halving_plan
from snakescope.membranes.settings import MembranesSettings
from snakescope.membranes.stacks.folds import blocks_of, draws_apart
from snakescope.membranes.stacks.manifest import (
    FILE,
    PARTS,
    Manifest,
    read_manifest,
    write_manifest,
)
from snakescope.membranes.stacks.scan import check_apart, find_stack, is_simulated
from snakescope.membranes.stacks.sheet import Stack
from snakescope.membranes.steps import STEPS
from snakescope.step.errors import StepError
from snakescope.step.rows import table_rows
from snakescope.tree.costs import Size
from snakescope.tree.notes import some
from snakescope.tree.parameters import Files
from snakescope.tree.tree import Tree

RESULTS = ("membranes.ome.zarr", "membranes.tif", "sections.png", "page.html")
TRUTH_RESULTS = ("scores.tsv", "scores.png")
DEFAULT_WIDTH = 16
LOOK = "look.json"


class Membranes(Tree[Stack]):
    """The stacks of a sample sheet and the files of their results.

    Methods that take ``wildcards`` are input functions and parameters of rules; paths are relative
    to the working directory.
    """

    name = "membranes"
    subject = "stack"
    parts = ("block", "network", "fold", "neighbours", "sections", "draw")
    row = Stack
    section = MembranesSettings
    steps = STEPS
    costs = costs.COSTS
    settings: MembranesSettings

    def __init__(self, *arguments: Any, **options: Any):
        super().__init__(*arguments, **options)
        self.stack = cache(self._stack)
        named = self.settings_of("predict").weights
        self.trains = named == OWN
        self.network = named if self.trains else self.weights_of(named)

    def scan(self, row: Stack) -> list[str]:
        """Look at the files of a stack and write what they are."""
        found = find_stack(row, self.settings_of("simulate").shape)
        for one in self.sheet.values():
            check_apart(row, found, one)
        write_manifest(self.manifest(row.name), found)
        if is_simulated(row):
            return []
        from snakescope.imaging.volume_source import of_voxel_size
        from snakescope.imaging.volumes import MOST_VOXELS, kept_look, look_at_grey

        sources = {"image": found.image} | ({"labels": found.labels} if found.labels else {})
        notes = [note for source in sources.values() for note in source.notes]
        notes += of_voxel_size(f"stack {row.name}", row.voxel_nm, sources)
        path = Path(self.manifest(row.name), LOOK)

        def seen() -> list[str]:
            if found.labels and any(found.parts.values()) and prod(found.image.shape) < MOST_VOXELS:
                from snakescope.membranes.stacks.sections import read_membrane

                read_membrane(found)  # refuses labels that a job would
            return look_at_grey(found.image)

        return [*notes, *kept_look(path, sources.values(), seen, f"{row.positive} {row.crop}")]

    def after_scan(self) -> list[str]:
        """A note on stacks that name sections to train with where other weights predict."""
        named = [name for name in self.subjects if self.stack(name).parts["train"]]
        if self.trains or not named:
            return []
        return [
            f"{some(named)}: sections are named in the column train, but membranes are predicted by"
            f" {self.network}; by a network trained with them: membranes: prediction: weights:"
            f" {OWN}"
        ]

    def wanted(self) -> list[str]:
        """The membranes and pictures of every stack, scores of those with test sections."""
        wanted = []
        for name in self.subjects:
            results = RESULTS + (TRUTH_RESULTS if self.is_scored(name) else ())
            wanted += [f"{self.results}/{name}/{result}" for result in results]
        return wanted

    def is_scored(self, name: str) -> bool:
        """Whether a stack has labelled sections to score."""
        return bool(self.stack(name).parts["test"])

    def models(self) -> Mapping[str, Model]:
        """The network, unless this run trains it."""
        if self.trains:
            return {}
        key = f"membranes: prediction: weights, or name {OWN} there to train in the same run"
        model = Model(self.network, key, f"snakemake --cores 2 {OWN}")
        return {"predict": model, "features": model}

    def summary(self) -> list[str]:
        """The scores of every stack with truth, and the pictures to open."""
        lines = []
        for name in self.subjects:
            folder = Path(self.results, name)
            if (folder / "scores.tsv").exists():
                lines += _scores(name, folder / "scores.tsv")
            pictures = [folder / one for one in ("page.html", "sections.png")]
            lines += [f"  open {path}" for path in pictures if path.exists()]
        return ["\n".join(lines)] if lines else []

    # Stacks and blocks of sections.

    def _stack(self, name: str) -> Manifest:
        self.open()
        path = Path(self.manifest(name), FILE)
        # What an earlier run found stays there when its row can no longer be used.
        if name not in self.subjects or not path.exists():
            raise self.unusable(name)
        return read_manifest(path)

    def _blocks(self, name: str) -> dict[str, tuple[int, int]]:
        depth, step = self.stack(name).shape[0], self.settings_of("predict").sections_per_block
        ranges = [(begin, min(begin + step, depth)) for begin in range(0, depth, step)]
        return {f"z{begin:04}-{end - 1:04}": (begin, end) for begin, end in ranges}

    def block(self, wildcards: Any) -> str:
        """First section of the block and the one after its last."""
        begin, end = self._blocks(wildcards.stack)[wildcards.block]
        return f"{begin}:{end}"

    def block_files(self, wildcards: Any) -> list[str]:
        """The files that a block is predicted from."""
        neighbours = self._network().get("neighbours", 0)
        begin, end = self._blocks(wildcards.stack)[wildcards.block]
        image = self.stack(wildcards.stack).image
        return list(image.files_of(max(0, begin - neighbours), end + neighbours))

    def of_blocks(self, pattern: str) -> Files:
        """Make an input function: ``pattern``, with ``{block}``, for every block of the stack."""
        return lambda wildcards: [
            f"{self.results}/{wildcards.stack}/{pattern.format(block=block)}"
            for block in self._blocks(wildcards.stack)
        ]

    def stack_files(self, wildcards: Any) -> list[str]:
        """The files of a stack's image and labels."""
        return _files(self.stack(wildcards.stack))

    def described(self, wildcards: Any) -> str:
        """What the sheet says of a stack that its results depend on, as JSON."""
        row = self.sheet[wildcards.stack]
        return row.model_dump_json(include={"positive", "crop", "voxel_nm", "set", *PARTS})

    def scores(self, wildcards: Any) -> list[str]:
        """The table with the thresholds of a stack, if it has one."""
        scored = self.is_scored(wildcards.stack)
        return [f"{self.results}/{wildcards.stack}/scores.tsv"] if scored else []

    def scores_shown(self, wildcards: Any) -> list[str]:
        """The table and the figure of the scores of a stack, if it has them."""
        tables = self.scores(wildcards)
        return [path for one in tables for path in (one, one.replace(".tsv", ".png"))]

    # Networks.

    def own_weights(self, wildcards: Any = None) -> list[str]:
        """The weights that this run trains, if it does."""
        return [OWN] if self.trains else []

    def sha256(self, wildcards: Any = None) -> str:
        """The checksum of weights that were not trained in this run."""
        return "" if self.trains else self.checksum(self.network)

    def _network(self) -> dict[str, Any]:
        if self.trains:
            return self.settings_of("train").network.model_dump()
        return dict(rebuilds(self.network).get("network", {}))

    def training_stacks(self, wildcards: Any = None) -> list[str]:
        """What was found of the stacks with sections to train with, to tune and to test."""
        return [f"{self.manifest(name)}/{FILE}" for name in self._labelled()]

    def training_parts(self, wildcards: Any = None) -> str:
        """What the sheet says of all labelled stacks, as JSON."""
        kept = {"positive", "crop", "set", *PARTS}
        rows = {
            name: self.sheet[name].model_dump(mode="json", include=kept)
            for name in self._labelled()
        }
        return json.dumps(rows, sort_keys=True)

    def training_files(self, wildcards: Any = None) -> list[str]:
        """The files of all labelled stacks.

        With what the rule of an unusable one cannot make: no network is trained without a stack
        that the sheet names for it.

        Raises:
            StepError: no stack has sections to train with.
        """
        names = self._labelled()
        problems = [f"{self.manifest(name)}/usable" for name in self.problems]
        if not (problems or any(self.stack(name).parts["train"] for name in names)):
            raise StepError(
                f"{self.settings.sheet}: expected a stack with sections to train with, found none;"
                " fill the columns labels and train"
            )
        return [path for name in names for path in _files(self.stack(name))] + problems

    def _labelled(self) -> list[str]:
        self.open()
        return [name for name in self.subjects if any(self.stack(name).parts.values())]

    def of_folds(self, wildcards: Any) -> list[str]:
        """The scores of every network and fold of a stack.

        Raises:
            StepError: the stack has too few labelled sections.
        """
        settings = self.settings_of("fold")
        parts = self.stack(wildcards.stack).parts.values()
        blocks_of([z for part in parts for z in part], settings.folds)
        folder = f"{self.results}/{wildcards.stack}/cross_validation"
        return [
            f"{folder}/{network}_fold{fold}.json"
            for network in (*settings.networks, "raw")
            for fold in range(settings.folds)
        ]

    def of_curve(self, wildcards: Any) -> list[str]:
        """The points of the learning curve of a stack."""
        settings = self.settings_of("learning_point")
        parts = self.stack(wildcards.stack).parts
        train, most = parts["train"], len(parts["train"])
        if not (most and parts["test"]):
            raise StepError(
                f"{self.settings.sheet}: expected sections of {wildcards.stack} to train with and"
                f" some to test with, found {most} and {len(parts['test'])}; fill the columns"
                " labels, train, tune and test"
            )
        counts = dict.fromkeys(min(one, most) for one in settings.sections)
        folder = f"{self.results}/{wildcards.stack}/learning_curve"
        return [
            f"{folder}/neighbours{neighbours}_sections{count}_draw{draw}.json"
            for neighbours in dict.fromkeys(settings.neighbours)
            for count in counts
            for draw in draws_apart(train, count, settings.draws)
        ]

    def point_recorded(self, wildcards: Any) -> str:
        """The settings of a point; all sections are the same ones in however many draws."""
        whole = int(wildcards.sections) == len(self.stack(wildcards.stack).parts["train"])
        draws = () if whole else ("draws",)
        return self.recorded("learning_point", "network", "turns", *draws)

    # Search.

    def trial_rows(self, names: Iterable[str], steps: int) -> list[str]:
        """The rows of trials, such as ``k4-8-16_seed3``, after so many steps."""
        return [f"{self.results}/trainings/{name}/steps{steps}.json" for name in names]

    def trials(self, seeds: int) -> list[str]:
        """Every setting of the search with so many seeds."""
        settings = self.settings_of("select").kernels
        return [f"{name_of(one)}_seed{seed}" for one in settings for seed in range(seeds)]

    def rows_of_rung(self, survivors: Callable[[int], str]) -> Files:
        """Make an input function: the rows by which a rung selects.

        Args:
            survivors: the table of a rung, by its number, once it is there.
        """

        def rows(wildcards: Any) -> list[str]:
            rung, settings = int(wildcards.rung), self.settings_of("select")
            names = self.trials(settings.seeds)
            if rung == 0:
                self.warn(f"search: {self.cost_of_search()}")
            else:
                kept = set(_kept(survivors(rung - 1)))
                names = [name for name in names if name.partition("_")[0] in kept]
            return self.trial_rows(names, settings.rungs[rung])

        return rows

    def cost_of_search(self) -> str:
        """What a search will take at most, for people."""
        settings = self.settings_of("select")
        count, seeds = len(settings.kernels), settings.seeds
        trainings = sum(halving_plan(count, settings.rungs, settings.kept)) * seeds
        steps = cost_of_halving(count, settings.rungs, seeds, settings.kept)
        training, cost = settings.trial.training, costs.COSTS["trial"]
        a_step = costs.of_training([], training).amounts["work"] / training.steps
        minutes = (cost.s_per["work"] * a_step * steps + cost.s * trainings) / 60
        return (
            f"{count} kernel settings, {trainings} trainings, {steps} steps, about {minutes:.0f}"
            " minutes of a processor"
        )

    def previous(self, wildcards: Any) -> list[str]:
        """The checkpoint of the rung before, if there is one."""
        shorter = [one for one in self.settings_of("select").rungs if one < int(wildcards.steps)]
        folder = f"{self.results}/trainings/{wildcards.trial}"
        return [f"{folder}/steps{shorter[-1]}.ckpt"] if shorter else []

    def is_last(self, wildcards: Any) -> str:
        """Whether a trial is on the last rung, yes or no."""
        return "yes" if int(wildcards.steps) == self.settings_of("select").rungs[-1] else "no"

    def paper_rows(self, wildcards: Any = None) -> list[str]:
        """The full table: every setting, seed and rung."""
        names = self.trials(self.settings_of("paper").seeds)
        rungs = self.settings_of("select").rungs
        return [path for steps in rungs for path in self.trial_rows(names, steps)]

    def size(self, step: str, wildcards: Any) -> Size:
        """How much a job of a step works on."""
        match step:
            case "train":
                manifests = [self.stack(name) for name in self._labelled()]
                return costs.of_training(manifests, self.settings_of("train"))
            case "trial":
                manifests = [self.stack(name) for name in self._labelled()]
                training = self.settings_of("trial").training
                steps = int(wildcards.steps)
                return costs.of_training(manifests, training.model_copy(update={"steps": steps}))
            case "select" | "search" | "paper":
                return Size()
            case "simulate":
                z, y, x = self.settings_of("simulate").shape
                return Size("", {"mpx": z * y * x / costs.MEGA})
        manifest = self.stack(wildcards.stack)
        match step:
            case "predict":
                begin, end = self._blocks(wildcards.stack)[wildcards.block]
                width = self._network().get("width", DEFAULT_WIDTH)
                settings = self.settings_of("predict")
                return costs.of_prediction(manifest, end - begin, settings, width)
            case "fold" | "learning_point":
                return costs.of_training([manifest], self.settings_of("train"))
        return costs.of_stack(manifest)


def _kept(table: str) -> list[str]:
    """The settings that go on, in the table of a rung."""
    return [row["kernels"] for row in table_rows(table) if row["kept"] == "yes"]


def _files(manifest: Manifest) -> list[str]:
    labels = manifest.labels.files if manifest.labels else ()
    return [*manifest.image.files, *labels]


def _scores(name: str, path: Path) -> list[str]:
    table = [row for row in table_rows(path) if row.get("metric")]
    rows = {row["metric"]: row for row in table if row["network"] == "network"}
    shown = {"V_Rand": "v_rand", "V_Info": "v_info", "IoU of membranes": "iou"}
    scores = [f"{text} {float(rows[m]['value']):.3f}" for text, m in shown.items() if m in rows]
    origin = rows["v_rand"]["threshold_from"] if "v_rand" in rows else ""
    return [f"{name}: {', '.join(scores)} (threshold: {origin})"] if scores else []
