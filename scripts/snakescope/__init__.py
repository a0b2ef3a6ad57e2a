"""Snakescope: raw microscope images to measured results, one rule tree per assay."""

from pathlib import Path

__version__ = "0.2.0"

REPOSITORY = Path(__file__).resolve().parents[2]
"""The checkout: the package is installed from it in place, and reads its resources there."""
