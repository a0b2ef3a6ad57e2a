"""Options of `snakescope inspect` for folders of plates."""

import argparse


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of ``snakescope inspect`` for folders of plates."""
    group = parser.add_argument_group("plates of worms")
    group.add_argument(
        "--dish-mm", type=float, help="width the dish is sold under: 30, 35, 55, 60, 90"
    )
    group.add_argument("--dish-inner-mm", type=float, help="inner width of the dish, measured")
    group.add_argument("--pixel-size-um", type=float, help="pixel size of the images, if known")
    group.add_argument("--pattern", default="", help="naming, if the proposed one is wrong")
    group.add_argument(
        "--times", default="", help="table of times: a column of files, one of times"
    )
    group.add_argument(
        "--interval-h", type=float, help="hours between images that are only numbered"
    )
    group.add_argument("--plate", default="", help="name of the plate (default: of the folder)")
    group.add_argument("--experiment", default="", help="experiment of the row")
    group.add_argument("--condition", default="", help="condition of the row")
    group.add_argument("--worms", type=int, help="number of worms put on the plate")
    group.add_argument("--age-d", type=float, help="age of the worms at the first image (days)")
    group.add_argument("--print-only", action="store_true", help="write neither row nor settings")
