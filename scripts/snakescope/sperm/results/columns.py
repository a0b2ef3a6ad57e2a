"""Columns of the tables of grades; naming them loads no network."""

from snakescope.sperm.videos.sheet import GRADES

GRADED = ["clip", *(f"p{name}" for name in GRADES), "grader", "low", "high", "sd"]
"""``low``, ``high``: 5 and 95 % quantiles of the error of mean grades, ``sd`` its spread."""
