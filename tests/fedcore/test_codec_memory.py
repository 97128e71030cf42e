"""Error memory: nothing is lost, lost messages come back, and the reductions of the cards."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
import torch
from torch import Tensor

from fedcore.compression import CodecContext, Compressor
from fedcore.params import Params
from tests.fedcore.codecs import chain

SHAPE = (20, 10)


def updates(count: int) -> list[Params]:
    generator = torch.Generator().manual_seed(4)
    return [Params.of({"x": torch.randn(SHAPE, generator=generator)}) for _ in range(count)]


def send(compressor: Compressor, deltas: list[Params]) -> tuple[list[Tensor], Mapping[str, Tensor]]:
    """Return what the receiver sees, update by update, and the last memory."""
    memory: Mapping[str, Tensor] = {}
    received = []
    for index, delta in enumerate(deltas):
        done = compressor.compress(delta, memory, CodecContext(0, index, 1))
        memory = done.memory
        received.append(compressor.chain.decode(done.data, delta.layout, index).flat)
    return received, memory


@pytest.mark.parametrize(
    "links",
    [
        [{"kind": "topk", "ratio": 0.05}],
        [{"kind": "topk", "ratio": 0.05}, {"kind": "quantize", "bits": 4}],
        [{"kind": "randk", "ratio": 0.1, "error_feedback": True}],
        [{"kind": "sign"}],
        [{"kind": "quantize", "bits": 2, "error_feedback": True}],
        [{"kind": "topk", "ratio": 0.05}, {"kind": "sign"}],
    ],
)
def test_what_was_sent_and_what_is_kept_add_up(links: list[dict[str, Any]]) -> None:
    deltas = updates(40)
    received, memory = send(Compressor(chain(*links)), deltas)
    total = torch.stack([delta.flat for delta in deltas]).double().sum(0)
    sent = torch.stack(received).double().sum(0)
    torch.testing.assert_close(sent + memory["error"].double(), total, rtol=0, atol=2e-5)


def test_rounding_that_is_right_on_average_is_not_remembered() -> None:
    links = [{"kind": "topk", "ratio": 0.1}, {"kind": "qsgd", "levels": 1, "bucket": None}]
    (delta,) = updates(1)
    done = Compressor(chain(*links)).compress(delta, {}, CodecContext(0, 0, 1))
    sparse = Compressor(chain(links[0])).compress(delta, {}, CodecContext(0, 0, 1))
    assert torch.equal(done.memory["error"], sparse.memory["error"])


@pytest.mark.parametrize("link", [{"kind": "topk", "ratio": 0.5}, {"kind": "dgc", "ratio": 0.5}])
def test_an_update_that_was_not_applied_comes_back(link: dict[str, Any]) -> None:
    compressor = Compressor(chain(link))
    deltas = updates(2)
    first = compressor.compress(deltas[0], {}, CodecContext(0, 9, 1))
    memory = compressor.restore(first.memory, first.data, deltas[0].layout, 9)
    (kept,) = (memory[name] for name in ("error", "sum") if name in memory)
    assert torch.equal(kept, deltas[0].flat)


def test_sending_everything_leaves_no_memory_and_changes_no_bit() -> None:
    deltas = updates(3)
    received, memory = send(Compressor(chain({"kind": "topk", "ratio": 1.0})), deltas)
    assert all(torch.equal(a, b.flat) for a, b in zip(received, deltas, strict=True))
    assert not bool(memory["error"].any())


def test_codecs_without_memory_keep_nothing() -> None:
    for link in ({"kind": "quantize"}, {"kind": "topk", "error_feedback": False}):
        assert send(Compressor(chain(link)), updates(2))[1] == {}


def quadratic_error(link: dict[str, Any], rounds: int) -> float:
    """Return the relative distance to the optimum of four clients with different quadratics."""
    generator = torch.Generator().manual_seed(7)
    centres = 2 * torch.randn(4, 25, generator=generator)
    curvatures = 0.2 + 1.8 * torch.rand(4, 25, generator=generator)
    optimum = (curvatures * centres).sum(0) / curvatures.sum(0)
    compressor = Compressor(chain(link))
    model = torch.zeros(25)
    memories: list[Mapping[str, Tensor]] = [{}] * 4
    for index in range(rounds):
        step = torch.zeros(25)
        for client, memory in enumerate(memories):
            delta = Params.of({"x": 0.005 * curvatures[client] * (centres[client] - model)})
            done = compressor.compress(delta, memory, CodecContext(0, index, client, 4))
            memories[client] = done.memory
            step += compressor.chain.decode(done.data, delta.layout, index).flat / 4
        model += step
    return float((model - optimum).norm() / optimum.norm())


def test_memory_reaches_the_optimum_where_plain_topk_stalls() -> None:
    one_of_25 = {"kind": "topk", "ratio": 0.04}
    assert quadratic_error(one_of_25, 800) < 0.05
    assert quadratic_error({**one_of_25, "error_feedback": False}, 800) > 0.5


def dgc(**settings: Any) -> Compressor:
    return Compressor(chain({"kind": "dgc", "warmup_rounds": 0, "ratio": 1.0, **settings}))


@pytest.mark.parametrize("nesterov", [False, True])
def test_dgc_without_masking_is_momentum_sgd(nesterov: bool) -> None:  # noqa: FBT001
    deltas = updates(6)
    received, _ = send(dgc(factor_masking=False, nesterov=nesterov), deltas)
    weights = torch.nn.Parameter(torch.zeros(200, dtype=torch.float32))
    optimizer = torch.optim.SGD([weights], lr=1.0, momentum=0.9, nesterov=nesterov)
    model = torch.zeros(200)
    for delta, step in zip(deltas, received, strict=True):
        weights.grad = -delta.flat
        optimizer.step()
        model = model + step
        torch.testing.assert_close(model, weights.detach(), rtol=1e-6, atol=1e-5)


def test_dgc_that_sends_and_masks_everything_is_plain_sgd() -> None:
    deltas = updates(6)
    received, _ = send(dgc(), deltas)
    assert all(torch.equal(a, b.flat) for a, b in zip(received, deltas, strict=True))


def test_dgc_without_momentum_is_topk_with_memory() -> None:
    deltas = updates(10)
    one, memory = send(dgc(momentum=0.0, ratio=0.05), deltas)
    two, error = send(Compressor(chain({"kind": "topk", "ratio": 0.05})), deltas)
    assert all(torch.equal(a, b) for a, b in zip(one, two, strict=True))
    assert torch.equal(memory["sum"], error["error"])


def test_dgc_without_masking_loses_no_momentum() -> None:
    deltas = updates(30)
    received, memory = send(dgc(ratio=0.01, factor_masking=False), deltas)
    velocity, total = torch.zeros(200).double(), torch.zeros(200).double()
    for delta in deltas:
        velocity = 0.9 * velocity + delta.flat.double()
        total += velocity
    sent = torch.stack(received).double().sum(0)
    torch.testing.assert_close(sent + memory["sum"].double(), total, rtol=1e-5, atol=1e-4)


def test_dgc_forgets_the_momentum_of_what_it_sends_but_not_of_vectors() -> None:
    delta = Params.of({"w": torch.tensor([[1.0, 9.0]]), "b": torch.tensor([2.0, 3.0])})
    done = dgc(ratio=0.5).compress(delta, {}, CodecContext(0, 0, 1))
    assert done.memory["velocity"].tolist() == [1.0, 0.0, 2.0, 3.0]
    assert done.memory["sum"].tolist() == [1.0, 0.0, 0.0, 0.0]


def test_dgc_clips_before_it_accumulates() -> None:
    delta = Params.of({"w": torch.tensor([[3.0, 4.0]])})
    done = dgc(clip_norm=2.0).compress(delta, {}, CodecContext(0, 0, 1, cohort_size=16))
    sent = dgc(clip_norm=2.0).chain.decode(done.data, delta.layout, 0).flat
    assert sent.tolist() == pytest.approx([0.3, 0.4])
