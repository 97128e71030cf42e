"""Compression of what the server sends: weights, or changes that listeners add up."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from fedcore.clients.work import client_round
from fedcore.engine.context import RunContext, build_context, initial_state
from fedcore.engine.planning import plan
from fedcore.environment import Folders
from fedcore.messages import Message
from fedcore.params import Params
from fedcore.pipeline import Announcer
from fedcore.state import MODEL, RunState
from tests.fedcore.codecs import chain
from tests.fedcore.runs import assert_same_state, never, play, play_rounds, small_spec

TOPK = {"kind": "topk", "ratio": 0.1}


def context_of(tmp_path: Path, *downlink: dict[str, Any], **overrides: Any) -> RunContext:
    spec = small_spec(compression={"downlink": list(downlink)}, **overrides)
    return build_context(spec, Folders(None, tmp_path))


def received(context: RunContext, state: RunState) -> Params:
    """Return the model that all clients of the next round start from."""
    models = [task.message.sections[MODEL] for task in plan(context, state).work.tasks]
    assert all(model is models[0] for model in models)
    assert isinstance(models[0], Params)
    return models[0]


def sizes(context: RunContext, state: RunState) -> dict[int, int | None]:
    tasks = plan(context, state).work.tasks
    return {task.data.client_id: task.bytes_down for task in tasks}


def test_clients_start_from_what_they_can_decode(tmp_path: Path) -> None:
    context = context_of(tmp_path, {"kind": "quantize", "bits": 4})
    state = initial_state(context)
    model = received(context, state)
    step = {name: float(part.abs().max()) / 7 for name, part in state.model.items()}
    for name, part in state.model.items():
        assert float((model[name] - part).abs().max()) <= step[name] * 0.51
    assert not torch.equal(model.flat, state.model.flat)


def test_updates_are_measured_from_what_was_received(tmp_path: Path) -> None:
    context = context_of(tmp_path, {"kind": "quantize", "bits": 4}, local={"lr": 1e-12})
    state = initial_state(context)
    for task in plan(context, state).work.tasks:
        delta = client_round(context.method, task, never).update.sections["delta"]
        assert isinstance(delta, Params)
        assert float(delta.flat.abs().max()) < 1e-6
    after, _ = play(context, state)
    torch.testing.assert_close(after.model.flat, state.model.flat, atol=1e-6, rtol=0)


def test_eight_bits_are_a_quarter_of_the_download(tmp_path: Path) -> None:
    _, dense = play_rounds(context_of(tmp_path, model={"kind": "mlp", "hidden": [200]}), 2)
    coded = context_of(tmp_path, {"kind": "quantize"}, model={"kind": "mlp", "hidden": [200]})
    _, packed = play_rounds(coded, 2)
    assert packed[1].bytes_down < 0.27 * dense[1].bytes_down
    assert packed[1].bytes_up == dense[1].bytes_up


@pytest.mark.parametrize(
    "link", [{"kind": "topk", "ratio": 1.0}, {"kind": "cast", "dtype": "float32"}]
)
def test_a_lossless_download_changes_no_bit(tmp_path: Path, link: dict[str, Any]) -> None:
    plain, _ = play_rounds(context_of(tmp_path), 3)
    coded, _ = play_rounds(context_of(tmp_path, link), 3)
    assert torch.equal(plain.model.flat, coded.model.flat)


@pytest.mark.parametrize(
    "links",
    [
        [TOPK],
        [TOPK, {"kind": "quantize"}],
        [{"kind": "sign"}],
        [{"kind": "randk", "ratio": 0.2, "error_feedback": True}],
    ],
)
def test_listeners_catch_up_with_a_model_that_stands_still(links: list[dict[str, Any]]) -> None:
    generator = torch.Generator().manual_seed(0)
    first = Params.of({"w": torch.randn(20, 10, generator=generator)})
    state = RunState(round_index=0, tensors={MODEL: first})
    moved = first.with_flat(first.flat + torch.randn(200, generator=generator))
    codec = chain(*links)
    distances = []
    for index in range(40):
        tensors = {MODEL: first if index == 0 else moved}
        state = replace(state, round_index=index, tensors=tensors)
        announcer = Announcer(codec, state, seed=1)
        message = Message(sections={MODEL: state.model}, base_version=index)
        delivered = announcer.deliver(message, client_id=5).message.sections[MODEL]
        assert isinstance(delivered, Params)
        distances.append(float((delivered.flat - state.model.flat).norm()))
        state = replace(state, broadcast=replace(announcer.broadcast(), heard={5: index}))
    assert distances[0] == 0.0
    assert distances[-1] < 0.3 * distances[1]


def test_a_client_that_missed_a_message_gets_everything(tmp_path: Path) -> None:
    context = context_of(tmp_path, TOPK, rounds=6)
    state = initial_state(context)
    dense = max(size for size in sizes(context, state).values() if size is not None)
    assert set(sizes(context, state).values()) == {dense}
    heard: set[int] = set()
    seen = set()
    for _ in range(6):
        for client_id, size in sizes(context, state).items():
            assert size is not None
            assert (size < 0.4 * dense) == (client_id in heard)
            seen.add(client_id in heard)
        state, report = play(context, state)
        heard = {client.client_id for client in report.clients}
        assert {c for c, r in state.broadcast.heard.items() if r == report.round_index} == heard
    assert seen == {True, False}


def test_what_listeners_hold_is_the_same_for_all_and_kept_in_the_state(tmp_path: Path) -> None:
    context = context_of(tmp_path, TOPK)
    state, _ = play_rounds(context, 2)
    held = received(context, state)
    after, _ = play(context, state)
    kept = after.broadcast.sections[MODEL]
    assert isinstance(kept, Params)
    assert torch.equal(kept.flat, held.flat)


def test_without_compression_nothing_is_kept(tmp_path: Path) -> None:
    state, _ = play_rounds(context_of(tmp_path), 2)
    assert state.broadcast.sections == {}
    assert state.broadcast.heard == {}


@pytest.mark.parametrize(
    "link", [{"kind": "quantize"}, {"kind": "topk", "ratio": 0.2}, {"kind": "sign"}]
)
def test_every_method_trains_through_a_compressed_download(
    tmp_path: Path, link: dict[str, Any]
) -> None:
    context = context_of(tmp_path, link, algorithm={"kind": "scaffold"})
    state, reports = play_rounds(context, 4)
    again, _ = play_rounds(context, 4)
    assert_same_state(state, again)
    assert reports[-1].metrics["train_loss"] < reports[0].metrics["train_loss"]
