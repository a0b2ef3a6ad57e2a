"""Settings of fine-tuning."""

from typing import ClassVar, Literal

from pydantic import Field

from snakescope.settings.strict import Settings


class AnnotationsSettings(Settings):
    """How annotated images are read, and parted into images to train on and to test on."""

    version: ClassVar[int] = 3

    seed: int = Field(1, ge=0, description="seed of the split into train and held_out")
    held_out_share: float = Field(
        0.3,
        gt=0,
        lt=1,
        description="share of the groups (plates, wells) that are held out, where the sheet does"
        " not say which; one at least (0-1)",
    )
    min_area_px: int = Field(
        60,
        ge=1,
        description="smaller masks are no worms: they are left out and painted over (px of the"
        " model's pixel size)",
    )

    classes: tuple[str, ...] = Field(
        (),
        description="names of the classes (categories) of COCO files that are worms; none takes"
        " every annotation for a worm",
    )
    pixel_origin: Literal["corner", "centre"] = Field(
        "corner",
        description="where the coordinates of polygons begin: at the corner of the first pixel, as"
        " in COCO, CVAT, Label Studio and QuPath, or at its centre",
    )
    max_dropped_share: float = Field(
        0.05,
        ge=0,
        le=1,
        description="most of the annotations of COCO files that may be of no use before all are"
        " refused (0-1)",
    )


class AnnotationPackageSettings(Settings):
    """Which frames of the plates are handed out to be annotated."""

    version: ClassVar[int] = 2

    frames: int = Field(24, ge=1, description="frames of all plates together (count)")
    frames_per_plate: int = Field(4, ge=1, description="most frames of a plate (count)")
    apart_frames: int = Field(
        4, ge=1, description="timepoints from one chosen frame of a plate to the next, at least"
    )
    channel: Literal["bright_field", "dark_field"] = Field(
        "bright_field", description="channel shown, where the plate has it; else the other one"
    )


class FineTuneSettings(Settings):
    """How the shipped detector is trained further on annotated images."""

    version: ClassVar[int] = 2

    start_weights: str = Field(
        "resources/models/healthspan/detector.safetensors",
        min_length=1,
        description="weights of the detector to go on from, with their card (file)",
    )
    seed: int = Field(1, ge=0, description="seed of crops, crossings and simulated scenes")
    steps: int = Field(
        1000, ge=1, description="optimiser steps; one takes 2 s of a CPU, less than 0.1 of a GPU"
    )
    batch: int = Field(4, ge=1, description="crops per step (count)")
    crop_px: int = Field(320, ge=96, description="side of a training crop (px)")
    learning_rate: float = Field(
        0.0003, gt=0, description="learning rate between warm-up and cool-down"
    )
    warmup_steps: int = Field(40, ge=0, description="steps of linear warm-up (count)")
    cooldown: float = Field(
        0.6,
        ge=0,
        le=1,
        description="share of the steps, the last ones, over which the learning rate falls to 0"
        " (0-1)",
    )
    ema_decay: float = Field(
        0.98, ge=0, lt=1, description="decay of the running average of the weights that is saved"
    )
    real_share: float = Field(
        0.8,
        gt=0,
        le=1,
        description="share of the crops that show the annotated images; the rest shows simulated"
        " scenes, so that what they teach is not forgotten (0-1)",
    )
    simulated_scenes: int = Field(
        150, ge=0, description="simulated scenes to draw the other crops from (count)"
    )
    crossings_share: float = Field(
        0.5,
        ge=0,
        le=1,
        description="share of the annotated crops in which worms are copied across others (0-1)",
    )
    scale_jitter: float = Field(
        0.12,
        ge=0,
        lt=1,
        description="annotated crops are enlarged or shrunk by up to this (natural logarithm)",
    )
    precision: Literal["auto", "float32", "bfloat16", "float16"] = Field(
        "auto", description="arithmetic, as of training: detector"
    )
    checkpoint_every: int = Field(50, ge=1, description="steps between checkpoints (count)")
    threads: int = Field(2, ge=1, description="CPU threads (count)")
    device: Literal["auto", "cpu", "cuda"] = Field("auto", description="where to train")

    unrecorded: ClassVar[frozenset[str]] = frozenset({"checkpoint_every", "threads"})


class FineTuneScoresSettings(Settings):
    """How the weights before and after are compared on the images that are held out."""

    version: ClassVar[int] = 2

    max_pictures: int = Field(
        60, ge=1, description="held-out images that are drawn, the first ones (count)"
    )


class FineTuneStatesSettings(Settings):
    """How the classifier of states is trained further on worms that people looked at."""

    version: ClassVar[int] = 1

    seed: int = Field(1, ge=0, description="seed of the split by plate and of the batches")
    held_out_share: float = Field(
        0.3, gt=0, lt=1, description="share of the plates that are held out; one at least (0-1)"
    )
    steps: int = Field(600, ge=1, description="optimiser steps (count)")
    batch: int = Field(32, ge=2, description="composites per step (count)")
    real_share: float = Field(
        0.5,
        gt=0,
        lt=1,
        description="share of a batch that people looked at; the rest is simulated, so that what it"
        " teaches is not forgotten (0-1)",
    )
    simulated_per_state: int = Field(
        400, ge=2, description="simulated composites of each state to draw from (count)"
    )
    learning_rate: float = Field(
        0.0001, gt=0, description="of RAdam at the start; falls to 0 along half a cosine"
    )
    weight_decay: float = Field(0.02, ge=0, description="decoupled weight decay of RAdam")
    label_smoothing: float = Field(
        0.03, ge=0, lt=0.5, description="share of the target given to the other states"
    )
    threads: int = Field(1, ge=1, description="CPU threads (count)")
    device: Literal["auto", "cpu", "cuda"] = Field("auto", description="where to train")

    unrecorded: ClassVar[frozenset[str]] = frozenset({"threads"})


class FineTuningSettings(Settings):
    """Detector and classifier trained further on images and corrections of one's own."""

    sheet: str = Field(
        "config/annotations.tsv",
        min_length=1,
        description="path of the sheet of annotated images, one row an image",
    )
    annotations: AnnotationsSettings = Field(
        AnnotationsSettings(), description="annotated images, audited and parted by group"
    )
    package: AnnotationPackageSettings = Field(
        AnnotationPackageSettings(), description="frames that are handed out to be annotated"
    )
    detector: FineTuneSettings = Field(
        FineTuneSettings(), description="training of the detector on them"
    )
    scores: FineTuneScoresSettings = Field(
        FineTuneScoresSettings(), description="weights before and after on held-out images"
    )
    states: FineTuneStatesSettings = Field(
        FineTuneStatesSettings(), description="training of the classifier on corrections"
    )
