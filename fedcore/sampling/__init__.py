"""Who takes part in a round."""

from fedcore.sampling import (  # noqa: F401  (importing registers them)
    full,
    latency,
    oort,
    poisson,
    round_robin,
    uniform,
)
from fedcore.sampling.base import SAMPLERS, Sample, Sampler, Seen

__all__ = ["SAMPLERS", "Sample", "Sampler", "Seen"]
