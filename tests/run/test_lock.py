"""Who works in a folder, who was killed there, and who is refused."""

import os
import shlex
import subprocess
from pathlib import Path

from snakescope.run.lock import alive, command, holder, locked
from tests.run.drawn_log import GONE, lock, snakemake_at_work, write_run

ENDED = {"event": "run_ended", "succeeded": True}


def test_a_run_counts_while_it_plans_and_while_it_holds_the_lock(tmp_path: Path) -> None:
    assert holder(tmp_path) is None and not locked(tmp_path)
    with snakemake_at_work(tmp_path) as process:
        assert holder(tmp_path) is None
        write_run(tmp_path, process)
        planning = str(holder(tmp_path))
        assert f"here, found one, process {process} on" in planning
        assert " since 2026-01-01T00:00:00Z; wait for it" in planning
        lock(tmp_path)
        assert locked(tmp_path) and holder(tmp_path) == planning
        # A run that was killed before, or refused, hides none that works.
        write_run(tmp_path, GONE, name="2")
        assert holder(tmp_path) == planning


def test_of_a_run_that_was_killed_the_command_that_clears_is_named(tmp_path: Path) -> None:
    write_run(tmp_path, GONE, name="1")
    assert holder(tmp_path) is None
    lock(tmp_path)
    for process in (GONE, os.getppid()):  # its number may have gone to another program since
        write_run(tmp_path, process, name="1")
        assert f"killed (process {process} on" in str(holder(tmp_path))
        assert str(holder(tmp_path)).endswith(command("clear"))
    # The lock is not of a run that ended.
    write_run(tmp_path, GONE + 1, ENDED, name="2")
    assert f"killed (process {process} on" in str(holder(tmp_path))
    write_run(tmp_path, process, ENDED, name="1")
    assert "killed (one without a log)" in str(holder(tmp_path))


def test_a_run_of_another_machine_counts_as_long_as_there_is_a_lock(tmp_path: Path) -> None:
    write_run(tmp_path, GONE, host="login2")
    assert holder(tmp_path) is None
    lock(tmp_path)
    assert f"found one, process {GONE} on login2 since" in str(holder(tmp_path))


def test_a_snakemake_in_another_folder_is_not_the_run(tmp_path: Path) -> None:
    with snakemake_at_work(tmp_path) as process:
        first = {"process": process, "host": os.uname().nodename}
        assert alive(first, tmp_path)
        assert not alive(first, tmp_path.parent)
        assert not alive({**first, "host": "login2"}, tmp_path)
    assert not alive(first, tmp_path)


def test_commands_that_are_named_work_anywhere_and_with_nothing_activated(tmp_path: Path) -> None:
    words = shlex.split(command("summary", "absent run.jsonl"))
    assert Path(words[0]).is_absolute() and words[-2:] == ["summary", "absent run.jsonl"]
    ended = subprocess.run(
        [words[0], *(["--help"] if words[1] == "summary" else ["--version"])],
        cwd=tmp_path, env={"PATH": "/usr/bin:/bin"}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert ended.returncode == 0, ended.stderr
