"""Secure aggregation in a run: the integers of a real sum, and what the server can see of them."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pytest
import torch
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from fedcore.aggregators import Accumulator
from fedcore.clients.trainer import AUTOGRAD
from fedcore.clients.work import ClientTask, client_round
from fedcore.engine.context import RunContext, build_context, initial_state
from fedcore.engine.executor import SequentialExecutor
from fedcore.engine.planning import plan
from fedcore.environment import Folders
from fedcore.errors import TooFewUpdatesError
from fedcore.messages import Update
from fedcore.params import Params, subtract, vector
from fedcore.privacy.clients import CLIP
from fedcore.privacy.sealing import (
    BOUND,
    LARGEST_WEIGHT,
    SEALED,
    WORDS,
    Sealing,
    fewest_left,
    section_of,
    words_of,
)
from fedcore.rng import Purpose, rng
from fedcore.secagg import (
    Coordinator,
    EncryptedShares,
    Participant,
    SecureAggregationError,
    Session,
)
from fedcore.secagg.ring import Words
from fedcore.spec import RunSpec
from fedcore.state import RunState
from fedcore.wire import encoded_size, schema_of
from tests.fedcore.runs import (
    assert_same_state,
    never,
    play,
    play_in_parts,
    play_rounds,
    small_spec,
)

UNIFORM = {"kind": "mean", "weighting": "uniform"}
SECURE = {"secure_aggregation": True}


def secure_spec(privacy: dict[str, Any] | None = None, **sections: Any) -> RunSpec:
    usual: dict[str, Any] = {"sampling": {"kind": "full"}}
    return small_spec(**{**usual, **sections}, privacy={**SECURE, **(privacy or {})})


def updates_of(context: RunContext, state: RunState) -> list[tuple[ClientTask, Update]]:
    """Return what each client of the next round sends."""
    tasks = plan(context, state).work.tasks
    return [
        (task, client_round(context.method, task, never, AUTOGRAD, context.pipeline).update)
        for task in tasks
    ]


def added(updates: Iterable[Update]) -> Words:
    """Return the sum of sealed updates, as numpy adds it."""
    total: Words = np.stack([words_of(update.sections) for update in updates]).sum(
        axis=0, dtype=np.uint32
    )
    return total


@pytest.mark.parametrize("weighting", ["samples", "uniform"])
def test_the_server_adds_up_exactly_what_clients_encode(folders: Folders, weighting: str) -> None:
    aggregation = {"kind": "mean", "weighting": weighting}
    context = build_context(secure_spec(aggregation=aggregation), folders)
    plain = build_context(small_spec(sampling={"kind": "full"}, aggregation=aggregation), folders)
    state = initial_state(context)
    sizes = {task.data.client_id: len(task.data) for task, _ in updates_of(plain, state)}
    largest = max(sizes.values())
    ring = Sealing(most=6, is_uniform=weighting == "uniform").ring(None)
    expected = np.zeros(context.layout.total + 2, dtype=np.uint32)
    for task, update in updates_of(plain, initial_state(plain)):
        weight = 1.0 if weighting == "uniform" else sizes[task.data.client_id] / largest
        numbers = vector(update.sections, "delta").flat.numpy().astype(np.float64)
        loss = update.scalars["loss"] / 100 * BOUND
        expected += ring.encode(np.append(weight * np.append(numbers, loss), weight * ring.bound))
    executor = SequentialExecutor(context, AUTOGRAD)
    lanes = [lane for _, lane in executor.train(plan(context, state).work, never)]
    total = context.method.merge_all([lane.accumulator for lane in lanes])
    assert np.array_equal(words_of(total.sections), expected)
    assert total.count == 6


@pytest.mark.parametrize("algorithm", ["fedavg", "fedprox", "fedadam"])
def test_the_numbers_are_those_of_a_plain_run_up_to_rounding(
    folders: Folders, algorithm: str
) -> None:
    sections = {"sampling": {"kind": "full"}, "algorithm": {"kind": algorithm}}
    plain, reports = play_rounds(build_context(small_spec(**sections), folders), 1)
    secure, sealed = play_rounds(build_context(secure_spec(**sections), folders), 1)
    rounding = 1 / (2 * Sealing(most=6, is_uniform=False).ring(None).scale)
    if algorithm != "fedadam":  # whose steps are as long as the sign of a number says
        gap = subtract(plain.model, secure.model).flat.abs().max().item()
        assert 0 < gap < 6 * 6 * rounding
    assert sealed[0].metrics["train_loss"] == pytest.approx(
        reports[0].metrics["train_loss"], abs=1e-5
    )


@pytest.mark.parametrize("lanes", [1, 2, 4])
def test_integers_add_up_to_the_same_bits_in_any_order(folders: Folders, lanes: int) -> None:
    context = build_context(secure_spec(), folders)
    state = initial_state(context)
    assert_same_state(play_in_parts(context, state, lanes), play(context, state)[0])


def test_the_report_has_no_losses_and_lengths_of_single_clients(folders: Folders) -> None:
    context = build_context(secure_spec(), folders)
    state, report = play(context, initial_state(context))
    assert {(client.loss, client.update_norm) for client in report.clients} == {(None, None)}
    assert state.norms == ()
    words = 4 * (context.layout.total + 2)
    (task, update), *_ = updates_of(context, initial_state(context))
    assert set(update.sections) == {SEALED}
    assert (update.weight, dict(update.scalars)) == (1.0, {})
    size = encoded_size(schema_of(update))
    assert {client.bytes_up for client in report.clients} == {size}
    assert words < size < words + 512
    assert task.message.scalars["largest_weight"] >= len(task.data)


def test_clients_that_are_lost_are_not_in_the_sum(folders: Folders) -> None:
    context = build_context(secure_spec(system={"dropout": 0.2}), folders)
    for round_index in range(40):
        state = RunState(round_index, initial_state(context).tensors)
        fates = [task.fate for task in plan(context, state).work.tasks]
        if fates.count("lost") == 1:
            break
    after, report = play(context, state)
    assert report.participants == 5
    lost = next(client.client_id for client in report.clients if client.status == "lost")
    whole = build_context(secure_spec(), folders)
    others = [update for task, update in updates_of(whole, state) if task.data.client_id != lost]
    total = added(others)
    sealing = whole.pipeline.promises.sealing
    assert sealing is not None
    mean = sealing.opened(Accumulator(section_of(total), 5.0, 5), None, whole.layout)
    moved = after.model.flat - state.model.flat
    torch.testing.assert_close(moved, vector(mean.sections, "delta").flat, rtol=1e-4, atol=1e-6)


def test_a_sum_of_too_few_is_not_made(folders: Folders) -> None:
    assert fewest_left(6) == 5
    context = build_context(secure_spec(system={"dropout": 0.6}), folders)
    with pytest.raises(TooFewUpdatesError, match="of the 5 updates"):
        play_rounds(context, 4)


def test_a_cohort_of_two_is_not_asked_at_all(folders: Folders) -> None:
    spec = secure_spec(sampling={"kind": "poisson", "fraction": 0.5})
    context = build_context(spec, folders)
    sizes = set()
    for round_index in range(60):
        state = RunState(round_index, initial_state(context).tensors)
        generator = rng(spec.seed, Purpose.SAMPLING, round_index)
        drawn = context.sampler.select(state, context.available, 3, generator).client_ids
        asked = len(plan(context, state).work.tasks)
        assert asked == (len(drawn) if len(drawn) >= 3 else 0)
        sizes.add(len(drawn))
    assert min(sizes) < 3 < max(sizes)


def test_an_update_that_does_not_fit_is_not_sent_and_says_so(folders: Folders) -> None:
    wild = {"epochs": 20, "batch_size": 25, "lr": 1000}
    context = build_context(secure_spec(local=wild), folders)
    with pytest.raises(TooFewUpdatesError, match="does not fit into the integers"):
        play(context, initial_state(context))


@pytest.mark.parametrize("where", [0, -1])
def test_a_sum_that_updates_cannot_make_is_refused(folders: Folders, where: int) -> None:
    context = build_context(secure_spec(), folders)
    state = initial_state(context)
    updates = [update for _, update in updates_of(context, state)]
    total = added(updates)
    promises, count = context.pipeline.promises, len(updates)
    honest = Accumulator(section_of(total), float(count), count)
    promises.release(honest, state, context.layout)
    total[where] = 2**31 - 1
    spoilt = Accumulator(section_of(total), float(count), count)
    if where == -1:
        spoilt = replace(spoilt, count=2)
    with pytest.raises(SecureAggregationError, match="nobody can see which"):
        promises.release(spoilt, state, context.layout)


# --- with differential privacy --------------------------------------------------------------------


def test_rounding_to_integers_does_not_lead_over_the_clip(folders: Folders) -> None:
    clip = 0.05
    spec = secure_spec({"dp": {"noise_multiplier": 1.0, "clip_norm": clip}}, aggregation=UNIFORM)
    context = build_context(spec, folders)
    sealing = context.pipeline.promises.sealing
    assert sealing is not None
    for _, update in updates_of(context, initial_state(context)):
        numbers = sealing.ring(clip).decode(words_of(update.sections))[: context.layout.total]
        length = float(np.linalg.norm(numbers))
        assert clip * (1 - 1e-4) < length <= clip


def test_no_change_is_longer_than_the_clip_by_as_much_as_its_last_digit(folders: Folders) -> None:
    clip = 0.05
    spec = secure_spec({"dp": {"noise_multiplier": 1.0, "clip_norm": clip}}, aggregation=UNIFORM)
    context = build_context(spec, folders)
    promises, total = context.pipeline.promises, context.layout.total
    assert promises.sealing is not None
    for seed in range(300):
        # Of few numbers that are not zero, rounding errors do not make up for each other.
        few = torch.randn(1 + seed % 3, generator=torch.Generator().manual_seed(seed))
        numbers = torch.zeros(total)
        numbers[: len(few)] = few + few.sign()
        update = Update(
            sections={"delta": Params(context.layout, numbers)},
            base_version=0,
            client_id=0,
            weight=1.0,
        )
        cut = promises.cut(update, {CLIP: clip}, keeps_length=True)
        sealed = promises.sealed(cut, {CLIP: clip, LARGEST_WEIGHT: 1.0})
        sent = promises.sealing.ring(clip).decode(words_of(sealed.sections))[:total]
        assert clip * (1 - 1e-4) < float(np.linalg.norm(sent)) <= clip


@pytest.mark.parametrize("adaptive", [None, 0.5])
def test_noise_on_a_secure_sum_is_that_of_a_plain_one(
    folders: Folders, adaptive: float | None
) -> None:
    dp = {"noise_multiplier": 0.2, "clip_norm": 0.5, "adaptive_clip": adaptive}
    sections: dict[str, Any] = {
        "aggregation": UNIFORM,
        "partition": {"kind": "iid", "clients": 12},
        "sampling": {"kind": "full"},
    }
    plain = build_context(small_spec(**sections, privacy={"dp": dp}), folders)
    secure = build_context(secure_spec({"dp": dp}, **sections), folders)
    first, reports = play_rounds(plain, 1)
    second, sealed = play_rounds(secure, 1)
    torch.testing.assert_close(first.model.flat, second.model.flat, rtol=0, atol=1e-5)
    assert reports[0].metrics["epsilon"] == sealed[0].metrics["epsilon"]
    clips = [report.metrics.get("clip_norm", 0.5) for report in (reports[0], sealed[0])]
    assert clips[0] == pytest.approx(clips[1], rel=1e-5)
    assert (clips[0] != 0.5) == (adaptive is not None)


def test_words_and_sections_are_the_same_thing() -> None:
    words = np.array([0, 1, 2**31, 2**32 - 1], dtype=np.uint32)
    assert np.array_equal(words_of(section_of(words)), words)
    assert section_of(words)[SEALED][WORDS].dtype == torch.int32


def test_the_bound_of_a_round_is_its_clip() -> None:
    sealing = Sealing(most=10, is_uniform=True)
    assert sealing.ring(0.5).bound == 0.5
    assert sealing.ring(None).bound == BOUND
    numbers = 10_000
    assert sealing.inside(1.0, numbers) == pytest.approx(
        1 - math.sqrt(numbers) * 10 / 2**32, rel=1e-6
    )


# --- over the protocol ----------------------------------------------------------------------------


@dataclass
class Exchange:
    """Five clients and a server that make one sum, and everything that the server is sent."""

    context: RunContext
    change: Callable[[EncryptedShares], EncryptedShares] = lambda shares: shares
    stored: list[bytes] = field(default_factory=list)
    updates: dict[int, Update] = field(default_factory=dict)

    def __post_init__(self) -> None:
        sealing = self.context.pipeline.promises.sealing
        assert sealing is not None
        state = initial_state(self.context)
        self.updates = {u.client_id: u for _, u in updates_of(self.context, state)}
        session, self.ring = Session("run", 0), sealing.ring(None)
        keys = {i: Ed25519PrivateKey.generate() for i in self.updates}
        public = {i: key.public_key().public_bytes_raw() for i, key in keys.items()}
        self.people = {i: Participant(session, i, keys[i], public) for i in keys}
        self.server = Coordinator(session, sealing.length(self.context.layout.total), self.ring)

    def collect(self, lost: int) -> Words:
        """Return the sum; ``lost`` has sent its vector and is never heard of again."""
        for person in self.people.values():
            advertisement = person.advertise()
            self.server.add_advertisement(advertisement)
            self.stored += [advertisement.mask_key, advertisement.encryption_key]
        known = self.server.advertisements()
        for i, person in self.people.items():
            shares = [self.change(one) for one in person.share(known)]
            self.stored += [one.ciphertext for one in shares]
            self.server.add_shares(i, shares)
        for i, inbox in self.server.inboxes().items():
            words = words_of(self.updates[i].sections)
            masked = self.people[i].mask(inbox, words, self.ring)
            self.stored.append(masked.words.tobytes())
            self.server.add_vector(masked)
        delivered = self.server.delivered()
        left = {i: person for i, person in self.people.items() if i != lost}
        confirmations = [person.confirm(delivered) for person in left.values()]
        for person in left.values():
            unmasking = person.unmask(delivered, confirmations)
            self.stored += [*unmasking.seeds.values(), *unmasking.keys.values()]
            self.server.add_unmasking(unmasking)
        return self.server.finish()


@pytest.fixture
def five(folders: Folders) -> RunContext:
    return build_context(secure_spec(partition={"kind": "iid", "clients": 5}), folders)


def test_one_of_five_lost_after_masking_leaves_the_sum_exact(five: RunContext) -> None:
    exchange = Exchange(five)
    total = exchange.collect(lost=2)
    assert np.array_equal(total, added(exchange.updates.values()))
    promises = five.pipeline.promises
    state = initial_state(five)
    accumulator, _ = promises.release(Accumulator(section_of(total), 5.0, 5), state, five.layout)
    simulated, report = play(five, state)
    assert torch.equal(five.method.finish(accumulator, state).model.flat, simulated.model.flat)
    loss = promises.loss(Accumulator(section_of(total), 5.0, 5), state)
    assert loss == report.metrics["train_loss"]


def test_nothing_that_the_server_stores_holds_an_update(five: RunContext) -> None:
    exchange = Exchange(five)
    exchange.collect(lost=2)
    whole = b"".join(exchange.stored)
    assert len(whole) > 5 * 4 * five.layout.total
    for update in exchange.updates.values():
        words = words_of(update.sections)
        pieces = (words[start : start + 4] for start in range(0, len(words) - 4, 4))
        telling = [piece.tobytes() for piece in pieces if piece.all()]
        assert len(telling) > 50
        assert not any(piece in whole for piece in telling)


def test_shares_that_are_changed_on_the_way_end_the_sum(five: RunContext) -> None:
    def change(shares: EncryptedShares) -> EncryptedShares:
        if (shares.sender, shares.receiver) != (1, 3):
            return shares
        return replace(shares, ciphertext=bytes([shares.ciphertext[0] ^ 1]) + shares.ciphertext[1:])

    with pytest.raises(SecureAggregationError, match="shares of client 1 were changed"):
        Exchange(five, change).collect(lost=2)
