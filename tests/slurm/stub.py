"""Stands in for a step on the cluster: makes its outputs, and misbehaves as its plate is called.

A folder ``faults/`` beside the Snakefile says what is to happen: a file named after the plate
holds the word ``hold`` (wait until the file is gone), ``eat`` (take 1.5 times 700 MB on the first
attempt) or ``linger`` (stay over the time of the first attempt).
"""

import os
import sys
import time
from pathlib import Path

STEP = "register"
"""The faults concern this step."""


def misbehave(fault: Path) -> None:
    """Do what the file says, once: on the next attempt it is gone."""
    word = fault.read_text(encoding="utf-8").strip() if fault.exists() else ""
    (fault.parent / f"{fault.name}.met").write_text(str(os.getpid()), encoding="utf-8")
    if word == "hold":
        while fault.exists():
            time.sleep(0.1)
    elif word == "eat":
        fault.unlink()
        taken = bytearray(1050 * 2**20)
        for at in range(0, len(taken), 4096):
            taken[at] = 1
        time.sleep(30)
    elif word == "linger":
        fault.unlink()
        time.sleep(300)


def main() -> None:
    """Make every missing file below results/ that the command line names."""
    outputs = [
        Path(word)
        for word in sys.argv[1:]
        if word.startswith("results/") and not Path(word).exists()
    ]
    plate = outputs[0].parts[2]
    if f"/{STEP}ed/" in str(outputs[0]):
        # Half an output is there while the step works, as a careless step would leave it.
        outputs[0].parent.mkdir(parents=True, exist_ok=True)
        outputs[0].write_text("half", encoding="utf-8")
        misbehave(Path("faults", plate))
    for path in outputs:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(" ".join(sys.argv[1:]) + "\n", encoding="utf-8")
    with open("ran.txt", "a", encoding="utf-8") as ran:
        ran.write(f"{outputs[0]}\n")


if __name__ == "__main__":
    main()
