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
    first, second = first | {"alive_at_last_frame": 0}, second | {"alive_at_last_frame": 55}
    changes = pd.DataFrame([{"plate": "a", "stale": 2, "minutes": 7.5}])
    summaries = [pd.DataFrame([{**first, "corrected_worms": 4}]), pd.DataFrame([second])]
    rows = index_rows(status, summaries, changes)
    assert [one["figures"] for one in rows] == [
        ["60", "51", "13.25", "30.5", "4", "2", "7.5"],
        ["", "", "", "", "", "", ""],
        ["60", "0", "", "4", "", "", ""],
    ]
    # Pictures of worms that live ended, and those of others went on.
    said = "its camera stopped: last picture on day 4 with 55 worms alive"
    assert [bool(one["warning"]) for one in rows] == [False, False, True]
    text = page(rows)
    assert said in text and said not in page(index_rows(status, summaries, changes, 40.0))
    assert set(re.findall(r'href="([^"]+)"', text)) == {
        f"{plate}/{name}"
        for plate in "ac"
        for name in (
            "review.html",
            "contact_sheet.html",
            "quality.html",
            "curves.png",
            "individuals.tsv",
        )
    } | {"experiments/one/curves.png", "plates.html"} | {
        f"a/corrected/{name}" for name in ("agreement.png", "individuals.tsv", "corrections.tsv")
    }
    assert "&lt;b&gt;x&lt;/b&gt;" in text and "no image" in text


def test_a_thousand_plates_are_a_light_page() -> None:
    names = [f"plate{number}" for number in range(1000)]
    status = pd.DataFrame({"plate": names, "experiment": "one", "condition": "N2"})
    status = status.assign(status="included", reason="")
    figures = {"worms": 60, "deaths": 51, "last_day": 30.5, "median_lifespan_d": 13.25}
    figures |= {"alive_at_last_frame": 3}
    rows = index_rows(status, [pd.DataFrame([{"plate": name, **figures}]) for name in names])
    assert len(page(rows)) < 1_000_000


def test_the_list_tells_whether_a_conclusion_changes_and_links_its_table() -> None:
    told = {"one <two>": ["lifespan, x, corrected: it changes", "second"]}
    text = page([], told)
    assert 'href="experiments/one%20%3Ctwo%3E/conclusion.tsv"' in text
    assert "lifespan, x, corrected: it changes<br>second" in text and "<two>" not in text
    assert "conclusion" not in page([]).partition("<body>")[2]
