"""Imports run one way, without circles, and modules and folders stay small.

trees -> <tree> -> {tree, learning, imaging, report} -> {settings, step}
"""

import ast
from collections import defaultdict
from collections.abc import Iterator, Mapping
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

from snakescope import REPOSITORY

ROOT = REPOSITORY / "scripts/snakescope"
SHARED = {"tree", "learning", "imaging", "report"}
BASE = {"settings", "step"}
RUN = {"run"}
ABOVE = "above"
"""Room of the modules right in the package: the registry of trees and the commands."""
MAX_LINES = 400
MAX_MODULES = 16


def modules() -> dict[str, Path]:
    """Return all modules below the package by their dotted names, packages by their folder's."""
    found = {}
    for path in sorted(ROOT.rglob("*.py")):
        parts = path.relative_to(ROOT).with_suffix("").parts
        found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


MODULES = modules()


def imported(name: str) -> set[str]:
    """Return the modules of the package that a module imports anywhere in its text."""
    found = set()
    for node in ast.walk(ast.parse(MODULES[name].read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {_module(alias.name) for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{name} imports relatively, in line {node.lineno}"
            # ``from package import module`` imports the module.
            found |= {
                _module(whole if _module(whole := f"{node.module}.{alias.name}") else node.module)
                for alias in node.names
                if node.module
            }
    return {other for other in found if other is not None} - {name}


def _module(dotted: str | None) -> str | None:
    first, _, rest = (dotted or "").partition(".")
    return rest if first == "snakescope" and rest in MODULES else None


IMPORTS: Mapping[str, set[str]] = {name: imported(name) for name in MODULES}


def room(name: str) -> str:
    """Return the folder of the package that a module is in."""
    first = name.partition(".")[0]
    return first if (ROOT / first).is_dir() and first else ABOVE


TREES = {room(name) for name in MODULES} - SHARED - BASE - RUN - {ABOVE}


def allowed(one: str) -> set[str]:
    """Return the rooms that a room may import."""
    if one == ABOVE:
        return {room(name) for name in MODULES}
    if one in BASE:
        return BASE
    if one in TREES:
        return {one} | SHARED | BASE
    return {one} | SHARED | BASE


def edges_between_rooms() -> Iterator[tuple[str, str, str, str]]:
    for name, others in IMPORTS.items():
        for other in sorted(others):
            if other:  # The package itself holds constants only.
                yield name, other, room(name), room(other)


def test_arrows_run_one_way() -> None:
    against = [
        f"{name} imports {other}"
        for name, other, one, another in edges_between_rooms()
        if another not in allowed(one)
    ]
    assert not against


def test_trees_are_found() -> None:
    assert {"healthspan", "neurites"} <= TREES


def test_there_is_no_circle_of_modules() -> None:
    assert circle(IMPORTS) is None


def test_there_is_no_circle_of_packages() -> None:
    packages: dict[str, set[str]] = defaultdict(set)
    for name, others in IMPORTS.items():
        package = folder(name)
        packages[package] |= {folder(other) for other in others if other} - {package}
    assert circle(packages) is None


def folder(name: str) -> str:
    """Return the folder of a module.

    Modules right in a tree's folder stand for themselves: some collect the tree's stages, as those
    right in the package collect the trees, and stages use others.
    """
    if room(name) == ABOVE or (name.count(".") == 1 and room(name) in TREES):
        return name
    return name if MODULES[name].name == "__init__.py" else name.rpartition(".")[0]


def circle(graph: Mapping[str, set[str]]) -> list[str] | None:
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        found: list[str] = error.args[1]
        return found
    return None


def test_no_module_is_long() -> None:
    lines = {
        name: len(path.read_text(encoding="utf-8").splitlines()) for name, path in MODULES.items()
    }
    assert not {name: count for name, count in lines.items() if count > MAX_LINES}


def test_no_folder_is_crowded() -> None:
    crowded = {}
    for path in {path.parent for path in MODULES.values()}:
        count = sum(one.name != "__init__.py" for one in path.glob("*.py"))
        if count > MAX_MODULES:
            crowded[str(path.relative_to(ROOT))] = count
    assert not crowded
