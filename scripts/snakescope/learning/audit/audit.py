"""Audit of training images: faults of the data that a score would hide.

A finding has a code. Those of a code that stops (:data:`CODES`) keep a model from being trained,
unless the configuration accepts the code with a reason. What is found is written either way.
"""

import argparse
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple, get_args

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from snakescope.learning.audit.confounds import (
    Association,
    MetadataClassifier,
    associations,
    metadata_classifier,
)
from snakescope.learning.audit.images import ImageFacts, read_all
from snakescope.learning.audit.pairs import (
    Pair,
    clusters,
    equal_sets,
    near_duplicates,
    nearest_neighbour_accuracy,
)
from snakescope.learning.settings import AuditSettings, Code
from snakescope.learning.splits import read_items, some
from snakescope.step.errors import StepError
from snakescope.step.files import repository_file
from snakescope.step.tables import read_table, write_table

CODES: dict[Code, tuple[bool, str]] = {
    "unreadable": (True, "the file cannot be read as an image"),
    "constant": (True, "all pixels are the same"),
    "colour": (False, "a coloured image among grey ones, such as a Doppler frame"),
    "mask_unreadable": (True, "the mask cannot be read"),
    "mask_size": (True, "the mask has another size than its image"),
    "mask_empty": (True, "the mask is zero everywhere"),
    "missing_group": (True, "no patient, donor or plate is given: near duplicates make groups"),
    "group_in_classes": (True, "one patient, donor or plate has several classes"),
    "group_in_folds": (True, "one patient, donor or plate lies in several folds"),
    "same_in_group": (False, "equal pixels within a group: these images count more than once"),
    "same_across_groups": (True, "equal pixels in several groups"),
    "same_across_classes": (True, "equal pixels with several classes"),
    "same_across_folds": (True, "equal pixels in several folds"),
    "similar_in_group": (False, "near duplicates within a group, such as frames of one video"),
    "similar_across_groups": (True, "near duplicates in several groups"),
    "similar_across_classes": (True, "near duplicates with several classes"),
    "similar_across_folds": (True, "near duplicates in several folds"),
    "confound": (True, "a field that is no picture goes with the class"),
    "metadata_classifier": (True, "metadata alone tell the class better than a constant"),
    "leak_gap": (False, "folds by image would overstate the accuracy of a nearest neighbour"),
    "known_origin": (True, "the image is one of a published set"),
}
"""Whether a code stops the training, and what it means."""

OWN_COLUMNS = ("item", "group", "class", "path", "mask", "truth", "fold", "source_sha256")
MEASURED = ("mean_grey",)
"""Fields taken from pixels: held against the class, but not given to the metadata classifier."""
LEAST_GAP = 0.05
COLOURED_SHARE = 0.05
"""Share of coloured pixels from which on an image is a coloured one."""


class Finding(NamedTuple):
    """One thing found.

    Attributes:
        items: what it concerns, separated by semicolons; empty where it concerns all.
        value: a distance (bits), an association or an accuracy (0 to 1), or NaN.
    """

    code: Code
    items: str
    field: str
    value: float
    p: float
    text: str


class Audit(NamedTuple):
    """What an audit gives.

    Attributes:
        findings: in the order of :data:`CODES`.
        items: those that can be read, with all their columns, a group each, and ``cluster``, the
            number of their cluster of near duplicates.
        associations: of every field that varies with the class.
        classifier: of the metadata, or None where it cannot be made.
    """

    findings: list[Finding]
    items: pd.DataFrame
    associations: list[Association]
    classifier: MetadataClassifier | None


def read_origins(path: str | Path) -> dict[str, str]:
    """Images of known origin: SHA-256 of their grey pixels, and what they are.

    Args:
        path: TSV with the columns sha256 and what; lines that begin with # are remarks.

    Raises:
        StepError: no such file, or another table.
    """
    table = read_table(path, ["sha256", "what"], text=["sha256", "what"], comment="#")
    return dict(zip(table["sha256"].str.lower(), table["what"], strict=True))


def audit(
    items: pd.DataFrame,
    settings: AuditSettings,
    origins: Mapping[str, str] | None = None,
    threads: int = 1,
) -> Audit:
    """Look at every image, at pairs of them, and at what goes with the class.

    Args:
        items: columns item, group, class, path; also, where there are any, mask (path), truth (what
            is predicted where it is more than a class; not looked at), fold, and fields of
            metadata (any other name), such as the machine, held against the class.
        origins: see :func:`read_origins`.

    Raises:
        StepError: no items, a missing column, an item twice, or no readable image at all.
    """
    table = _checked(items)
    masks = table["mask"] if "mask" in table else [None] * len(table)
    facts = read_all(table["path"], masks, settings.margin, threads)
    readable = np.array([not one.problem for one in facts])
    findings = [
        _of_item("unreadable", name, f"{path}: {one.problem}")
        for name, path, one in zip(table["item"], table["path"], facts, strict=True)
        if one.problem
    ]
    if not readable.any():
        raise StepError(
            f"items: expected images, found none of {len(table)} that can be read"
            f" ({findings[0].text}); check the paths of the sheet"
        )
    kept = table[readable].reset_index(drop=True)
    seen = [one for one in facts if not one.problem]
    if "source_sha256" in kept:  # of what the images were made from
        digests = kept["source_sha256"].fillna("").astype(str)
        seen = [
            replace(one, pixels_sha256=digest or one.pixels_sha256)
            for one, digest in zip(seen, digests, strict=True)
        ]
    hashes = np.array([one.phash for one in seen])
    plain = np.array([one.constant for one in seen])
    equal = equal_sets([one.pixels_sha256 for one in seen])
    similar = [
        pair for pair in near_duplicates(
            hashes, [one.detail for one in seen], settings.max_similar_bits,
            settings.max_candidate_bits, settings.min_correlation,
        )
        if not plain[[pair.first, pair.second]].any()
    ]  # fmt: skip
    copies = [Pair(int(one[0]), int(row), 0) for one in equal for row in one[1:]]
    kept["cluster"] = clusters(len(kept), [*similar, *copies])
    findings += _contents(kept, seen)
    findings += _groups(kept)
    nameless = kept["group"] == ""
    kept.loc[nameless, "group"] = "cluster-" + kept["cluster"][nameless].astype(str)
    findings += _copies(kept, seen, equal)
    findings += _near(kept, seen, similar)
    fields = _fields(kept, seen)
    linked, classifier = _confounds(kept, fields, settings)
    findings += _of_confounds(linked, classifier, settings)
    findings += _leak(kept, seen)
    findings += _known(kept, seen, origins or {})
    order = list(CODES)
    return Audit(sorted(findings, key=lambda one: order.index(one.code)), kept, linked, classifier)


def _checked(items: pd.DataFrame) -> pd.DataFrame:
    missing = [name for name in OWN_COLUMNS[:4] if name not in items]
    if missing or items.empty:
        found = f"no column {', '.join(missing)}" if missing else "none"
        raise StepError(f"items: expected items with a group, a class and a path, found {found}")
    table = items.reset_index(drop=True).copy()
    for name in ("item", "group", "class", "path"):
        table[name] = table[name].fillna("").astype(str).str.strip()
    twice = table.loc[table["item"].duplicated(), "item"]
    if len(twice):
        raise StepError(f"items: expected each item once, found {some(twice)} more than once")
    return table


def _of_item(code: Code, item: str, text: str, value: float = np.nan, field: str = "") -> Finding:
    return Finding(code, item, field, value, np.nan, text)


def _contents(kept: pd.DataFrame, facts: Sequence[ImageFacts]) -> Iterator[Finding]:
    coloured = np.array([one.colour >= COLOURED_SHARE for one in facts])
    for item, one, colour in zip(kept["item"], facts, coloured, strict=True):
        if one.constant:
            yield _of_item("constant", item, "the image is empty", one.mean_grey, "mean_grey")
        if colour and coloured.mean() < 0.5:
            text = f"{one.colour:.0%} of the pixels are coloured"
            yield _of_item("colour", item, text, one.colour, "colour")
        if one.mask_problem is not None:
            code, text = one.mask_problem
            yield _of_item(code, item, text)  # type: ignore[arg-type]


def _groups(kept: pd.DataFrame) -> Iterator[Finding]:
    for item in kept.loc[kept["group"] == "", "item"]:
        yield _of_item("missing_group", item, "no group is given")
    named = kept[kept["group"] != ""]
    kinds: list[tuple[Code, str]] = [("group_in_classes", "class"), ("group_in_folds", "fold")]
    for code, column in kinds:
        if column not in kept:
            continue
        for group, values in named.groupby("group")[column]:
            if values.nunique() > 1:
                listed = some(sorted(values.astype(str).unique()))
                items = JOINT.join(named.loc[values.index, "item"])
                yield Finding(code, items, column, np.nan, np.nan, f"{group}: {column} {listed}")


def _across(kept: pd.DataFrame, rows: Iterable[int]) -> list[str]:
    """Which of group, class and fold differ among rows."""
    part = kept.loc[list(rows)]
    columns = [name for name in ("group", "class", "fold") if name in kept]
    return [name for name in columns if part[name].nunique() > 1]


JOINT = "; "
PLURAL = {"group": "groups", "class": "classes", "fold": "folds"}


def _code(kind: str, column: str) -> Code:
    code = f"{kind}_across_{PLURAL[column]}"
    return code  # type: ignore[return-value]


def _copies(
    kept: pd.DataFrame, facts: Sequence[ImageFacts], sets: Iterable[NDArray[np.intp]]
) -> Iterator[Finding]:
    for rows in sets:
        part = kept.loc[list(rows)]
        files = len({facts[row].bytes_sha256 for row in rows})
        what = "one file under several names" if files == 1 else f"{files} files of equal pixels"
        items = JOINT.join(part["item"])
        for column in _across(kept, rows):
            listed = some(sorted(part[column].astype(str).unique()))
            text = f"{what}, {column} {listed}"
            yield Finding(_code("same", column), items, column, 0.0, np.nan, text)
        if part["group"].nunique() < len(part):
            yield Finding("same_in_group", items, "group", 0.0, np.nan, what)


def _near(
    kept: pd.DataFrame, facts: Sequence[ImageFacts], pairs: Iterable[Pair]
) -> Iterator[Finding]:
    within: dict[str, set[str]] = {}
    for first, second, bits in pairs:
        if facts[first].pixels_sha256 == facts[second].pixels_sha256:
            continue
        names = [str(kept.at[row, "item"]) for row in (first, second)]
        differing = _across(kept, (first, second))
        for column in differing:
            listed = " and ".join(str(kept.at[row, column]) for row in (first, second))
            text = f"{bits} of 256 bits differ, {column} {listed}"
            yield Finding(
                _code("similar", column), JOINT.join(names), column, float(bits), np.nan, text
            )
        if "group" not in differing:
            within.setdefault(str(kept.at[first, "group"]), set()).update(names)
    for group, items in sorted(within.items()):
        text = f"{group}: {len(items)} images have a near duplicate"
        yield Finding("similar_in_group", JOINT.join(sorted(items)), "group", np.nan, np.nan, text)


def _fields(kept: pd.DataFrame, facts: Sequence[ImageFacts]) -> pd.DataFrame:
    given = kept.drop(columns=[name for name in (*OWN_COLUMNS, "cluster") if name in kept])
    of_files = pd.DataFrame([dict(one.metadata) for one in facts])
    of_files["mean_grey"] = [one.mean_grey for one in facts]
    return pd.concat([of_files.drop(columns=[n for n in of_files if n in given]), given], axis=1)


def _confounds(
    kept: pd.DataFrame, fields: pd.DataFrame, settings: AuditSettings
) -> tuple[list[Association], MetadataClassifier | None]:
    if kept["class"].nunique() < 2 or kept["group"].nunique() < 2:
        return [], None
    classes, groups = kept["class"], kept["group"]
    linked = associations(fields, classes, groups, settings.permutations, settings.seed)
    metadata = fields[[one.field for one in linked if one.field not in MEASURED]]
    return linked, metadata_classifier(metadata, classes, groups, settings.seed)


def _of_confounds(
    linked: Iterable[Association], classifier: MetadataClassifier | None, settings: AuditSettings
) -> Iterator[Finding]:
    for one in linked:
        if one.value >= settings.max_association and one.p <= settings.max_p:
            name = "Cramer's V" if one.measure == "V" else "eta"
            text = f"{one.field} and class: {name} {one.value:.2f}, p {one.p:.2g}"
            yield Finding("confound", "", one.field, one.value, one.p, text)
    if classifier and classifier.accuracy > classifier.majority and classifier.p <= settings.max_p:
        text = (
            f"accuracy {classifier.accuracy:.2f} ({classifier.low:.2f} to {classifier.high:.2f})"
            f" without a pixel, {classifier.majority:.2f} of the most frequent class"
        )
        yield Finding("metadata_classifier", "", "", classifier.accuracy, classifier.p, text)


def _leak(kept: pd.DataFrame, facts: Sequence[ImageFacts]) -> Iterator[Finding]:
    if kept["group"].nunique() in (1, len(kept)) or kept["class"].nunique() < 2:
        return
    thumbnails = np.array([one.thumbnail for one in facts])
    by_image, by_group = nearest_neighbour_accuracy(thumbnails, kept["class"], kept["group"])
    if by_image - by_group >= LEAST_GAP:
        text = (
            f"nearest thumbnail: accuracy {by_image:.2f} among all images, {by_group:.2f} among"
            " those of other groups"
        )
        yield Finding("leak_gap", "", "", by_image - by_group, np.nan, text)


def _known(
    kept: pd.DataFrame, facts: Sequence[ImageFacts], origins: Mapping[str, str]
) -> Iterator[Finding]:
    for item, one in zip(kept["item"], facts, strict=True):
        what = origins.get(one.pixels_sha256)
        if what is not None:
            yield _of_item("known_origin", item, what)


def findings_table(findings: Iterable[Finding]) -> pd.DataFrame:
    """A row a finding: code, stops (yes or no), items, field, value, p, text."""
    table = pd.DataFrame(findings, columns=list(Finding._fields))
    table.insert(1, "stops", [_yes(CODES[code][0]) for code in table["code"]])
    return table


def summary_table(findings: Sequence[Finding]) -> pd.DataFrame:
    """A row a code: code, stops (yes or no), findings, items (counts), what, example."""
    rows = []
    for code, (stops, what) in CODES.items():
        those = [one for one in findings if one.code == code]
        items = {name for one in those for name in one.items.split(JOINT) if name}
        example = those[0].text if those else ""
        rows.append((code, _yes(stops), len(those), len(items), what, example))
    return pd.DataFrame(rows, columns=["code", "stops", "findings", "items", "what", "example"])


def _yes(value: bool) -> str:
    return "yes" if value else "no"


assert set(get_args(Code)) == set(CODES)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command."""
    parser.add_argument("--table", required=True, help="item, group, class, path, fields (TSV)")
    parser.add_argument("--settings", required=True, help="settings of the audit as JSON")
    parser.add_argument("--threads", type=int, default=1, help="threads that read images")
    parser.add_argument("--items", required=True, help="table to write: items that can be read")
    parser.add_argument("--findings", required=True, help="table to write: every finding")
    parser.add_argument("--summary", required=True, help="table to write: findings of each code")
    parser.add_argument("--associations", required=True, help="table to write: fields and class")


def main(arguments: argparse.Namespace) -> None:
    """Run the step."""
    settings = AuditSettings.model_validate_json(arguments.settings)
    items = read_items(arguments.table)
    named = settings.known_origins
    origins = read_origins(repository_file(named)) if named else {}
    found = audit(items, settings, origins, arguments.threads)
    rows: list[tuple[object, ...]] = [tuple(one) for one in found.associations]
    if found.classifier is not None:
        one = found.classifier
        rows.append(("all metadata", "accuracy", one.accuracy, one.p))
        rows.append(("most frequent class", "accuracy", one.majority, np.nan))
    write_table(arguments.associations, pd.DataFrame(rows, columns=list(Association._fields)))
    write_table(arguments.findings, findings_table(found.findings))
    write_table(arguments.summary, summary_table(found.findings))
    write_table(arguments.items, found.items)
