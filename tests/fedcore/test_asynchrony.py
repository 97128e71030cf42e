"""Asynchronous FedAvg, FedFix and FedBuff: their contract, reductions and checks of the card."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest
import torch

from fedcore.clients.training import ClientData, Trained
from fedcore.engine.context import RunContext, build_context, initial_state
from fedcore.engine.planning import plan
from fedcore.environment import Folders
from fedcore.errors import TooFewUpdatesError
from fedcore.messages import Arrival, Message, Update
from fedcore.spec import RunSpec, check, estimate
from fedcore.state import MODEL, RunState
from tests.fedcore.contract import MethodContract
from tests.fedcore.flying import Course, fly
from tests.fedcore.quadratic import Bed
from tests.fedcore.runs import play_rounds, small_spec

#: Clients from slow to fast, so that some are at work for several steps of the server.
UNEQUAL: dict[str, Any] = {
    "sampling": {"kind": "full"},
    "system": {"speed": {"kind": "lognormal", "sigma": 1.0}, "bandwidth_mbps": 1.0},
}
TIMES = {client: 1.0 - 0.08 * client for client in range(10)}


class AsynchronousContract(MethodContract):
    needs = UNEQUAL

    def test_clients_are_at_work_between_two_rounds(self, middle: RunState) -> None:
        assert middle.flights
        assert any(flight.message.base_version < 2 for flight in middle.flights.values())

    def test_clients_at_work_share_the_models_they_began_with(self, middle: RunState) -> None:
        models = {id(f.message.sections[MODEL]) for f in middle.flights.values()}
        versions = {f.message.base_version for f in middle.flights.values()}
        assert len(models) == len(versions)


class TestAsyncFedAvg(AsynchronousContract):
    algorithm = {"kind": "async-fedavg"}


class TestFedFix(AsynchronousContract):
    algorithm = {"kind": "fedfix", "tick": 0.4}


class TestFedBuff(AsynchronousContract):
    algorithm = {"kind": "fedbuff", "buffer": 3}


class TestFedBuffWithSampledClients(AsynchronousContract):
    algorithm = {"kind": "fedbuff", "buffer": 2}
    needs = {**UNEQUAL, "sampling": {"kind": "random", "count": 4}}


def rounds(folders: Folders, count: int, **sections: Any) -> RunState:
    return play_rounds(build_context(small_spec(**{**UNEQUAL, **sections}), folders), count)[0]


def test_a_tick_as_long_as_the_slowest_client_is_fedavg_to_the_last_bit(folders: Folders) -> None:
    plain = rounds(folders, 3, algorithm={"kind": "fedavg"})
    ticking = rounds(folders, 3, algorithm={"kind": "fedfix", "tick": 1.0})
    assert torch.equal(plain.model.flat, ticking.model.flat)
    assert not ticking.flights
    assert ticking.totals.sim_seconds == pytest.approx(plain.totals.sim_seconds)


def test_a_buffer_for_everybody_is_uniform_fedavg_to_the_last_bit(folders: Folders) -> None:
    uniform = {"kind": "mean", "weighting": "uniform"}
    plain = rounds(folders, 3, algorithm={"kind": "fedavg"}, aggregation=uniform)
    full = {"kind": "fedbuff", "buffer": 6}
    buffered = rounds(folders, 3, algorithm=full)
    assert torch.equal(plain.model.flat, buffered.model.flat)
    assert replace(buffered.totals, seconds=0) == replace(plain.totals, seconds=0)


def test_equally_fast_clients_take_turns_and_count_all_clients_times_their_share() -> None:
    bed = flying_bed({"kind": "async-fedavg"}, dict.fromkeys(range(10), 2.0))
    update = bed_update(bed, Arrival(staleness=9, rounds=10, seconds=2.0))
    share = bed.method.share(update) / bed.method.total  # type: ignore[attr-defined]
    assert share == pytest.approx(10 * 0.1)


def test_the_same_bytes_are_sent_and_received_in_the_long_run(folders: Folders) -> None:
    context = build_context(small_spec(algorithm={"kind": "async-fedavg"}, **UNEQUAL), folders)
    state, reports = play_rounds(context, 5)
    at_work = sum(flight.bytes_down for flight in state.flights.values())
    arrived = sum(client.bytes_down for report in reports for client in report.clients)
    assert state.totals.bytes_down == arrived + at_work


def test_a_client_that_is_replaced_at_once_begins_before_the_step_is_over(
    folders: Folders,
) -> None:
    def begun_midway(restart: str) -> bool:
        algorithm = {"kind": "fedbuff", "buffer": 3, "restart": restart}
        state = rounds(folders, 4, algorithm=algorithm)
        return any(flight.since > flight.message.base_version for flight in state.flights.values())

    assert begun_midway("immediate")
    assert not begun_midway("at_aggregation")


def test_nobody_counts_twice_in_a_step_or_is_sent_a_version_twice(folders: Folders) -> None:
    spec = small_spec(algorithm={"kind": "fedbuff", "buffer": 4}, **UNEQUAL)
    context = build_context(spec, folders)
    state, used = play_rounds(context, 0)[0], []
    for _ in range(6):
        planned = plan(context, state)
        used += [(task.data.client_id, task.round_index) for task in planned.work.tasks]
        assert len(planned.work.tasks) == 4
        state = play_rounds(context, 1, state)[0]
    assert len(set(used)) == len(used)


def test_lost_clients_are_missed_and_begin_again(folders: Folders) -> None:
    system = {**UNEQUAL["system"], "dropout": 0.4}
    spec = small_spec(algorithm={"kind": "async-fedavg"}, **{**UNEQUAL, "system": system})
    state, reports = play_rounds(build_context(spec, folders), 12)
    statuses = [client.status for report in reports for client in report.clients]
    assert statuses.count("ok") == 12
    assert "lost" in statuses
    assert len(state.flights) == 5  # all but the one that has just delivered


def test_if_everybody_is_lost_the_round_fails_and_says_why(folders: Folders) -> None:
    system = {**UNEQUAL["system"], "dropout": 0.999999}
    spec = small_spec(algorithm={"kind": "fedbuff", "buffer": 2}, **{**UNEQUAL, "system": system})
    with pytest.raises(TooFewUpdatesError) as caught:
        play_rounds(build_context(spec, folders), 1)
    assert caught.value.field == "system.dropout"


def test_a_tick_without_arrivals_keeps_the_model_and_moves_the_clock(folders: Folders) -> None:
    spec = small_spec(algorithm={"kind": "fedfix", "tick": 0.001}, **UNEQUAL)
    context = build_context(spec, folders)
    before = play_rounds(context, 0)[0]
    after, (report,) = play_rounds(context, 1)
    assert torch.equal(after.model.flat, before.model.flat)
    assert (report.participants, len(after.flights)) == (0, 6)
    assert report.sim_seconds > 0
    assert "train_loss" not in report.metrics


def flying_bed(algorithm: dict[str, object], times: Mapping[int, float] = TIMES) -> Bed:
    """Return quadratics whose model begins where it should end, so that nothing has to settle."""
    bed = Bed.of(algorithm, steps=2, lr=0.02, durations=times)
    optimum = bed.state.model.with_flat(bed.problem.optimum.clone())
    bed.state = replace(bed.state, tensors={MODEL: optimum})
    return bed


def bed_update(bed: Bed, arrival: Arrival) -> Update:
    sections = {"delta": bed.state.model}
    return Update(sections=sections, base_version=0, client_id=0, weight=1.0, arrival=arrival)


def course(**algorithm: Any) -> Course:
    return fly(flying_bed(algorithm), TIMES, horizon_s=40)


@pytest.fixture(scope="module")
def courses() -> dict[str, Course]:
    return {
        "async": course(kind="async-fedavg"),
        "async identical": course(kind="async-fedavg", weights="identical", server_lr=0.1),
        "fedfix": course(kind="fedfix"),
        "fedfix identical": course(kind="fedfix", weights="identical"),
    }


@pytest.mark.parametrize("kind", ["async", "fedfix"])
def test_unbiased_weights_undo_what_unequal_speeds_do(
    courses: dict[str, Course], kind: str
) -> None:
    assert courses[kind].error < 0.2 * courses[f"{kind} identical"].error


def test_fedfix_is_steadier_than_a_step_at_every_arrival(courses: dict[str, Course]) -> None:
    assert courses["fedfix"].variance < 0.1 * courses["async"].variance
    assert courses["fedfix"].steps < courses["async"].steps


def test_what_cannot_be_asynchronous_is_refused_by_path() -> None:
    def paths(**sections: Any) -> set[str]:
        return {problem.path for problem in check(sections).problems}

    full = {"kind": "full"}
    fix = {"algorithm": {"kind": "fedfix"}, "sampling": full}
    assert paths(**fix) == set()
    assert paths(algorithm={"kind": "fedfix"}) == {"sampling.kind"}
    assert paths(**fix, runtime={"deadline_s": 5}) == {"runtime.deadline_s"}
    assert paths(**fix, aggregation={"kind": "median"}) == {"aggregation.kind"}
    uniform = {"kind": "mean", "weighting": "uniform"}
    assert paths(**fix, aggregation=uniform) == {"aggregation.weighting"}
    assert paths(algorithm={"kind": "fedbuff", "buffer": 11}) == {"algorithm.buffer"}
    assert paths(algorithm={"kind": "fedbuff", "weights": "unbiased"}) == {"sampling.kind"}


def test_the_estimate_counts_one_update_per_arrival() -> None:
    spec = RunSpec.parse({"algorithm": {"kind": "async-fedavg"}, "sampling": {"kind": "full"}})
    everyone = RunSpec.parse({"sampling": {"kind": "full"}})
    one, all_of_them = estimate(spec), estimate(everyone)
    assert one.bytes_up_per_round == (all_of_them.bytes_up_per_round or 0) // 20


@pytest.mark.parametrize("kind", ["topk", "quantize"])
def test_compressed_updates_arrive_late_too(folders: Folders, kind: str) -> None:
    state = rounds(
        folders,
        8,
        algorithm={"kind": "fedbuff", "buffer": 2},
        compression={"uplink": [{"kind": kind}], "downlink": [{"kind": kind}]},
    )
    assert torch.isfinite(state.model.flat).all()


def test_the_clock_says_what_the_simulation_does(folders: Folders) -> None:
    context: RunContext = build_context(
        small_spec(algorithm={"kind": "async-fedavg"}, **UNEQUAL), folders
    )
    durations = context.method.context.population.durations()
    _, reports = play_rounds(context, 4)
    for report in reports:
        for client in report.clients:
            assert client.sim_seconds == durations[client.client_id]


def spoilt(folders: Folders, bad: set[int]) -> RunContext:
    """Return an asynchronous run with a step at every arrival, some of whose clients send NaN."""
    context = build_context(small_spec(algorithm={"kind": "async-fedavg"}, **UNEQUAL), folders)

    class Spoilt(type(context.method)):  # type: ignore[misc]
        def uplink(self, trained: Trained, message: Message, data: ClientData) -> Update:
            update: Update = super().uplink(trained, message, data)
            if data.client_id in bad:
                return replace(update, scalars={**update.scalars, "loss": math.nan})
            return update

    method = Spoilt(context.spec.algorithm, context.method.context)
    return replace(context, methods=(method,))


def test_a_client_whose_updates_are_refused_does_not_end_an_asynchronous_run(
    folders: Folders,
) -> None:
    context = spoilt(folders, {0})
    state, reports = play_rounds(context, 40)
    empty = [report for report in reports if not report.participants]
    assert empty
    assert all(
        [(client.client_id, client.status) for client in report.clients] == [(0, "refused")]
        for report in empty
    )
    assert state.round_index == 40
    assert not torch.equal(state.model.flat, initial_state(context).model.flat)


def test_an_asynchronous_run_that_can_use_nobody_s_updates_fails(folders: Folders) -> None:
    context = spoilt(folders, set(range(context_size(folders))))
    with pytest.raises(TooFewUpdatesError) as caught:
        play_rounds(context, 40)
    assert caught.value.context["round_index"] == context_size(folders) - 1


def context_size(folders: Folders) -> int:
    return len(spoilt(folders, set()).available)
