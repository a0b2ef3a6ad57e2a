"""The audit finds what was put into drawn images, and nothing in honest ones."""

import argparse
import hashlib
import os
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import pytest
from PIL import Image
from pydantic import ValidationError

from snakescope import REPOSITORY
from snakescope.fibrosis.settings import ORIGINS
from snakescope.learning.audit.accept import check, with_states
from snakescope.learning.audit.audit import (
    CODES,
    Audit,
    audit,
    findings_table,
    main,
    read_origins,
    summary_table,
)
from snakescope.learning.audit.confounds import associations, metadata_classifier
from snakescope.learning.audit.images import detail_of
from snakescope.learning.audit.pairs import near_duplicates, registered_correlation
from snakescope.learning.settings import AuditSettings, Code
from snakescope.step.errors import StepError

QUICK = AuditSettings(permutations=199)
DATA = Path(os.environ.get("SNAKESCOPE_DATA") or REPOSITORY / "../shared/data")
TRAP = DATA / "liver/us_fibrosis"
SUBJECTS = DATA / "liver/abdominal_us/images"


def picture(seed: int, side: int = 96) -> np.ndarray:
    """A drawn grey image: smooth blobs, of another anatomy with each seed."""
    rng = np.random.default_rng(seed)
    waves = np.fft.rfft2(rng.normal(size=(side, side)))
    y, x = np.fft.fftfreq(side)[:, None], np.fft.rfftfreq(side)[None]
    smooth = np.fft.irfft2(waves * np.exp(-((np.hypot(y, x) / 0.05) ** 2)), (side, side))
    smooth = (smooth - smooth.min()) / np.ptp(smooth)
    return (20 + 220 * smooth).astype(np.uint8)


@pytest.fixture
def honest(tmp_path: Path) -> pd.DataFrame:
    """Of 20 patients, 10 a class, two different images each."""
    rows = []
    for number in range(40):
        name = f"i{number:02d}"
        Image.fromarray(picture(number)).save(tmp_path / f"{name}.png")
        patient = f"p{number // 2:02d}"
        kind = "ab"[number // 2 % 2]
        rows.append((name, patient, kind, str(tmp_path / f"{name}.png")))
    return pd.DataFrame(rows, columns=["item", "group", "class", "path"])


def codes(found: Audit) -> set[str]:
    return {one.code for one in found.findings}


def passes(found: Audit, accept: dict[Code, str] | None = None) -> pd.DataFrame:
    """The summary of findings that do not stop a training."""
    states = with_states(summary_table(found.findings), accept or {})
    check(states, "toy: audit", "summary.tsv")
    return states.set_index("code")


def of(found: Audit, code: str) -> list[set[str]]:
    """The items of each finding of a code."""
    return [set(one.items.split("; ")) for one in found.findings if one.code == code]


def test_honest_images_pass(honest):
    found = audit(honest, QUICK)
    assert found.findings == []
    assert set(passes(found).index) == set(CODES)
    assert found.items["cluster"].nunique() == 40
    assert found.classifier is None  # no field varies


def test_one_bad_image_does_not_stop_the_others(honest, tmp_path):
    whole = (tmp_path / "i01.png").read_bytes()
    (tmp_path / "i01.png").write_bytes(whole[: len(whole) // 2])
    (tmp_path / "i02.png").write_text("no image at all")
    (tmp_path / "i03.png").unlink()
    found = audit(honest, QUICK, threads=2)
    assert of(found, "unreadable") == [{"i01"}, {"i02"}, {"i03"}]
    assert set(found.items["item"]) == set(honest["item"]) - {"i01", "i02", "i03"}
    with pytest.raises(StepError, match=r"unreadable \(3\).*i01.png.*toy: audit: accept"):
        passes(found)


def test_copies_are_found_across_groups_and_classes(honest, tmp_path):
    (tmp_path / "i00.png").write_bytes((tmp_path / "i01.png").read_bytes())  # same patient
    Image.fromarray(picture(5)).save(tmp_path / "i05.bmp")
    honest.loc[5, "path"] = str(tmp_path / "i05.bmp")
    Image.fromarray(picture(5)).save(tmp_path / "i06.png")  # another patient, another class
    found = audit(honest.assign(fold=[n // 2 % 5 for n in range(40)]), QUICK)
    assert of(found, "same_in_group") == [{"i00", "i01"}]
    for code in ("same_across_groups", "same_across_classes", "same_across_folds"):
        assert of(found, code) == [{"i05", "i06"}]
    assert not any("similar" in code for code in codes(found))


def edited(image: Image.Image, kind: str) -> Image.Image:
    grey = np.asarray(image)
    if kind == "gamma":
        return Image.fromarray((255 * (grey / 255) ** 0.7).astype(np.uint8))
    if kind == "half size":
        return image.resize((image.width // 2, image.height // 2))
    if kind == "shift":
        return image.crop((2, 2, image.width, image.height))
    return image  # saved as JPEG


@pytest.mark.parametrize("kind", ["jpeg", "gamma", "half size", "shift"])
def test_edited_copies_are_near_duplicates(honest, tmp_path, kind):
    suffix = "jpg" if kind == "jpeg" else "png"
    path = tmp_path / f"copy.{suffix}"
    edited(Image.fromarray(picture(7)), kind).save(path)
    honest.loc[20, "path"] = str(path)  # was i20, of another patient than i07
    found = audit(honest, QUICK)
    assert of(found, "similar_across_groups") == [{"i07", "i20"}]
    assert found.items.set_index("item")["cluster"].duplicated().sum() == 1


def test_frames_of_one_patient_are_noted_and_not_refused(honest, tmp_path):
    Image.fromarray(picture(8)).save(tmp_path / "i09.jpg", quality=60)
    honest.loc[9, "path"] = str(tmp_path / "i09.jpg")
    found = audit(honest, QUICK)
    assert of(found, "similar_in_group") == [{"i08", "i09"}]
    passes(found)


def test_patients_of_two_classes_or_folds_are_found(honest):
    table = honest.assign(fold=[n // 2 % 4 for n in range(40)])
    table.loc[1, "class"] = "b"
    table.loc[3, "fold"] = 3
    found = audit(table, QUICK)
    assert of(found, "group_in_classes") == [{"i00", "i01"}]
    assert of(found, "group_in_folds") == [{"i02", "i03"}]


def test_items_without_a_patient_are_grouped_by_near_duplicates(honest, tmp_path):
    Image.fromarray(picture(8)).save(tmp_path / "i09.jpg", quality=60)
    honest.loc[9, "path"] = str(tmp_path / "i09.jpg")
    honest.loc[[8, 9, 10], "group"] = ["", None, " "]
    found = audit(honest, QUICK)
    assert of(found, "missing_group") == [{"i08"}, {"i09"}, {"i10"}]
    groups = found.items.set_index("item")["group"]
    assert groups["i08"] == groups["i09"] != groups["i10"]
    assert groups["i11"] == "p05"


def test_a_format_that_tells_the_class_is_a_confound(honest, tmp_path):
    for row in honest.index[honest["class"] == "b"]:
        path = tmp_path / f"{honest.at[row, 'item']}.jpg"
        Image.fromarray(picture(row)).save(path, quality=90)
        honest.loc[row, "path"] = str(path)
    found = audit(honest, QUICK)
    strengths = {one.field: one.value for one in found.findings if one.code == "confound"}
    assert strengths["format"] == strengths["jpeg_tables"] == pytest.approx(1)
    assert found.classifier is not None
    assert (found.classifier.accuracy, found.classifier.items) == (1.0, 40)
    with pytest.raises(StepError, match=r"confound \(\d\), metadata_classifier \(1\)"):
        passes(found)
    states = passes(
        found,
        {
            "confound": "the files were written by one machine and converted later",
            "metadata_classifier": "as the confound, and the network sees grey pixels only",
        },
    )
    assert states.at["confound", "state"] == "accepted"
    assert "converted later" in states.at["confound", "reason"]
    assert audit(honest, QUICK).findings == found.findings


def test_a_field_of_the_sheet_and_a_number_are_held_against_the_class(honest):
    rng = np.random.default_rng(0)
    b = (honest["class"] == "b").to_numpy()
    table = honest.assign(
        machine=np.where(b, "Q7", "X1"), depth_mm=120 + 30 * b + rng.normal(size=40), plain=1
    )
    found = audit(table, QUICK)
    fields = {one.field for one in found.findings if one.code == "confound"}
    assert fields == {"machine", "depth_mm"}
    measures = {one.field: one.measure for one in found.associations}
    assert (measures["machine"], measures["depth_mm"]) == ("V", "eta")


def test_the_truth_of_an_item_is_kept_and_held_against_nothing(honest):
    items = honest.assign(truth="7 " + honest["class"].astype(str))
    found = audit(items, AuditSettings())
    assert not {"confound", "metadata_classifier"} & codes(found)
    assert found.items["truth"].tolist() == items["truth"].tolist()


def test_what_the_groups_are_called_changes_no_finding():
    rng = np.random.default_rng(5)
    classes, groups = np.repeat(["F0", "F2", "F4"], 20), [f"p{k // 2:02d}" for k in range(60)]
    fields = pd.DataFrame({"width": rng.integers(0, 9, 60), "format": rng.choice(["a", "b"], 60)})
    secret = [name[::-1] for name in groups]
    one, other = (associations(fields, classes, names, 99, 1) for names in (groups, secret))
    assert one == other
    told, told_again = (
        metadata_classifier(fields, classes, names, 1) for names in (groups, secret)
    )
    assert told is not None and told == told_again


def test_classes_of_few_members_are_told_apart_in_fewer_folds():
    fields = pd.DataFrame({"format": list("xyxyxy")})
    told = metadata_classifier(fields, list("aabbcc"), list("pqrstu"), 1)
    assert told is not None and told.items == 6
    assert metadata_classifier(fields[:3], list("abc"), list("pqr"), 1) is None


def test_bright_and_dark_classes_are_found_but_not_by_the_metadata_classifier(honest, tmp_path):
    for row in honest.index[honest["class"] == "b"]:
        grey = (picture(row) // 2).astype(np.uint8)
        Image.fromarray(grey).save(honest.at[row, "path"])
    found = audit(honest, QUICK)
    assert {one.field for one in found.findings if one.code == "confound"} == {"mean_grey"}
    assert "metadata_classifier" not in codes(found)


def test_contents_are_looked_at(honest, tmp_path):
    Image.new("L", (96, 96), 7).save(tmp_path / "i00.png")
    colour = np.repeat(picture(1)[..., None], 3, axis=2)
    colour[:40, :40] = (200, 10, 10)
    Image.fromarray(colour).save(tmp_path / "i01.png")
    good, small, empty = (tmp_path / f"mask{n}.png" for n in range(3))
    Image.fromarray(np.eye(96, dtype=np.uint8)).save(good)
    Image.new("L", (95, 96), 1).save(small)
    Image.new("L", (96, 96), 0).save(empty)
    masks: list[str | None] = [None] * 40
    masks[2:6] = [str(good), str(small), str(empty), str(tmp_path / "none.png")]
    found = audit(honest.assign(mask=masks), QUICK)
    assert of(found, "constant") == [{"i00"}]
    assert of(found, "colour") == [{"i01"}]
    assert of(found, "mask_size") == [{"i03"}]
    assert of(found, "mask_empty") == [{"i04"}]
    assert of(found, "mask_unreadable") == [{"i05"}]
    text = next(one.text for one in found.findings if one.code == "mask_size")
    assert "96 x 96" in text
    assert "95 x 96" in text


def test_empty_images_are_not_near_duplicates_of_each_other(honest, tmp_path):
    for number, grey in ((0, 7), (2, 9)):
        Image.new("L", (96, 96), grey).save(tmp_path / f"i{number:02d}.png")
    assert not any(code.startswith("s") for code in codes(audit(honest, QUICK)))


def test_what_a_split_by_image_would_overstate(honest, tmp_path):
    rng = np.random.default_rng(1)
    for row in honest.index:
        grey = picture(row // 2) * 0.8 + picture(100 + row) * 0.05
        Image.fromarray(np.clip(grey, 0, 255).astype(np.uint8)).save(honest.at[row, "path"])
    honest["class"] = rng.permutation(np.tile(["a", "b"], 10)).repeat(2)
    found = audit(honest, QUICK.model_copy(update={"max_similar_bits": 0, "max_candidate_bits": 0}))
    assert codes(found) == {"leak_gap"}
    gap = next(one.value for one in found.findings)
    assert gap > 0.3


def test_known_origins_are_named_whatever_their_file_is(honest, tmp_path):
    grey = picture(3)
    digest = hashlib.sha256(b"96x96:" + grey.tobytes()).hexdigest()
    table = tmp_path / "origins.tsv"
    table.write_text(f"# a published set\nsha256\twhat\n{digest.upper()}\tset of 1999\n")
    Image.fromarray(grey).convert("RGB").save(tmp_path / "i03.bmp")
    honest.loc[3, "path"] = str(tmp_path / "i03.bmp")
    found = audit(honest, QUICK, read_origins(table))
    assert of(found, "known_origin") == [{"i03"}]
    assert next(one.text for one in found.findings if one.code == "known_origin") == "set of 1999"


def test_the_shipped_table_of_origins_is_read_in_any_folder(honest, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    honest.to_csv("table.tsv", sep="\t", index=False)
    settings = QUICK.model_copy(update={"known_origins": ORIGINS}).recorded()
    written = ("items", "findings", "summary", "associations")
    main(argparse.Namespace(table="table.tsv", settings=settings, threads=1,
                            **{name: f"{name}.tsv" for name in written}))  # fmt: skip
    assert len(pd.read_csv("items.tsv", sep="\t")) == len(honest)


def test_sixteen_bit_images_are_read(honest, tmp_path):
    Image.fromarray(picture(2).astype(np.uint16) * 16).save(tmp_path / "i02.png")
    found = audit(honest, QUICK)
    assert "unreadable" not in codes(found)
    assert {one.field for one in found.associations} >= {"mode", "bit_depth"}


def test_tables_say_what_is_found_and_what_becomes_of_it(honest):
    honest.loc[0, "group"] = ""
    found = audit(honest, QUICK)
    table = findings_table(found.findings)
    assert table.columns.tolist() == ["code", "stops", "items", "field", "value", "p", "text"]
    assert table["stops"].tolist() == ["yes"]


def test_what_is_no_sheet_of_images_is_refused(honest):
    for wrong, facts in (
        (honest.drop(columns="class"), "no column class"),
        (honest[:0], "found none"),
        (pd.concat([honest, honest[:1]]), "i00 more than once"),
        (honest.assign(path="/nowhere.png"), "none of 40 that can be read"),
    ):
        with pytest.raises(StepError, match=facts):
            audit(wrong, QUICK)


def test_a_code_is_accepted_with_a_reason_only():
    for accept in ({"confound": "ok"}, {"confounds": "a reason that is long enough"}):
        with pytest.raises(ValidationError):
            AuditSettings.model_validate({"accept": accept})


# Public images


def images_below(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.suffix in (".jpg", ".png"))


@pytest.fixture(scope="module")
def trap() -> pd.DataFrame:
    if not TRAP.is_dir():
        pytest.skip(f"no public images at {TRAP}")
    paths = images_below(TRAP)
    stages = {"F0": "F0-1", "F1": "F0-1", "F2": "F2-3", "F3": "F2-3", "F4": "F4"}
    return pd.DataFrame(
        {
            "item": [path.stem for path in paths],
            "group": "",
            "class": [stages[path.parent.name] for path in paths],
            "stage": [path.parent.name for path in paths],
            "path": [str(path) for path in paths],
        }
    )


@pytest.mark.data
def test_the_public_set_of_stages_is_a_trap(trap):
    origins = read_origins(DATA / "liver/known_origin.tsv")
    found = audit(trap.drop(columns="stage"), AuditSettings(), origins, threads=2)
    assert {"missing_group", "confound", "metadata_classifier", "known_origin"} <= codes(found)
    assert len(of(found, "known_origin")) >= 95
    assert found.classifier is not None
    assert found.classifier.accuracy == pytest.approx(0.70, abs=0.01)
    assert found.classifier.majority == pytest.approx(0.40, abs=0.01)
    by_stage = audit(trap.assign(**{"class": trap["stage"]}).drop(columns="stage"), QUICK)
    values = {one.field: one.value for one in by_stage.associations}
    assert values["format"] == pytest.approx(0.76, abs=0.005)
    with pytest.raises(StepError, match=r"confound .*known_origin"):
        passes(found)


@pytest.mark.data
def test_edited_copies_of_real_images_are_found_and_other_subjects_are_not(trap, tmp_path):
    if not SUBJECTS.is_dir():
        pytest.skip(f"no public images at {SUBJECTS}")
    paths = images_below(SUBJECTS)[::2]
    items = pd.DataFrame(
        {
            "item": [path.stem for path in paths],
            "group": [path.stem[0] for path in paths],
            "class": "none",
            "path": [str(path) for path in paths],
        }
    )
    rng = np.random.default_rng(0)
    copies = []
    for row in rng.choice(len(items), 30, replace=False):
        with Image.open(items.at[row, "path"]) as image:
            left, top = (int(share * 0.02 * side) for share, side in
                         zip(rng.random(2), image.size, strict=True))  # fmt: skip
            path = tmp_path / f"{items.at[row, 'item']}.jpg"
            image.crop((left, top, *image.size)).save(path, quality=int(rng.integers(40, 90)))
        name = f"{items.at[row, 'item']}_copy"
        copies.append((name, f"other_{row}", "none", str(path)))
    table = pd.concat([items, pd.DataFrame(copies, columns=items.columns)], ignore_index=True)
    found = audit(table, QUICK, threads=2)
    pairs = of(found, "similar_across_groups") + of(found, "same_across_groups")
    hit = [name for name, *_ in copies if {name, name.removesuffix("_copy")} in pairs]
    assert len(hit) >= 29
    wrong = [pair for pair in pairs if len({name[0] for name in pair}) > 1]
    assert wrong == []


def test_a_shifted_copy_is_found_by_its_fine_structure():
    rng = np.random.default_rng(1)
    one, other = (rng.integers(0, 255, (140, 140)).astype(np.uint8) for _ in range(2))
    one, other = (cv2.GaussianBlur(grey, (0, 0), 2) for grey in (one, other))
    gamma = (255 * (one / 255.0) ** 0.8).astype(np.uint8)
    first, copy, stranger = (
        detail_of(np.ascontiguousarray(grey))
        for grey in (one[4:132, 4:132], gamma[7:135, 2:130], other[4:132, 4:132])
    )
    before = first.copy()
    assert registered_correlation(first, copy) > 0.9
    assert np.array_equal(first, before)
    assert registered_correlation(first, stranger) < 0.5
    hashes = np.zeros((3, 256), bool)
    hashes[1, :60] = hashes[2, 60:140] = True
    found = near_duplicates(hashes, [first, copy, stranger], 48, 96, 0.9)
    assert [(one.first, one.second) for one in found] == [(0, 1)]
    assert not near_duplicates(hashes, [first, copy, stranger], 48, 0, 0.9)
