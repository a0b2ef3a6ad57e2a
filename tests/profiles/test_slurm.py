"""The Slurm profile, without a cluster: partitions, GPUs, pins."""

import re
from types import SimpleNamespace

import pytest
import yaml
from snakemake_executor_plugin_slurm.partitions import Partition, read_partition_file

from snakescope import REPOSITORY
from snakescope.healthspan.states.settings import ClassifySettings

PROFILE = REPOSITORY / "profiles/slurm"
CLASSIFIES = "healthspan_classify"
SHARED = re.compile(r"\.\./shared/(\w+\.smk)")
RULE = re.compile(r"^rule (\w+):$(.*?)(?=^rule |\Z)", re.MULTILINE | re.DOTALL)


@pytest.fixture(scope="module")
def profile() -> dict:
    return yaml.safe_load((PROFILE / "config.yaml").read_text())


def rules() -> dict[str, str]:
    """The text of every rule of the trees, by the name that it has in the workflow."""
    found = {}
    for path in sorted((REPOSITORY / "rules").glob("*/*.smk")):
        if path.parent.name == "shared":
            continue
        text = path.read_text()
        for shared in SHARED.findall(text):
            text += (REPOSITORY / "rules/shared" / shared).read_text()
        for name, body in RULE.findall(text):
            found[f"{path.parent.name}_{name}"] = body
    return found


def choice(partitions: list[Partition], **resources: object) -> str | None:
    """The partition that the executor plugin would take."""
    job = SimpleNamespace(threads=resources.pop("threads", 1), resources=resources, name="job")
    scores = {one.name: one.score_job_fit(job) for one in partitions}
    fitting = {name: score for name, score in scores.items() if score is not None}
    return max(fitting, key=lambda name: fitting[name]) if fitting else None


@pytest.mark.parametrize("mem_mb", [500, 4000, 10**6])
@pytest.mark.parametrize("runtime", [1, 600, 10**5])
@pytest.mark.parametrize("threads", [1, 500])
def test_no_job_without_a_gpu_lands_on_a_partition_that_has_some(mem_mb, runtime, threads) -> None:
    partitions = read_partition_file(PROFILE / "partitions.yaml")
    size = {"mem_mb": mem_mb, "runtime": runtime, "threads": threads}
    assert choice(partitions, **size) == "cpu"
    assert choice(partitions, gpu=0, **size) == "cpu"
    assert choice(partitions, gpu=1, **size) == "gpu"
    assert choice(partitions, gpu=1, gpu_model="titanxp", **size) == "gpu"


def test_a_gpu_that_no_partition_has_is_refused_before_submission() -> None:
    partitions = read_partition_file(PROFILE / "partitions.yaml")
    assert choice(partitions, gpu=1, gpu_model="h200") is None


def test_the_profile_names_every_gpu_rule_and_no_other(profile: dict) -> None:
    asking = {name for name, body in rules().items() if re.search(r"^ +gpu=1,$", body, re.M)}
    assert asking == set(profile["set-resources"])
    assert len({str(value) for value in profile["set-resources"].values()}) == 1


def test_rules_that_run_or_train_a_network_ask_for_a_gpu(profile: dict) -> None:
    # By what their commands import, not by their names.
    network = re.compile(r"^from learning\.device import", re.M)
    for name, body in rules().items():
        steps = set(re.findall(r"python -m ([\w.]+)\b", body))
        sources = [REPOSITORY / "scripts" / f"{step.replace('.', '/')}.py" for step in steps]
        runs = any(network.search(path.read_text()) for path in sources if path.exists())
        if runs and name != CLASSIFIES:
            assert name in profile["set-resources"], name
    assert {"neurites_affinities", "neurites_train", "neurites_paper_row"} <= set(
        profile["set-resources"]
    )


def test_the_classifier_stays_on_the_cpu_unless_a_site_wants_a_larger_one(profile: dict) -> None:
    assert CLASSIFIES not in profile["set-resources"]
    assert ClassifySettings().device == "cpu"
    assert "gpu" not in rules()[CLASSIFIES].partition("resources:")[2].partition("params:")[0]


def test_the_command_of_the_users_finds_the_profile() -> None:
    assert (REPOSITORY / "slurm").is_symlink()
    assert (REPOSITORY / "slurm").resolve() == PROFILE.resolve()


def test_the_profile_holds_what_a_cluster_needs(profile: dict) -> None:
    assert profile["executor"] == "slurm"
    # Usual limits of submitted jobs a user begin at 500.
    assert 50 <= profile["jobs"] <= 400
    assert 1 <= profile["retries"] <= 3
    assert profile["keep-going"] is True and profile["rerun-incomplete"] is True
    assert profile["latency-wait"] >= 30
    assert profile["scheduler"] == "greedy"
    assert profile["show-failed-logs"] is True
    assert set(profile["default-resources"]) >= {"mem_mb", "runtime"}
    assert (PROFILE / profile["slurm-partition-config"]).is_file()


def test_traps_are_stayed_out_of(profile: dict) -> None:
    # Each one cost somebody hours: docs/operate/cluster.md says what happens otherwise.
    assert profile["retries"] >= 1 and not any("retries:" in body for body in rules().values())
    assert profile["slurm-status-command"] == "squeue" and profile["slurm-no-requeue"] is True
    assert not {"slurm-array-jobs", "groups", "group-components"} & set(profile)
    assert profile["slurm-logdir"] != "logs"
    assert profile["default-resources"]["mem_mb"] >= 400
    # A value that names a file of the profile is taken for its path.
    names = {path.name for path in PROFILE.iterdir()}
    values = {str(v) for k, v in profile.items() if k != "slurm-partition-config"}
    assert not names & values


def test_conda_environments_and_the_lock_file_pin_alike() -> None:
    locked = dict(
        line.split("==") for line in (REPOSITORY / "requirements.txt").read_text().split()
        if "==" in line
    )  # fmt: skip
    for path in (REPOSITORY / "envs").glob("*.yaml"):
        lists = [entry for entry in yaml.safe_load(path.read_text())["dependencies"]
                 if isinstance(entry, dict)]  # fmt: skip
        pins = dict(pin.split("==") for entry in lists for pin in entry["pip"])
        assert pins and {name: locked.get(name) for name in pins} == pins


def test_the_lock_file_holds_the_plugins_that_were_tested() -> None:
    locked = (REPOSITORY / "requirements.txt").read_text().split()
    assert "snakemake-executor-plugin-slurm==2.8.0" in locked
    assert "snakemake-executor-plugin-slurm-jobstep==0.6.1" in locked
