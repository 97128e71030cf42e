"""Randomness without hidden state: every draw names who draws, when and what for.

A generator is made from ``(seed, purpose, round, client)`` by hashing, never by advancing another
generator. So a client draws the same numbers in whatever order, process or session it is visited,
which is what makes executors interchangeable and a resumed run equal to an uninterrupted one.
Nothing in the engine touches the global generators of torch, numpy or ``random``.

These streams are for simulation. torch's CPU generator keeps 32 bits of its seed, so two streams
coincide with a chance of 2**-32; noise that has to protect somebody needs a cryptographic source.
"""

from __future__ import annotations

import hashlib
from enum import StrEnum

import numpy as np
import torch

_TORCH_SEED_BYTES = 8
_PHILOX_KEY_BYTES = 16


class Purpose(StrEnum):
    """What a stream is drawn for; a new kind of draw gets a new member, never a shared stream."""

    DATASET = "dataset"
    SUBSET = "subset"
    FEATURES = "features"
    EMBEDDING = "embedding"
    PARTITION = "partition"
    MODEL_INIT = "model_init"
    SAMPLING = "sampling"
    SPEED = "speed"
    STRAGGLER = "straggler"
    DROPOUT = "dropout"
    DATA_ORDER = "data_order"
    SERVER_ORDER = "server_order"
    CLUSTERS = "clusters"
    COMPRESSION = "compression"
    SPARSITY = "sparsity"
    ADVERSARIES = "adversaries"
    ATTACK = "attack"
    ADAPTER = "adapter"
    DIRECTION = "direction"
    SCORES = "scores"
    SIGNS = "signs"
    TOPOLOGY = "topology"
    PRIVACY = "privacy"


def rng(
    seed: int, purpose: Purpose, round_index: int | None = None, client_id: int | None = None
) -> torch.Generator:
    """Return the torch generator of one stream, on the CPU whatever the device of the run.

    Args:
        seed: Seed of the run.
        purpose: What the numbers are for.
        round_index: Round of the draw; None for draws that belong to no round.
        client_id: Client that draws; None for draws of the server.
    """
    key = _key(seed, purpose, round_index, client_id, _TORCH_SEED_BYTES)
    return torch.Generator().manual_seed(key)


def numpy_rng(
    seed: int, purpose: Purpose, round_index: int | None = None, client_id: int | None = None
) -> np.random.Generator:
    """Return the numpy generator of one stream, for distributions that torch cannot draw.

    It is independent of the torch generator of the same stream.
    """
    key = _key(seed, purpose, round_index, client_id, _PHILOX_KEY_BYTES)
    return np.random.Generator(np.random.Philox(key=key))


def _key(
    seed: int, purpose: Purpose, round_index: int | None, client_id: int | None, size_bytes: int
) -> int:
    # The digest size is part of BLAKE2's input, so keys of different sizes are independent.
    text = f"{seed}|{purpose.value}|{round_index}|{client_id}"
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=size_bytes).digest(), "little")
