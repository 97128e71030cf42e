"""Rows of patients who do not exist."""

from __future__ import annotations

import numpy as np


def heart_rows(seed: int) -> str:
    """Return a CSV file of 60 patients; whoever is old and has a high pressure is ill."""
    random = np.random.default_rng(seed)
    lines = ["age,pressure,disease"]
    for age, pressure in random.normal((54, 130), (9, 17), (60, 2)):
        disease = "yes" if age + pressure / 4 + random.normal(0, 3) > 87 else "no"
        lines.append(f"{age:.3f},{pressure:.3f},{disease}")
    return "\n".join(lines)
