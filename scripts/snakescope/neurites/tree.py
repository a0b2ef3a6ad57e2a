"""Which files the rules of the tree depend on.

The main process looks at the volumes once and writes what it found; the process of every job parses
the Snakefile again, often on another machine, and only reads that.
"""

import json
from collections.abc import Callable, Sequence
from functools import cache, cached_property
from typing import Any

from snakescope.imaging.volumes import Source
from snakescope.neurites import sizes
from snakescope.neurites.fragments.context import block_of, context_of
from snakescope.neurites.resources import Size, memory_mb, runtime_min
from snakescope.neurites.settings import NeuritesSettings
from snakescope.neurites.volumes.blocks import Block, Box, Grid, Zyx, slabs
from snakescope.neurites.volumes.scan import (
    find_sources,
    is_scanned,
    read_manifest,
    read_problem,
    write_manifest,
)
from snakescope.neurites.volumes.sheet import Volume
from snakescope.settings.parameters import handed_over
from snakescope.step.errors import StepError
from snakescope.step.output import write_if_changed
from snakescope.tree.provenance import as_yaml

RESULTS = "results/neurites"
VOLUME_RESULTS = (
    "agglomeration.tsv",
    "segmentation.ome.zarr",
    "objects.tsv",
    "provenance.json",
    "sections.png",
    "neurites.png",
)
TRUTH_RESULTS = ("scores.tsv", "scores.png")
MOST_WRITERS = 4
STEPS = {"paper": "train"}
"""Steps that take what another does."""


class Tree:
    """The volumes of a sample sheet and the files of their results.

    Methods that take ``wildcards`` are input functions of rules; they return paths relative to the
    working directory.
    """

    def __init__(
        self,
        volumes: Sequence[Volume],
        settings: NeuritesSettings,
        results: str = RESULTS,
        network: str = "",
    ):
        """Take the volumes of the sample sheet; ``network`` is the file of its weights."""
        self.settings = settings
        self.network = network
        self.results = results
        self.sheet = {volume.name: volume for volume in volumes}
        self.grid = cache(self._grid)
        self.sources = cache(self._sources)

    def scan(self, only_new: bool = False) -> list[str]:
        """Look at the volumes and write what was found, where it differs from the last time.

        For the main process only.

        Args:
            only_new: write nothing that is there already. The jobs of a run at work read the
                shapes that it was planned with; other ones would ask for files nobody makes.

        Returns:
            What a user may want to know of the volumes, one sentence each.
        """
        notes = []
        for volume in self.sheet.values():
            folder = f"{self.results}/{volume.name}/manifest"
            if only_new and is_scanned(folder):
                continue
            found: dict[str, Source] | StepError
            try:
                found = find_sources(
                    volume, self.settings.simulate.shape, self.settings.fetch.train_sections
                )
            except StepError as error:
                found = error
                notes.append(f"{volume.name}: {error}")
            write_manifest(folder, found)
        return notes

    def write_configuration(self) -> None:
        """Write the settings of the run, with all their defaults, as they may be given again."""
        write_if_changed(f"{self.results}/configuration.yaml", as_yaml({"neurites": self.settings}))

    @cached_property
    def channels(self) -> int:
        """Channels of the finest level of the network."""
        return sizes.channels_of(self.network)

    @cached_property
    def problems(self) -> dict[str, str]:
        """The volumes that cannot be used, and why in one sentence."""
        found = {name: read_problem(f"{self.results}/{name}/manifest") for name in self.sheet}
        return {name: problem for name, problem in found.items() if problem is not None}

    @cached_property
    def volumes(self) -> dict[str, Volume]:
        """The volumes to compute."""
        return {name: one for name, one in self.sheet.items() if name not in self.problems}

    def _sources(self, volume: str) -> dict[str, Source]:
        return read_manifest(f"{self.results}/{volume}/manifest")

    def _grid(self, volume: str) -> Grid:
        shape = self.sources(volume)["image"].shape
        block = block_of(self.settings.block, self.settings.fragments, self.sheet[volume].voxel_nm)
        z, y, x = (min(a, b) for a, b in zip(block, shape, strict=True))
        return Grid(shape, (z, y, x))

    def settings_of(self, step: str, *keys: str) -> str:
        """Return the settings of a step, or some of them, as JSON, where they are no defaults.

        They are recorded with the step's outputs: a new setting whose default changes nothing
        is then no reason to compute again. Who changes a default raises the step's version.
        """
        return str(getattr(self.settings, step).recorded(*keys))

    def handed_to(self, step: str) -> Callable[..., str]:
        """Make a parameter: as :meth:`settings_of`, with those that change no result."""
        return handed_over(getattr(self.settings, step))

    def _block(self, wildcards: Any) -> Block:
        return self.grid(wildcards.volume).by_name[wildcards.box]

    def ranges(self, wildcards: Any) -> str:
        """The voxels of the block, as command lines take them."""
        return self._block(wildcards).ranges

    def described(self, wildcards: Any) -> str:
        """Shape, block and voxel size of the volume as JSON."""
        grid = self.grid(wildcards.volume)
        voxel_nm = self.sheet[wildcards.volume].voxel_nm
        return json.dumps({"shape": grid.shape, "block": grid.block, "voxel_nm": voxel_nm})

    def set_of(self, wildcards: Any) -> str:
        """What the volume's labels are for: train, validation or test."""
        return self.sheet[wildcards.volume].set

    def histograms(self, wildcards: Any) -> str:
        """Whether a quantile is asked for, yes or no."""
        return "yes" if sizes.histogram_bins(self.settings.agglomerate) else "no"

    def manifest(self, wildcards: Any) -> str:
        """What the main process found of the volume."""
        return f"{self.results}/{wildcards.volume}/manifest/volume.json"

    def slab_files(self, wildcards: Any) -> tuple[str, ...]:
        """The files that a slab of the image or of the labels is read from."""
        source = self.sources(wildcards.volume)[wildcards.kind]
        begin, end = self._slabs(wildcards.volume)[int(wildcards.slab)]
        return source.files_of(begin, end)

    def slab_sections(self, wildcards: Any) -> str:
        """First section of a slab and the one after its last."""
        begin, end = self._slabs(wildcards.volume)[int(wildcards.slab)]
        return f"{begin}:{end}"

    def shape(self, wildcards: Any) -> str:
        """Voxels of the volume along z, y and x."""
        return " ".join(map(str, self.grid(wildcards.volume).shape))

    def slab_depth(self, wildcards: Any) -> int:
        """Sections of a whole slab of the volume."""
        return min(self.settings.ingest.sections_per_slab, self.grid(wildcards.volume).shape[0])

    def _slabs(self, volume: str) -> list[tuple[int, int]]:
        depth = self.grid(volume).shape[0]
        return slabs(depth, min(self.settings.ingest.sections_per_slab, depth))

    def stored(self, kind: str) -> Callable[[Any], list[str]]:
        """Make an input function: all slabs of the image or of the labels."""

        def files(wildcards: Any) -> list[str]:
            return self._stored(wildcards.volume, kind, (0, self.grid(wildcards.volume).shape[0]))

        return files

    def _stored(self, volume: str, kind: str, sections: tuple[int, int]) -> list[str]:
        folder = f"{self.results}/{volume}/{kind}.zarr"
        wanted = [
            f"{folder}/{number}"
            for number, (begin, end) in enumerate(self._slabs(volume))
            if begin < sections[1] and end > sections[0]
        ]
        return [f"{folder}/.zarray", *wanted]

    def seen_image(self, wildcards: Any) -> list[str]:
        """The slabs of the image that the affinities of the block depend on."""
        from snakescope.neurites.prediction.patches import window_of

        predict = self.settings.predict
        grid = self.grid(wildcards.volume)
        try:
            sections = window_of(
                self._block(wildcards).box, grid.shape, predict.patch_zyx, predict.overlap
            )[0]
        except StepError:
            # A volume smaller than a patch: the prediction says so.
            sections = (0, grid.shape[0])
        return self._stored(wildcards.volume, "image", sections)

    def seen_affinities(self, wildcards: Any) -> list[str]:
        """The affinities of the block and of the context in which its fragments are found."""
        grid = self.grid(wildcards.volume)
        context: Zyx = context_of(self.settings.fragments, self.sheet[wildcards.volume].voxel_nm)
        window: Box = grid.window(self._block(wildcards), context)
        return self._of(wildcards.volume, "affinities/{box}.h5", grid.touching(window))

    def memory(self, step: str) -> Callable[..., int]:
        """Make a resource function: the memory (MB) for a job of a step, more when retried."""

        def mem_mb(wildcards: Any, attempt: int) -> int:
            processes = self.writers(wildcards) if step == "segmentation" else 1
            size = self.size(step, wildcards)
            return memory_mb(STEPS.get(step, step), size, processes) * attempt

        return mem_mb

    def runtime(self, step: str) -> Callable[..., int]:
        """Make a resource function: the time (min) for a job of a step, more when retried."""

        def runtime(wildcards: Any, attempt: int) -> int:
            return runtime_min(STEPS.get(step, step), self.size(step, wildcards)) * attempt

        return runtime

    def size(self, step: str, wildcards: Any) -> Size:
        """How much a job of a step works on."""
        settings = self.settings
        match step:
            case "simulate":
                return Size("", sizes.mvoxel(settings.simulate.shape))
            case "train":
                train = settings.train
                channels, shapes = train.features[0], self._trained_on()
                return sizes.of_training(train, train.network, train.n, channels, shapes)
            case "paper":
                network, n = wildcards.network, int(wildcards.n)
                channels, shapes = sizes.PAPER_CHANNELS, self._trained_on()
                return sizes.of_training(settings.paper, network, n, channels, shapes)
        grid = self.grid(wildcards.volume)
        match step:
            case "ingest":
                begin, end = self._slabs(wildcards.volume)[int(wildcards.slab)]
                dtype = self.sources(wildcards.volume)[wildcards.kind].dtype
                return sizes.of_slab(grid.shape, end - begin, wildcards.kind, dtype)
            case "predict":
                return sizes.of_prediction(settings, grid, self._block(wildcards), self.channels)
            case "region_graph":
                voxel_nm = self.sheet[wildcards.volume].voxel_nm
                return sizes.of_region_graph(settings, self._block(wildcards), voxel_nm)
            case "fragments":
                voxel_nm = self.sheet[wildcards.volume].voxel_nm
                return sizes.of_fragments(settings, grid, self._block(wildcards), voxel_nm)
        return sizes.of_volume(step, settings, grid)

    def _trained_on(self) -> list[Zyx]:
        """Shapes of the volumes to train and to validate with."""
        return [
            self.grid(name).shape
            for name, volume in self.volumes.items()
            if volume.set in ("train", "validation")
        ]

    def writers(self, wildcards: Any) -> int:
        """Processes that write a segmentation, each some blocks."""
        return min(MOST_WRITERS, len(self.grid(wildcards.volume)))

    def before(self, wildcards: Any) -> list[str]:
        """The fragments of the blocks before the block along z, y and x."""
        blocks = self.grid(wildcards.volume).before(self._block(wildcards))
        return self._of(
            wildcards.volume, "fragments/{box}.h5", [block for block in blocks if block]
        )

    def of_blocks(self, pattern: str) -> Callable[[Any], list[str]]:
        """Make an input function: ``pattern``, with ``{box}``, for every block of the volume."""

        def files(wildcards: Any) -> list[str]:
            return self._of(wildcards.volume, pattern, list(self.grid(wildcards.volume)))

        return files

    def folder(self, name: str) -> Callable[[Any], str]:
        """Make an input function: a folder among the volume's results."""

        def path(wildcards: Any) -> str:
            return f"{self.results}/{wildcards.volume}/{name}"

        return path

    def _of(self, volume: str, pattern: str, blocks: Sequence[Block]) -> list[str]:
        return [
            f"{self.results}/{volume}/{pattern.replace('{box}', block.name)}" for block in blocks
        ]

    def training_options(self) -> list[str]:
        """The volumes to train and to validate with, as options of the training's command."""
        options = []
        for name, volume in self.volumes.items():
            if volume.set in ("train", "validation"):
                lead = "--" if volume.set == "train" else "--validation-"
                folder = f"{self.results}/{name}"
                options += [f"{lead}image", f"{folder}/image.zarr"]
                options += [f"{lead}labels", f"{folder}/labels.zarr"]
        return options

    def stored_of_set(self, *sets: str) -> list[str]:
        """All slabs of images and labels of the volumes of some sets.

        With what the rule of an unusable one cannot make: no network is trained without a volume
        that the sheet names for it.
        """
        wanted = []
        for name in (name for name, volume in self.sheet.items() if volume.set in sets):
            if name in self.problems:
                wanted.append(f"{self.results}/{name}/manifest/usable")
                continue
            for kind in ("image", "labels"):
                wanted += self._stored(name, kind, (0, self.grid(name).shape[0]))
        return wanted

    def targets(self) -> list[str]:
        """Return what a run makes; for an unusable volume, what its rule cannot make."""
        wanted = []
        for name, volume in self.volumes.items():
            results = VOLUME_RESULTS + (TRUTH_RESULTS if volume.labels else ())
            wanted += [f"{self.results}/{name}/{result}" for result in results]
            wanted += [
                f"{self.results}/{name}/segmentation.{suffix}"
                for suffix in (
                    {"tiff": "tif", "hdf5": "h5"}[e] for e in self.settings.segmentation.exports
                )
            ]
        return [*wanted, *(f"{self.results}/{name}/manifest/usable" for name in self.problems)]
