"""The reason why a job failed, in one sentence."""

from pathlib import Path

LOST = {
    "TIMEOUT": "over its time",
    "OUT_OF_MEMORY": "over its memory",
    "NODE_FAIL": "its node failed",
    "CANCELLED": "cancelled",
    "PREEMPTED": "preempted",
}
"""Reasons by the first word of the state of a job that Slurm ended."""


def reason(log: str | Path, state: str = "") -> str:
    """Return why a job failed: its error message, else its state in Slurm, else its last line.

    Args:
        log: log of the job.
        state: state of the job in Slurm, or ``REFUSED`` and the message of sbatch; empty without
            Slurm.
    """
    kind, _, said = state.partition(" ")
    if kind == "REFUSED":
        # The log is of an earlier attempt.
        return f"Slurm did not take the job: {said}; adapt profiles/slurm to the cluster"
    path = Path(log)
    text = path.read_text(encoding="utf-8", errors="replace") if path.is_file() else ""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    sentences = [line.removeprefix("error: ") for line in lines if line.startswith("error: ")]
    if sentences:
        return sentences[-1]
    if lost := LOST.get(kind):
        return f"{lost}, says Slurm ({state})"
    if any(line.startswith("Traceback") for line in lines):
        return f"a defect, not bad input: {lines[-1]}"
    last = f"; its last line: {lines[-1]}" if lines else ""
    return f"ended without a word: killed, or out of memory or time{last}"
