"""What every federated method must do, whatever it computes.

A test class inherits from ``MethodContract`` and says which algorithm it is about::

    class TestFedAvg(MethodContract):
        algorithm = {"kind": "fedavg"}
"""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar

import pytest
import torch

from fedcore.aggregators import merge_in_tree
from fedcore.clients.training import Interrupted
from fedcore.clients.work import ClientResult, client_round
from fedcore.engine import checkpoint
from fedcore.engine.context import RunContext, build_context, initial_state
from fedcore.engine.planning import plan
from fedcore.environment import Folders
from fedcore.messages import Update
from fedcore.params import Params, Section
from fedcore.spec import RunSpec, check
from fedcore.state import RunState
from fedcore.wire import decode_update, encode, schema_of
from tests.fedcore.runs import (
    asked_times,
    assert_same_report,
    assert_same_state,
    never,
    play,
    play_in_parts,
    play_rounds,
    small_spec,
)


def model_bytes(numbers: int) -> int:
    """Return the bytes of so many float32 numbers."""
    return 4 * numbers


class MethodContract:
    """Tests that hold for every method; ``algorithm`` is its section of the spec."""

    algorithm: ClassVar[dict[str, Any]]
    #: Sections of the spec that the method needs besides its own.
    needs: ClassVar[dict[str, Any]] = {}
    #: Sizes of a message in multiples of the model, per participant and round.
    models_up: ClassVar[int] = 1
    models_down: ClassVar[int] = 1
    #: Header, numbers and padding of a message of the test's model are below this.
    overhead_bytes: ClassVar[int] = 1000

    def spec(self) -> RunSpec:
        return small_spec(algorithm=self.algorithm, **self.needs)

    @pytest.fixture
    def context(self, folders: Folders) -> RunContext:
        return build_context(self.spec(), folders)

    @pytest.fixture
    def middle(self, context: RunContext) -> RunState:
        """The state after two rounds, when a method has something to remember."""
        return play_rounds(context, 2)[0]

    def test_two_runs_of_one_spec_are_the_same(self, folders: Folders) -> None:
        first, second = (build_context(self.spec(), folders) for _ in range(2))
        state, reports = play_rounds(first, 2)
        state_again, reports_again = play_rounds(second, 2)
        assert_same_state(state, state_again)
        for report, again in zip(reports, reports_again, strict=True):
            assert_same_report(report, again)

    def test_another_seed_gives_another_model(self, context: RunContext, folders: Folders) -> None:
        other = build_context(self.spec().model_copy(update={"seed": 4}), folders)
        first, second = initial_state(context), initial_state(other)
        assert not torch.equal(first.model.flat, second.model.flat)

    def test_a_resumed_run_equals_an_uninterrupted_one(
        self, context: RunContext, middle: RunState, folders: Folders, tmp_path: Path
    ) -> None:
        checkpoint.save(tmp_path, middle, digest="d", data_fingerprint="f")
        fresh = build_context(self.spec(), folders)
        resumed = checkpoint.load(tmp_path, digest="d", data_fingerprint="f", device=fresh.device)
        assert_same_state(resumed, middle)
        expected, expected_reports = play_rounds(context, 2, middle)
        actual, actual_reports = play_rounds(fresh, 2, resumed)
        assert_same_state(actual, expected)
        for report, again in zip(actual_reports, expected_reports, strict=True):
            assert_same_report(report, again)

    @pytest.mark.parametrize("asked", [1, 3])
    def test_an_interrupted_round_leaves_no_trace(
        self, context: RunContext, middle: RunState, tmp_path: Path, asked: int
    ) -> None:
        checkpoint.save(tmp_path, middle, digest="d", data_fingerprint="f")
        before = checkpoint.load(tmp_path, digest="d", data_fingerprint="f", device=context.device)
        with pytest.raises(Interrupted):
            play(context, middle, asked_times(asked))
        assert_same_state(middle, before)

    def test_a_round_changes_no_earlier_state(
        self, context: RunContext, middle: RunState, tmp_path: Path
    ) -> None:
        checkpoint.save(tmp_path, middle, digest="d", data_fingerprint="f")
        before = checkpoint.load(tmp_path, digest="d", data_fingerprint="f", device=context.device)
        play(context, middle)
        assert_same_state(middle, before)

    def test_a_client_depends_on_its_task_alone(
        self, context: RunContext, middle: RunState
    ) -> None:
        tasks = plan(context, middle).work.tasks
        forward = [client_round(context.method, task, never) for task in tasks]
        backward = [client_round(context.method, task, never) for task in reversed(tasks)]
        for one, two in zip(forward, reversed(backward), strict=True):
            assert encode(one.update) == encode(two.update)
            assert one.num_seen == two.num_seen

    def test_the_clock_is_moved_by_the_work_that_is_done(
        self, context: RunContext, middle: RunState
    ) -> None:
        for task in plan(context, middle).work.tasks:
            done = client_round(context.method, task, never)
            assert done.num_seen == context.method.workload(len(task.data))

    def test_the_order_of_updates_matters_only_by_rounding(
        self, context: RunContext, middle: RunState
    ) -> None:
        updates = [result.update for result in self.results(context, middle)]
        forward = self.fold(context, middle, updates)
        assert_close(forward, self.fold(context, middle, updates[::-1]))

    def test_partial_results_can_be_merged(self, context: RunContext, middle: RunState) -> None:
        updates = [result.update for result in self.results(context, middle)]
        method = context.method
        parts = [method.fold(method.start(middle), update) for update in updates]
        merged = method.finish(merge_in_tree(parts, method.merge), middle)
        assert_close(self.fold(context, middle, updates), merged)

    @pytest.mark.parametrize("lanes_per_chunk", [1, 2])
    def test_a_round_in_parts_equals_a_whole_one(
        self, context: RunContext, middle: RunState, lanes_per_chunk: int
    ) -> None:
        """To the last bit, over bytes, and in whatever order the parts are trained."""
        if not context.spec.algorithm.takes_parts:
            pytest.skip("the spec refuses to share it out")
        whole, _ = play(context, middle)
        assert_same_state(play_in_parts(context, middle, lanes_per_chunk), whole)

    def test_reported_bytes_are_those_on_the_wire(
        self, context: RunContext, middle: RunState
    ) -> None:
        results = {result.update.client_id: result for result in self.results(context, middle)}
        tasks = {task.data.client_id: task for task in plan(context, middle).work.tasks}
        _, report = play(context, middle)
        assert {client.client_id for client in report.clients} == set(results)
        for client in report.clients:
            size = len(encode(results[client.client_id].update))
            exchanges = context.method.exchanges(middle, client.client_id)
            if exchanges is not None:  # with neighbours; there is no server
                assert client.bytes_up == client.bytes_down == exchanges * size
                continue
            assert client.bytes_up == size
            message = tasks[client.client_id].message
            travelling = context.method.travelling(message, middle, client.client_id)
            assert client.bytes_down == len(encode(travelling))
        assert report.bytes_up == sum(client.bytes_up for client in report.clients)
        assert report.bytes_down == plan(context, middle).bytes_down
        if not middle.flights:  # else some of it was sent earlier
            assert report.bytes_down == sum(client.bytes_down for client in report.clients)

    def test_messages_have_the_size_of_the_card(
        self, context: RunContext, middle: RunState
    ) -> None:
        _, report = play(context, middle)
        model = model_bytes(context.layout.total)
        for client in report.clients:
            assert 0 <= client.bytes_up - self.models_up * model < self.overhead_bytes
            assert 0 <= client.bytes_down - self.models_down * model < self.overhead_bytes

    def test_an_update_survives_the_wire(self, context: RunContext, middle: RunState) -> None:
        update = self.results(context, middle)[0].update
        expected = context.method.expected_update(middle, update.client_id)
        assert schema_of(update) == expected
        decoded = decode_update(encode(update), expected, max_bytes=10**9)
        assert encode(decoded) == encode(update)

    def test_compressed_updates_are_let_in(self, folders: Folders) -> None:
        document = self.spec().model_dump(mode="json")
        document["compression"] = {"uplink": [{"kind": "quantize", "bits": 8}]}
        spec = check(document).spec
        if spec is None:
            pytest.skip("the spec refuses to compress its updates")
        _, reports = play_rounds(build_context(spec, folders), 2)
        for report in reports:
            assert {client.reason for client in report.clients} == {None}

    def results(self, context: RunContext, state: RunState) -> list[ClientResult]:
        tasks = plan(context, state).work.tasks
        return [client_round(context.method, task, never) for task in tasks]

    def fold(self, context: RunContext, state: RunState, updates: list[Update]) -> RunState:
        accumulator = context.method.start(state)
        for update in updates:
            accumulator = context.method.fold(accumulator, update)
        return context.method.finish(accumulator, state)


def assert_close(first: RunState, second: RunState) -> None:
    """Compare what the server keeps up to rounding."""
    assert list(first.tensors) == list(second.tensors)
    for name, section in first.tensors.items():
        _assert_close_section(section, second.tensors[name])


def _assert_close_section(first: Section, second: Section) -> None:
    for name, tensor in first.items():
        torch.testing.assert_close(tensor, second[name], rtol=1e-5, atol=1e-6)


def filled(layout_of: Params, value: float) -> Params:
    """Return parameters that are all the same number."""
    return layout_of.with_flat(torch.full_like(layout_of.flat, value))


def with_model(state: RunState, model: Params) -> RunState:
    """Return a state with another global model."""
    tensors: Mapping[str, Section] = {**state.tensors, "model": model}
    return replace(state, tensors=tensors)
