"""Vectors of a cohort, a block of coordinates at a time.

Blocks bound the memory beside the inputs and stay in the processor's cache; several of them are
worked on at the same time, one per core.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from fedcore.fast.mean import GRAIN, MeanOperator

T = TypeVar("T")
Block = npt.NDArray[np.float32]
Matrix = npt.NDArray[np.float64]
#: Elements of one block, all clients together, where they are worked on together.
BLOCK_ELEMENTS = 1 << 19
#: Elements of one block of one client, where clients are worked on one after the other: the result
#: stays in the second cache, and there is enough to do between two calls of torch.
STREAM_ELEMENTS = 1 << 17
#: So few blocks of that kind take less time than threads take to start.
_FEW_STREAMS = 8


def spans(total: int, rows: int) -> Iterator[tuple[int, int]]:
    """Yield the blocks of ``total`` coordinates of ``rows`` vectors, first to last."""
    width = max(1, BLOCK_ELEMENTS // max(rows, 1))
    for start in range(0, total, width):
        yield start, min(start + width, total)


def streams(begin: int, end: int) -> Iterator[tuple[int, int]]:
    """Yield the blocks of a span of coordinates for vectors that are read one by one.

    Blocks begin at multiples of a power of two, so torch computes each number with the same
    instructions as it would in the whole vector, whose end it treats differently.
    """
    for start in range(begin, end, STREAM_ELEMENTS):
        yield start, min(start + STREAM_ELEMENTS, end)


def num_cores() -> int:
    """Return how many cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def in_parallel(work: Callable[[tuple[int, int]], T], blocks: Iterable[tuple[int, int]]) -> list[T]:
    """Return what ``work`` makes of each block, in their order, computed on all cores.

    Each block is one thread's, so the result does not depend on the number of cores.
    """
    with ThreadPoolExecutor(num_cores(), initializer=torch.set_num_threads, initargs=(1,)) as pool:
        return list(pool.map(work, blocks))


def in_streams(work: Callable[[tuple[int, int]], None], span: tuple[int, int]) -> None:
    """Do ``work`` on each block of a span of coordinates, on all cores if that pays."""
    blocks = list(streams(*span))
    if len(blocks) > _FEW_STREAMS:
        in_parallel(work, blocks)
        return
    for block in blocks:
        work(block)


def per_coordinate(vectors: Sequence[Tensor], rule: Callable[[Block], Block]) -> Tensor:
    """Return what a rule makes of every coordinate by itself.

    Args:
        vectors: One vector of shape ``(total,)`` per client.
        rule: Takes values of shape ``(coordinates, clients)``, each row sorted, and returns
            ``(coordinates,)``.
    """
    arrays = [vector.detach().cpu().numpy() for vector in vectors]
    result = np.empty(arrays[0].shape, dtype=np.float32)

    def work(span: tuple[int, int]) -> None:
        start, end = span
        block = np.stack([array[start:end] for array in arrays], axis=1)
        block.sort(axis=1)
        result[start:end] = rule(block)

    in_parallel(work, spans(len(result), len(arrays)))
    return torch.from_numpy(result).to(vectors[0].device)


def weighted_sum(vectors: Sequence[Tensor], factors: Sequence[float]) -> Tensor:
    """Return the sum of ``factor * vector``, in float32."""
    total = torch.zeros_like(vectors[0])

    def work(span: tuple[int, int]) -> None:
        block = total[span[0] : span[1]]
        for vector, factor in zip(vectors, factors, strict=True):
            if factor != 0.0:
                block.add_(vector[span[0] : span[1]], alpha=factor)

    in_streams(work, (0, len(total)))
    return total


def mean_in_tree(vectors: Sequence[Tensor], weights: Sequence[float]) -> Tensor:
    """Return the weighted mean, neighbours averaged pair by pair until one is left.

    Every vector is read once and what comes of a pair stays in the cache, so this takes a fraction
    of the time of averaging whole vectors, and gives the same bits. Memory is that of the result.
    """
    levels = _shares_in_tree(weights)
    mean = torch.empty_like(vectors[0])

    def average(span: tuple[int, int], depth: int, place: int) -> Tensor:
        """Return the mean of the vectors below a node, a block of it."""
        if depth == 0:
            return vectors[place][span[0] : span[1]]
        first = average(span, depth - 1, 2 * place)
        if place == len(levels[depth - 1]):  # nobody is left to pair it with
            return first
        second, share = average(span, depth - 1, 2 * place + 1), levels[depth - 1][place]
        return torch.lerp(first, second, share) if depth == 1 else first.lerp_(second, share)

    def work(span: tuple[int, int]) -> None:
        mean[span[0] : span[1]] = average(span, len(levels), 0)

    done = 0
    operator = MeanOperator.find(vectors, levels, mean)
    if operator is not None:
        done = len(mean) // GRAIN * GRAIN
        in_streams(operator.work, (0, done))
    in_streams(work, (done, len(mean)))
    return mean


def _shares_in_tree(weights: Sequence[float]) -> list[list[float]]:
    """Return, level by level, what the second of each pair has of the weight of both."""
    levels, left = [], list(weights)
    while len(left) > 1:
        odd = left[-1:] if len(left) % 2 else []
        pairs = list(zip(left[::2], left[1::2], strict=False))
        levels.append([second / (first + second) for first, second in pairs])
        left = [first + second for first, second in pairs] + odd
    return levels


def inner_products(vectors: Sequence[Tensor]) -> Matrix:
    """Return the inner products of all pairs, in float64, shape ``(clients, clients)``."""

    def work(span: tuple[int, int]) -> Tensor:
        rows = [vector[span[0] : span[1]] for vector in vectors]
        block = torch.stack(rows).to(torch.float64)
        return block @ block.T

    products = torch.zeros(len(vectors), len(vectors), dtype=torch.float64)
    for part in in_parallel(work, spans(len(vectors[0]), len(vectors))):
        products += part.cpu()
    return products.numpy()


def squared_distances(vectors: Sequence[Tensor]) -> Matrix:
    """Return the squared distances of all pairs, in float64, shape ``(clients, clients)``."""
    products = inner_products(vectors)
    norms = np.diagonal(products)
    distances: Matrix = norms[:, None] + norms[None, :] - 2 * products
    np.maximum(distances, 0.0, out=distances)
    np.fill_diagonal(distances, 0.0)
    return distances
