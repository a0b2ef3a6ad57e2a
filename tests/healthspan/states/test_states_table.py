"""States of all blocks in one table."""

from pathlib import Path

import pytest

from snakescope.healthspan.states.states_table import join_states
from snakescope.step.errors import StepError


def block(path: Path, *rows: str) -> Path:
    path.write_text("timepoint\tinstance\tp_dead\n" + "".join(f"{row}\n" for row in rows))
    return path


def test_blocks_are_joined_in_order_of_time_as_they_were_written(tmp_path: Path) -> None:
    late = block(tmp_path / "late.tsv", "10\t1000000\t0.10", "10\t1000001\t0.2")
    early = block(tmp_path / "early.tsv", "2\t200000\t0.30")
    states = join_states([late, early])
    assert states["instance"].tolist() == ["200000", "1000000", "1000001"]
    assert states["p_dead"].tolist() == ["0.30", "0.10", "0.2"]


def test_a_block_without_worms_adds_nothing(tmp_path: Path) -> None:
    states = join_states([block(tmp_path / "a.tsv"), block(tmp_path / "b.tsv", "3\t300000\t1")])
    assert len(states) == 1


def test_a_worm_in_two_blocks_is_refused(tmp_path: Path) -> None:
    one = block(tmp_path / "a.tsv", "3\t300000\t1")
    with pytest.raises(StepError, match="expected every instance in one block, found 300000"):
        join_states([one, one])


def test_a_table_of_something_else_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.tsv"
    path.write_text("timepoint\n1\n")
    with pytest.raises(StepError, match=r"a\.tsv: expected the columns .*, found no instance"):
        join_states([path])
