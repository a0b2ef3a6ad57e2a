"""The command ``snakescope``: what people call, and the steps that rules call."""

import subprocess
import sys
from pathlib import Path

import pytest

import snakescope.__main__ as command
from snakescope.trees import TREES


def call(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int | None, str, str]:
    with pytest.raises(SystemExit) as left:
        command.main(words)
    said = capsys.readouterr()
    return left.value.code, said.out, said.err


@pytest.mark.parametrize("words", [(), ("--help",)])
def test_help_names_every_command_in_a_line_and_gives_examples(capsys, words) -> None:
    code, out, _ = call(capsys, *words)
    assert code in (0, None)
    for name in command.COMMANDS:
        assert len([line for line in out.splitlines() if line.split()[:1] == [name]]) == 1
    assert "snakescope run --profile slurm" in out
    assert max(map(len, out.splitlines())) <= 100


def test_run_has_a_help_of_its_own(capsys) -> None:
    code, out, _ = call(capsys, "run", "--help")
    assert code in (0, None) and out.startswith("usage: snakescope run ") and "--profile" in out
    assert max(map(len, out.splitlines())) <= 100


def test_an_estimate_needs_no_dashes_before_arguments_of_snakemake() -> None:
    words = ["--gpus", "4", "--profile", "slurm", "--cores=8", "-n"]
    assert command.for_snakemake(words) == [
        "--gpus",
        "4",
        "--cores=8",
        "--",
        "--profile",
        "slurm",
        "-n",
    ]
    assert command.for_snakemake(["--cores", "8", "--", "-n"]) == ["--cores", "8", "--", "-n"]
    assert command.for_snakemake(["--help"]) == ["--help"]
    assert command.for_snakemake(["--cores", "8"]) == ["--cores", "8"]


@pytest.mark.parametrize("name", command.MODULES)
def test_every_command_has_a_help_of_its_own(capsys, name: str) -> None:
    code, out, _ = call(capsys, name, "--help")
    assert code == 0 and out.startswith(f"usage: snakescope {name} ")


@pytest.mark.parametrize("tree", TREES)
def test_the_steps_of_a_tree_are_listed_and_found(capsys, tree: str) -> None:
    steps = command.steps_of(tree)
    assert steps is TREES[tree].steps
    code, out, _ = call(capsys, tree, "--help")
    assert code in (0, None) and all(step in out for step in steps)


@pytest.mark.parametrize("words", [("estimates",), ("healthspan", "registration"), ("learning",)])
def test_what_is_no_command_is_named_with_those_that_are(capsys, words) -> None:
    code, out, err = call(capsys, *words)
    assert code == 2 and not out
    assert f"no such command: snakescope {' '.join(words)}\n" in err and "usage: " in err


def test_run_is_snakemake_with_this_snakefile(monkeypatch: pytest.MonkeyPatch) -> None:
    called: list[str] = []

    def execv(path: str, words: list[str]) -> None:
        called.extend(words)
        raise SystemExit

    monkeypatch.setattr(command.os, "execv", execv)
    with pytest.raises(SystemExit):
        command.main(["run", "--profile", "slurm", "-n"])
    assert called[1:4] == ["-m", "snakemake", "--snakefile"] and Path(called[4]).is_file()
    assert called[5:] == ["--keep-going", "--profile", "slurm", "-n"]


def test_looking_at_a_run_loads_neither_torch_nor_pandas() -> None:
    script = (
        "import sys, snakescope.__main__ as m; m.steps_of('healthspan');"
        "import snakescope.run.progress, snakescope.run.run, snakescope.trees;"
        "print({'torch', 'pandas', 'numpy', 'psutil'} & set(sys.modules))"
    )
    path = str(Path(command.__file__).parents[1])
    words = [sys.executable, "-c", script]
    ended = subprocess.run(words, env={"PYTHONPATH": path}, capture_output=True, text=True)
    assert ended.stdout == "set()\n", ended.stdout + ended.stderr
