"""Gaussian noise: from the seed of the run in simulation, from a secret key otherwise.

Noise that anybody can compute hides nothing, so a seed is only good enough where nobody is to be
protected. Floating-point Gaussians are not the real numbers of the theorems (Mironov, CCS 2012);
no discrete sampler is offered.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

import numpy as np
import torch
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import CTR
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from torch import Tensor

#: Returns so many independent standard normal numbers, float32, on the CPU.
Normal: TypeAlias = Callable[[int], Tensor]
KEY_BYTES = 32
_DOMAIN = b"roundhouse noise 1"
_WORD_BYTES = 8
#: Bits of a word that a float64 in (0, 1] can hold.
_BITS = 53


def seeded(generator: torch.Generator) -> Normal:
    """Return noise that follows from a generator: for simulations alone."""
    return lambda count: torch.randn(count, generator=generator)


def secret(key: bytes, *context: bytes) -> Normal:
    """Return noise that nobody without the key can foresee, different for every context.

    The same key and context give the same noise: whoever works out a result twice, after a crash,
    must not publish it with two noises, the mean of which says more. AES-256-CTR makes it, under a
    key that HKDF-SHA256 derives.

    Args:
        key: 32 bytes from the operating system.
        context: What the noise is for, down to the numbers that it hides.
    """
    info = b"".join(len(part).to_bytes(8) + part for part in (_DOMAIN, *context))
    derived = HKDF(SHA256(), KEY_BYTES, salt=None, info=info).derive(key)
    stream = Cipher(AES(derived), CTR(bytes(16))).encryptor()

    def normal(count: int) -> Tensor:
        pairs = -(-count // 2)
        words = np.frombuffer(stream.update(bytes(2 * pairs * _WORD_BYTES)), "<u8")
        # In (0, 1], so that the logarithm is finite.
        uniform = ((words >> np.uint64(64 - _BITS)) + np.uint64(1)) * 2.0**-_BITS
        radius, angle = np.sqrt(-2 * np.log(uniform[:pairs])), 2 * np.pi * uniform[pairs:]
        both = np.concatenate([radius * np.cos(angle), radius * np.sin(angle)])
        return torch.from_numpy(both[:count].astype(np.float32))

    return normal
