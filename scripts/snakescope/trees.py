"""The rule trees: the only list of them."""

from collections.abc import Mapping
from typing import Any

from snakescope.fibrosis.tree import Fibrosis
from snakescope.healthspan.tree import Healthspan
from snakescope.membranes.tree import Membranes
from snakescope.neurites.tree import Neurites
from snakescope.sperm.tree import Sperm
from snakescope.tree.tree import Tree

TREES: Mapping[str, type[Tree[Any]]] = {
    tree.name: tree for tree in (Healthspan, Neurites, Membranes, Fibrosis, Sperm)
}
"""In the order of the documentation."""
