"""Benchmarks, run from the repository: ``python -m benchmarks.GROUP.NAME``."""

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
"""The repository."""

sys.path.insert(0, str(ROOT / "scripts"))
