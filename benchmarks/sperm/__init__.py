"""Benchmarks of the sperm tree."""

COLUMNS = ["set", "network", "metric", "value", "low", "high", "n"]
"""Of every table of scores."""
