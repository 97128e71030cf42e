"""The order of operations on an update, and what the gate does with damaged ones."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from itertools import groupby
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from fedcore.algorithms.fedavg import FedAvg
from fedcore.attacks import Adversaries, Attack
from fedcore.clients.trainer import AutogradTrainer
from fedcore.clients.work import ClientResult, client_round
from fedcore.compression import Chain
from fedcore.compression.memory import ErrorFeedback
from fedcore.compression.quantize import Quantize
from fedcore.compression.support import TopK
from fedcore.engine import checkpoint
from fedcore.engine.admission import Gate, longest_allowed
from fedcore.engine.context import RunContext, build_context, initial_state
from fedcore.engine.intake import take_in_lane
from fedcore.engine.planning import plan
from fedcore.environment import Folders
from fedcore.params import Params
from fedcore.pipeline import PACKED
from fedcore.privacy.clients import ClientPrivacy
from fedcore.spec.aggregators import AggregationSpec
from fedcore.state import RunState
from fedcore.wire import encode
from tests.fedcore.runs import assert_same_state, never, play, play_rounds, small_spec

TOPK = {"kind": "topk", "ratio": 0.05}
INT8 = {"kind": "quantize"}


def context_of(tmp_path: Path, **overrides: Any) -> RunContext:
    return build_context(small_spec(**overrides), Folders(None, tmp_path))


class TwoHooks(Attack):
    """An attack at both places."""

    def poison_labels(self, labels: Tensor, num_classes: int) -> Tensor:
        return (labels + 1) % num_classes

    def poison_update(self, update: Tensor, generator: torch.Generator) -> Tensor:  # noqa: ARG002
        return -update


@pytest.fixture
def steps(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Record the steps of the pipeline as they are taken."""
    taken: list[str] = []

    def watch(owner: type, name: str, label: str) -> None:
        original: Callable[..., Any] = getattr(owner, name)

        def recorded(*args: Any, **kwargs: Any) -> Any:
            taken.append(label)
            return original(*args, **kwargs)

        monkeypatch.setattr(owner, name, recorded)

    watch(TwoHooks, "poison_labels", "poison data")
    watch(AutogradTrainer, "train", "train")
    watch(FedAvg, "uplink", "delta")
    watch(TwoHooks, "poison_update", "poison update")
    watch(ErrorFeedback, "enter", "add memory")
    watch(TopK, "chooser", "choose entries")
    watch(Quantize, "encode", "code values")
    watch(ErrorFeedback, "leave", "keep the rest")
    watch(Gate, "_sender_problem", "check sender")
    watch(Gate, "_content_problem", "check content")
    watch(Chain, "decode", "decode")
    watch(FedAvg, "fold", "aggregate")
    watch(FedAvg, "server_step", "server step")
    watch(ClientPrivacy, "cut", "cut to the clip")
    watch(ClientPrivacy, "_noisy", "noise, then division")
    watch(ClientPrivacy, "metrics", "account")
    return taken


def test_the_order_of_operations_is_the_one_that_was_designed(
    tmp_path: Path, steps: list[str]
) -> None:
    context = context_of(
        tmp_path,
        compression={"uplink": [TOPK, INT8]},
        attack={"kind": "sign_flip", "fraction": 1.0},
        sampling={"kind": "random", "count": 1},
        local={"epochs": None, "steps": 1},
    )
    honest = context.pipeline.adversaries
    assert honest is not None
    adversaries = Adversaries(honest.spec, TwoHooks(), honest.clients, honest.num_classes)
    attacked = replace(context, pipeline=replace(context.pipeline, adversaries=adversaries))
    play(attacked, initial_state(attacked))
    order = [step for place, step in enumerate(steps) if step not in steps[:place]]
    assert order == [
        "poison data",
        "train",
        "delta",
        "poison update",
        "add memory",
        "choose entries",
        "code values",
        "decode",  # by the client, which keeps what the server will not see
        "keep the rest",
        "check sender",
        "check content",
        "aggregate",
        "server step",
    ]
    assert steps.index("check content") < len(steps) - 1 - steps[::-1].index("decode")
    assert len(steps) - 1 - steps[::-1].index("decode") < steps.index("aggregate")


def test_with_privacy_the_clip_comes_last_and_the_noise_once(
    tmp_path: Path, steps: list[str]
) -> None:
    context = context_of(
        tmp_path,
        compression={"uplink": [INT8]},
        aggregation={"kind": "mean", "weighting": "uniform"},
        privacy={"dp": {"noise_multiplier": 1.0}},
        sampling={"kind": "random", "count": 2},
        local={"epochs": None, "steps": 1},
    )
    play(context, initial_state(context))
    of_client = [
        "train",
        "delta",
        "cut to the clip",
        "code values",
        "check sender",
        "check content",
        "decode",
        "cut to the clip",
        "aggregate",
    ]
    taken = [step for step, _ in groupby(steps)]  # values are coded tensor by tensor
    assert taken == [*of_client, *of_client, "noise, then division", "server step", "account"]


def test_adversaries_pass_the_same_codecs_as_everybody(tmp_path: Path) -> None:
    honest = context_of(tmp_path, compression={"uplink": [TOPK]})
    attacked = context_of(
        tmp_path,
        compression={"uplink": [TOPK]},
        attack={"kind": "sign_flip", "fraction": 1.0, "scale": 2.0},
    )
    one, _ = play(honest, initial_state(honest))
    two, _ = play(attacked, initial_state(attacked))
    for client_id, kept in one.clients.items():
        error = two.clients[client_id].memory["delta"]["error"]
        assert torch.equal(error, kept.memory["delta"]["error"] * -2)


def first_result(context: RunContext, state: RunState) -> ClientResult:
    task = plan(context, state).work.tasks[0]
    return client_round(context.method, task, never, pipeline=context.pipeline)


def test_reported_bytes_are_bytes_on_the_wire(tmp_path: Path) -> None:
    context = context_of(tmp_path, compression={"uplink": [TOPK, INT8], "downlink": [INT8]})
    state = initial_state(context)
    planned = plan(context, state)
    _, report = play(context, state)
    for task, client in zip(planned.work.tasks, report.clients, strict=True):
        result = client_round(context.method, task, never, pipeline=context.pipeline)
        assert client.bytes_up == len(encode(result.update))
        assert client.bytes_down == task.bytes_down
    assert report.bytes_up == sum(client.bytes_up for client in report.clients)


def test_a_damaged_update_is_refused_and_comes_back_to_its_client(tmp_path: Path) -> None:
    context = context_of(tmp_path, compression={"uplink": [TOPK]})
    work = plan(context, initial_state(context)).work
    results = [
        client_round(context.method, t, never, pipeline=context.pipeline) for t in work.tasks
    ]
    data = results[0].update.sections["delta"][PACKED].clone()
    data[-4:] = torch.tensor([float("nan")]).view(torch.uint8)
    damaged = replace(results[0].update, sections={"delta": {PACKED: data}})
    results[0] = replace(results[0], update=damaged)
    progress = take_in_lane(context, work.asked, work.tasks, iter(results))
    refused = progress.reports[0]
    assert refused.status == "refused"
    assert refused.reason is not None
    assert refused.reason.startswith("not finite")
    assert progress.accumulator.count == len(results) - 1


def test_an_update_that_was_not_applied_is_sent_again(tmp_path: Path) -> None:
    context = context_of(tmp_path, compression={"uplink": [TOPK]})
    work = plan(context, initial_state(context)).work
    results = [
        client_round(context.method, t, never, pipeline=context.pipeline) for t in work.tasks
    ]
    stale = replace(results[0], update=replace(results[0].update, base_version=7))
    progress = take_in_lane(context, work.asked, work.tasks, iter([stale, *results[1:]]))
    plain = client_round(context.method, work.tasks[0], never).update.sections["delta"]
    assert isinstance(plain, Params)
    memory = progress.kept[stale.update.client_id].memory["delta"]
    torch.testing.assert_close(memory["error"], plain.flat)
    assert set(progress.kept) == {result.update.client_id for result in results}


def test_a_flipped_exponent_is_refused_by_its_length(tmp_path: Path) -> None:
    context = context_of(tmp_path, sampling={"kind": "full"})
    state, _ = play(context, initial_state(context))
    assert len(state.norms) == 6
    work = plan(context, state).work
    results = [client_round(context.method, task, never) for task in work.tasks]
    delta = results[1].update.sections["delta"]
    assert isinstance(delta, Params)
    flat = delta.flat.clone()
    flat[7] = 1e25
    huge = replace(results[1].update, sections={"delta": delta.with_flat(flat)})
    results[1] = replace(results[1], update=huge)
    progress = take_in_lane(context, work.asked, work.tasks, iter(results))
    assert [report.status for report in progress.reports].count("refused") == 1
    assert str(progress.reports[1].reason).startswith("too long: its length is")
    assert progress.reports[0].update_norm == pytest.approx(
        float(results[0].update.sections["delta"].flat.norm()),  # type: ignore[attr-defined]
        rel=1e-5,
    )


@pytest.mark.parametrize(
    ("norms", "limit"), [((), None), ((0.0, 0.0, 3.0), None), ((1.0, 2.0, 90.0), 2000.0)]
)
def test_the_middle_of_the_latest_lengths_bounds_the_next(
    norms: tuple[float, ...], limit: float | None
) -> None:
    assert longest_allowed(norms) == limit


def test_a_payload_of_another_size_is_refused_before_it_is_decoded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    context = context_of(tmp_path, compression={"uplink": [INT8]})
    work = plan(context, initial_state(context)).work
    result = first_result(context, initial_state(context))
    data = result.update.sections["delta"][PACKED]
    bomb = replace(result.update, sections={"delta": {PACKED: torch.cat([data, data])}})
    monkeypatch.setattr(Chain, "decode", None)
    outcomes = iter([replace(result, update=bomb)])
    progress = take_in_lane(context, work.asked, work.tasks[:1], outcomes)
    assert progress.reports[0].status == "refused"
    assert "wrong shape" in str(progress.reports[0].reason)


@pytest.mark.parametrize("kind", AggregationSpec.kinds())
def test_a_client_that_sends_nan_counts_as_absent(tmp_path: Path, kind: str) -> None:
    settings: dict[str, Any] = {"kind": kind}
    if "byzantine_fraction" in AggregationSpec.kinds()[kind].model_fields:
        settings["byzantine_count"] = 0
    context = context_of(tmp_path, aggregation=settings, sampling={"kind": "full"})
    work = plan(context, initial_state(context)).work
    results = [client_round(context.method, task, never) for task in work.tasks]
    bad = results[2].update.sections["delta"]
    assert isinstance(bad, Params)
    flat = bad.flat.clone()
    flat[0] = float("nan")
    liar = replace(results[2].update, sections={"delta": bad.with_flat(flat)})
    with_liar = [*results[:2], replace(results[2], update=liar), *results[3:]]
    progress = take_in_lane(context, work.asked, work.tasks, iter(with_liar))
    rest = tuple(task for place, task in enumerate(work.tasks) if place != 2)
    without = take_in_lane(context, work.asked, rest, iter([*results[:2], *results[3:]]))
    aggregator = context.method.context.aggregator
    one, two = (aggregator.finish(p.accumulator)["delta"] for p in (progress, without))
    assert all(torch.equal(one[name], two[name]) for name in one)
    assert progress.reports[2].status == "refused"


def test_a_loss_of_everything_is_said_once_per_round(tmp_path: Path) -> None:
    coarse = {"kind": "quantize", "mode": "fixed", "step": 1.0}
    context = context_of(tmp_path, compression={"uplink": [coarse]})
    before = initial_state(context)
    after, report = play(context, before)
    assert torch.equal(after.model.flat, before.model.flat)
    (warning,) = report.warnings
    assert warning.startswith("3 clients: Compression left nothing of the update")
    assert report.to_json()["warnings"] == [warning]
    fine = context_of(tmp_path, compression={"uplink": [INT8]})
    assert play(fine, before)[1].warnings == ()


@pytest.mark.parametrize(
    "overrides",
    [
        {"compression": {"uplink": [TOPK, INT8]}},
        {"compression": {"uplink": [{"kind": "dgc", "ratio": 0.01}]}},
        {"compression": {"uplink": [{"kind": "randk"}, {"kind": "qsgd"}]}},
        {"compression": {"downlink": [{"kind": "topk", "ratio": 0.1}]}},
        {"compression": {"downlink": [{"kind": "qsgd"}]}},
        {"aggregation": {"kind": "centered_clipping", "radius": 0.5}},
        {"aggregation": {"kind": "centered_clipping"}},
        {"attack": {"kind": "additive_noise", "fraction": 0.5}},
    ],
)
def test_stopping_and_going_on_changes_no_bit(tmp_path: Path, overrides: dict[str, Any]) -> None:
    context = context_of(tmp_path, **overrides)
    whole, _ = play_rounds(context, 4)
    half, _ = play_rounds(context, 2)
    digest = context.spec.digest()
    checkpoint.save(tmp_path / "saved", half, digest=digest, data_fingerprint="data")
    loaded = checkpoint.load(
        tmp_path / "saved", digest=digest, data_fingerprint="data", device=context.device
    )
    assert_same_state(loaded, half)
    resumed, _ = play_rounds(context, 2, loaded)
    assert_same_state(resumed, whole)
