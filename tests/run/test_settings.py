"""Settings of all trees, read from a configuration file."""

from pathlib import Path

import pytest

from snakescope.run.settings import ClusterSettings, read_settings, sections_of
from snakescope.step.errors import StepError
from snakescope.trees import TREES


def test_every_tree_has_a_section_and_jobs_have_one() -> None:
    sections = sections_of(TREES)
    assert list(sections) == [*TREES, "cluster"]
    assert all(sections[name] is tree.section for name, tree in TREES.items())


def test_an_absent_or_empty_file_means_all_defaults(tmp_path: Path) -> None:
    (tmp_path / "empty.yaml").write_text("# nothing\n")
    absent = read_settings(tmp_path / "absent.yaml", TREES)
    assert absent == read_settings(tmp_path / "empty.yaml", TREES)
    assert absent == {name: model() for name, model in sections_of(TREES).items()}


def test_what_a_file_says_holds_with_or_without_a_mark_of_its_encoding(tmp_path: Path) -> None:
    for encoding in ("utf-8", "utf-8-sig"):
        path = tmp_path / f"{encoding}.yaml"
        path.write_text("cluster:\n  cpu_in_place_of_gpu: true\n", encoding=encoding)
        assert read_settings(path, TREES)["cluster"] == ClusterSettings(cpu_in_place_of_gpu=True)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("cluster:\ncluster:\n", "line 2: expected every key once, found cluster again"),
        ("clusters: {}\n", "c.yaml: clusters: expected a section .* did you mean cluster"),
    ],
)
def test_a_file_that_cannot_be_used_is_refused_by_name(
    tmp_path: Path, text: str, said: str
) -> None:
    (tmp_path / "c.yaml").write_text(text)
    with pytest.raises(StepError, match=said):
        read_settings(tmp_path / "c.yaml", TREES)
