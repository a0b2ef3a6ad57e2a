"""SNEMI3D: downloaded whole and with the right sum, unpacked to what the sample sheet names."""

import hashlib
import io
import json
import shutil
import threading
import zipfile
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import numpy as np
import pytest
import tifffile

from snakescope import REPOSITORY
from snakescope.imaging.volumes import describe
from snakescope.neurites.volumes import unpack as unpacking
from snakescope.neurites.volumes.fetch import fetch
from snakescope.neurites.volumes.scan import find_sources
from snakescope.neurites.volumes.sheet import Volume
from snakescope.neurites.volumes.unpack import unpack
from snakescope.settings.sheet import read_rows
from snakescope.step.errors import StepError
from tests.started import snakemake

DEPTH, SIDE = 10, 12


def tiff(array: np.ndarray) -> bytes:
    file = io.BytesIO()
    tifffile.imwrite(file, array)
    return file.getvalue()


@pytest.fixture
def stacks() -> dict[str, np.ndarray]:
    rng = np.random.default_rng(0)
    shape = (DEPTH, SIDE, SIDE)
    return {
        "image/train-input.tif": rng.integers(0, 256, shape, dtype=np.uint8),
        "seg/train-labels.tif": rng.integers(0, 400, shape, dtype=np.uint16),
        "image/test-input.tif": rng.integers(0, 256, shape, dtype=np.uint8),
    }


@pytest.fixture
def archive(tmp_path: Path, stacks: dict[str, np.ndarray]) -> Path:
    path = tmp_path / "snemi.zip"
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("__MACOSX/snemi/image/train-input.tif", b"nothing")
        for name, stack in stacks.items():
            file.writestr(f"snemi/{name}", tiff(stack))
    return path


@pytest.fixture
def server(archive: Path) -> Iterator[str]:
    """Serves the archive, whole and cut short."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            content = archive.read_bytes()
            if self.path == "/absent.zip":
                self.send_error(404)
                return
            self.send_response(200)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content[:1000] if self.path == "/cut.zip" else content)

        def log_message(self, *_: object) -> None:
            pass

    served = HTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=served.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{served.server_port}"
    served.shutdown()
    served.server_close()


def md5(path: Path) -> str:
    return hashlib.md5(path.read_bytes()).hexdigest()


def test_an_archive_comes_whole_over_http_and_from_a_file(
    tmp_path: Path, archive: Path, server: str
) -> None:
    for number, url in enumerate((f"{server}/snemi.zip?download=1", archive.as_uri())):
        got = tmp_path / f"got/{number}.zip"
        fetch(url, md5(archive), got)
        assert got.read_bytes() == archive.read_bytes()


def test_what_does_not_come_whole_is_one_sentence_and_no_file(
    tmp_path: Path, archive: Path, server: str
) -> None:
    by_hand = r"neurites: volumes: fetch: url: file:///path"
    for url, sentence in {
        f"{server}/absent.zip": f"could not download it .*Not Found.*{by_hand}",
        f"{server}/cut.zip": f"could not download it|expected an archive with .*{by_hand}",
        "http://127.0.0.1:9/snemi.zip": f"could not download it .*refused.*{by_hand}",
        "http://no-such-host.invalid/snemi.zip": f"could not download it .*{by_hand}",
        (tmp_path / "absent.zip").as_uri(): "could not download it .*No such file",
    }.items():
        with pytest.raises(StepError, match=sentence):
            fetch(url, md5(archive), tmp_path / "got" / "snemi.zip")
    with pytest.raises(StepError, match=f"sum {'0' * 32}, found {md5(archive)} in .* bytes"):
        fetch(archive.as_uri(), "0" * 32, tmp_path / "got" / "snemi.zip")
    assert list((tmp_path / "got").iterdir()) == []


def test_the_parts_are_what_the_shipped_sheet_names(
    tmp_path: Path,
    archive: Path,
    stacks: dict[str, np.ndarray],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    volumes = read_rows(REPOSITORY / "config/examples/snemi3d/volumes.tsv", Volume)
    for shape in ((DEPTH, SIDE, SIDE), (100, 1024, 1024)):
        monkeypatch.setattr("snakescope.neurites.volumes.scan.SNEMI3D", shape)
        known = {one.name: find_sources(one, (1, 1, 1), 8) for one in volumes}
        assert known["snemi3d_held_out"]["labels"].shape == (shape[0] - 8, *shape[1:])
    monkeypatch.setattr("snakescope.neurites.volumes.scan.SNEMI3D", (DEPTH, SIDE, SIDE))
    monkeypatch.setattr(unpacking, "SNEMI3D", (DEPTH, SIDE, SIDE))
    unpack(archive, tmp_path / "fetched/neurites/snemi3d", 8)
    image, labels, _ = stacks.values()
    for volume in volumes:
        for kind, path in (("image", volume.image), ("labels", volume.labels)):
            if path:
                found = describe(str(tmp_path / path))
                expected = find_sources(volume, (1, 1, 1), 8)[kind]
                assert (found.shape, found.dtype) == (expected.shape, expected.dtype)
    held_out = tmp_path / "fetched/neurites/snemi3d/held_out"
    assert np.array_equal(tifffile.imread(held_out / "image.tif"), image[8:])
    assert np.array_equal(tifffile.imread(held_out / "labels.tif"), labels[8:])
    assert {one.set for one in volumes if "train" in one.name} == {"train"}


def test_another_archive_is_refused(tmp_path: Path, archive: Path) -> None:
    with pytest.raises(StepError, match=r"train-input\.tif: expected 100 x 1024 x 1024 .* 10 x 12"):
        unpack(archive, tmp_path / "out", 8)
    with zipfile.ZipFile(tmp_path / "other.zip", "w") as file:
        file.writestr("readme.txt", "x")
    with pytest.raises(StepError, match=r"expected train-input\.tif in it, found readme\.txt"):
        unpack(tmp_path / "other.zip", tmp_path / "out", 8)
    archive.write_bytes(archive.read_bytes()[:500])
    with pytest.raises(StepError, match="expected a whole archive, found a damaged one"):
        unpack(archive, tmp_path / "out", 8)
    assert not (tmp_path / "out").exists()


@pytest.mark.slow
def test_the_rule_fetches_by_the_configured_address(tmp_path: Path, archive: Path) -> None:
    shutil.copytree(REPOSITORY / "config", tmp_path / "config")
    fetch_settings = {"url": archive.as_uri(), "md5": md5(archive)}
    (tmp_path / "own.yaml").write_text(
        json.dumps({"neurites": {"volumes": {"fetch": fetch_settings}}})
    )
    words = ["--snakefile", str(REPOSITORY / "Snakefile"), "--cores", "1"]
    files = ["config/examples/snemi3d/config.yaml", "own.yaml"]

    planned = snakemake(tmp_path, *words, "--dry-run", "--configfile", *files, "--", "neurites")
    assert planned.returncode == 0, planned.stdout + planned.stderr
    for rule, jobs in {"fetch": 1, "unpack": 1, "agglomerate": 3, "evaluate": 2}.items():
        assert f"neurites_{rule} " in planned.stdout
        line = next(x for x in planned.stdout.splitlines() if x.startswith(f"neurites_{rule} "))
        assert line.split()[1] == str(jobs)
    ended = snakemake(tmp_path, *words, "--configfile", *files, "--", "fetched/neurites/snemi.zip")
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert (tmp_path / "fetched/neurites/snemi.zip").read_bytes() == archive.read_bytes()
