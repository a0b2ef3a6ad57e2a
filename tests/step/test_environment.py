"""What surrounds the command of every job."""

import os
import subprocess
import sys
from pathlib import Path

from snakescope.step.environment import shell_prefix


def run(prefix: str, command: str) -> str:
    bare = {"PATH": os.environ["PATH"]}
    shell = ["bash", "-c", prefix.replace("{{", "{").replace("}}", "}") + command]
    return subprocess.run(shell, env=bare, capture_output=True, text=True, check=True).stdout


def test_a_job_finds_the_scripts_and_the_interpreter_without_any_environment(
    tmp_path: Path,
) -> None:
    folder = tmp_path / "it's {here} $HOME"
    seen = run(shell_prefix(folder, conda=False), 'echo "$PYTHONPATH"; command -v python')
    assert seen.splitlines() == [f"{folder}/scripts", str(Path(sys.executable).parent / "python")]


def test_the_interpreter_of_a_conda_environment_comes_first() -> None:
    assert "PATH=" not in shell_prefix("here", conda=True).replace("PYTHONPATH=", "")


def test_a_failing_command_ends_the_job() -> None:
    ended = subprocess.run(["bash", "-c", shell_prefix("here", conda=False) + "false; true"])
    assert ended.returncode != 0
