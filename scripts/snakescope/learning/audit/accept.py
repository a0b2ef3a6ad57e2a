"""Stop a training by the findings of its audit, unless the configuration accepts them."""

import argparse
import json
from collections.abc import Mapping

import pandas as pd

from snakescope.step.errors import StepError
from snakescope.step.tables import read_table, write_table


def with_states(summary: pd.DataFrame, accept: Mapping[str, str]) -> pd.DataFrame:
    """What becomes of each code, in the columns ``state`` and ``reason``.

    Args:
        summary: of :func:`snakescope.learning.audit.audit.summary_table`.
        accept: codes and the reasons for which they are accepted.

    Returns:
        The summary; a state is nothing found, note, accepted, or stops.
    """
    states = summary["stops"].map({"yes": "stops", "no": "note"})
    states = states.mask(summary["code"].isin(list(accept)), "accepted")
    states = states.mask(summary["findings"] == 0, "nothing found")
    return summary.assign(state=states, reason=[accept.get(code, "") for code in summary["code"]])


def check(states: pd.DataFrame, key: str, where: str) -> None:
    """Refuse to train where a finding stops it.

    Args:
        states: of :func:`with_states`.
        key: of the audit's section in the configuration, for the sentence.
        where: the summary, for the sentence.

    Raises:
        StepError: names the codes, how many findings each has, and an example of the first.
    """
    stops = states[states["state"] == "stops"]
    if len(stops):
        listed = ", ".join(
            f"{code} ({count})"
            for code, count in zip(stops["code"], stops["findings"], strict=True)
        )
        raise StepError(
            f"{where}: expected images without faults, found {listed}, such as"
            f" {stops['example'].iloc[0]}; remove those images, or name each code in {key}: accept"
            " with the reason why it does no harm"
        )


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command."""
    parser.add_argument("--summary", required=True, help="findings of each code (TSV)")
    parser.add_argument("--accept", required=True, help="accepted codes with reasons, as JSON")
    parser.add_argument("--accepted", required=True, help="table to write: with states and reasons")
    parser.add_argument("--key", required=True, help="section of the audit in the configuration")


def main(arguments: argparse.Namespace) -> None:
    """Run the step."""
    text = ["code", "stops", "what", "example"]
    summary = read_table(arguments.summary, [*text, "findings", "items"], text=text)
    states = with_states(summary, json.loads(arguments.accept))
    check(states, arguments.key, arguments.summary)
    write_table(arguments.accepted, states)
