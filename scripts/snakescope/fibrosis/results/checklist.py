"""TRIPOD+AI and CLAIM: what the run knows of their items, and what its authors have to write."""

from collections.abc import Mapping

import pandas as pd

AUTHORS = "to be written by the authors"


def checklist(facts: Mapping[str, str]) -> pd.DataFrame:
    """Items of both statements with what is known, or :data:`AUTHORS`.

    Collins et al., BMJ 385 (2024) e078378 (TRIPOD+AI); Mongan et al., Radiol. Artif. Intell. 2
    (2020) e200029 (CLAIM). The numbers are those of the statements; items that only people can
    answer are named in groups.

    Args:
        facts: sentences by the keys of :data:`ITEMS`.

    Returns:
        Columns statement, item, topic, text, filled (workflow or authors).
    """
    rows = []
    for statement, number, topic, key in ITEMS:
        text = facts.get(key, "") if key else ""
        rows.append((statement, number, topic, text or AUTHORS, "workflow" if text else "authors"))
    return pd.DataFrame(rows, columns=["statement", "item", "topic", "text", "filled"])


ITEMS = (
    ("TRIPOD+AI", "1, 2", "title and abstract", ""),
    ("TRIPOD+AI", "3, 4", "background, objectives, health inequalities", ""),
    ("TRIPOD+AI", "5", "data: source and dates", ""),
    ("TRIPOD+AI", "6", "participants: setting and eligibility", ""),
    ("TRIPOD+AI", "7", "data preparation", "preparation"),
    ("TRIPOD+AI", "8", "outcome: how stages were found", ""),
    ("TRIPOD+AI", "9", "predictors", "predictors"),
    ("TRIPOD+AI", "10", "sample size", "sample"),
    ("TRIPOD+AI", "11", "missing data", "missing"),
    ("TRIPOD+AI", "12a", "analytical methods: partition of data", "partition"),
    ("TRIPOD+AI", "12c", "type of model, its building and internal validation", "models"),
    ("TRIPOD+AI", "12e", "measures of performance", "measures"),
    ("TRIPOD+AI", "12f", "model updating, recalibration", "calibration"),
    ("TRIPOD+AI", "13", "class imbalance", "balance"),
    ("TRIPOD+AI", "14", "fairness: subgroups", ""),
    ("TRIPOD+AI", "15", "model output", "output"),
    ("TRIPOD+AI", "16", "training against evaluation data: differences", "audit"),
    ("TRIPOD+AI", "17", "ethical approval", ""),
    ("TRIPOD+AI", "18a-d", "funding, conflicts, protocol, registration", ""),
    ("TRIPOD+AI", "18e", "data sharing", ""),
    ("TRIPOD+AI", "18f", "code sharing", "code"),
    ("TRIPOD+AI", "19", "patient and public involvement", ""),
    ("TRIPOD+AI", "20", "participants: flow and characteristics", "sample"),
    ("TRIPOD+AI", "21", "model development: numbers in each analysis", "partition"),
    ("TRIPOD+AI", "22", "model specification", "specification"),
    ("TRIPOD+AI", "23", "performance with intervals", "performance"),
    ("TRIPOD+AI", "24", "model updating: results", "calibration"),
    ("TRIPOD+AI", "25, 26, 27", "interpretation, limitations, usability", ""),
    ("CLAIM", "7", "data sources", ""),
    ("CLAIM", "9", "preprocessing", "preparation"),
    ("CLAIM", "12", "de-identification", "deidentification"),
    ("CLAIM", "13", "missing data", "missing"),
    ("CLAIM", "14-18", "ground truth: definition, annotators, variability", ""),
    ("CLAIM", "19", "sample size", "sample"),
    ("CLAIM", "20", "partitions", "partition"),
    ("CLAIM", "21", "level of disjoint partitions", "disjoint"),
    ("CLAIM", "22-24", "model: description, software, initialisation", "models"),
    ("CLAIM", "25, 26", "training approach, selection of the final model", "training"),
    ("CLAIM", "28", "metrics", "measures"),
    ("CLAIM", "29", "statistical measures of uncertainty", "intervals"),
    ("CLAIM", "31", "explainability", "explanation"),
    ("CLAIM", "32", "validation on external data", "external"),
    ("CLAIM", "33, 34", "flow of participants, demographics", ""),
    ("CLAIM", "35, 36", "performance, estimates of precision", "performance"),
    ("CLAIM", "37", "analysis of failures", "failures"),
    ("CLAIM", "38-42", "discussion, registration, protocol, funding", ""),
)
"""Statement, number, topic, and the key of the fact that answers it (empty: authors)."""
