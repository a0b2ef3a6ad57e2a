"""Pages: what is text stays text, numbers keep their format, and a table can be read back."""

import numpy as np
import pandas as pd
import pytest

from snakescope.report.pages import (
    Row,
    html,
    image_url,
    jpeg_url,
    markdown,
    scores_markdown,
    scores_table,
)
from tests.markdown import cells

NAN = float("nan")


def test_numbers_have_the_format_of_their_column_and_are_aligned_right() -> None:
    table = pd.DataFrame({"step": ["a", "b"], "seconds": [1.0, NAN], "n": [10, 200]})
    text = markdown(table, {"seconds": ".2f"})
    assert cells(text) == [["step", "seconds", "n"], ["a", "1.00", "10"], ["b", "", "200"]]
    assert text.splitlines()[1].replace("-", "") == "|:|:|:|"
    assert text.splitlines()[1].startswith("|:") and text.splitlines()[1].endswith(":|")


def test_text_that_looks_like_a_number_is_left_as_it_is() -> None:
    assert cells(markdown(pd.DataFrame({"a": ["1.00", "007", None]})))[1:] == [
        ["1.00"],
        ["007"],
        [""],
    ]


def test_columns_may_have_one_name() -> None:
    table = pd.DataFrame([["x", "1", "y"]])
    table.columns = pd.Index(["kept", "paper", "paper"])
    assert cells(markdown(table)) == [["kept", "paper", "paper"], ["x", "1", "y"]]


def test_a_bar_and_a_line_break_do_not_end_a_cell() -> None:
    assert r"a \| b c" in markdown(pd.DataFrame({"what": ["a | b\nc"]}))


def test_scores_are_a_table_and_a_page() -> None:
    rows = [Row("s", "f", 0.98765, 0.9, 1.0, 20, paper="0.95"), Row("s", "iou", 0.5, NAN, NAN, 3)]
    table = scores_table(rows)
    assert table.columns.tolist() == ["set", "metric", "value", "low", "high", "n"]
    assert table["value"].tolist() == [0.98765, 0.5]
    assert cells(scores_markdown(rows)) == [
        ["set", "metric", "value", "interval", "n", "paper"],
        ["s", "f", "0.988", "0.9 to 1", "20", "0.95"],
        ["s", "iou", "0.500", "", "3", ""],
    ]


def test_a_page_escapes_what_it_is_given_and_refuses_to_leave_out() -> None:
    values = {"counted": "<b>", "headings": [], "plates": [], "ink": "#000", "rule": "#fff"}
    assert "<h1>Plates: &lt;b&gt;</h1>" in html("plates.html", **values)
    with pytest.raises(Exception, match="ink"):
        html("plates.html", **{key: values[key] for key in values if key != "ink"})


def test_pictures_are_in_the_page() -> None:
    assert image_url(b"\x00\x01", "png") == "data:image/png;base64,AAE="
    assert jpeg_url(np.zeros((4, 6, 3), np.uint8)).startswith("data:image/jpeg;base64,/9j/")
