"""Sizes of the paper's plates, on which the shipped models were trained."""

PIXEL_SIZE_UM = 9.74
"""Side of a pixel of a frame of 3080 px (um)."""

TILE_PX = 440
"""Side of a tile (px): a frame of 3080 px has 7 x 7 of them (paper, section 3.2.1)."""
