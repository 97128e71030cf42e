"""A run on sites comes to the bits of the same run simulated, and lets nothing else in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from fedcore.data.dataset import Dataset, Examples
from fedcore.data.sites import Holding
from fedcore.engine import Answer, Engine, RoundReport, SiteTally
from fedcore.engine.context import RunContext, context_of, initial_state
from fedcore.engine.site_work import SiteWork, load_kept, save_kept
from fedcore.environment import Folders
from fedcore.errors import CheckpointError, DatasetError, TooFewUpdatesError, WireError
from fedcore.params import vector
from fedcore.partition.sites import shares_of_sites
from fedcore.spec import RunSpec, estimate
from fedcore.spec.algorithms import AlgorithmSpec
from fedcore.state import ClientState
from fedcore.wire import decode_update, encode
from tests.fedcore.runs import never, play

NAMES = ("north", "south", "east")
SIZES = (40, 25, 31)
TESTED = (10, 7, 8)
#: Names and numbers before the tensors of a round's messages, and padding.
HEADERS = 3000
FEATURES = 5

SPEC: dict[str, Any] = {
    "seed": 3,
    "rounds": 4,
    "dataset": {
        "kind": "sites",
        "name": "numbers",
        "inputs": [{"column": f"x{n}"} for n in range(FEATURES)],
        "target": {"column": "y", "classes": ["no", "yes"]},
    },
    "partition": {"kind": "sites", "clients": 3},
    "model": {"kind": "mlp", "hidden": [6]},
    "sampling": {"kind": "full"},
    "local": {"epochs": 2, "batch_size": 8, "lr": 0.1},
    "evaluation": {"per_client": True},
    "runtime": {
        "placement": "sites",
        "sites": list(NAMES),
        "round_limit_s": 60,
        "kernels": "autograd",
    },
}
HOLDINGS = tuple(map(Holding, NAMES, SIZES, TESTED))


def spec_of(**sections: Any) -> RunSpec:
    return RunSpec.parse({**SPEC, **sections})


def examples(sizes: tuple[int, ...]) -> Examples:
    random = torch.Generator().manual_seed(sum(sizes))
    x = torch.randn(sum(sizes), FEATURES, generator=random)
    return Examples(x, (x[:, 0] + x[:, 1] > 0).to(torch.int64))


def whole(spec: RunSpec) -> RunContext:
    """Return the same run with the examples of all sites in one place."""
    dataset = Dataset(train=examples(SIZES), test=examples(TESTED), num_classes=2)
    return context_of(spec, dataset, shares_of_sites(HOLDINGS))


class Sites:
    """The sites of a run, each with nothing but its own examples."""

    def __init__(self, spec: RunSpec, tmp_path: Path) -> None:
        self.kept: dict[int, ClientState | None] = {}
        self.work: list[SiteWork] = []
        train, test = examples(SIZES), examples(TESTED)
        for client, parts in enumerate(
            zip(train.x.split(SIZES), train.y.split(SIZES), test.x.split(TESTED),
                test.y.split(TESTED), strict=True)
        ):  # fmt: skip
            own = Dataset(train=Examples(*parts[:2]), test=Examples(*parts[2:]), num_classes=2)
            self.work.append(SiteWork.open(spec, own, client, Folders(None, tmp_path)))

    def train(self, engine: Engine, reachable: tuple[int, ...]) -> dict[int, Answer]:
        answers = {}
        assigned = engine.assignments(reachable)
        for one in assigned:
            made = self.work[one.client_id].train(
                one.payload,
                round_index=engine.round_index,
                cohort_size=len(assigned),
                kept=self.kept.get(one.client_id),
                should_stop=never,
            )
            assert len(made.payload) == one.max_result_bytes
            if made.kept is not None:
                self.kept[one.client_id] = made.kept
            answers[one.client_id] = Answer(lambda payload=made.payload: payload, made.seconds)  # type: ignore[misc]
        return answers

    def test(self, model: bytes | None) -> dict[int, SiteTally]:
        if model is None:
            return {}
        tested = [work.test(model, should_stop=never) for work in self.work]
        return {n: SiteTally(one.num_examples, one.tally) for n, one in enumerate(tested)}

    def play(self, engine: Engine, reachable: tuple[int, ...] = (0, 1, 2)) -> RoundReport:
        answers = self.train(engine, reachable)
        tallies = self.test(engine.model_to_test(reachable, answers))
        return engine.finish_on_sites(reachable, answers, tallies)


def on_server(spec: RunSpec) -> Engine:
    return Engine.create(spec, holdings=HOLDINGS)


def state_of(engine: Engine) -> Any:
    return engine._state  # noqa: SLF001


def fitting() -> list[str]:
    kinds = AlgorithmSpec.kinds().items()
    return [kind for kind, cls in kinds if cls.fits_sites and not cls.is_asynchronous]


@pytest.mark.parametrize("kind", fitting())
def test_sites_come_to_the_bits_of_a_simulation(kind: str, tmp_path: Path) -> None:
    spec = spec_of(algorithm={"kind": kind})
    engine, sites, context = on_server(spec), Sites(spec, tmp_path), whole(spec)
    state = initial_state(context)
    for _ in range(3):
        state, expected = play(context, state)
        found = sites.play(engine)
        assert found.metrics == pytest.approx(dict(expected.metrics), abs=1e-12)
        assert found.bytes_up == expected.bytes_up
        assert found.participants == 3
        scores = {score.client_id: score.metrics["accuracy"] for score in expected.scores}
        assert {s.client_id: s.metrics["accuracy"] for s in found.scores} == pytest.approx(scores)
    assert torch.equal(state_of(engine).model.flat, state.model.flat)


def test_error_feedback_stays_on_the_sites(tmp_path: Path) -> None:
    spec = spec_of(
        compression={"uplink": [{"kind": "topk", "ratio": 0.2}, {"kind": "quantize", "bits": 8}]}
    )
    engine, sites, context = on_server(spec), Sites(spec, tmp_path), whole(spec)
    state = initial_state(context)
    for _ in range(3):
        state, expected = play(context, state)
        assert sites.play(engine).bytes_up == expected.bytes_up
    assert torch.equal(state_of(engine).model.flat, state.model.flat)
    assert len(state_of(engine).clients) == 0
    assert all(kept is not None and kept.memory for kept in sites.kept.values())


def test_rules_that_compare_updates_work_on_sites(tmp_path: Path) -> None:
    spec = spec_of(aggregation={"kind": "median"})
    engine, sites, context = on_server(spec), Sites(spec, tmp_path), whole(spec)
    state, _ = play(context, initial_state(context))
    sites.play(engine)
    assert torch.equal(state_of(engine).model.flat, state.model.flat)


def test_secret_noise_is_the_same_for_the_test_and_for_the_record(tmp_path: Path) -> None:
    spec = spec_of(
        privacy={"dp": {"noise_multiplier": 0.5, "epsilon": None, "clip_norm": 0.5}},
        aggregation={"kind": "mean", "weighting": "uniform"},
    )
    engine, sites = on_server(spec), Sites(spec, tmp_path)
    engine.save(tmp_path / "begun")
    answers = sites.train(engine, (0, 1, 2))
    model = engine.model_to_test((0, 1, 2), answers)
    other = Engine.resume(spec, tmp_path / "begun", holdings=HOLDINGS)
    assert other.model_to_test((0, 1, 2), answers) == model
    other.finish_on_sites((0, 1, 2), answers, sites.test(model))
    released = state_of(other).model
    assert sites.work[0].test(model or b"", should_stop=never).num_examples == TESTED[0]
    assert released.flat.numpy().tobytes() in (model or b"")


def test_the_model_to_test_is_the_message_of_the_next_round(tmp_path: Path) -> None:
    spec = spec_of()
    engine, sites = on_server(spec), Sites(spec, tmp_path)
    answers = sites.train(engine, (0, 1, 2))
    model = engine.model_to_test((0, 1, 2), answers)
    engine.finish_on_sites((0, 1, 2), answers, sites.test(model))
    assert {one.payload for one in engine.assignments((0, 1, 2))} == {model}


def test_a_round_goes_on_without_sites_that_say_nothing(tmp_path: Path) -> None:
    engine, sites = on_server(spec_of()), Sites(spec_of(), tmp_path)
    answers = sites.train(engine, (0, 1, 2))
    answers[1] = Answer(status="late", reason="nothing came within 60 s")
    tallies = sites.test(engine.model_to_test((0, 1, 2), answers))
    del tallies[1]
    report = engine.finish_on_sites((0, 1, 2), answers, tallies)
    assert report.participants == 2
    late = report.clients[1]
    assert (late.status, late.reason) == ("late", "nothing came within 60 s")
    assert [score.client_id for score in report.scores] == [0, 2]
    assert "accuracy" in report.metrics


def test_sites_that_cannot_be_reached_are_not_asked() -> None:
    assert [one.client_id for one in on_server(spec_of()).assignments((0, 2))] == [0, 2]


def test_too_few_answers_fail_the_round_with_each_reason(tmp_path: Path) -> None:
    spec = spec_of(runtime={**SPEC["runtime"], "min_updates": 3})
    engine, sites = on_server(spec), Sites(spec, tmp_path)
    answers = sites.train(engine, (0, 1, 2))
    answers[2] = Answer(status="refused", reason="the site refused: max_work.rounds")
    with pytest.raises(TooFewUpdatesError, match=r"client 2: the site refused: max_work\.rounds"):
        engine.model_to_test((0, 1, 2), answers)
    assert engine.round_index == 0


def forged(payload: bytes, spec: RunSpec, **changes: Any) -> bytes:
    context = whole(spec)
    schema = context.method.expected_update(initial_state(context), 0)
    update = decode_update(payload, schema, max_bytes=1 << 20)
    return encode(replace(update, **changes) if changes else update)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"client_id": 1}, "unknown client"),
        ({"base_version": 7}, "stale"),
        ({"weight": 1e9}, "bad weight"),
        ({"weight": -1.0}, "bad weight"),
        ({"scalars": {}}, "damaged: expected scalars"),
        ({"sections": {}}, "damaged: expected sections"),
    ],
)
def test_what_a_site_may_not_send_is_refused(
    change: dict[str, Any], reason: str, tmp_path: Path
) -> None:
    spec = spec_of()
    engine, sites = on_server(spec), Sites(spec, tmp_path)
    answers = sites.train(engine, (0, 1, 2))
    read = answers[0].read
    assert read is not None
    bad = forged(read(), spec, **change)
    answers[0] = Answer(lambda: bad)
    report = engine.finish_on_sites((0, 1, 2), answers, {})
    assert report.clients[0].status == "refused"
    assert str(report.clients[0].reason).startswith(reason)
    assert report.participants == 2


def test_bytes_that_are_no_update_are_refused(tmp_path: Path) -> None:
    spec = spec_of()
    engine, sites = on_server(spec), Sites(spec, tmp_path)
    answers: Mapping[int, Answer] = {
        **sites.train(engine, (0, 1, 2)),
        0: Answer(lambda: b"\x80\x04pickle"),
        1: Answer(lambda: b"\x00" * 10_000_000),
    }
    report = engine.finish_on_sites((0, 1, 2), answers, {})
    assert [client.status for client in report.clients] == ["refused", "refused", "ok"]


@pytest.mark.parametrize(
    "tally",
    [
        SiteTally(10, (10.0, 3.0)),
        SiteTally(11, (11.0, 3.0, 5.0)),
        SiteTally(0, (0.0, 0.0, 0.0)),
        SiteTally(10, (9.0, 3.0, 5.0)),
        SiteTally(10, (10.0, float("nan"), 5.0)),
        SiteTally(10, (10.0, 3.0, 11.0)),
        SiteTally(10, (10.0, -3.0, 5.0)),
    ],
)
def test_a_tally_that_cannot_be_is_left_out(tally: SiteTally, tmp_path: Path) -> None:
    engine, sites = on_server(spec_of()), Sites(spec_of(), tmp_path)
    answers = sites.train(engine, (0, 1, 2))
    tallies = sites.test(engine.model_to_test((0, 1, 2), answers))
    report = engine.finish_on_sites((0, 1, 2), answers, {**tallies, 0: tally})
    assert [score.client_id for score in report.scores] == [1, 2]


def test_a_run_is_saved_and_goes_on_elsewhere(tmp_path: Path) -> None:
    spec = spec_of()
    engine, sites = on_server(spec), Sites(spec, tmp_path)
    sites.play(engine)
    engine.save(tmp_path / "saved")
    other = Engine.resume(spec, tmp_path / "saved", holdings=HOLDINGS)
    again = Sites(spec, tmp_path)
    assert sites.play(engine).metrics == again.play(other).metrics
    changed = (replace(HOLDINGS[0], num_train=41), *HOLDINGS[1:])
    with pytest.raises(CheckpointError):
        Engine.resume(spec, tmp_path / "saved", holdings=changed)


def test_a_site_refuses_what_is_no_message_of_its_run(tmp_path: Path) -> None:
    spec = spec_of()
    sites, message = Sites(spec, tmp_path), on_server(spec).assignments((0, 1, 2))[0].payload
    asked: dict[str, Any] = {"cohort_size": 3, "kept": None, "should_stop": never}
    with pytest.raises(WireError, match="of round 0, not 5"):
        sites.work[0].train(message, round_index=5, **asked)
    with pytest.raises(WireError):
        sites.work[0].train(message[:-1], round_index=0, **asked)
    with pytest.raises(WireError):
        sites.work[0].test(b"nothing", should_stop=never)


def test_what_a_site_keeps_survives_its_restart(tmp_path: Path) -> None:
    spec = spec_of(algorithm={"kind": "scaffold"})
    engine, sites = on_server(spec), Sites(spec, tmp_path)
    sites.play(engine)
    kept = sites.kept[0]
    assert kept is not None
    save_kept(tmp_path / "kept", kept)
    found = load_kept(tmp_path / "kept")
    assert found is not None
    assert found.sections.keys() == kept.sections.keys()
    assert load_kept(tmp_path / "none") is None
    (tmp_path / "kept").write_bytes(b"torn")
    with pytest.raises(CheckpointError):
        load_kept(tmp_path / "kept")


def test_a_private_run_publishes_the_model_that_its_sites_have_tested(tmp_path: Path) -> None:
    spec = spec_of(
        privacy={"dp": {"noise_multiplier": 1.0, "adaptive_clip": None}},
        aggregation={"kind": "mean", "weighting": "uniform"},
    )
    engine, sites = on_server(spec), Sites(spec, tmp_path)
    answers = sites.train(engine, (0, 1, 2))
    tested = engine.model_to_test((0, 1, 2), answers)
    assert tested is not None
    report = engine.finish_on_sites((0, 1, 2), answers, sites.test(tested))
    (sent,) = {one.payload for one in engine.assignments((0, 1, 2))}
    whole_model = SiteWork._opened  # noqa: SLF001
    first, second = (
        whole_model(sites.work[0], payload, schema)
        for payload, schema in (
            (tested, sites.work[0]._test_schema),  # noqa: SLF001
            (sent, sites.work[0]._training_schema),  # noqa: SLF001
        )
    )
    assert torch.equal(vector(first.sections, "model").flat, vector(second.sections, "model").flat)
    assert report.metrics["epsilon"] > 0


def test_what_sites_send_is_estimated_before_any_of_them_is_asked(tmp_path: Path) -> None:
    spec = spec_of()
    costs, report = estimate(spec), Sites(spec, tmp_path).play(on_server(spec))
    assert costs.model_parameters == (FEATURES + 1) * 6 + (6 + 1) * 2
    assert costs.bytes_up_per_round is not None
    assert costs.bytes_down_per_round is not None
    assert 0 <= report.bytes_up - costs.bytes_up_per_round < HEADERS
    assert 0 <= report.bytes_down - costs.bytes_down_per_round < HEADERS


def test_a_run_on_sites_cannot_be_simulated_by_mistake() -> None:
    with pytest.raises(DatasetError, match="on its sites"):
        Engine.create(spec_of())
