"""Masks of one bit, as people draw them, are read where worms are scored and learned from."""

from pathlib import Path

import numpy as np
from PIL import Image

from snakescope.healthspan.training.labelled_images import bbbc010


def test_masks_of_one_bit_are_worms(tmp_path: Path) -> None:
    for name in ("masks", "images"):
        (tmp_path / name).mkdir()
    mask = np.zeros((60, 80), bool)
    mask[20:24, 10:50] = True
    Image.fromarray(mask).save(tmp_path / "masks/w_1.png")
    frame = np.random.default_rng(1).integers(90, 110, mask.shape).astype(np.uint8)
    Image.fromarray(np.where(mask, 40, frame).astype(np.uint8)).save(tmp_path / "images/w.png")
    (tmp_path / "worms.csv").write_text("well,mask\nw,w_1.png\n")
    (image,) = bbbc010(tmp_path)
    (worm,) = image.worms
    assert worm.mask.sum() == mask.sum()
