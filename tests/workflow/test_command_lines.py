"""Rules and steps agree: every rule passes the options that its step has, and all it requires."""

import ast
import re

import pytest

from snakescope import REPOSITORY

OPTION = re.compile(r"--[a-z][a-z0-9-]+")


def commands() -> list[tuple[str, str, str]]:
    """Rule, step and command line of every step of the tree that a rule calls."""
    found = []
    for path in sorted((REPOSITORY / "rules/healthspan").glob("*.smk")):
        for rule in path.read_text().split("\nrule ")[1:]:
            name, _, body = rule.partition(":")
            shell = "".join(re.findall(r'"(.*)"', body.partition("shell:")[2]))
            for called, words in re.findall(r"python -m healthspan\.(\S+)([^;]*)", shell):
                models = ("detector", "classifier") if "{" in called else ("",)
                for model in models:
                    step = called.replace("{wildcards.model}", model)
                    found.append((f"{name}-{step}", step, words))
    return found


def options(step: str) -> dict[str, bool]:
    """The options of a step's command line, and whether each must be given."""
    source = (REPOSITORY / f"scripts/healthspan/{step}.py").read_text()
    found = {}
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.For) and "add_argument" in ast.unparse(node.body[0]):
            # One call for several options, such as those of all outputs.
            found |= {f"--{name}": True for name in ast.literal_eval(node.iter)}
        if isinstance(node, ast.Call) and getattr(node.func, "attr", "") == "add_argument":
            keywords = {word.arg: word.value for word in node.keywords}
            required = keywords.get("required")
            for argument in node.args:
                if isinstance(argument, ast.Constant) and str(argument.value).startswith("--"):
                    found[argument.value] = isinstance(required, ast.Constant) and required.value
    return found


@pytest.mark.parametrize(
    ("step", "shell"), [pytest.param(step, shell, id=rule) for rule, step, shell in commands()]
)
def test_rule_passes_the_options_of_its_step(step: str, shell: str) -> None:
    passed = OPTION.findall(shell)
    known = options(step)
    assert len(passed) == len(set(passed))
    assert set(passed) <= set(known)
    assert {option for option, required in known.items() if required} <= set(passed)


def test_free_text_of_the_sheet_is_never_taken_for_an_option() -> None:
    """A condition may be called -FUDR; names of plates and experiments cannot start so."""
    shells = [words for _, _, words in commands() if "params.condition" in words]
    assert shells and all("--condition={params.condition:q}" in words for words in shells)


def test_every_rule_depends_on_the_version_of_each_step_that_it_calls() -> None:
    for path in sorted((REPOSITORY / "rules/healthspan").glob("*.smk")):
        for rule in path.read_text().split("\nrule ")[1:]:
            called = re.findall(r"python -m (healthspan\.[\w{}.]+)", rule)
            stated = re.findall(r'step_version\(f?"(healthspan\.[\w{}.]+)"\)', rule)
            assert sorted(called) == sorted(stated), f"{path.name}: {rule.partition(':')[0]}"


def test_everything_in_the_report_has_a_caption() -> None:
    """Snakemake misses an absent caption only when the report is made, after all results."""
    for path in sorted((REPOSITORY / "rules/healthspan").glob("*.smk")):
        text = path.read_text()
        captions = re.findall(r'caption="([^"]+)"', text)
        assert len(captions) == len(re.findall(r"report\($", text, re.MULTILINE))
        assert all((path.parent / caption).is_file() for caption in captions)


def test_every_rule_is_seen() -> None:
    assert {
        "healthspan_register-register",
        "healthspan_detect-tile",
        "healthspan_detect-detect",
        "healthspan_train-train_detector",
    } <= {name for name, _, _ in commands()}
