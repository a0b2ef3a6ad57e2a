"""The three states of a worm (paper, section 1), and their colours in figures and pages.

The paper's blue, yellow and red (figure 17), moved to tones that differ in lightness as
well as in hue, so that they stay apart for readers with any colour vision and in grey.
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
