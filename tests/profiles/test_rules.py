"""What every rule states for a cluster: threads, memory and time, and where its software is."""

import ast
import re
import sys
from importlib.metadata import packages_distributions, requires

import pytest
import yaml
from packaging.requirements import Requirement

from snakescope.trees import TREES
from tests.profiles.test_slurm import REPOSITORY, rules

ENVIRONMENT = REPOSITORY / "envs/snakescope.yaml"
AT_WORK = {name: body for name, body in rules().items() if re.search(r"^    shell:$", body, re.M)}
SUBMITTED = {name: body for name, body in AT_WORK.items() if "localrule: True" not in body}


def test_there_are_rules_of_every_tree() -> None:
    assert {name.partition("_")[0] for name in SUBMITTED} == set(TREES)
    assert len(SUBMITTED) > 20


@pytest.mark.parametrize("rule", SUBMITTED)
def test_every_submitted_rule_states_threads_memory_and_time_that_grow(rule: str) -> None:
    body = SUBMITTED[rule]
    assert re.search(r"^    threads: .+$", body, re.MULTILINE)
    # Of tree.memory and tree.runtime, test_resources.py of each tree shows that they grow.
    for name, method in (("mem_mb", "memory"), ("runtime", "runtime")):
        assert re.search(rf"^        {name}=.*?\btree\.{method}\(", body, re.M | re.S)


@pytest.mark.parametrize("rule", AT_WORK)
def test_every_rule_has_a_log_and_names_an_environment_that_is_there(rule: str) -> None:
    body = AT_WORK[rule]
    assert re.search(r"^    log:$", body, re.MULTILINE)
    named = re.search(r'^    conda:\n +"\.\./\.\./(.+)"$', body, re.MULTILINE)
    assert named is not None and (REPOSITORY / named[1]) == ENVIRONMENT


def imported() -> set[str]:
    """The packages that modules below scripts/ import."""
    names: set[str] = set()
    for path in (REPOSITORY / "scripts").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                names |= {alias.name.partition(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and not node.level:
                names.add(str(node.module).partition(".")[0])
    own = {path.name for path in (REPOSITORY / "scripts").iterdir()}
    return names - own - set(sys.stdlib_module_names)


def canonical(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def closure(names: set[str]) -> set[str]:
    """The names of packages and of all that they require here, without extras."""
    found: set[str] = set()
    waiting = {canonical(name) for name in names}
    while waiting:
        name = waiting.pop()
        found.add(name)
        for text in requires(name) or ():
            needed = Requirement(text)
            if needed.marker is None or needed.marker.evaluate({"extra": ""}):
                waiting |= {canonical(needed.name)} - found
    return found


def test_the_environment_of_a_job_pins_what_steps_import_and_all_that_requires() -> None:
    pins = {
        canonical(pin.partition("==")[0])
        for entry in yaml.safe_load(ENVIRONMENT.read_text())["dependencies"]
        if isinstance(entry, dict)
        for pin in entry["pip"]
    }
    # Snakemake and its plugins are what runs jobs, not what a job runs.
    names = {name for name in imported() if not name.startswith("snakemake")}
    assert len(names) > 10
    found = packages_distributions()
    direct = {canonical(found[name][0]) for name in names}
    assert direct <= pins
    assert closure(direct) <= pins
