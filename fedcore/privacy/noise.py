"""Random numbers that protect: from the seed of the run in simulation, from a secret key otherwise.

Noise that anybody can compute hides nothing, so a seed is only good enough where nobody is to be
protected. Floating-point Gaussians are not the real numbers of the theorems (Mironov, CCS 2012);
no discrete sampler is offered.
"""

from __future__ import annotations

import secrets
from typing import Protocol

import numpy as np
import torch
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import CTR
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from numpy.typing import NDArray
from torch import Tensor

KEY_BYTES = 32
_DOMAIN = b"roundhouse noise 1"
_WORD_BYTES = 8
#: Bits of a word that a float64 in (0, 1] can hold.
_BITS = 53


class Draws(Protocol):
    """Independent random numbers, on the CPU."""

    def normal(self, count: int) -> Tensor:
        """Return so many standard normal numbers, float32."""

    def uniform(self, count: int) -> Tensor:
        """Return so many numbers between 0 and 1, float64."""


class SeededDraws:
    """Numbers that follow from a generator: for simulations alone."""

    def __init__(self, generator: torch.Generator) -> None:
        self._generator = generator

    def normal(self, count: int) -> Tensor:
        """Return so many standard normal numbers, float32."""
        return torch.randn(count, generator=self._generator)

    def uniform(self, count: int) -> Tensor:
        """Return so many numbers in [0, 1), float64."""
        return torch.rand(count, generator=self._generator, dtype=torch.float64)


class SecretDraws:
    """Numbers that nobody without the key can foresee, different for every context.

    The same key and context give the same numbers: whoever works out a result twice, after a crash,
    must not publish it with two noises, the mean of which says more. AES-256-CTR makes them, under
    a key that HKDF-SHA256 derives.
    """

    def __init__(self, key: bytes, *context: bytes) -> None:
        info = b"".join(len(part).to_bytes(8) + part for part in (_DOMAIN, *context))
        derived = HKDF(SHA256(), KEY_BYTES, salt=None, info=info).derive(key)
        self._stream = Cipher(AES(derived), CTR(bytes(16))).encryptor()

    def normal(self, count: int) -> Tensor:
        """Return so many standard normal numbers, float32 (Box and Muller)."""
        pairs = -(-count // 2)
        first, second = self._open_uniform(pairs), self._open_uniform(pairs)
        radius, angle = np.sqrt(-2 * np.log(first)), 2 * np.pi * second
        both = np.concatenate([radius * np.cos(angle), radius * np.sin(angle)])
        return torch.from_numpy(both[:count].astype(np.float32))

    def uniform(self, count: int) -> Tensor:
        """Return so many numbers in [0, 1), float64."""
        return torch.from_numpy(1.0 - self._open_uniform(count))

    def _open_uniform(self, count: int) -> NDArray[np.float64]:
        """Return numbers in (0, 1], whose logarithms are finite."""
        words = np.frombuffer(self._stream.update(bytes(count * _WORD_BYTES)), "<u8")
        whole = (words >> np.uint64(64 - _BITS)) + np.uint64(1)
        numbers: NDArray[np.float64] = whole.astype(np.float64) * 2.0**-_BITS
        return numbers


def fresh_draws() -> SecretDraws:
    """Return numbers under a key of the operating system's that is used for nothing else."""
    return SecretDraws(secrets.token_bytes(KEY_BYTES))
