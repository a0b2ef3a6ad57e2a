"""The neurites tree: from volumes of electron micrographs to neurites."""

import json
import re
from collections.abc import Mapping, Sequence
from contextlib import suppress
from functools import cache, cached_property
from pathlib import Path
from typing import Any, ClassVar

from snakescope.imaging.volumes import Source
from snakescope.learning.registry import Model
from snakescope.neurites import costs
from snakescope.neurites.fragments.context import block_of, context_of
from snakescope.neurites.settings import NeuritesSettings
from snakescope.neurites.steps import STEPS
from snakescope.neurites.volumes.blocks import Block, Box, Grid, Zyx, slabs
from snakescope.neurites.volumes.scan import (
    BOUNDARIES,
    find_sources,
    is_made,
    read_manifest,
    write_manifest,
)
from snakescope.neurites.volumes.sheet import TRAINED_ON, Volume
from snakescope.settings.alike import is_one
from snakescope.step.errors import StepError
from snakescope.step.rows import table_rows
from snakescope.tree.costs import Size
from snakescope.tree.parameters import Files
from snakescope.tree.provenance import stated
from snakescope.tree.tree import Tree

VOLUME_RESULTS = (
    "agglomeration.tsv", "segmentation.ome.zarr", "image.ome.zarr", "objects.tsv",
    "provenance.json", "sections.png", "neurites.png",
)  # fmt: skip
TRUTH_RESULTS = ("scores.tsv", "scores.png")
EXPORTS = {"tiff": "segmentation.tif", "hdf5": "segmentation.h5"}
TRAINING_SETS = ("train", "validation")
MAX_WRITERS = 4


class Neurites(Tree[Volume]):
    """The volumes of a sample sheet and the files of their results.

    Methods that take ``wildcards`` are input functions and parameters of rules; paths are relative
    to the working directory.
    """

    name = "neurites"
    subject = "volume"
    parts = ("box", "kind", "slab", "network", "n", "seed", "suffix")
    row = Volume
    section = NeuritesSettings
    steps = STEPS
    jobs: ClassVar = {
        "describe": ("ingest",),
        "affinities": ("predict",),
        "segmentation": ("segmentation", "provenance"),
        "paper_row": ("paper",),
        "paper": ("paper_page",),
    }
    costs = costs.COSTS
    settings: NeuritesSettings

    def __init__(self, *arguments: Any, **options: Any):
        super().__init__(*arguments, **options)
        self.grid = cache(self._grid)
        self.sources = cache(self._sources)
        self.network = self.weights_of(self.settings_of("predict").weights)

    def scan(self, row: Volume) -> list[str]:
        """Look at the files of a volume and write what they are."""
        for one in self.sheet.values():
            scored = row.labels and one.labels and one.set != row.set
            if scored and is_one(one.image, row.image):
                raise StepError(
                    f"{row.image}: expected a volume in one set, found it in {row.set} and, as"
                    f" volume {one.name}, in {one.set}, by which a network would be scored on what"
                    " it was trained on; remove a row, or write parts of it to files of their own"
                )
        found = find_sources(
            row, self.settings_of("simulate").shape, self.settings_of("fetch").train_sections
        )
        write_manifest(self.manifest(row.name), found)
        if is_made(row):
            return []
        from snakescope.neurites.volumes.look import look

        return look(row, found, self.settings_of("ingest"), self.manifest(row.name))

    def wanted(self) -> list[str]:
        """The segmentation and pictures of every volume, scores of those with truth, exports."""
        wanted = []
        for name, volume in self.subjects.items():
            results = VOLUME_RESULTS + (TRUTH_RESULTS if volume.labels else ())
            results += tuple(EXPORTS[kind] for kind in self.settings_of("segmentation").exports)
            wanted += [f"{self.results}/{name}/{result}" for result in results]
        return wanted

    def models(self) -> Mapping[str, Model]:
        """The affinity network."""
        train = "snakemake --cores 2 results/neurites/models/affinities.safetensors"
        return {"affinities": Model(self.network, "neurites: prediction: weights", train)}

    def summary(self) -> list[str]:
        """The scores of every volume with truth, and the pictures to open."""
        lines = []
        for name, volume in self.subjects.items():
            folder = Path(self.results, name)
            if volume.labels and (folder / "scores.tsv").exists():
                lines += _scores(name, volume, folder / "scores.tsv")
            pictures = [folder / one for one in ("sections.png", "neurites.png", "scores.png")]
            lines += [f"  open {path}" for path in pictures if path.exists()]
        return ["\n".join(lines)] if lines else []

    # Volumes, blocks and slabs.

    def _sources(self, volume: str) -> dict[str, Source]:
        self.open()
        if not Path(self.manifest(volume), "volume.json").exists():
            raise self.unusable(volume)
        return read_manifest(self.manifest(volume))

    def _grid(self, volume: str) -> Grid:
        shape = self.sources(volume)["image"].shape
        block = block_of(self.settings.block, self.settings.fragments, self.sheet[volume].voxel_nm)
        z, y, x = (min(a, b) for a, b in zip(block, shape, strict=True))
        return Grid(shape, (z, y, x))

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

    def histograms(self, wildcards: Any) -> str:
        """Whether a quantile is among the scorings, yes or no."""
        return "yes" if costs.histogram_bins(self.settings_of("agglomerate")) else "no"

    def slab_files(self, wildcards: Any) -> tuple[str, ...]:
        """The files that a slab is read from, where rules make them.

        Others are no inputs: :meth:`slab_stated` says whether they changed, while a clock that is
        ahead, or braces in a path, would confuse Snakemake.
        """
        if not is_made(self.sheet[wildcards.volume]):
            return ()
        return self._slab_files(wildcards)

    def slab_stated(self, wildcards: Any) -> str:
        """Sizes and times of the files that a slab is read from, summed up."""
        if is_made(self.sheet[wildcards.volume]):
            return ""
        return stated(self._slab_files(wildcards))[1]

    def _slab_files(self, wildcards: Any) -> tuple[str, ...]:
        source = self.sources(wildcards.volume)[wildcards.kind]
        return source.files_of(*self._slab(wildcards))

    def slab_sections(self, wildcards: Any) -> str:
        """First section of a slab and the one after its last."""
        begin, end = self._slab(wildcards)
        return f"{begin}:{end}"

    def shape(self, wildcards: Any) -> str:
        """Voxels of the volume along z, y and x."""
        return " ".join(map(str, self.grid(wildcards.volume).shape))

    def slab_depth(self, wildcards: Any) -> int:
        """Sections of a whole slab of the volume."""
        return min(
            self.settings_of("ingest").sections_per_slab, self.grid(wildcards.volume).shape[0]
        )

    def _slabs(self, volume: str) -> list[tuple[int, int]]:
        depth = self.grid(volume).shape[0]
        return slabs(depth, min(self.settings_of("ingest").sections_per_slab, depth))

    def _slab(self, wildcards: Any) -> tuple[int, int]:
        return self._slabs(wildcards.volume)[int(wildcards.slab)]

    # Files of jobs.

    def stored(self, kind: str) -> Files:
        """Make an input function: all slabs of the image or of the labels."""
        return lambda wildcards: self._stored(wildcards.volume, kind)

    def _stored(self, volume: str, kind: str, sections: tuple[int, int] | None = None) -> list[str]:
        folder = f"{self.results}/{volume}/{kind}.zarr"
        first, last = sections or (0, self.grid(volume).shape[0])
        slabs_of = enumerate(self._slabs(volume))
        wanted = [f"{folder}/{n}" for n, (begin, end) in slabs_of if begin < last and end > first]
        return [f"{folder}/.zarray", *wanted]

    def seen_image(self, wildcards: Any) -> list[str]:
        """The slabs of the image that the affinities of the block depend on."""
        from snakescope.neurites.prediction.patches import window_of

        predict = self.settings_of("predict")
        grid = self.grid(wildcards.volume)
        sections = None
        with suppress(StepError):  # A volume smaller than a patch: the prediction says so.
            sections = window_of(
                self._block(wildcards).box, grid.shape, predict.patch_zyx, predict.overlap
            )[0]
        return self._stored(wildcards.volume, "image", sections)

    def seen_affinities(self, wildcards: Any) -> list[str]:
        """The affinities of the block and of the context in which its fragments are found."""
        grid = self.grid(wildcards.volume)
        context: Zyx = context_of(self.settings.fragments, self.sheet[wildcards.volume].voxel_nm)
        window: Box = grid.window(self._block(wildcards), context)
        return self._of(wildcards.volume, "affinities/{box}.h5", grid.touching(window))

    def before(self, wildcards: Any) -> list[str]:
        """The fragments of the blocks before the block along z, y and x."""
        blocks = self.grid(wildcards.volume).before(self._block(wildcards))
        return self._of(wildcards.volume, "fragments/{box}.h5", [one for one in blocks if one])

    def of_blocks(self, pattern: str) -> Files:
        """Make an input function: ``pattern``, with ``{box}``, for every block of the volume."""
        return lambda wildcards: self._of(
            wildcards.volume, pattern, list(self.grid(wildcards.volume))
        )

    def _of(self, volume: str, pattern: str, blocks: Sequence[Block]) -> list[str]:
        return [f"{self.results}/{volume}/{pattern.replace('{box}', one.name)}" for one in blocks]

    # Training.

    def training_options(self, wildcards: Any = None) -> list[str]:
        """The volumes to train and to validate with, as options of the training's command."""
        self.open()
        options = []
        for name, volume in self.subjects.items():
            if volume.set in TRAINING_SETS:
                lead = "--" if volume.set == "train" else "--validation-"
                for kind in ("image", "labels"):
                    options += [f"{lead}{kind}", f"{self.results}/{name}/{kind}.zarr"]
        return options

    def training_files(self, wildcards: Any = None) -> list[str]:
        """All slabs of images and labels of the volumes to train and to validate with.

        With what the rule of an unusable one cannot make: no network is trained without a volume
        that the sheet names for it.
        """
        self.open()
        wanted = []
        for name in (name for name, row in self.sheet.items() if row.set in TRAINING_SETS):
            if name in self.problems:
                wanted.append(f"{self.manifest(name)}/usable")
                continue
            for kind in ("image", "labels"):
                wanted += self._stored(name, kind)
        return wanted

    # Boundaries in the place of a network.

    @property
    def bounded(self) -> str:
        """Regular expression of the volumes with boundary probabilities."""
        names = [re.escape(name) for name, row in self.sheet.items() if row.boundaries]
        return "|".join(names) or "(?!)"

    def boundary_files(self, wildcards: Any) -> tuple[str, ...]:
        """The files of boundary probabilities that a block is read from."""
        (begin, end), *_ = self._block(wildcards).box
        return self.sources(wildcards.volume)[BOUNDARIES].files_of(max(0, begin - 1), end)

    # Sizes of jobs.

    @cached_property
    def channels(self) -> int:
        """Channels of the finest level of the network."""
        return costs.channels_of(self.network)

    def writers(self, wildcards: Any) -> int:
        """Processes that write a segmentation, each some blocks."""
        return min(MAX_WRITERS, len(self.grid(wildcards.volume)))

    def size(self, step: str, wildcards: Any) -> Size:
        """How much a job of a step works on."""
        settings = self.settings
        match step:
            case "simulate":
                return costs.size("", costs.mvoxel(settings.simulation.shape))
            case "train":
                train = settings.training
                channels, shapes = train.features[0], self._trained_on()
                return costs.of_training(train, train.network, train.n, channels, shapes)
            case "paper":
                network, n = wildcards.network, int(wildcards.n)
                channels, shapes = costs.PAPER_CHANNELS, self._trained_on()
                return costs.of_training(settings.paper, network, n, channels, shapes)
            case "unpack" | "paper_page":
                return Size()
        grid, voxel_nm = self.grid(wildcards.volume), self.sheet[wildcards.volume].voxel_nm
        match step:
            case "ingest":
                begin, end = self._slab(wildcards)
                dtype = self.sources(wildcards.volume)[wildcards.kind].dtype
                return costs.of_slab(grid.shape, end - begin, wildcards.kind, dtype)
            case "boundaries":
                z, y, x = (end - begin for begin, end in self._block(wildcards).box)
                plane = grid.shape[1] * grid.shape[2]
                return costs.size("", costs.mvoxel((z, y, x)), part=costs.mvoxel((z + 1, plane, 1)))
            case "predict":
                return costs.of_prediction(settings, grid, self._block(wildcards), self.channels)
            case "region_graph":
                return costs.of_region_graph(settings, self._block(wildcards), voxel_nm)
            case "fragments":
                return costs.of_fragments(settings, grid, self._block(wildcards), voxel_nm)
        processes = self.writers(wildcards) if step == "segmentation" else 1
        return costs.of_volume(step, settings, grid, processes)

    def _trained_on(self) -> list[Zyx]:
        """Shapes of the volumes to train and to validate with."""
        rows = self.subjects.items()
        return [self.grid(name).shape for name, row in rows if row.set in TRAINING_SETS]


def _scores(name: str, volume: Volume, path: Path) -> list[str]:
    rows = table_rows(path)
    shown = [("written", row) for row in rows if row["written"] == "yes"]
    shown += [("best", row) for row in sorted(rows, key=lambda row: float(row["arand"]))[:1]]
    trained_on = f" ({TRAINED_ON})" if volume.set == "train" else ""
    return [
        f"{name}{trained_on}, {what} ({row['scoring']}, threshold {row['threshold']}): "
        f"ARAND {float(row['arand']):.4f}, VOI split {float(row['voi_split']):.3f} + "
        f"merge {float(row['voi_merge']):.3f} bits"
        for what, row in shown
    ]
