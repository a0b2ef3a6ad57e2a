"""What a run used, compared with what was estimated, and what failed."""

import argparse
from pathlib import Path

import pandas as pd

from snakescope.run.estimate import ESTIMATE
from snakescope.run.events import events_of
from snakescope.run.progress import duration, standing_of
from snakescope.run.usage import as_text, by_rule, jobs_of
from snakescope.step.output import atomic_write
from snakescope.step.reason import reason


def compared(used: pd.DataFrame, estimate: pd.DataFrame) -> pd.DataFrame:
    """Return what was used, where it was estimated as ``used/estimated``."""
    expected = estimate.set_index("rule").reindex(used.rule)
    for name in ("jobs", "cpu_h", "gpu_h", "peak_mb", "results_mb", "temporary_mb"):
        form = "{:.0f}" if name in ("jobs", "peak_mb") else "{:.2f}"
        used[name] = [
            "/".join(form.format(value) for value in pair if not pd.isna(value))
            for pair in zip(used[name], expected[name], strict=True)
        ]
    return used


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command."""
    parser.add_argument("log", nargs="?", type=Path, help="event log; else the latest here")


def main(options: argparse.Namespace) -> None:
    """Print what was used by rule and which jobs failed for good; write the former by the log."""
    path, events = events_of(options.log)
    standing, jobs = standing_of(events), jobs_of(events)
    ended = "ended" if events[-1]["event"] == "run_ended" else "not ended, or killed,"
    print(f"{path}: {ended} after {duration(standing.elapsed_s)}")
    if jobs:
        used = by_rule(jobs)
        with atomic_write(path.with_suffix(".used.tsv")) as partial:
            used.to_csv(partial, sep="\t", index=False, float_format="%.6g")
        if ESTIMATE.exists():
            used = compared(used, pd.read_csv(ESTIMATE, sep="\t"))
        print(as_text(used))
    print(f"\n{len(standing.failing)} jobs failed for good")
    for event in standing.failing.values():
        job = " ".join([event["rule"], *event["wildcards"].values()])
        why = reason(event["log"], event["state"])
        print(f"  {job}, {event['attempts']} attempts: {why}\n    {event['log']}")
