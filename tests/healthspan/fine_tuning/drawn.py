"""Tiny annotated images: dark worms on light ground, with their masks."""

import json
from pathlib import Path

import imagecodecs
import numpy as np
from numpy.typing import NDArray

SIZE = (150, 170)

Mask = NDArray[np.bool_]


def worm(top: int, left: int, length: int = 80, width: int = 8) -> Mask:
    """A straight worm on an image of ``SIZE``."""
    mask = np.zeros(SIZE, bool)
    mask[top : top + width, left : left + length] = True
    return mask


def worms(seed: int) -> list[Mask]:
    """Two worms side by side and one across the first."""
    rng = np.random.default_rng(seed)
    top, left = (int(v) for v in rng.integers(20, 40, size=2))
    across = np.zeros(SIZE, bool)
    across[top - 15 : top + 60, left + 30 : left + 38] = True
    return [worm(top, left), worm(top + 80, left + 20), across]


def image(masks: list[Mask], seed: int) -> NDArray[np.uint8]:
    """A grey image in transmitted light that shows them."""
    noise = np.random.default_rng(seed).normal(0, 2, SIZE)
    grey = 180 + noise - 80 * np.any(masks, axis=0)
    return np.clip(np.rint(grey), 0, 255).astype(np.uint8)


def write_png(path: Path, pixels: NDArray[np.generic]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(imagecodecs.png_encode(np.ascontiguousarray(pixels)))
    return path


def write_single_masks(folder: Path, name: str, seed: int) -> None:
    """An image, and each of its masks in a file of its own, which overlap."""
    masks = worms(seed)
    write_png(folder / f"{name}.png", image(masks, seed))
    for number, mask in enumerate(masks):
        write_png(folder / f"masks/{name}_{number}.png", mask.astype(np.uint8) * 255)


def write_coco(path: Path, images: dict[str, list[dict[str, object]]]) -> Path:
    """A COCO file of annotations, by the name of their image."""
    document = {
        "images": [
            {"id": number, "file_name": name, "height": SIZE[0], "width": SIZE[1]}
            for number, name in enumerate(images)
        ],
        "annotations": [
            {"id": 10 * number + place, "image_id": number, "category_id": 1, **note}
            for number, notes in enumerate(images.values())
            for place, note in enumerate(notes)
        ],
        "categories": [{"id": 1, "name": "worm"}],
    }
    path.write_text(json.dumps(document), encoding="utf-8")
    return path
