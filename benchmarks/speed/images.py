"""Images like MNIST's, made from a seed, for machines without MNIST."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from PIL import Image

SIZES = {"train": 60_000, "test": 10_000}
_SIZE = 28
_CLASSES = 10
_STROKES = 12


def synthetic_images(folder: Path) -> None:
    """Write a data set in the layout of MNIST's: ten blurred shapes, shifted, dimmed and noisy."""
    if all((folder / f"{split}.parquet").exists() for split in SIZES):
        return
    folder.mkdir(parents=True, exist_ok=True)
    random = np.random.default_rng(0)
    shapes = np.stack([_shape(random) for _ in range(_CLASSES)])
    for split, count in SIZES.items():
        labels = random.integers(0, _CLASSES, count)
        rows = [{"bytes": _encoded(shapes[label], random), "path": None} for label in labels]
        table = pa.table({"image": rows, "label": labels})
        pq.write_table(table, folder / f"{split}.parquet")


def _shape(random: np.random.Generator) -> np.ndarray:
    """Return a random walk of thick strokes, values 0 to 1."""
    image = np.zeros((_SIZE, _SIZE))
    place = random.uniform(8, 20, 2)
    for _ in range(_STROKES):
        place = np.clip(place + random.normal(0, 4, 2), 4, 23)
        rows, columns = np.ogrid[:_SIZE, :_SIZE]
        distance = (rows - place[0]) ** 2 + (columns - place[1]) ** 2
        image = np.maximum(image, np.exp(-distance / 4))
    return image


def _encoded(shape: np.ndarray, random: np.random.Generator) -> bytes:
    shifted = np.roll(shape, random.integers(-3, 4, 2), axis=(0, 1))
    noisy = shifted * random.uniform(0.5, 1) + random.normal(0, 0.15, shape.shape)
    pixels = (np.clip(noisy, 0, 1) * 255).astype(np.uint8)
    out = io.BytesIO()
    Image.fromarray(pixels, "L").save(out, "PNG")
    return out.getvalue()
