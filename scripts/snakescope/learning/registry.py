"""Models that rules need: where their weights are, what their card says, how others are made.

A card is a JSON file beside the weights, of the same name. Free of torch and numpy, since a run
looks at its models while it is planned; tensors: :mod:`snakescope.learning.weights`.
"""

import json
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from snakescope.step.checksum import check_sha256
from snakescope.step.errors import StepError
from snakescope.step.output import atomic_write, write_json

Text = Annotated[str, StringConstraints(min_length=1, strip_whitespace=True)]
Sha256 = Annotated[str, StringConstraints(pattern="^[0-9a-f]{64}$")]
MOVED = "resources/models"
"""Shipped weights were directly in this folder, and are now in one folder a tree."""


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Data(_Part):
    """What a model was trained on."""

    what: Text
    licence: Text
    source: str = ""


class ScoreSet(_Part):
    """Scores on one set of data that no training saw.

    Attributes:
        what: the data, and how they differ from those of the training.
        n: number of cases, and in ``cases`` of what.
        scores: by name; shares from 0 to 1 unless the name has a unit.
        details: confusion matrices, intervals and the like.
    """

    what: Text
    n: int = Field(ge=1)
    cases: Text
    scores: dict[str, float]
    details: dict[str, Any] = {}


class Card(_Part):
    """What people want to know of weights, and what rebuilds the model.

    Attributes:
        what: from what to what.
        sha256: of the weights file.
        model: architecture and what else rebuilds it, as in the header of the weights.
        data: what it was trained on.
        seed, steps, settings: of the training.
        held_out: by the name of the set; a page that quotes a score names its set.
        limits: what it must not be used for, or was not tried on.
        licence: of the weights.
        command: that makes them.
        url: where they can be downloaded, or empty.
    """

    what: Text
    sha256: Sha256
    model: dict[str, Any]
    data: list[Data] = Field(min_length=1)
    seed: int
    steps: int = Field(ge=1)
    settings: dict[str, Any]
    held_out: dict[str, ScoreSet]
    limits: Text
    licence: Text
    command: Text
    url: str = ""


@dataclass(frozen=True)
class Model:
    """Weights that a rule needs.

    Attributes:
        weights: path of the file.
        key: where it is named in the configuration.
        training: the command that trains such ones.
    """

    weights: str
    key: str
    training: str


def card_of(weights: str | Path) -> Path:
    """The path of the card of weights."""
    return Path(weights).with_suffix(".json")


def read_card(weights: str | Path) -> Card:
    """Read the card of weights.

    Raises:
        StepError: there is none, or it is no card.
    """
    path = card_of(weights)
    try:
        return Card.model_validate_json(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise StepError(
            f"{path}: expected the card of {weights}, found no such file; copy it there"
        ) from None
    except ValidationError as error:
        wrong = error.errors(include_url=False)[0]
        where = ".".join(str(part) for part in wrong["loc"]) or "the file"
        raise StepError(
            f"{path}: expected the card of a model, found {where}: {wrong['msg']}; restore the card"
        ) from None


def write_card(path: str | Path, card: Card) -> None:
    """Write a card: JSON, indented."""
    write_json(path, card.model_dump(mode="json", exclude_defaults=True))


def rebuilds(weights: str | Path) -> dict[str, Any]:
    """What the card says of the model's architecture; empty without a card."""
    try:
        card = json.loads(card_of(weights).read_text(encoding="utf-8"))
        # Cards of release 0.1 have it on their first level.
        return dict(card.get("model") if isinstance(card.get("model"), dict) else card)
    except (OSError, ValueError, AttributeError):
        return {}


def weights_file(named: str, repository: str | Path) -> str:
    """Return the path of weights that the configuration names.

    The user's own file, seen from the working directory, comes before the repository's. Paths of
    shipped weights of release 0.1 are taken for those of today.
    """
    if Path(named).is_absolute() or Path(named).exists():
        return named
    path = Path(repository, named)
    if not path.exists() and str(Path(named).parent) == MOVED:
        path = next(iter(sorted(Path(repository, MOVED).glob(f"*/{Path(named).name}"))), path)
    return os.path.relpath(path)


def weights_checksum(weights: str | Path) -> str:
    """Return the SHA-256 that the card beside ``weights`` states.

    It stands in for the file among what a step depends on. Without a card it is ``unknown``,
    and the step that wants the weights says what is missing.
    """
    try:
        return str(json.loads(card_of(weights).read_text(encoding="utf-8"))["sha256"])
    except (FileNotFoundError, KeyError, json.JSONDecodeError):
        return "unknown"


def check_models(rules: Iterable[str], models: Mapping[str, Model]) -> None:
    """Refuse weights that planned jobs need and that are absent, or other than their card says.

    Args:
        rules: names of the rules of all planned jobs.
        models: the model of every rule that needs one.

    Raises:
        StepError: the file or its card is absent, or the checksum differs.
    """
    for rule in sorted(set(rules) & set(models)):
        model = models[rule]
        card = card_of(model.weights)
        train = f"train others ({model.training}) and name that file in {model.key}"
        stated = weights_checksum(model.weights)
        if stated == "unknown" and Path(model.weights).is_file():
            raise StepError(
                f"{card}: expected the card of the weights {model.weights} with their sha256"
                f" ({model.key}), found none; copy it there with the weights, or {train}"
            )
        remedy = f"restore the file and its card ({card.name}), or {train}"
        check_sha256(model.weights, stated, remedy)


def download(weights: str | Path) -> None:
    """Download weights that only have their card here, whole and with its checksum or not at all.

    Raises:
        StepError: the card names no address, the address cannot be reached, or what comes has
            another checksum.
    """
    import pooch

    card = read_card(weights)
    if not card.url:
        raise StepError(
            f"{card_of(weights)}: expected an address (url) to download {weights} from, found none;"
            f" train them: {card.command}"
        )
    with atomic_write(weights) as partial:
        try:
            pooch.retrieve(
                card.url, f"sha256:{card.sha256}", partial.name, partial.parent, progressbar=False
            )
        except (OSError, ValueError) as error:
            reason = " ".join(str(error).split())[:200]
            raise StepError(
                f"{card.url}: expected weights with SHA-256 {card.sha256}, could not download them"
                f" ({reason}); download them elsewhere to {weights}, or train them: {card.command}"
            ) from None
