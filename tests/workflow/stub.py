"""Stands in for every step: makes the outputs it is asked for, at once, and notes that it ran.

Snakemake removes the outputs of a job before it starts, so the paths below results/ that do not
exist are those to make.
"""

import os
import sys
import time
from pathlib import Path


def main() -> None:
    """Make every missing file below results/ that the command line names."""
    outputs = [
        Path(word)
        for word in sys.argv[1:]
        if word.startswith("results/") and not Path(word).exists()
    ]
    while Path(os.environ.get("STUB_HELD_BY", "nothing")).exists():
        time.sleep(0.1)
    for path in outputs:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(" ".join(sys.argv[1:]) + "\n", encoding="utf-8")
    with open(os.environ["STUB_RAN"], "a", encoding="utf-8") as ran:
        ran.write(f"{outputs[0]}\n")
    if os.environ.get("STUB_FAILS", "nothing") in str(outputs[0]):
        for path in outputs:
            path.unlink()
        sys.exit(f"error: {outputs[0]}: told to fail")


if __name__ == "__main__":
    main()
