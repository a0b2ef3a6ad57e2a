"""Rules and steps agree: every rule passes the options that its step has, and all it requires."""

import ast
import re

import pytest

from snakescope import REPOSITORY

# Given through params, since they are there once for every volume.
BY_VOLUME = {"--image", "--labels"}


def commands() -> list[tuple[str, str, str]]:
    """Rule, step and command line of every step of the tree that a rule calls."""
    found = []
    for path in sorted((REPOSITORY / "rules/neurites").glob("*.smk")):
        for rule in path.read_text(encoding="utf-8").split("\nrule ")[1:]:
            name, _, body = rule.partition(":")
            shell = "".join(re.findall(r'"(.*)"', body.partition("shell:")[2]))
            for step, words in re.findall(r"python -m neurites\.(\w+)([^;]*)", shell):
                found.append((f"{name}-{step}", step, words))
    return found


def options(step: str) -> dict[str, bool]:
    """The options of a step's command line, and whether each must be given."""
    source = (REPOSITORY / f"scripts/neurites/{step}.py").read_text(encoding="utf-8")
    found = {}
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call) and getattr(node.func, "attr", "") == "add_argument":
            required = {word.arg: word.value for word in node.keywords}.get("required")
            for argument in node.args:
                if isinstance(argument, ast.Constant) and str(argument.value).startswith("--"):
                    must = isinstance(required, ast.Constant) and bool(required.value)
                    found[str(argument.value)] = must
    return found


@pytest.mark.parametrize(
    ("step", "shell"), [pytest.param(step, shell, id=rule) for rule, step, shell in commands()]
)
def test_rule_passes_the_options_of_its_step(step: str, shell: str) -> None:
    passed = set(re.findall(r"--[a-z][a-z0-9-]*", shell))
    given = BY_VOLUME if "{params.volumes" in shell else set()
    known = options(step)
    assert passed <= set(known)
    assert {option for option, required in known.items() if required} <= passed | given


def test_every_step_with_a_rule_states_its_version() -> None:
    assert len(commands()) >= 12
    for _, step, _ in commands():
        source = (REPOSITORY / f"scripts/neurites/{step}.py").read_text(encoding="utf-8")
        assert re.search(r"^VERSION = \d+$", source, re.MULTILINE), step
