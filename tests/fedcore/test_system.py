"""Simulated hardware: speed, transfers, stragglers, lost clients and deadlines."""

from typing import Any

import pytest

from fedcore.engine.clock import Clock
from fedcore.engine.context import build_context
from fedcore.environment import Folders
from fedcore.errors import TooFewUpdatesError
from fedcore.spec.system import SystemSpec
from tests.fedcore.runs import assert_same_state, play_rounds, small_spec


def clock(**system: Any) -> Clock:
    return Clock(SystemSpec.model_validate(system), seed=3)


def test_time_is_work_plus_transfers_plus_latency() -> None:
    slow = clock(speed={"kind": "uniform", "samples_per_s": 50}, bandwidth_mbps=8, latency_s=0.25)
    assert slow.seconds(0, 0, num_seen=100, num_bytes=3_000_000) == pytest.approx(2 + 3 + 0.5)


def test_without_bandwidth_transfers_take_no_time() -> None:
    assert clock().seconds(0, 0, num_seen=500, num_bytes=10**12) == pytest.approx(0.5)


def test_lognormal_speeds_have_the_given_median_and_spread() -> None:
    law = clock(speed={"kind": "lognormal", "sigma": 0.5})
    speeds = sorted(law.speed(client) for client in range(2001))
    assert speeds[1000] == pytest.approx(1000, rel=0.06)
    assert speeds[1682] / speeds[1000] == pytest.approx(1.65, rel=0.08)  # one deviation: e^0.5


def test_a_share_of_the_clients_is_slow_and_stays_slow() -> None:
    law = clock(speed={"kind": "tiers", "slow_fraction": 0.2, "slowdown": 4})
    speeds = [law.speed(client) for client in range(1000)]
    assert set(speeds) == {1000.0, 250.0}
    assert 150 < speeds.count(250.0) < 250
    assert speeds == [law.speed(client) for client in range(1000)]


def test_stragglers_are_drawn_anew_in_every_round() -> None:
    law = clock(stragglers=0.3, straggler_factor=10)
    seconds = [law.seconds(r, 0, num_seen=100, num_bytes=0) for r in range(500)]
    slow = sum(value == pytest.approx(1.0) for value in seconds)
    assert 110 < slow < 190


def test_lost_clients_are_counted_and_leave_no_trace(folders: Folders) -> None:
    spec = small_spec(system={"dropout": 0.5}, sampling={"kind": "full"})
    state, reports = play_rounds(build_context(spec, folders), 3)
    statuses = [client.status for report in reports for client in report.clients]
    assert set(statuses) == {"ok", "lost"}
    for report in reports:
        lost = [client for client in report.clients if client.status == "lost"]
        assert report.participants == len(report.clients) - len(lost)
        assert all(client.bytes_up == 0 and client.bytes_down > 0 for client in lost)
        assert all(client.reason for client in lost)
    again, _ = play_rounds(build_context(spec, folders), 3)
    assert_same_state(state, again)


def test_without_dropout_the_model_is_that_of_the_plain_run(folders: Folders) -> None:
    plain, moved = (
        play_rounds(build_context(small_spec(system=system), folders), 2)[0]
        for system in ({}, {"stragglers": 0.5, "speed": {"kind": "lognormal"}})
    )
    assert plain.model.flat.equal(moved.model.flat)
    assert moved.totals.sim_seconds > plain.totals.sim_seconds


def test_a_round_ends_at_the_deadline_without_the_late(folders: Folders) -> None:
    system = {"speed": {"kind": "tiers", "slow_fraction": 0.5, "slowdown": 1000}}
    spec = small_spec(
        system=system, sampling={"kind": "full"}, runtime={"deadline_s": 20.0, "device": "cpu"}
    )
    _, (report,) = play_rounds(build_context(spec, folders), 1)
    late = [client for client in report.clients if client.status == "late"]
    assert late
    assert report.participants == len(report.clients) - len(late)
    assert report.sim_seconds == 20.0
    assert all("deadline_s" in (client.reason or "") for client in late)


def test_too_few_left_fail_the_round_and_say_why(folders: Folders) -> None:
    spec = small_spec(
        system={"dropout": 0.9}, sampling={"kind": "full"}, runtime={"min_updates": 6}
    )
    with pytest.raises(TooFewUpdatesError) as caught:
        play_rounds(build_context(spec, folders), 1)
    assert caught.value.field == "system.dropout"
