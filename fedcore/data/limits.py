"""Limits on what strangers may bring, each with the error that explains it."""

from __future__ import annotations

from fedcore.errors import DatasetError

MAX_FILE_BYTES = 4 * 2**30
MAX_FILES = 2_000_000
MAX_ROWS = 50_000_000
MAX_COLUMNS = 10_000
#: Pixels of one image as it is stored; a small file can claim to be enormous.
MAX_IMAGE_PIXELS = 4096 * 4096
#: Distinct values of a column that becomes one input for each.
MAX_CATEGORIES = 1_000
MAX_CLASSES = 10_000
#: Inputs of one example.
MAX_FEATURES = 1_000_000
#: All examples as tensors.
MAX_TENSOR_BYTES = 16 * 2**30


def require_at_most(amount: float, limit: float, what: str, *, field: str, fix: str) -> None:
    """Check a limit.

    Raises:
        DatasetError: If ``amount`` is above ``limit``.
    """
    if amount > limit:
        raise DatasetError(
            f"{what}: {amount:,.0f} is more than the limit of {limit:,.0f}", field=field, fix=fix
        )


def require_tensor_fits(size_bytes: float) -> None:
    """Check that examples fit into memory before any is made.

    Raises:
        DatasetError: If they would not.
    """
    require_at_most(
        size_bytes,
        MAX_TENSOR_BYTES,
        "bytes of all examples as tensors",
        field="dataset.path",
        fix="Use fewer rows or columns, smaller images or a shorter length.",
    )
