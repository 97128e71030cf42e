"""Long texts cut into examples for predicting the next token."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from fedcore.data.dataset import Examples
from fedcore.data.tokenizers import PADDING
from fedcore.tasks.base import IGNORED


def cut_windows(documents: Sequence[Sequence[int]], length: int) -> tuple[Examples, Tensor]:
    """Return windows of ``length`` tokens, each with the tokens that follow, and their documents.

    Windows of a document do not overlap, and together predict each of its tokens but the first.
    The last window of a document is padded; a document of less than two tokens has none.

    Args:
        documents: Tokens of each document.
        length: Tokens per window.

    Returns:
        Examples with ``x`` (n, length) int32 and ``y`` (n, length) int64, and the index of the
        document that each comes from, shape (n,).
    """
    counts = [-(-(len(tokens) - 1) // length) if len(tokens) > 1 else 0 for tokens in documents]
    total = sum(counts)
    x = np.full((total, length), PADDING, dtype=np.int32)
    y = np.full((total, length), IGNORED, dtype=np.int64)
    row = 0
    for tokens, count in zip(documents, counts, strict=True):
        if count == 0:
            continue
        values = np.asarray(tokens, dtype=np.int64)
        size = len(values) - 1
        # Windows of one document lie one after the other, so both fill as one long row.
        x[row : row + count].reshape(-1)[:size] = values[:-1]
        y[row : row + count].reshape(-1)[:size] = values[1:]
        row += count
    owners = torch.arange(len(documents)).repeat_interleave(torch.tensor(counts, dtype=torch.int64))
    return Examples(torch.from_numpy(x), torch.from_numpy(y)), owners
