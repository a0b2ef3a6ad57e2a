"""Tables of the status of all plates and of the plates of every experiment.

The main process writes them after scanning the raw folders.
"""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from snakescope.healthspan.plates.sheet import Plate
from snakescope.settings.sheet import extra_columns
from snakescope.step.output import write_if_changed
from snakescope.step.rows import table_rows, table_text
from snakescope.tree.failures import Failure

STATUS = "status.tsv"
STATUS_COLUMNS = ("plate", "experiment", "condition", "status", "reason")
SHEET_COLUMNS = ("plate", "experiment", "condition", "age_at_first_frame_d", "worms")
LEFT_OUT_COLUMNS = ("plate", "condition", "status", "reason")

Status = Mapping[str, tuple[str, str]]


def write_sheets(
    results: str, sheet: Mapping[str, Plate], status: Status, keep: bool = False
) -> None:
    """Write the status of every plate, and for every experiment who is in it and who is not.

    Also for one that has lost all its plates: it says so in place of those it once had. Columns of
    the sheet that are the user's own stand behind the others.

    Args:
        sheet: all plates by name, in the order of the sheet.
        status: of every plate, and why.
        keep: leave the table of all plates with what the last run did not compute, as a dry run
            computes nothing.
    """
    extra = extra_columns(list(sheet.values()))
    columns = (*STATUS_COLUMNS, *extra)
    shown = {**status, **(_not_computed(f"{results}/{STATUS}", status) if keep else {})}
    _write(f"{results}/{STATUS}", columns, list(sheet.values()), shown)
    for experiment in dict.fromkeys(plate.experiment for plate in sheet.values()):
        folder = f"{results}/experiments/{experiment}"
        members = [plate for plate in sheet.values() if plate.experiment == experiment]
        inside = [plate for plate in members if status[plate.name][0] == "included"]
        columns = (*SHEET_COLUMNS, *extra)
        _write(f"{folder}/plates.tsv", columns, inside, status)
        out = [plate for plate in members if plate not in inside]
        _write(f"{folder}/left_out.tsv", LEFT_OUT_COLUMNS, out, status)


def _write(path: str, columns: Sequence[str], plates: Sequence[Plate], status: Status) -> None:
    rows = []
    for plate in plates:
        state, reason = status[plate.name]
        own = {"plate": plate.name, "status": state, "reason": reason}
        cells = {**plate.extra, **vars(plate), **own}
        rows.append([cells.get(name) for name in columns])
    write_if_changed(path, table_text(columns, rows))


def _not_computed(path: str, status: Status) -> dict[str, tuple[str, str]]:
    """What the last run wrote of included plates that it could not compute."""
    if not Path(path).exists():
        return {}
    return {
        row["plate"]: (row["status"], row["reason"])
        for row in table_rows(path)
        if row.get("status") == "not computed" and status.get(row["plate"], ("",))[0] == "included"
    }


def verdicts_of(results: str, plates: Iterable[str]) -> dict[str, dict[str, str]]:
    """Return the plates that failed their quality or have warnings, with these, by verdict."""
    found: dict[str, dict[str, str]] = {"failed quality control": {}, "with warnings": {}}
    kinds = {"failed": "failed quality control", "warning": "with warnings"}
    for plate in plates:
        path = Path(results, plate, "quality.tsv")
        if not path.exists():
            continue
        row = next(iter(table_rows(path)), {})
        if kind := kinds.get(row.get("status", "")):
            found[kind][plate] = row.get("warnings", "")
    return found


def left_behind(results: str, experiments: Mapping[str, Sequence[str]]) -> list[str]:
    """Return a sentence on every experiment that has results, and no plate any more.

    Args:
        experiments: the plates to compute of every experiment that has some.
    """
    drawn = sorted(Path(results, "experiments").glob("*/curves.png"))
    return [
        f"{path.parent}: expected a plate to compute in this experiment, found none; its results"
        " are those of an earlier run: remove the folder"
        for path in drawn
        if path.parent.name not in experiments
    ]


def reasons_of(failures: Sequence[Failure], harmless: Sequence[str]) -> dict[str, str]:
    """Return why each plate failed: rule, block and reason of the first of its failures."""
    reasons: dict[str, str] = {}
    for one in failures:
        if one.rule not in (*harmless, "simulate", "train") and one.status == "failed":
            where = " ".join(filter(None, (one.rule, one.block)))
            reasons.setdefault(one.subject, f"{where}: {one.reason}")
    return reasons
