"""The shared look of figures."""

from pathlib import Path

import pytest
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure

from snakescope.healthspan.states.states import STATE_COLOURS, STATES
from snakescope.imaging.style import RC, figure_style, save_figure


def lightness(colour: str) -> float:
    """Relative luminance, 0 to 1, of a hex colour."""
    red, green, blue = (
        channel / 12.92 if channel <= 0.04045 else ((channel + 0.055) / 1.055) ** 2.4
        for channel in to_rgb(colour)
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def drawn() -> Figure:
    with figure_style():
        figure = Figure(figsize=(3, 2))
        axes = figure.subplots()
        axes.plot([0, 1, 2], [3, 1, 2], label="alive")
        axes.legend()
    return figure


@pytest.mark.parametrize("kind", ["svg", "png", "pdf"])
def test_the_same_figure_gives_the_same_bytes(tmp_path: Path, kind: str) -> None:
    for name in ("one", "two"):
        save_figure(drawn(), tmp_path / f"{name}.{kind}")
    first = (tmp_path / f"one.{kind}").read_bytes()
    assert len(first) > 500
    assert first == (tmp_path / f"two.{kind}").read_bytes()


def test_names_are_drawn_as_they_are_written(tmp_path: Path) -> None:
    figure = drawn()
    with figure_style():
        figure.suptitle("5 $ x_{ 6 $")
    save_figure(figure, tmp_path / "one.svg")
    assert "5 $ x_{ 6 $" in (tmp_path / "one.svg").read_text()


def test_yellow_stands_out_by_lightness_from_blue_and_red() -> None:
    yellow = lightness(STATE_COLOURS["immobile"])
    for state in ("healthy", "dead"):
        contrast = (yellow + 0.05) / (lightness(STATE_COLOURS[state]) + 0.05)
        assert contrast > 2.5, state
    assert set(STATES) < set(STATE_COLOURS)


def test_the_style_ends_with_its_block() -> None:
    import matplotlib

    before = matplotlib.rcParams["axes.spines.top"]
    with figure_style():
        assert matplotlib.rcParams["axes.spines.top"] is RC["axes.spines.top"]
    assert matplotlib.rcParams["axes.spines.top"] == before
