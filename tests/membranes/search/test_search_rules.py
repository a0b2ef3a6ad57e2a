"""What a search plans: shared trainings, new survivors, and nothing the second time."""

import json
from pathlib import Path

import pytest

from tests.harness import STUB
from tests.membranes.clone import Stacks

CONFIG = """
membranes:
  search:
    kernels: [[4, 8, 16], [4, 8, 10], [2, 8, 16], [6, 8, 16]]
    seeds: 1
    rungs: [10, 20]
"""


class Search(Stacks):
    """Trials are stubbed with scores of a file; selections are the real ones."""

    def make(self, stub: Path = STUB) -> None:
        super().make(stub)
        text = STUB.read_text()
        text = text.replace("import os\n", "import json\nimport os\n")
        text = text.replace(
            "def main() -> None:",
            "def content(path, text):\n"
            "    name = path.parent.name.partition('_')[0]\n"
            "    if path.suffix != '.json' or not name.startswith('k'):\n"
            "        return text\n"
            "    scores = json.loads(Path('scores.json').read_text())\n"
            "    kernels = [int(one) for one in name[1:].split('-')]\n"
            "    return json.dumps({'kernels': kernels, 'tune_iou': scores[name]})\n\n\n"
            "def main() -> None:",
        )
        text = text.replace(
            'make(path, " ".join(sys.argv[1:]) + "\\n")',
            'make(path, content(path, " ".join(sys.argv[1:]) + "\\n"))',
        )
        text = text.replace(
            'if __name__ == "__main__":\n    main()',
            'if __name__ == "__main__":\n'
            '    if sys.argv[2] == "select":\n'
            "        import snakescope.membranes.search.select as select\n"
            "        import argparse\n"
            "        parser = argparse.ArgumentParser()\n"
            "        select.add_arguments(parser)\n"
            "        select.main(parser.parse_args(sys.argv[3:]))\n"
            '        with open(os.environ["STUB_RAN"], "a") as ran:\n'
            '            ran.write(sys.argv[-1] + "\\n")\n'
            "    else:\n"
            "        main()",
        )
        (self.root / "scripts/snakescope/__main__.py").write_text(text)
        self.sheet_file("config.yaml", CONFIG)
        self.scores(**{"k4-8-16": 0.6, "k4-8-10": 0.7, "k2-8-16": 0.5, "k6-8-16": 0.4})

    def scores(self, **of: float) -> None:
        (self.root / "scores.json").write_text(json.dumps(of))


TARGET = "membranes_search"


@pytest.fixture
def search(tmp_path: Path) -> Search:
    clone = Search(tmp_path / "clone")
    clone.subjects()
    return clone


def trials(ran: set[str]) -> set[str]:
    return {path.removeprefix("trainings/") for path in ran if path.startswith("trainings/")}


def test_a_search_trains_survivors_only_and_then_nothing(search: Search) -> None:
    ran = search.run("--", TARGET)
    first = {f"{name}_seed0/steps10.json" for name in ("k4-8-16", "k4-8-10", "k2-8-16", "k6-8-16")}
    second = {f"{name}_seed0/steps20.json" for name in ("k4-8-16", "k4-8-10")}
    assert trials(ran) == first | second
    assert search.run("--", TARGET) == set()

    # A score that changes lets one other setting go on, and nothing else is trained.
    row = search.root / "results/membranes/trainings/k6-8-16_seed0/steps10.json"
    row.write_text(json.dumps({"kernels": [6, 8, 16], "tune_iou": 0.9}))
    search.scores(**{"k4-8-16": 0.6, "k4-8-10": 0.7, "k2-8-16": 0.5, "k6-8-16": 0.9})
    assert trials(search.run("--", TARGET)) == {"k6-8-16_seed0/steps20.json"}

    # A kernel more is trained alone.
    search.sheet_file("config.yaml", CONFIG.replace("[6, 8, 16]]", "[6, 8, 16], [4, 8, 14]]"))
    search.scores(**{"k4-8-16": 0.6, "k4-8-10": 0.7, "k2-8-16": 0.5, "k6-8-16": 0.9, "k4-8-14": 0})
    assert trials(search.run("--", TARGET)) == {"k4-8-14_seed0/steps10.json"}
