"""Secure sums over the documents of the protocol: exact, and refused when anything was changed."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from fedcore.agent.sums import TooFewLeftError, refused_by
from fedcore.secagg import Advertisement, SecureAggregationError, documents
from fedcore.secagg.signatures import of_keys
from fedcore.sites.secure import KeyList, KeysMessage, ShareList, Survivors, UnmaskingMessage
from fedcore.sites.tasks import TaskKind
from tests.sites.secure_exchange import LENGTH, MODEL, Exchange, added, reading


@pytest.mark.parametrize(
    ("stage", "summed"),
    [
        (TaskKind.KEYS, {0, 1, 3, 4}),
        (TaskKind.SHARES, {0, 1, 3, 4}),
        (TaskKind.MASKED, {0, 1, 3, 4}),
        (TaskKind.CONFIRM, {0, 1, 2, 3, 4}),
        (TaskKind.UNMASK, {0, 1, 2, 3, 4}),
    ],
)
def test_the_sum_is_exactly_that_of_the_survivors(
    stage: TaskKind, summed: set[int], tmp_path: Path
) -> None:
    exchange = Exchange(tmp_path)
    assert np.array_equal(exchange.play({stage: [2]}), added(exchange.vectors, summed))
    assert not exchange.server.refused


def test_many_sites_share_with_some_neighbours_each(tmp_path: Path) -> None:
    exchange = Exchange(tmp_path, clients=102)
    message = documents.as_message(exchange.show_keys())
    assert {exchange.server.degree_of(n) for n in range(102)} == {42}
    said = documents.read(exchange.ask(TaskKind.SHARES, 0, message), ShareList)
    neighbours = exchange.server.session.neighbours(range(102))[0]
    assert {one.receiver for one in said.shares} == neighbours


@pytest.mark.parametrize("stage", [TaskKind.KEYS, TaskKind.SHARES, TaskKind.MASKED])
def test_below_the_threshold_there_is_no_sum(stage: TaskKind, tmp_path: Path) -> None:
    exchange = Exchange(tmp_path, least=4)
    with pytest.raises(SecureAggregationError, match="3 of at least 4 clients have"):
        exchange.play({stage: [0, 4]})


@pytest.mark.parametrize(
    ("stage", "said"),
    [
        (TaskKind.CONFIRM, "3 of at least 4 clients have signed the list"),
        (TaskKind.UNMASK, "3 of 4 shares of client 0 are there"),
    ],
)
def test_without_enough_shares_there_is_no_sum(stage: TaskKind, said: str, tmp_path: Path) -> None:
    with pytest.raises(SecureAggregationError, match=said):
        Exchange(tmp_path).play({stage: [0, 4]})


def test_nothing_that_is_sent_holds_a_vector(tmp_path: Path) -> None:
    exchange = Exchange(tmp_path)
    exchange.play({TaskKind.CONFIRM: [2]})
    sent = b"".join(exchange.stored)
    assert len(sent) > 5 * 4 * LENGTH
    for words in exchange.vectors.values():
        for start in range(0, LENGTH, 2):
            assert words[start : start + 2].tobytes() not in sent


def test_the_server_goes_on_from_the_sum_that_it_has_kept(tmp_path: Path) -> None:
    exchange = Exchange(tmp_path)
    keys = {n: exchange.ask(TaskKind.KEYS, n, MODEL) for n in range(5)}
    message = documents.as_message(exchange.server.keys(keys, exchange.subject))
    shares = {n: exchange.ask(TaskKind.SHARES, n, message) for n in range(5)}
    inboxes = exchange.server.shares(shares)
    masked = {
        n: exchange.ask(TaskKind.MASKED, n, documents.as_message(inbox))
        for n, inbox in inboxes.items()
        if n != 1
    }
    survivors, total = exchange.server.vectors(reading(masked))
    exchange.begin()  # as another process that knows no more than what is stored
    exchange.server.keys(keys, exchange.subject)
    exchange.server.shares(shares)
    assert exchange.server.resume(survivors.client_ids, total.tobytes()) == survivors
    words = exchange.unmask(exchange.confirm(survivors))
    assert np.array_equal(words, added(exchange.vectors, {0, 2, 3, 4}))
    exchange.begin()
    exchange.server.keys(keys, exchange.subject)
    exchange.server.shares(shares)
    with pytest.raises(SecureAggregationError, match="gone or damaged"):
        exchange.server.resume(survivors.client_ids, total.tobytes()[:-4])


# --- what a site refuses --------------------------------------------------------------------------


def test_the_same_message_is_answered_again_and_another_one_is_not(tmp_path: Path) -> None:
    exchange = Exchange(tmp_path)
    first = exchange.ask(TaskKind.KEYS, 0, MODEL)
    keys = exchange.show_keys()
    assert exchange.ask(TaskKind.KEYS, 0, MODEL) == first
    message = documents.as_message(keys)
    assert exchange.ask(TaskKind.SHARES, 0, message) == exchange.ask(TaskKind.SHARES, 0, message)
    fewer = documents.as_message(KeyList(keys=keys.keys[:4]))
    with pytest.raises(SecureAggregationError, match="has answered secure_shares of this sum"):
        exchange.ask(TaskKind.SHARES, 0, fewer)
    inboxes = exchange.share(keys)
    assert exchange.ask(TaskKind.MASKED, 0, inboxes[0]) == exchange.ask(
        TaskKind.MASKED, 0, inboxes[0]
    )
    with pytest.raises(SecureAggregationError, match="has answered secure_masked of this sum"):
        exchange.ask(TaskKind.MASKED, 0, b'{"shares": []}')


def test_a_site_never_gives_away_both_secrets_of_one_client(tmp_path: Path) -> None:
    exchange = Exchange(tmp_path)
    inboxes = exchange.share(exchange.show_keys())
    signed = exchange.confirm(exchange.mask(inboxes))
    given = exchange.ask(TaskKind.UNMASK, 0, documents.as_message(signed))
    said = documents.read(given, UnmaskingMessage)
    assert (set(said.seeds), set(said.keys)) == ({0, 1, 2, 3, 4}, set())
    without = Survivors(client_ids=(0, 1, 2, 3), confirmations=signed.confirmations)
    for message in (signed.model_copy(update={"confirmations": ()}), without):
        with pytest.raises(SecureAggregationError, match="has answered secure_unmask"):
            exchange.ask(TaskKind.UNMASK, 0, documents.as_message(message))


def test_a_site_opens_no_other_list_than_it_has_signed(tmp_path: Path) -> None:
    exchange = Exchange(tmp_path)
    inboxes = exchange.share(exchange.show_keys())
    signed = exchange.confirm(exchange.mask(inboxes))
    other = Survivors(client_ids=(0, 1, 2, 3), confirmations=signed.confirmations)
    with pytest.raises(SecureAggregationError, match="signed another list of survivors"):
        exchange.ask(TaskKind.UNMASK, 0, documents.as_message(other))
    few = Survivors(client_ids=signed.client_ids, confirmations=signed.confirmations[:3])
    with pytest.raises(SecureAggregationError, match="3 of 4 clients have signed this list"):
        exchange.ask(TaskKind.UNMASK, 0, documents.as_message(few))


def test_a_list_below_the_minimum_cohort_is_refused_by_that_rule(tmp_path: Path) -> None:
    exchange = Exchange(tmp_path, policy="{projects: any, min_cohort: 5}")
    keys = exchange.show_keys()
    inboxes = exchange.share(keys)
    survivors = exchange.mask(inboxes, lost=[3])
    with pytest.raises(TooFewLeftError) as caught:
        exchange.confirm(survivors)
    reason = refused_by(caught.value)
    assert reason.sentence == (
        "min_cohort: The sum is of 4 updates; this site helps to open one of at least 5. "
        "Set runtime.min_updates to 5 or more."
    )


def changed(**changes: Any) -> Callable[[KeysMessage], KeysMessage]:
    return lambda said: said.model_copy(update=changes)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (changed(mask_key="ab" * 32), "client 1 has not signed its keys itself"),
        (changed(encryption_key="ab" * 32), "client 1 has not signed its keys itself"),
        (changed(commitment="ab" * 32), "client 1 has not signed its keys itself"),
        (changed(subject="ab" * 32), "client 1 has not signed its keys itself"),
        (changed(client_id=77), "nobody knows client 77"),
    ],
)
def test_keys_that_the_server_has_changed_are_refused(
    change: Callable[[KeysMessage], KeysMessage], said: str, tmp_path: Path
) -> None:
    exchange = Exchange(tmp_path)
    keys = list(exchange.show_keys().keys)
    keys[1] = change(keys[1])
    with pytest.raises(SecureAggregationError, match=said):
        exchange.ask(TaskKind.SHARES, 0, documents.as_message(KeyList(keys=tuple(keys))))


def test_keys_of_an_earlier_sum_are_refused(tmp_path: Path) -> None:
    exchange = Exchange(tmp_path)
    old = exchange.show_keys()
    exchange.number = 2
    exchange.begin()
    new = exchange.show_keys()
    mixed = KeyList(keys=(new.keys[0], *old.keys[1:]))
    with pytest.raises(SecureAggregationError, match="has not signed its keys itself"):
        exchange.ask(TaskKind.SHARES, 0, documents.as_message(mixed))
    exchange.number = 1
    with pytest.raises(SecureAggregationError, match="sum 1 of this run is over for this site"):
        exchange.ask(TaskKind.KEYS, 0, MODEL)
    with pytest.raises(SecureAggregationError, match="has no keys of this sum"):
        exchange.ask(TaskKind.SHARES, 0, documents.as_message(old))


def told_otherwise(exchange: Exchange, what: str) -> bytes:
    """Return the keys of the last site, which was told something else than the others."""
    described = exchange.described
    if what == "members":
        others = tuple(m for m in described.members if m.client_id != 1)
        exchange.described = described.model_copy(update={"members": others})
    if what == "keys":
        other = described.members[1].model_copy(update={"public_key": "ab" * 32})
        members = (described.members[0], other, *described.members[2:])
        exchange.described = described.model_copy(update={"members": members})
    told: dict[str, dict[str, Any]] = {
        "spec": {"spec_digest": "e" * 64},
        "round": {"round_index": 1},
        "cohort": {"cohort_size": 4},
    }
    model = b"a model without a slope" if what == "model" else MODEL
    payload = exchange.ask(TaskKind.KEYS, 4, model, **told.get(what, {}))
    exchange.described = described
    return payload


TOLD = ["model", "spec", "round", "cohort", "members", "keys"]


@pytest.mark.parametrize("what", TOLD)
def test_sites_that_were_told_different_things_make_no_sum(what: str, tmp_path: Path) -> None:
    exchange = Exchange(tmp_path)
    keys = exchange.show_keys(lost=[4]).keys
    last = documents.read(told_otherwise(exchange, what), KeysMessage)
    message = documents.as_message(KeyList(keys=(*keys, last)))
    with pytest.raises(SecureAggregationError, match="clients were told different things"):
        exchange.ask(TaskKind.SHARES, 0, message)


@pytest.mark.parametrize("what", TOLD)
def test_a_site_that_signs_something_else_does_not_hold_up_the_others(
    what: str, tmp_path: Path
) -> None:
    exchange = Exchange(tmp_path)
    answers = {n: exchange.ask(TaskKind.KEYS, n, MODEL) for n in range(4)}
    answers[4] = told_otherwise(exchange, what)
    keys = exchange.server.keys(answers, exchange.subject)
    assert [one.client_id for one in keys.keys] == [0, 1, 2, 3]
    assert exchange.server.refused == {
        4: "client 4 has signed another model, spec, round or members than it was told"
    }
    total = exchange.unmask(exchange.confirm(exchange.mask(exchange.share(keys))))
    assert np.array_equal(total, added(exchange.vectors, range(4)))


@pytest.mark.parametrize(
    "change",
    [
        lambda said: replace(said, encryption_key=bytes(32)),
        lambda said: replace(said, mask_key=bytes(32)),
    ],
)
def test_a_site_with_a_key_that_hides_nothing_does_not_hold_up_the_others(
    change: Callable[[Advertisement], Advertisement], tmp_path: Path
) -> None:
    exchange = Exchange(tmp_path)
    answers = {n: exchange.ask(TaskKind.KEYS, n, MODEL) for n in range(5)}
    said = documents.advertisement(documents.read(answers[2], KeysMessage))
    weak = change(said)
    signed = exchange.keys[2].sign(of_keys(exchange.server.session, weak))
    answers[2] = documents.as_message(documents.keys_message(replace(weak, signature=signed)))
    keys = exchange.server.keys(answers, exchange.subject)
    assert [one.client_id for one in keys.keys] == [0, 1, 3, 4]
    assert exchange.server.refused == {2: "client 2 has a key that hides nothing"}


@pytest.mark.parametrize("field", ["ciphertext", "nonce"])
def test_shares_that_were_changed_on_the_way_are_refused(field: str, tmp_path: Path) -> None:
    exchange = Exchange(tmp_path)
    inbox = json.loads(exchange.share(exchange.show_keys())[0])
    found = inbox["shares"][2][field]
    inbox["shares"][2][field] = ("1" if found[0] == "0" else "0") + found[1:]
    sender = inbox["shares"][2]["sender"]
    with pytest.raises(SecureAggregationError, match=f"client {sender} were changed on the way"):
        exchange.ask(TaskKind.MASKED, 0, json.dumps(inbox).encode())


def test_what_is_no_document_is_refused_without_quoting_it(tmp_path: Path) -> None:
    exchange = Exchange(tmp_path)
    exchange.show_keys()
    for message in (b"", b"\x80\x04pickle", b'{"keys": [{"client_id": "secret"}]}'):
        with pytest.raises(SecureAggregationError, match="is damaged") as caught:
            exchange.ask(TaskKind.SHARES, 0, message)
        assert "secret" not in str(caught.value)


# --- what the server leaves out -------------------------------------------------------------------


def test_messages_that_are_not_as_they_must_be_are_left_out_with_the_reason(
    tmp_path: Path,
) -> None:
    exchange = Exchange(tmp_path, clients=9)
    answers = {n: exchange.ask(TaskKind.KEYS, n, MODEL) for n in range(9)}
    answers[0] = answers[0].replace(b'"mask_key":"', b'"mask_key":"0')
    answers[1] = answers[2]
    keys = exchange.server.keys(answers, exchange.subject)
    assert [one.client_id for one in keys.keys] == [2, 3, 4, 5, 6, 7, 8]
    message = documents.as_message(keys)
    shares = {n: exchange.ask(TaskKind.SHARES, n, message) for n in range(2, 9)}
    shares[6] = shares[6].replace(b'"sender":6', b'"sender":5', 1)
    masked = {
        n: exchange.ask(TaskKind.MASKED, n, documents.as_message(inbox))
        for n, inbox in exchange.server.shares(shares).items()
    }
    masked[5] = masked[5][:-4]
    survivors, _ = exchange.server.vectors(reading(masked))
    assert survivors.client_ids == (2, 3, 4, 7, 8)
    assert exchange.server.refused == {
        0: "a message of the secure sum is damaged: mask_key: String should match pattern "
        "'^[0-9a-f]{64}$'",
        1: "client 1 has sent a message of client 2",
        5: f"its vector has {4 * LENGTH - 4} bytes, not {4 * LENGTH}",
        6: "client 6 sent shares for others than it must",
    }
    total = exchange.unmask(exchange.confirm(survivors))
    assert np.array_equal(total, added(exchange.vectors, survivors.client_ids))


def test_shares_that_a_site_has_changed_are_found_and_enough_others_are_used(
    tmp_path: Path,
) -> None:
    for liars, is_exact in (([3], True), ([3, 4], False)):
        exchange = Exchange(tmp_path / str(len(liars)))
        signed = exchange.confirm(exchange.mask(exchange.share(exchange.show_keys())))
        message = documents.as_message(signed)
        given = {n: exchange.ask(TaskKind.UNMASK, n, message) for n in range(5)}
        for liar in liars:
            at = given[liar].index(b'"0":"') + 10
            other = b"1" if given[liar][at : at + 1] == b"0" else b"0"
            given[liar] = given[liar][:at] + other + given[liar][at + 1 :]
        if is_exact:
            assert np.array_equal(exchange.server.sum(given), added(exchange.vectors, range(5)))
            said = "its share of a secret of client 0 was changed, by either of them"
            assert exchange.server.refused == {3: said}
        else:
            with pytest.raises(SecureAggregationError, match="shares of client 0 were changed"):
                exchange.server.sum(given)
