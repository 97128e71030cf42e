"""Who takes part in a round."""

from fedcore.sampling import full, uniform  # noqa: F401  (importing registers them)
from fedcore.sampling.base import SAMPLERS, Sample, Sampler

__all__ = ["SAMPLERS", "Sample", "Sampler"]
