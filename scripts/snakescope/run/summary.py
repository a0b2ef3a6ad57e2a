"""What a run used, beside what was estimated, and what failed.

python -m snakescope.run.summary             # of the latest run in this folder

Writes used.tsv beside the event log. Failures are the jobs that did not end well on their last
attempt; plates that were excluded or unusable stand in results/<tree>/failures.tsv.
"""

import argparse
import csv
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from snakescope.run.estimate import ESTIMATE, aligned
from snakescope.run.events import slurm_state
from snakescope.run.progress import duration, elapsed, events_of, latest
from snakescope.step.command import run_step
from snakescope.step.output import atomic_write
from snakescope.step.reason import reason


@dataclass
class Used:
    """What the jobs of a rule used: see ``snakescope.run.estimate.Line``; ``tries`` counts attempts."""

    jobs: int = 0
    tries: int = 0
    cpu_h: float = 0.0
    gpu_h: float = 0.0
    peak_mb: float = 0.0
    asked_mb: float = 0.0
    results_mb: float = 0.0
    temporary_mb: float = 0.0


COLUMNS = ("rule", *Used.__dataclass_fields__)


def used_by_rule(events: Iterable[Mapping[str, Any]]) -> dict[str, Used]:
    """Return what finished jobs used, by rule, and ``all``; a default target is no job."""
    rules: dict[str, Used] = defaultdict(Used)
    gpus: dict[int, int] = {}
    for event in events:
        if event["event"] == "job" and event["output"]:
            rule = rules[event["rule"]]
            rule.tries += 1
            rule.asked_mb = max(rule.asked_mb, float(event["resources"].get("mem_mb") or 0))
            gpus[event["job"]] = int(event["resources"].get("gpu") or 0)
        elif event["event"] == "finished" and event["job"] in gpus:
            rule = rules[event["rule"]]
            rule.jobs += 1
            rule.cpu_h += (event["cpu_seconds"] or 0.0) / 3600
            rule.gpu_h += (event["seconds"] or 0.0) / 3600 * gpus[event["job"]]
            rule.peak_mb = max(rule.peak_mb, event["max_rss_mb"] or 0.0)
            rule.results_mb += event["output_mb"]
            rule.temporary_mb += event["temporary_mb"]
    total = Used()
    for rule in rules.values():
        for name in ("jobs", "tries", "cpu_h", "gpu_h", "results_mb", "temporary_mb"):
            setattr(total, name, getattr(total, name) + getattr(rule, name))
        total.peak_mb = max(total.peak_mb, rule.peak_mb)
        total.asked_mb = max(total.asked_mb, rule.asked_mb)
    return {**rules, "all": total}


def failures(events: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return the jobs whose last attempt failed: rule, wildcards, attempts, message, logs."""
    left: dict[int, dict[str, Any]] = {}
    attempts: Counter[int] = Counter()
    for event in events:
        if event["event"] == "failed":
            attempts[event["job"]] += 1
            left[event["job"]] = {**event, "attempts": attempts[event["job"]]}
        elif event["event"] == "finished":
            left.pop(event["job"], None)
    return list(left.values())


def read_estimate(path: str | Path) -> dict[str, dict[str, str]]:
    """Return the lines of an estimate by rule; none where nobody estimated."""
    try:
        with open(path, encoding="utf-8", newline="") as file:
            return {row["rule"]: row for row in csv.DictReader(file, delimiter="\t")}
    except FileNotFoundError:
        return {}


def beside(used: Mapping[str, Used], estimate: Mapping[str, Mapping[str, str]]) -> str:
    """Return what was used beside what was estimated, ``used/estimated`` a cell."""

    def pair(rule: str, column: str, value: float, form: str, divisor: float = 1.0) -> str:
        expected = estimate.get(rule, {}).get(column)
        told = f"{value / divisor:{form}}"
        return f"{told}/{float(expected) / divisor:{form}}" if expected else told

    rows: list[Sequence[str]] = [
        ("rule", "jobs", "attempts", "CPU-hours", "GPU-hours", "peak MB", "asked MB",
         "results GB", "temporary GB")
    ]  # fmt: skip
    for rule, line in used.items():
        rows.append((
            rule, pair(rule, "jobs", line.jobs, ".0f"), f"{line.tries}",
            pair(rule, "cpu_h", line.cpu_h, ".2f"), pair(rule, "gpu_h", line.gpu_h, ".2f"),
            pair(rule, "peak_mb", line.peak_mb, ".0f"), f"{line.asked_mb:.0f}",
            pair(rule, "results_mb", line.results_mb, ".2f", 1000),
            pair(rule, "temporary_mb", line.temporary_mb, ".2f", 1000),
        ))  # fmt: skip
    return aligned(rows)


def text_of(used: Mapping[str, Used]) -> str:
    """Return what was used as TSV."""
    rows = ["\t".join(COLUMNS)]
    for rule, line in used.items():
        cells = (f"{value:.6g}" for value in vars(line).values())
        rows.append("\t".join([rule, *cells]))
    return "\n".join(rows) + "\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("events", nargs="?", type=Path, help="event log; else the latest here")
    path = latest(parser.parse_args().events)
    events = events_of(path)
    used = used_by_rule(events)
    estimate = read_estimate(ESTIMATE)
    with atomic_write(path.with_suffix(".used.tsv")) as partial:
        partial.write_text(text_of(used), encoding="utf-8")
    took = duration(elapsed(events[0]["time"], events[-1]["time"]))
    ended = events[-1]["event"] == "run_ended"
    print(f"{path}: {'ended after' if ended else 'not ended, or killed, after'} {took}")
    print(
        "used"
        + ("/estimated" if estimate else "; no estimate, see python -m snakescope.run.estimate")
    )
    print(beside(used, estimate))
    left = failures(events)
    print(f"\n{len(left)} jobs failed for good")
    for event in left:
        where = " ".join(str(value) for value in event.get("wildcards", {}).values())
        log = next(iter(event["logs"]), "")
        why = reason(log, slurm_state(event["message"]))
        print(f"  {event['rule']} {where}, {event['attempts']} attempts: {why}\n    {log}")


if __name__ == "__main__":
    run_step(main)
