"""Training on wrong labels.

Source: Tolpegin, Truex, Gursoy and Liu, ESORICS 2020, arXiv:2007.08432, section 3.2; several
sources as in Gupta et al., ESORICS 2022, arXiv:2208.10273. Paper to code: c_src is
``spec.sources``, c_target is ``spec.target``.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from fedcore.attacks.base import ATTACKS, Attack
from fedcore.spec.attacks import LabelFlipSpec


@ATTACKS.implements(LabelFlipSpec)
@dataclass(frozen=True)
class LabelFlip(Attack):
    """Labels of some classes become one, or every label its opposite."""

    spec: LabelFlipSpec

    def poison_labels(self, labels: Tensor, num_classes: int) -> Tensor:
        """Return the wrong labels."""
        if self.spec.mode == "complement":
            return num_classes - 1 - labels
        sources = labels.new_tensor(self.spec.sources)
        return torch.where(torch.isin(labels, sources), self.spec.target, labels)
