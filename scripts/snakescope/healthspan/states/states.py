"""The three states of a worm (Matsuo et al., section 1) and their colours in figures and pages.

The colours are blue, yellow and red as in figure 17 of the paper, in shades that differ in
lightness as well as in hue, for readers with any colour vision and for grey prints.
"""

HEALTHY, IMMOBILE, DEAD, UNKNOWN = "healthy", "immobile", "dead", "unknown"

STATES = (HEALTHY, IMMOBILE, DEAD)
"""In the order in which a worm passes through them, which is that of the classifier's classes."""

STATE_COLOURS: dict[str, str] = {
    HEALTHY: "#1f6fb5",
    IMMOBILE: "#eab60b",
    DEAD: "#c22f2a",
    UNKNOWN: "#8b9096",
}
"""Hex colour of each state, for lines and areas on white as for tints on grey frames."""
