"""What a folder of raw images looks like: proposals, rows of the sheet, a file of settings.

Names tell naming, channels and times; two frames tell dish, mark, worms and pixel size. Nothing is
taken without a word: every proposal says from what it is and how sure it is.
"""

import argparse
import re
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise
from pathlib import Path
from typing import Any

from snakescope.healthspan.inspection.naming_of_folder import Given, Named, name_folder, times_text
from snakescope.healthspan.inspection.pictures_of_folder import Scale, look_at_plate
from snakescope.healthspan.inspection.proposals import (
    Proposal,
    keys_of,
    rows_text,
    scalar,
    settings_text,
    table,
)
from snakescope.healthspan.inspection.schedule import Schedule, schedule_of
from snakescope.healthspan.inspection.written import (
    check_free,
    own_file,
    write_proposed,
    write_row,
)
from snakescope.healthspan.plates.manifest import PlateFrames
from snakescope.healthspan.plates.naming import TIME_FIELDS
from snakescope.healthspan.plates.raw_folder import Refused, list_images
from snakescope.healthspan.plates.scan import PlateScanner
from snakescope.healthspan.plates.settings import IngestSettings
from snakescope.healthspan.plates.sheet import Plate
from snakescope.healthspan.settings import HealthspanSettings
from snakescope.settings.sheet import LEGAL_NAME
from snakescope.step.errors import StepError

IN_FOLDERS = re.compile(rf"\{{(?:{'|'.join((*TIME_FIELDS, 'seconds', 'day'))})\}}")
"""Fields of time, by which folders are days and not plates."""


@dataclass(frozen=True)
class Series:
    """A plate of the folder.

    Attributes:
        row: of the sheet; frames: of its scan, None where there is a problem.
        name: of its files of settings and times; times: by path below the row's folder (h), empty
            where names tell them.
    """

    row: Mapping[str, str]
    frames: PlateFrames | None
    problem: str = ""
    name: str = ""
    times: Mapping[str, float] = field(default_factory=dict)


def inspect_folder(
    folder: str, options: argparse.Namespace, settings: HealthspanSettings
) -> list[str]:
    """Return what is found in a folder and what was written, a line each; nothing without images.

    Raises:
        StepError: no such folder, one that cannot be read, or options that fit nothing.
    """
    try:
        paths = [file.relative_path for file in list_images(folder)]
    except Refused as refused:
        said = str(refused).removesuffix("; correct the column folder")
        raise StepError(f"{folder}: {said}") from None
    if not paths:
        return []
    aliases = {
        name.lower(): channel for channel, names in settings.plates.channel_names for name in names
    }
    given = Given(
        options.pattern or settings.plates.pattern or "", options.times, options.interval_h
    )
    named = name_folder(folder, paths, aliases, given)
    base = _legal(options.plate or Path(folder).resolve().name)
    proposals = list(named.proposals)
    keys = keys_of(proposals)
    lines = [f"{len(paths)} images in {folder}", ""]
    if named.open:
        lines += [*table(proposals), "", *(f"STILL NEEDED: {one}" for one in named.open)]
        return [*lines, "No row was written."]
    dated = IN_FOLDERS.search((named.pattern or "").rpartition("/")[0])
    below = [] if named.plates or dated else _subfolders(named.paths)
    if below and "plates.pattern" in keys:
        # Rows name the subfolders, and patterns begin below the folder of a row.
        pattern = keys["plates.pattern"].rpartition("/")[2]
        own = {"plates.pattern": pattern}
        proposals = [
            replace(one, value=f"pattern: {scalar(pattern)}", keys=own)
            if "plates.pattern" in one.keys
            else one
            for one in proposals
        ]
        keys |= own
    all_series = _series(folder, base, named, below, (settings.plates, keys), options)
    first = next((one for one in all_series if one.frames is not None), None)
    scale = Scale(options.pixel_size_um, options.dish_mm, options.dish_inner_mm)
    if first is not None and first.frames is not None:
        proposals.append(_channels(first.frames, aliases, paths))
        schedule = _schedule(first.frames)
        proposals += _scheduled(schedule, named, settings)
        scale = _asked(scale)
        proposals += look_at_plate(first.frames, scale, settings)
    age = _age(options, named)
    if age:
        source = "given" if options.age_d is not None else "the day in the first name"
        sure = "sure" if options.age_d is not None else "CHECK: days of adulthood?"
        proposals.append(Proposal("age", f"{age} days at the first image", source, sure))
    lines += table(proposals)
    good = [one for one in all_series if not one.problem]
    if not good:
        wrong = dict.fromkeys(f"STILL NEEDED: {one.problem}" for one in all_series)
        return [*lines, "", *wrong, "No row was written: the run would refuse it."]
    lines += [
        f"{one.row['plate']}: {one.problem}; no row of it was written"
        for one in all_series
        if one.problem
    ]
    lines += _notes(all_series)
    keys |= keys_of(proposals)
    notes = {key: f"{one.source} ({one.sure})" for one in proposals for key in one.keys}
    notes["plates.times"] = "times of the images, by snakescope inspect"
    files: dict[str, str] = {}
    rows = []
    for one in good:
        own, file = dict(keys), own_file(one.name)
        if one.times:
            own["plates.times"] = own_file(one.name, "_times.tsv")
            files[own["plates.times"]] = times_text(one.times, "snakescope inspect")
        head = f"Settings of {one.name}, proposed by: snakescope inspect {folder}"
        if own:
            files[file] = settings_text("healthspan", own, notes, head)
        rows.append({**one.row, "settings": file if own else ""})
    rows = [{**row, "age_at_first_frame_d": age} if age else row for row in rows]
    shown = [file for file in files if file.endswith(".yaml")]
    for file in shown:
        lines += ["", f"settings of the plate ({file}):"]
        lines += [f"  {line}" for line in files[file].splitlines()]
    lines += [] if shown else ["", "no settings differ"]
    lines += ["", "rows of the sample sheet:", *rows_text(rows), ""]
    if options.print_only:
        return [*lines, "Nothing was written (--print-only)."]
    check_free(Path(settings.sheet), rows, files)
    lines += [write_proposed(Path(file), text) for file, text in files.items()]
    lines += write_row(Path(settings.sheet), rows)
    names = " ".join(row["plate"] for row in rows[:1])
    what = "experiment, condition, worms and age"
    return [*lines, f"Correct {what} in the sheet; then: snakescope trial {names}"]


def _series(
    folder: str,
    base: str,
    named: Named,
    below: Sequence[str],
    ingest: tuple[IngestSettings, Mapping[str, Any]],
    options: argparse.Namespace,
) -> list[Series]:
    """Return the plates of a folder: several by {plate}, by subfolders or by wells; else one.

    Args:
        below: the subfolders that are plates; ingest: settings of the run, and what was proposed.
    """
    given = {
        "experiment": _legal(options.experiment or Path(folder).resolve().parent.name),
        "condition": options.condition or "condition",
        "worms": "" if options.worms is None else str(options.worms),
    }
    series: list[Series] = []
    for text in named.plates:
        lettered = re.search(r"[A-Za-z]", text) and not options.plate
        name = _legal(text) if lettered else _legal(f"{base}_{text}")
        row = {"plate": name, **given, "folder": folder}
        if name != text:
            row["pattern"] = (named.pattern or "").replace("{plate}", text)
        series.append(Series(row, None, "", base, named.times))
    for part in below:
        name = _legal(f"{base}_{part}")
        row = {"plate": name, **given, "folder": str(Path(folder, part))}
        start = f"{part}/"
        own = {
            path.removeprefix(start): time
            for path, time in named.times.items()
            if path.startswith(start)
        }
        series.append(Series(row, None, "", name if own else base, own))
    if not series:
        row = {"plate": base, **given, "folder": folder}
        series.append(Series(row, None, "", base, named.times))
    plates, keys = ingest
    found = []
    # The scan reads times from a table; that of the plate is written when all is known.
    with tempfile.TemporaryDirectory() as scratch:
        for number, one in enumerate(series):
            stated = {key.removeprefix("plates."): value for key, value in keys.items()}
            if one.times:
                table_of_times = Path(scratch, f"{number}_times.tsv")
                table_of_times.write_text(times_text(one.times, "a scan"), encoding="utf-8")
                stated["times"] = str(table_of_times)
            own_settings = {**plates.model_dump(exclude_unset=True), **stated}
            found += _of_wells(one, PlateScanner(IngestSettings.model_validate(own_settings)))
    return found


def _of_wells(one: Series, scanner: PlateScanner) -> list[Series]:
    """Scan a plate; of several wells and positions, each is one."""
    scanned = _scan(one, scanner)
    if not re.search(r"one well and one position in it, found \d+", scanned.problem):
        return [scanned]
    found = []
    for position in scanner.positions(one.row["folder"], one.row.get("pattern", "")):
        plate = _legal(f"{one.row['plate']}_{position}")
        own = {**one.row, "plate": plate, "well": position}
        found.append(_scan(replace(one, row=own), scanner))
    return found


def _scan(one: Series, scanner: PlateScanner) -> Series:
    row = {column: cell for column, cell in one.row.items() if cell}
    try:
        return replace(one, frames=scanner.scan(Plate.model_validate(row)))
    except StepError as error:
        return replace(one, problem=str(error))


def _subfolders(paths: Sequence[str]) -> list[str]:
    """Return the subfolders that are plates: with images called alike; else none."""
    by_folder: dict[str, list[str]] = {}
    for path in paths:
        head, _, tail = path.rpartition("/")
        by_folder.setdefault(head, []).append(tail.lower())
    if len(by_folder) < 2 or "" in by_folder:
        return []
    names = [set(tails) for tails in by_folder.values()]
    shared = [len(one & names[0]) / max(1, min(len(one), len(names[0]))) for one in names[1:]]
    several = all(len(one) > 2 for one in names)
    return sorted(by_folder) if several and min(shared) > 0.5 else []


def _channels(frames: PlateFrames, aliases: Mapping[str, str], paths: Sequence[str]) -> Proposal:
    said = " and ".join(one.replace("_", " ") for one in frames.channels)
    words = {
        word for path in paths for word in re.split(r"[\W_]+", path.lower()) if word in aliases
    }
    if len(frames.channels) > 1:
        return Proposal("channels", said, f"words in the names: {', '.join(sorted(words))}", "sure")
    source = (
        f"the word {', '.join(sorted(words))}" if words else "no word for a channel in the names"
    )
    return Proposal("channels", said, source, "sure" if words else "likely")


def _schedule(frames: PlateFrames) -> Schedule:
    return schedule_of([*dict.fromkeys(one.time_h for one in frames.frames if one.path)])


def _scheduled(schedule: Schedule, named: Named, settings: HealthspanSettings) -> list[Proposal]:
    """Propose the schedule, and the settings that depend on it."""
    keys: dict[str, Any] = {}
    source = "the times"
    if schedule.scheduled and schedule.gaps and schedule.usual_h and _regular(schedule):
        if settings.plates.interval_h is None:
            keys["plates.interval_h"] = schedule.usual_h
            source += "; gaps are listed as missing frames"
    elif schedule.gaps:
        source += "; days without images are no missing frames"
    proposals = [Proposal("schedule", schedule.said(named.first_h or 0.0), source, "sure", keys)]
    reach = settings.states.composite.max_gap_h
    if schedule.usual_h is not None and schedule.bridge_h > reach:
        steps = [after - before for before, after in pairwise(schedule.times_h)]
        wide = sum(step > reach for step in steps)
        if wide:
            proposals.append(
                Proposal(
                    "neighbours",
                    f"up to {schedule.bridge_h:g} h apart",
                    f"{wide} of {len(steps)} steps are longer than {reach:g} h",
                    "sure",
                    {"states.composite.max_gap_h": schedule.bridge_h},
                )
            )
    return proposals


def _regular(schedule: Schedule) -> bool:
    """Return whether all times lie near multiples of the usual interval."""
    usual = schedule.usual_h or 1.0
    return all(abs(t / usual - round(t / usual)) <= 0.25 for t in schedule.times_h)


def _asked(scale: Scale) -> Scale:
    """Ask a person for the width of the dish, where nothing tells the pixel size."""
    if scale.given or not (sys.stdin.isatty() and sys.stdout.isatty()):
        return scale
    answer = input("Width the dish is sold under in mm (30, 35, 55, 60, 90; empty: unknown): ")
    try:
        return replace(scale, dish_mm=float(answer.replace(",", "."))) if answer.strip() else scale
    except ValueError:
        return scale


def _age(options: argparse.Namespace, named: Named) -> str:
    """Return the age at the first image: given, or the day that its name tells."""
    if options.age_d is not None:
        return f"{options.age_d:g}"
    return f"{named.first_h / 24:g}" if named.first_h else ""


def _notes(series: Sequence[Series]) -> list[str]:
    notes = [note for one in series if one.frames is not None for note in one.frames.notes]
    return [note for note in dict.fromkeys(notes) if "interval_h" not in note]


def _legal(name: str) -> str:
    """A name as the sheet takes it."""
    legal = re.sub(r"[^A-Za-z0-9_.-]+", "_", name).strip(".-_") or "plate"
    return legal if re.fullmatch(LEGAL_NAME.pattern, legal) else "plate"
