"""What a user of the neurites tree is told after a run."""

from pathlib import Path
from types import SimpleNamespace

from neurites.last_words import unfinished


def test_a_failed_job_is_told_with_its_reason_and_its_log(tmp_path: Path) -> None:
    log = tmp_path / "a.log"
    log.write_text("error: image.tif: expected a volume, found none\n")
    jobs = [
        SimpleNamespace(
            rule=SimpleNamespace(name=name), wildcards=["v"], log=[str(path)], jobid=number
        )
        for number, (name, path) in enumerate((("ingest", log), ("predict", tmp_path / "b.log")))
    ]
    told = unfinished(jobs, {1: "TIMEOUT"})
    assert f"  ingest v: image.tif: expected a volume, found none\n    {log}" in told
    assert "  predict v: over its time, says Slurm (TIMEOUT)\n" in told
