"""Weights are checked before a run, and cards hold what people want to know of them."""

import hashlib
import http.server
import json
import os
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from safetensors import safe_open

from snakescope import REPOSITORY
from snakescope.learning.registry import (
    Card,
    download,
    read_card,
    rebuilds,
    weights_checksum,
    weights_file,
    write_card,
)
from snakescope.step.errors import StepError
from snakescope.step.tables import read_table

SHIPPED = sorted((REPOSITORY / "resources/models").rglob("*.safetensors"))


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_shipped_cards_are_complete(path):
    card = read_card(path)
    assert card.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
    assert card.held_out
    assert all(one.n and one.scores for one in card.held_out.values())
    # A rule makes them, or the benchmark that scores them.
    made = r"snakemake .*results/\S+\.safetensors.*|\.venv/bin/python -m benchmarks\.\S+ --train"
    assert re.fullmatch(made, card.command)
    # Where the training ran is nobody's business: neither the card nor the tensors' header say it.
    with safe_open(path, "pt") as file:
        header = "".join((file.metadata() or {}).values())
    absolute = re.compile(r'"/\w')
    assert not absolute.search(header.replace("\\", ""))
    assert not absolute.search(path.with_suffix(".json").read_text())


def test_published_figures_are_where_they_were():
    detector, classifier, network = (
        read_card(REPOSITORY / f"resources/models/{name}.safetensors")
        for name in ("healthspan/detector", "healthspan/states_mlp_mixer", "neurites/neurites_demo")
    )
    assert detector.held_out["simulated_scenes"].scores["f"] == 0.8165
    composites = classifier.held_out["simulated_composites"]
    assert (composites.n, composites.scores["macro_f"]) == (1500, 0.9558)
    assert composites.details["confusion_rows_true"] == [[486, 14, 0], [20, 457, 23], [3, 6, 491]]
    assert classifier.model["temperature"] == 0.9563
    assert network.held_out["demo_held_out_2"].scores["arand"] == 0.214


def test_the_card_of_heads_says_what_the_table_says():
    card = read_card(REPOSITORY / "resources/models/sperm/heads.safetensors")
    table = read_table(REPOSITORY / "docs/tables/sperm-visem.tsv", ("network", "metric", "value"))
    found = table[table["network"] == "ours"].set_index("metric")["value"]
    names = {"f1": "detection_f", "precision": "detection_precision", "recall": "detection_recall"}
    # The card is of the network alone.
    assert card.held_out["visem"].scores == {
        name: pytest.approx(found[f"{metric}_by_frame"], abs=5e-4) for name, metric in names.items()
    }


def test_weights_without_a_card_have_no_checksum(tmp_path):
    assert weights_checksum(tmp_path / "none.safetensors") == "unknown"


CARD = {
    "what": "images to classes",
    "sha256": hashlib.sha256(b"tensors").hexdigest(),
    "model": {"features": [16, 32]},
    "data": [{"what": "drawn images", "licence": "MIT"}],
    "seed": 1,
    "steps": 10,
    "settings": {},
    "held_out": {"drawn": {"what": "others", "n": 5, "cases": "images", "scores": {"f": 0.5}}},
    "limits": "drawn images only",
    "licence": "MIT",
    "command": "snakemake toy",
}


def test_a_card_comes_back(tmp_path):
    card = Card.model_validate(CARD)
    write_card(tmp_path / "m.json", card)
    assert read_card(tmp_path / "m.safetensors") == card
    assert json.loads((tmp_path / "m.json").read_text()) == CARD


@pytest.mark.parametrize(
    ("change", "facts"),
    [
        ({"sha256": "00"}, "sha256"),
        ({"data": []}, "data"),
        ({"score": 0.9}, "score"),
        ({"held_out": {"drawn": {"what": "a set without scores"}}}, "held_out.drawn"),
    ],
)
def test_what_is_no_card_is_refused(tmp_path, change, facts):
    (tmp_path / "m.json").write_text(json.dumps(CARD | change))
    with pytest.raises(StepError, match=rf"m.json: expected the card.*{facts}"):
        read_card(tmp_path / "m.safetensors")
    with pytest.raises(StepError, match=r"none.json: expected the card"):
        read_card(tmp_path / "none.safetensors")


def test_what_rebuilds_a_model_is_read_of_cards_old_and_new(tmp_path):
    for text, features in ((CARD, [16, 32]), ({"model": "affinities", "features": [8]}, [8])):
        (tmp_path / "m.json").write_text(json.dumps(text))
        assert rebuilds(tmp_path / "m.safetensors")["features"] == features
    assert rebuilds(tmp_path / "none.safetensors") == {}


def test_paths_of_shipped_weights_that_moved_are_still_taken(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    new = weights_file("resources/models/healthspan/detector.safetensors", REPOSITORY)
    assert weights_file("resources/models/detector.safetensors", REPOSITORY) == new
    assert Path(new).exists()
    own = tmp_path / "resources/models/detector.safetensors"
    own.parent.mkdir(parents=True)
    own.touch()
    named = "resources/models/detector.safetensors"
    assert weights_file(named, REPOSITORY) == named
    assert weights_file(str(own), REPOSITORY) == str(own)


@pytest.fixture
def server(tmp_path: Path) -> Iterator[str]:
    (tmp_path / "web").mkdir()
    (tmp_path / "web/m.safetensors").write_bytes(b"tensors")

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def __init__(self, *arguments, **options):
            super().__init__(*arguments, directory=str(tmp_path / "web"), **options)

        def log_message(self, *arguments):
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Quiet) as web:
        threading.Thread(target=web.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{web.server_port}/m.safetensors"
        web.shutdown()


def test_weights_are_downloaded_whole_or_not_at_all(tmp_path, server):
    weights = tmp_path / "m.safetensors"
    (tmp_path / "m.json").write_text(json.dumps(CARD | {"url": server}))
    download(weights)
    assert weights.read_bytes() == b"tensors"
    weights.unlink()
    wrong = (CARD | {"url": server, "sha256": "0" * 64}, CARD | {"url": server + "x"}, CARD)
    for card in wrong:
        (tmp_path / "m.json").write_text(json.dumps(card))
        with pytest.raises(StepError, match="snakemake toy"):
            download(weights)
        assert sorted(path.name for path in tmp_path.iterdir()) == ["m.json", "web"]


def test_the_registry_needs_neither_torch_nor_numpy():
    code = (
        "import sys, snakescope.learning.registry, snakescope.tree.trained;"
        "print({'torch', 'numpy', 'pandas', 'sklearn'} & set(sys.modules))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True,
        env={**os.environ, "PYTHONPATH": str(REPOSITORY / "scripts")},
    )  # fmt: skip
    assert done.stdout.strip() == "set()"
