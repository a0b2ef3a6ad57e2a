"""The list of all plates."""

import re

import pandas as pd

from snakescope.healthspan.review.review_index import index_rows, page


def test_every_plate_of_the_sheet_has_a_row_and_computed_ones_their_pages() -> None:
    status = pd.DataFrame(
        [
            ("a", "one", "N2", "included", ""),
            ("b", "one", "<b>x</b>", "unusable", "no image"),
            ("c", "one", "N2", "included", ""),
        ],
        columns=["plate", "experiment", "condition", "status", "reason"],
    )
    first = {"plate": "a", "worms": 60, "deaths": 51, "last_day": 30.5, "median_lifespan_d": 13.25}
    second = {"plate": "c", "worms": 60, "deaths": 0, "last_day": 4.0, "median_lifespan_d": None}
    rows = index_rows(
        status, [pd.DataFrame([{**first, "corrected_worms": 4}]), pd.DataFrame([second])]
    )
    assert [one["figures"] for one in rows] == [
        ["60", "51", "13.25", "30.5", "4"],
        ["", "", "", "", ""],
        ["60", "0", "", "4", ""],
    ]
    text = page(rows)
    assert set(re.findall(r'href="([^"]+)"', text)) == {
        f"{plate}/{name}"
        for plate in "ac"
        for name in ("review.html", "contact_sheet.html", "quality.html", "curves.png")
    }
    assert "&lt;b&gt;x&lt;/b&gt;" in text and "no image" in text


def test_a_thousand_plates_are_a_light_page() -> None:
    names = [f"plate{number}" for number in range(1000)]
    status = pd.DataFrame({"plate": names, "experiment": "one", "condition": "N2"})
    status = status.assign(status="included", reason="")
    figures = {"worms": 60, "deaths": 51, "last_day": 30.5, "median_lifespan_d": 13.25}
    rows = index_rows(status, [pd.DataFrame([{"plate": name, **figures}]) for name in names])
    assert len(page(rows)) < 1_000_000
