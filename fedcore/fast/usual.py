"""Inputs that mostly have their usual value, such as the background of a drawing.

Pictures of digits, one-hot categories and counts of words have in common that an input of nearly
every example is the same number, whether data are scaled or not. The C++ operator then works on the
differences alone; see ``native/usual.h``.
"""

from __future__ import annotations

import torch
from torch import Tensor

#: Examples that are looked at.
_SAMPLE = 512
#: Share of the inputs that may differ from the usual: with more, dense loops are as fast.
_MOST = 1 / 3


def usual_inputs(x: Tensor) -> Tensor | None:
    """Return each input's most frequent value, or None if too many inputs differ from it.

    Args:
        x: Inputs of a data set, shape (n, *input_shape). The same data give the same answer.
    """
    if len(x) == 0:
        return None
    sample = x[:: -(-len(x) // _SAMPLE)].flatten(1)
    usual = sample.mode(0).values
    differing = (sample != usual).to(torch.float32).mean()
    return usual.contiguous() if float(differing) <= _MOST else None
