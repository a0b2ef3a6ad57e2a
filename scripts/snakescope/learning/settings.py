"""Settings of what trees of trained models share: the data audit and the folds."""

from typing import Annotated, ClassVar, Literal

from pydantic import Field, StringConstraints

from snakescope.settings.strict import Settings

Reason = Annotated[str, StringConstraints(strip_whitespace=True, min_length=15)]

Code = Literal[
    "unreadable",
    "constant",
    "colour",
    "mask_unreadable",
    "mask_size",
    "mask_empty",
    "missing_group",
    "group_in_classes",
    "group_in_folds",
    "same_in_group",
    "same_across_groups",
    "same_across_classes",
    "same_across_folds",
    "similar_in_group",
    "similar_across_groups",
    "similar_across_classes",
    "similar_across_folds",
    "confound",
    "metadata_classifier",
    "leak_gap",
    "known_origin",
]


class SplitSettings(Settings):
    """Folds of the cross-validation, stratified by class, with each group in one fold."""

    version: ClassVar[int] = 1

    folds: int = Field(
        5,
        ge=2,
        description="folds (count); with two there are no validation items between training and"
        " test",
    )
    seed: int = Field(1, ge=0, description="seed of the folds")


class AuditSettings(Settings):
    """What is looked for in training images before a model is trained on them."""

    version: ClassVar[int] = 2
    unrecorded: ClassVar[frozenset[str]] = frozenset({"accept"})

    accept: dict[Code, Reason] = Field(
        default_factory=dict,
        description="findings that do not stop the training: code, and why, in a sentence of 15"
        " characters or more",
    )
    margin: float = Field(
        0.1,
        ge=0,
        lt=0.4,
        description="border of an image that is left out of comparisons, where text and scales"
        " are (share of each side)",
    )
    max_similar_bits: int = Field(
        48, ge=0, le=128, description="images are near duplicates up to this distance (bits of 256)"
    )
    max_candidate_bits: int = Field(
        96,
        ge=0,
        le=128,
        description="up to this distance (bits of 256) images are compared after a shift",
    )
    min_correlation: float = Field(
        0.9,
        gt=0,
        le=1,
        description="correlation of fine structure after a shift from which on images are near"
        " duplicates",
    )
    max_association: float = Field(
        0.5,
        gt=0,
        le=1,
        description="greatest Cramer's V, or eta of a number, of a field of metadata and the class",
    )
    max_p: float = Field(
        0.01, gt=0, lt=1, description="p value up to which an association is more than chance"
    )
    permutations: int = Field(999, ge=99, description="permutations of the classes (count)")
    seed: int = Field(1, ge=0, description="seed of the permutations and of the classifier")
    known_origins: str = Field(
        "",
        description="table of images of known origin: sha256 of their grey pixels, what they are;"
        " from the working directory, else from the repository (TSV; empty: none)",
    )


class AcceptSettings(Settings):
    """Of the step that stops a training by the findings of its audit."""

    version: ClassVar[int] = 1


class ScoreSettings(Settings):
    """Scores of a cross-validation."""

    version: ClassVar[int] = 1

    resamples: int = Field(2000, ge=100, description="bootstrap resamples of groups (count)")
    seed: int = Field(1, ge=0, description="seed of the resampling")


class CrossValidationPageSettings(Settings):
    """Of the page of a cross-validation."""

    version: ClassVar[int] = 1


class TrainedSettings(Settings):
    """What the section of a tree of trained models extends."""

    models: tuple[str, ...] = Field((), description="models to compare, the first against the rest")
    audit: AuditSettings = Field(
        AuditSettings(), description="faults of the training images that a score would hide"
    )
    splits: SplitSettings = Field(SplitSettings(), description="folds, each group in one of them")
    scores: ScoreSettings = Field(ScoreSettings(), description="scores of the cross-validation")
