"""Sites that the server does not wait for: whose update a step uses, and how much it counts."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from fedcore.engine import Answer, Assignment, Engine
from fedcore.params import vector
from fedcore.wire import decode_update
from tests.fedcore.runs import never
from tests.fedcore.test_at_sites import HOLDINGS, Sites, on_server, spec_of, state_of, whole

ALL = (0, 1, 2)
BUFF: dict[str, Any] = {"kind": "fedbuff", "buffer": 2, "restart": "at_aggregation"}


class Begun:
    """Updates of sites that train when they are sent a model, and deliver when a test says so."""

    def __init__(self, engine: Engine, sites: Sites) -> None:
        self.engine, self.sites = engine, sites
        self.made: dict[int, Answer] = {}
        self.early: dict[int, Answer] = {}
        self.sent: list[tuple[int, int]] = []

    def send(self) -> None:
        self.begin(self.engine.assignments(ALL, self.engine.outlook.at_work))

    def send_early(self, *delivered: int) -> None:
        """Let others take the places of sites, of which the last has only now delivered."""
        for client in delivered[-1:]:
            self.early[client] = replace(self.made.pop(client), is_replaced=True)
        held = {client for client, version in self.sent if version == self.engine.round_index}
        sent = self.engine.successors(ALL, delivered)
        self.begin([one for one in sent if one.client_id not in held])

    def begin(self, sent: list[Assignment]) -> None:
        for one in sent:
            made = self.sites.work[one.client_id].train(
                one.payload,
                round_index=one.version,
                cohort_size=2,
                kept=None,
                should_stop=never,
            )
            self.sent.append((one.client_id, one.version))
            self.made[one.client_id] = Answer(lambda payload=made.payload: payload)  # type: ignore[misc]

    def delta(self, client: int) -> Tensor:
        read = self.made[client].read
        assert read is not None
        context = whole(self.engine._context.spec)  # noqa: SLF001
        schema = context.method.expected_update(state_of(self.engine), client)
        update = decode_update(read(), schema, max_bytes=1 << 20)
        return vector(update.sections, "delta").flat

    def step(self, *clients: int, **failed: Answer) -> Any:
        answers = self.early | {c: self.made.pop(c) for c in clients}
        answers |= {int(c[1:]): a for c, a in failed.items()}
        self.early = {}
        return self.engine.finish_on_sites(ALL, answers, {})


def begun(tmp_path: Path, algorithm: dict[str, Any], **sections: Any) -> Begun:
    spec = spec_of(algorithm=algorithm, evaluation={"every": 100}, **sections)
    made = Begun(on_server(spec), Sites(spec, tmp_path))
    made.send()
    return made


def test_an_update_that_is_a_version_late_is_discounted(tmp_path: Path) -> None:
    run = begun(tmp_path, BUFF)
    start, d0, d1 = state_of(run.engine).model.flat, run.delta(0), run.delta(1)
    report = run.step(0, 1)
    first = start + (d0 + d1) / 2
    assert torch.allclose(state_of(run.engine).model.flat, first)
    assert run.engine.outlook.at_work == {2: 0}
    run.send()
    assert run.sent == [(0, 0), (1, 0), (2, 0), (0, 1), (1, 1)]
    d0, d2 = run.delta(0), run.delta(2)
    late = run.step(0, 2)
    assert torch.allclose(
        state_of(run.engine).model.flat, first + (d0 + d2 / math.sqrt(2)) / 2, atol=1e-7
    )
    assert [client.client_id for client in late.clients] == [0, 2]
    assert 3 * late.bytes_down == 2 * report.bytes_down, "two were sent a model, then three"


def test_every_arrival_counts_once_for_each_step_that_it_took(tmp_path: Path) -> None:
    run = begun(tmp_path, {"kind": "async-fedavg"})
    model, sizes = state_of(run.engine).model.flat, [holding.num_train for holding in HOLDINGS]
    for client, steps in ((1, 1), (0, 2), (2, 3), (1, 3)):
        model = model + run.delta(client) * steps * sizes[client] / sum(sizes)
        run.step(client)
        run.send()
        assert torch.allclose(state_of(run.engine).model.flat, model, atol=1e-6)


AT_ONCE: dict[str, Any] = {"kind": "fedbuff", "buffer": 2, "restart": "immediate"}


def test_a_site_that_delivers_a_stale_update_begins_at_once_with_the_model_as_it_is(
    tmp_path: Path,
) -> None:
    run = begun(tmp_path, AT_ONCE)
    run.step(0, 1)
    run.send()
    first, d2 = state_of(run.engine).model.flat, run.delta(2)
    run.send_early(2)
    assert run.sent[3:] == [(0, 1), (1, 1), (2, 1)]
    d0, again = run.delta(0), run.delta(2)
    run.step(0)
    second = first + (d0 + d2 / math.sqrt(2)) / 2
    assert torch.allclose(state_of(run.engine).model.flat, second, atol=1e-7)
    assert run.engine.outlook.at_work == {1: 1, 2: 1}
    run.send()
    d1 = run.delta(1)
    run.step(1, 2)
    third = second + (d1 + again) / math.sqrt(2) / 2
    assert torch.allclose(state_of(run.engine).model.flat, third, atol=1e-7)


def test_the_place_of_a_site_is_taken_by_one_that_has_nothing_to_do(tmp_path: Path) -> None:
    run = begun(tmp_path, AT_ONCE, sampling={"kind": "random", "count": 2})
    assert len(run.sent) == 2
    (one, other), (idle,) = (c for c, _ in run.sent), set(ALL) - {c for c, _ in run.sent}
    run.send_early(one)
    assert run.sent[2:] == [(idle, 0)]
    assert run.engine.successors(ALL, [one, other])[0].client_id == idle, "nobody else is left"
    report = run.step(other)
    assert [client.client_id for client in report.clients] == sorted([one, other])
    assert run.engine.outlook.at_work == {idle: 0}
    run.send()
    assert [version for _, version in run.sent[3:]] == [1]


def test_a_run_goes_on_from_its_file_with_the_sites_that_are_at_work(tmp_path: Path) -> None:
    run = begun(tmp_path, BUFF)
    run.step(0, 1)
    run.engine.save(tmp_path / "saved")
    spec = run.engine._context.spec  # noqa: SLF001
    other = Engine.resume(spec, tmp_path / "saved", holdings=HOLDINGS)
    assert other.outlook.at_work == {2: 0}
    (again,) = (one for one in other.assignments(ALL) if one.client_id == 2)
    assert again.version == 0, "whoever has lost its message gets the same one"
    run.send()
    answers = {c: run.made[c] for c in (0, 2)}
    run.step(0, 2)
    other.finish_on_sites(ALL, answers, {})
    assert torch.equal(state_of(other).model.flat, state_of(run.engine).model.flat)


def test_a_site_that_is_lost_is_sent_the_next_model(tmp_path: Path) -> None:
    run = begun(tmp_path, BUFF)
    report = run.step(0, 1, c2=Answer(status="lost", reason="revoked"))
    assert [client.status for client in report.clients] == ["ok", "ok", "lost"]
    run.send()
    assert run.sent[3:] == [(0, 1), (1, 1), (2, 1)]


def test_a_tick_is_a_share_of_the_time_that_a_site_has(tmp_path: Path) -> None:
    run = begun(tmp_path, {"kind": "fedfix", "tick": 0.25})
    wait = run.engine.outlook.wait
    assert wait is not None
    assert wait.count is None
    assert wait.seconds == pytest.approx(15.0)
    before = state_of(run.engine).model.flat
    assert run.step().participants == 0
    assert torch.equal(state_of(run.engine).model.flat, before)
    d1, size = run.delta(1), HOLDINGS[1].num_train / sum(h.num_train for h in HOLDINGS)
    run.step(1)
    assert torch.allclose(state_of(run.engine).model.flat, before + 2 * size * d1, atol=1e-6)
