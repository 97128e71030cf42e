"""What adversaries do in a simulation, to test a defence; nothing here can attack a real server."""

from fedcore.attacks import label_flip, updates  # noqa: F401  (importing registers them)
from fedcore.attacks.base import ATTACKS, Adversaries, Attack, Distort, distort_vectors, recruit

__all__ = ["ATTACKS", "Adversaries", "Attack", "Distort", "distort_vectors", "recruit"]
