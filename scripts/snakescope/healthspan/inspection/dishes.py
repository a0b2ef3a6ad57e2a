"""Pixel size from the width of a dish: its edge in the image, and what is sold under its name."""

INNER_MM = {
    30: 27.5,
    35: 33.5,
    40: 37.0,
    50: 46.5,
    55: 51.5,
    60: 52.5,
    90: 86.0,
    94: 88.0,
    100: 86.5,
}
"""Inner width of the bottom of usual dishes (mm), by the width they are sold under.

Growth areas in catalogues: 8.8 cm2 for 35 mm, 21.5 cm2 for 60 mm, 58 cm2 for 100 mm.
"""
ASKED_MM = (30, 35, 55, 60, 90)


def inner_mm(name_mm: float) -> float:
    """Return the inner width (mm) of a dish that is sold as ``name_mm`` wide."""
    return INNER_MM.get(round(name_mm), 0.94 * name_mm)


def pixel_size_um(inner_width_mm: float, diameter_px: float) -> float:
    """Return the pixel size (um) at which a dish of an inner width (mm) is so many px wide."""
    return 1000 * inner_width_mm / diameter_px


def likely_dish(diameter_px: float, worm_px: float, usual_um: float) -> tuple[int, float]:
    """Return the usual dish in which worms are nearest to their usual length, and that length (um).

    Args:
        diameter_px: of the dish's edge; worm_px: median length of worms; usual_um: of an adult.
    """

    def length(name: int) -> float:
        return worm_px * pixel_size_um(inner_mm(name), diameter_px)

    best = min(ASKED_MM, key=lambda name: max(length(name) / usual_um, usual_um / length(name)))
    return best, length(best)
