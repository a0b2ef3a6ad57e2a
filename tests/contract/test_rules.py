"""Every rule of every tree: its commands, requests, log, environment and GPU."""

import re
import shlex
from importlib import import_module
from typing import Any

import pytest
import yaml

from snakescope import REPOSITORY
from snakescope.step.command import parser_of
from snakescope.trees import TREES

COMMAND = re.compile(r"python -m snakescope (\w+) (\S+)([^;]*)")
MODELS = {"healthspan": {"train_{wildcards.model}": ("train_detector", "train_classifier")}}
"""Steps whose name a wildcard completes."""


def rules(workflow: Any) -> list[Any]:
    """The rules that run commands."""
    return [rule for rule in workflow.rules if rule.shellcmd]


def commands(rule: Any) -> list[tuple[str, str, list[str]]]:
    """Tree, step and words of every step that a rule calls."""
    found = []
    for tree, called, words in COMMAND.findall(rule.shellcmd):
        for step in MODELS.get(tree, {}).get(called, (called,)):
            found.append((tree, step, shlex.split(words.partition(">")[0])))
    return found


def options_of(tree: str, step: str) -> dict[str, bool]:
    """The options of a step, and whether each must be given."""
    parser = parser_of(import_module(TREES[tree].steps[step].module), step)
    return {
        text: action.required
        for action in parser._actions
        for text in action.option_strings
        if text.startswith("--") and text != "--help"
    }


def test_rules_pass_the_options_of_their_steps(workflow: Any) -> None:
    seen = set()
    for rule in rules(workflow):
        for tree, step, words in commands(rule):
            passed = [word.partition("=")[0] for word in words if word.startswith("--")]
            known = options_of(tree, step)
            # Volumes of a training are options of a parameter, as many as the sheet has.
            given = {name for name, required in known.items() if required} - set(passed)
            assert len(passed) == len(set(passed)), (rule.name, passed)
            assert set(passed) <= set(known), rule.name
            assert not given or "{params.volumes:q}" in rule.shellcmd, (rule.name, given)
            seen.add((tree, step))
    assert seen == {(name, step) for name, tree in TREES.items() for step in tree.steps}


def test_rules_state_the_versions_of_all_steps_that_they_call(workflow: Any) -> None:
    for rule in rules(workflow):
        called = [step for _, step, _ in commands(rule)]
        if not called or (len(called) > 1 and "{" in rule.shellcmd.split()[4]):
            continue
        tree = TREES[rule.name.partition("_")[0]]
        name = rule.name.partition("_")[2]
        assert list(tree.jobs.get(name, (name,))) == called
        stated = dict(rule.params.items())["version"]
        assert stated == tuple(tree.steps[step].version for step in called)


def test_rules_of_a_tree_are_called_after_it(workflow: Any) -> None:
    for rule in rules(workflow):
        tree = rule.name.partition("_")[0]
        assert tree in TREES
        paths = [*rule.output, *rule.log, *([rule.benchmark] if rule.benchmark else [])]
        assert all(f"/{tree}/" in str(path) or "simulated/{plate" in str(path) for path in paths)


def test_rules_have_a_log_an_environment_and_growing_requests(workflow: Any) -> None:
    for rule in rules(workflow):
        assert rule.log, rule.name
        assert str(rule.conda_env).endswith("envs/snakescope.yaml"), rule.name
        if workflow.is_local(rule):
            continue
        assert rule.benchmark, rule.name
        for name in ("mem_mb", "runtime"):
            assert callable(rule.resources[name].raw), (rule.name, name)


def test_every_rule_that_can_use_a_gpu_is_in_the_profile(workflow: Any) -> None:
    profile = yaml.safe_load((REPOSITORY / "profiles/slurm/config.yaml").read_text())
    gpu = {rule.name for rule in rules(workflow) if "gpu" in rule.resources}
    given = {name for name, values in profile["set-resources"].items() if values.get("gpu")}
    assert gpu and gpu == given


def test_free_text_of_a_sheet_is_never_taken_for_an_option(workflow: Any) -> None:
    """A condition may be called -FUDR."""
    for rule in rules(workflow):
        for match in re.finditer(r"(--[\w-]+)([ =])\{params\.condition", rule.shellcmd):
            assert match[2] == "=", rule.name


def test_every_picture_of_the_report_has_a_caption(workflow: Any) -> None:
    """Snakemake misses an absent caption only when the report is made, after all results."""
    captions = set()
    for path in (REPOSITORY / "rules").rglob("*.smk"):
        for named in re.findall(r'caption="([^"]+)"', path.read_text()):
            assert (path.parent / named).is_file(), (path, named)
            captions.add(named)
    assert captions


@pytest.mark.parametrize("name", TREES)
def test_steps_are_modules_that_say_what_they_do(name: str) -> None:
    for step, (module, settings) in TREES[name].steps.items():
        loaded = import_module(module)
        assert loaded.__doc__ and callable(loaded.main) and callable(loaded.add_arguments), step
        assert settings.version >= 1
