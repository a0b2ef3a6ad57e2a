"""After plates have failed: their experiments are compared without them, and say so.

Snakemake makes nothing that depends on a failed job, so one bad plate would keep its experiment
and the table of all plates from being made. When a run ends with failed plates and all others
are done, those few files are made in a run of their own, with ``leave_out_failed`` set: the
failed plates then count as not computed, with the reason from failures.tsv. The first run
stays a failed one, and the next tries the failed plates again.
"""

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

RULES = ("healthspan_experiment", "healthspan_plates")


def waiting(
    unfinished: Iterable[Any], failed: Iterable[Any], experiments: Mapping[str, Sequence[str]]
) -> list[str]:
    """Return what can be made without the failed plates, by first output.

    Args:
        unfinished: jobs that were to run and have not, those that failed among them.
        failed: jobs that failed.
        experiments: plates of every experiment.

    Returns:
        Outputs of the experiments with a plate left, and of the table of plates; none where a
        plate is unfinished for another reason, such as an interrupted run.
    """
    jobs, plates = set(unfinished) - set(failed), _plates(failed)
    if not plates or _plates(jobs) - plates:
        return []
    empty = {name for name, members in experiments.items() if plates.issuperset(members)}
    return sorted(
        str(job.output[0])
        for job in jobs
        if job.rule.name in RULES and getattr(job.wildcards, "experiment", None) not in empty
    )


def _plates(jobs: Iterable[Any]) -> set[str]:
    return {str(job.wildcards.plate) for job in jobs if hasattr(job.wildcards, "plate")}


def command(workflow: Any, config_file: Path, targets: Iterable[str]) -> list[str]:
    """The command line of the second run: few and small jobs, on this machine."""
    words = [sys.executable, "-m", "snakemake", *targets, "--snakefile", workflow.main_snakefile]
    words += ["--configfile", str(config_file), "--executor", "local", "--cores", "1", "--nolock"]
    # A profile that is set in the surroundings would bring its executor back.
    words += ["--profile", "none", "--workflow-profile", "none"]
    words += ["--allowed-rules", *RULES, "--no-hooks", "--quiet", "all"]
    deployment = workflow.deployment_settings
    if deployment.deployment_method:
        words += ["--software-deployment-method"]
        words += sorted(method.value for method in deployment.deployment_method)
    if deployment.conda_prefix:
        words += ["--conda-prefix", str(deployment.conda_prefix)]
    return words


def compare_without_failed(
    workflow: Any, config: Mapping[str, Any], experiments: Mapping[str, Sequence[str]]
) -> str:
    """Make what waits for failed plates without them, and tell what was made.

    Args:
        workflow: Snakemake's, after its jobs have ended.
        config: the configuration as Snakemake holds it.
        experiments: plates of every experiment.
    """
    targets = waiting(workflow.dag.needrun_jobs(), workflow.scheduler.failed, experiments)
    if not targets:
        return ""
    section = {**(config.get("healthspan") or {}), "leave_out_failed": True}
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "config.json")
        file.write_text(json.dumps({**config, "healthspan": section}), encoding="utf-8")
        ended = subprocess.run(
            command(workflow, file, targets), capture_output=True, text=True, check=False
        )
    if ended.returncode:
        last = (ended.stdout + ended.stderr).strip().splitlines()[-20:]
        return "\n".join(["could not be made without the plates that failed:", *targets, *last])
    return "\n  ".join(["made without the plates that failed:", *targets])
