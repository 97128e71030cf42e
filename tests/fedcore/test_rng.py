"""Streams of random numbers: reproducible, independent, and never the global ones."""

import random

import numpy as np
import pytest
import torch

from fedcore.engine.context import RunContext, build_context
from fedcore.environment import Folders
from fedcore.rng import Purpose, numpy_rng, rng
from tests.fedcore.runs import play_rounds, small_spec

STREAMS = [
    (0, Purpose.SAMPLING, 0, None),
    (1, Purpose.SAMPLING, 0, None),
    (0, Purpose.DATA_ORDER, 0, None),
    (0, Purpose.SAMPLING, 1, None),
    (0, Purpose.SAMPLING, 0, 0),
    (0, Purpose.SAMPLING, None, 0),
    (0, Purpose.SAMPLING, None, None),
    (0, Purpose.SAMPLING, 1, 1),
    (0, Purpose.SAMPLING, 11, None),
    (0, Purpose.SAMPLING, None, 11),
]


@pytest.mark.parametrize("stream", STREAMS)
def test_a_stream_can_be_drawn_again(stream: tuple[int, Purpose, int | None, int | None]) -> None:
    assert torch.equal(torch.rand(8, generator=rng(*stream)), torch.rand(8, generator=rng(*stream)))
    assert (numpy_rng(*stream).random(8) == numpy_rng(*stream).random(8)).all()


def test_streams_differ_in_every_part_of_their_name() -> None:
    torch_draws = {tuple(torch.rand(4, generator=rng(*stream)).tolist()) for stream in STREAMS}
    numpy_draws = {tuple(numpy_rng(*stream).random(4).tolist()) for stream in STREAMS}
    assert len(torch_draws) == len(numpy_draws) == len(STREAMS)


def test_streams_of_clients_and_rounds_are_uncorrelated() -> None:
    draws = torch.stack(
        [
            torch.randn(2000, generator=rng(0, Purpose.DATA_ORDER, round_index, client_id))
            for round_index in range(6)
            for client_id in range(6)
        ]
    )
    correlations = torch.corrcoef(draws) - torch.eye(len(draws))
    # Five standard errors of a correlation of 2,000 independent pairs.
    assert correlations.abs().max() < 5 / 2000**0.5


def test_a_run_neither_reads_nor_moves_the_global_generators(folders: Folders) -> None:
    def run(context: RunContext) -> list[float]:
        return [report.metrics["loss"] for report in play_rounds(context, 2)[1]]

    def global_states() -> tuple[object, str, list[int]]:
        legacy = np.random.get_state(legacy=False)
        return random.getstate(), str(legacy), torch.get_rng_state().tolist()

    torch.manual_seed(1)
    before = global_states()
    losses = run(build_context(small_spec(), folders))
    assert global_states() == before
    torch.manual_seed(2)
    assert run(build_context(small_spec(), folders)) == losses
