"""Functions that Snakemake calls for every job."""

import inspect
from types import SimpleNamespace

from snakescope.tree.parameters import signed


def test_a_signature_is_worked_out_once_and_stays_what_it_was() -> None:
    def parameter(wildcards: SimpleNamespace, output: list[str]) -> str:
        return f"{wildcards.plate} {output[0]}"

    before = inspect.signature(parameter)
    found = signed(parameter)
    assert inspect.signature(found) is inspect.signature(found)
    assert inspect.signature(found) == before
    assert found(SimpleNamespace(plate="a"), output=["b"]) == "a b"
