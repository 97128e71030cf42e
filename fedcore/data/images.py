"""Images as tensors, checked before they are decoded."""

from __future__ import annotations

import io
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor

from fedcore.data.limits import MAX_IMAGE_PIXELS, require_tensor_fits
from fedcore.errors import DatasetError

if TYPE_CHECKING:
    from PIL.Image import Image

#: File formats that are read; all are recognised by content, whatever the name says.
FORMATS = ("PNG", "JPEG", "WEBP", "BMP")
LARGEST_PIXEL = 255.0
_GREY = ("1", "L")
_BYTES_PER_NUMBER = 4


@dataclass(frozen=True)
class Encoded:
    """Images as the bytes of their files.

    Attributes:
        files: Content of each file.
        names: What to call each in an error.
    """

    files: Sequence[bytes]
    names: Sequence[str]

    def __len__(self) -> int:
        return len(self.files)

    def __iter__(self) -> Iterator[tuple[bytes, str]]:
        return zip(self.files, self.names, strict=True)


@dataclass(frozen=True)
class Canvas:
    """What all images of a data set are made into."""

    width: int
    height: int
    is_grey: bool

    @property
    def channels(self) -> int:
        """Number of channels."""
        return 1 if self.is_grey else 3


def find_canvas(splits: Sequence[Encoded], image_size: int | None) -> Canvas:
    """Return what fits all images, from their headers alone; no pixel is decoded.

    Args:
        splits: All images of a data set.
        image_size: Width and height to scale to; None if all have the same size already.

    Raises:
        DatasetError: If one is no image, claims too many pixels, or sizes differ.
    """
    sizes: dict[tuple[int, int], str] = {}
    is_grey = True
    with _pillow_quiet():
        for content, name in (file for split in splits for file in split):
            with _opened(content, name) as image:
                sizes.setdefault(image.size, name)
                is_grey = is_grey and image.mode in _GREY
    if not sizes:
        raise DatasetError("there are no images", field="dataset.path", fix="Add some images.")
    if image_size is None and len(sizes) > 1:
        (first, name), (second, other) = list(sizes.items())[:2]
        raise DatasetError(
            f"images have different sizes: {name} has {first[0]}x{first[1]} pixels, "
            f"{other} has {second[0]}x{second[1]}",
            field="dataset.image_size",
            fix="Set dataset.image_size, and all are scaled to it.",
        )
    width, height = (image_size, image_size) if image_size else next(iter(sizes))
    canvas = Canvas(width, height, is_grey)
    count = sum(len(split) for split in splits)
    require_tensor_fits(count * canvas.channels * width * height * _BYTES_PER_NUMBER)
    return canvas


def decode(images: Encoded, canvas: Canvas) -> Tensor:
    """Return images of shape (n, channels, height, width), uint8.

    Raises:
        DatasetError: If one cannot be decoded.
    """
    shape = (len(images), canvas.channels, canvas.height, canvas.width)
    pixels = np.empty(shape, dtype=np.uint8)
    with _pillow_quiet():
        for row, (content, name) in zip(pixels, images, strict=True):
            with _opened(content, name) as image:
                row[:] = _pixels(image, canvas)
    return torch.from_numpy(pixels)


def _pixels(image: Image, canvas: Canvas) -> np.ndarray[Any, np.dtype[np.uint8]]:
    mode = "L" if canvas.is_grey else "RGB"
    converted = image if image.mode == mode else image.convert(mode)
    if converted.size != (canvas.width, canvas.height):
        from PIL.Image import Resampling  # noqa: PLC0415

        converted = converted.resize((canvas.width, canvas.height), Resampling.BILINEAR)
    values = np.asarray(converted, dtype=np.uint8)
    return values[None] if canvas.is_grey else values.transpose(2, 0, 1)


@contextmanager
def _pillow_quiet() -> Iterator[None]:
    """Silence warnings of bombs and odd files: sizes are checked here, and oddities are fine."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


@contextmanager
def _opened(content: bytes, name: str) -> Iterator[Image]:
    """Open one image, its header only, and turn whatever goes wrong with it into one error."""
    from PIL import Image  # noqa: PLC0415

    try:
        with Image.open(io.BytesIO(content), formats=FORMATS) as image:
            _check_pixels(image.size)
            yield image
    except (OSError, ValueError, SyntaxError, EOFError, Image.DecompressionBombError) as error:
        raise DatasetError(
            f"{name} cannot be read as an image: {error}",
            field="dataset.path",
            fix=f"Remove or replace it; an image is one of {', '.join(FORMATS)}, of at most "
            f"{MAX_IMAGE_PIXELS:,} pixels.",
        ) from error


def _check_pixels(size: tuple[int, int]) -> None:
    if size[0] * size[1] > MAX_IMAGE_PIXELS:
        raise ValueError(f"it claims {size[0]}x{size[1]} pixels")
