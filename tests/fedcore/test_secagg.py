"""Secure sums: exact whoever is lost, silent about everybody, and stopped when changed."""

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, field, replace
from itertools import combinations
from typing import Literal

import numpy as np
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from fedcore.secagg import (
    Advertisement,
    Confirmation,
    Coordinator,
    EncryptedShares,
    MaskedVector,
    Participant,
    Ring,
    SecureAggregationError,
    Session,
    Unmasking,
)
from fedcore.secagg.keys import agree, mask_of, public_of
from fedcore.secagg.ring import Words
from fedcore.secagg.shamir import recover, split

LENGTH = 50
RING = Ring(bound=4.0, most=40)


def added(vectors: Sequence[Words], ring: Ring) -> Words:
    total = np.zeros(vectors[0].shape, ring.dtype)
    for vector in vectors:
        total += vector
    return total


@dataclass
class Sum:
    """A secure sum among clients of this process, which can be lost or changed on the way."""

    clients: int
    degree: int | None = None
    ring: Ring = RING
    round_index: int = 0
    people: dict[int, Participant] = field(init=False)
    server: Coordinator = field(init=False)
    encoded: dict[int, Words] = field(init=False)
    masked: dict[int, MaskedVector] = field(default_factory=dict)
    change_shares: Callable[[EncryptedShares], EncryptedShares] = lambda shares: shares
    change_unmasking: Callable[[Unmasking], Unmasking] = lambda unmasking: unmasking

    def __post_init__(self) -> None:
        session = Session("run", self.round_index, self.degree)
        # Ids are no places in a list.
        ids = [3 * place + 2 for place in range(self.clients)]
        keys = {i: Ed25519PrivateKey.generate() for i in ids}
        public = {i: key.public_key().public_bytes_raw() for i, key in keys.items()}
        self.people = {i: Participant(session, i, keys[i], public) for i in ids}
        self.server = Coordinator(session, LENGTH, self.ring)
        generator = np.random.default_rng(0)
        self.encoded = {i: self.ring.encode(generator.normal(size=LENGTH)) for i in ids}

    @property
    def ids(self) -> list[int]:
        return list(self.people)

    def plain(self, ids: Iterable[int]) -> Words:
        return added([self.encoded[i] for i in ids], self.ring)

    def advertise(self) -> list[Advertisement]:
        for person in self.people.values():
            self.server.add_advertisement(person.advertise())
        return self.server.advertisements()

    def share(self, lost: Collection[int] = ()) -> dict[int, list[EncryptedShares]]:
        known = self.advertise()
        for i, person in self.people.items():
            shares = person.share(known)
            if i not in lost:
                self.server.add_shares(i, [self.change_shares(one) for one in shares])
        return self.server.inboxes()

    def mask(self, lost: Collection[int] = (), silent: Collection[int] = ()) -> frozenset[int]:
        for i, inbox in self.share(silent).items():
            if i not in lost:
                self.masked[i] = self.people[i].mask(inbox, self.encoded[i], self.ring)
                self.server.add_vector(self.masked[i])
        return self.server.delivered()

    def confirm(self, delivered: Collection[int]) -> list[Confirmation]:
        return [self.people[i].confirm(delivered) for i in delivered]

    def play(
        self,
        lost: Collection[int] = (),
        late: Collection[int] = (),
        silent: Collection[int] = (),
    ) -> Words:
        """Return the sum without those lost before their vectors arrive.

        Args:
            lost: Lost after they have shared their secrets.
            late: Lost after they have sent their vectors.
            silent: Lost before they share their secrets.
        """
        delivered = self.mask(lost, silent)
        confirmations = self.confirm(delivered)
        for i in sorted(delivered - set(late)):
            unmasking = self.people[i].unmask(delivered, confirmations)
            self.server.add_unmasking(self.change_unmasking(unmasking))
        return self.server.finish()


@pytest.mark.parametrize("bits", [32, 64])
@pytest.mark.parametrize("count", [0, 1, 2])
def test_the_sum_is_exact_whoever_is_lost(bits: Literal[32, 64], count: int) -> None:
    ring = Ring(4.0, 40, bits)
    for gone in [*combinations(Sum(7).ids, count)][::3]:  # five of seven are needed
        for stage in ("lost", "late", "silent"):
            secure = Sum(7, ring=ring)
            there = [i for i in secure.ids if i not in gone or stage == "late"]
            actual = secure.play(**{stage: gone})
            assert np.array_equal(actual, secure.plain(there)), (stage, gone)


def test_one_of_five_is_lost_after_masking() -> None:
    secure = Sum(5)
    lost = secure.ids[2]
    assert np.array_equal(
        secure.play(lost=[lost]), secure.plain(i for i in secure.ids if i != lost)
    )


@pytest.mark.parametrize("stage", ["lost", "late", "silent"])
def test_without_enough_clients_there_is_no_sum(stage: str) -> None:
    secure = Sum(6)  # five of six are needed
    with pytest.raises(SecureAggregationError, match="of"):
        secure.play(**{stage: secure.ids[:2]})


def test_a_sparse_graph_gives_the_same_sum() -> None:
    secure = Sum(24, degree=8)
    graph = secure.server.session.neighbours(secure.ids)
    assert {len(others) for others in graph.values()} == {8}
    assert all(one in graph[other] for one, others in graph.items() for other in others)
    lost, late = secure.ids[3:4], secure.ids[10:11]
    there = [i for i in secure.ids if i not in lost]
    assert np.array_equal(secure.play(lost=lost, late=late), secure.plain(there))


def test_a_masked_vector_looks_like_noise_and_never_the_same() -> None:
    first, second = Sum(4), Sum(4, round_index=1)
    first.mask()
    second.mask()
    for i in first.ids:
        assert not np.array_equal(first.masked[i].words, second.masked[i].words)
    words = np.concatenate([m.words for s in (first, second) for m in s.masked.values()])
    share = words / 2.0**32
    assert abs(share.mean() - 0.5) < 0.06  # four standard errors of 400 words
    assert abs(share.std() - 0.289) < 0.03


def test_the_server_keeps_no_vector() -> None:
    secure = Sum(5)
    secure.mask()
    stored = [value for value in vars(secure.server).values() if isinstance(value, np.ndarray)]
    assert len(stored) == 1
    for masked in secure.masked.values():
        assert not np.array_equal(stored[0], masked.words)


def test_the_mean_counts_clients_by_their_weights() -> None:
    ring = Ring(2.0, 10)
    values = [np.array([1.0, -2.0]), np.array([0.5, 2.0])]
    weights = [1.0, 0.25]
    words = added([ring.encode_weighted(v, w) for v, w in zip(values, weights, strict=True)], ring)
    mean, total = ring.decode_mean(words)
    expected = np.average(values, axis=0, weights=weights)
    assert total == pytest.approx(1.25, abs=1e-7)
    assert np.allclose(mean, expected, atol=1e-7)


def test_the_error_of_a_sum_is_below_its_bound() -> None:
    ring = Ring(4.0, 6)
    vectors = np.random.default_rng(1).uniform(-4, 4, size=(4, 1000))
    words = added([ring.encode(vector) for vector in vectors], ring)
    error = np.abs(ring.decode(words) - vectors.sum(axis=0)).max()
    assert error <= ring.error(4) == pytest.approx(2.2e-8, rel=0.02)


@pytest.mark.parametrize("bits", [32, 64])
def test_the_largest_sum_does_not_overflow(bits: Literal[32, 64]) -> None:
    ring = Ring(0.3, 7, bits)
    for sign in (1.0, -1.0):
        words = added([ring.encode(np.array([sign * 9.0]))] * 7, ring)
        assert ring.decode(words)[0] == pytest.approx(sign * 2.1)


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_what_is_not_finite_is_not_sent(value: float) -> None:
    with pytest.raises(SecureAggregationError, match="not finite"):
        RING.encode(np.array([1.0, value]))


def test_masks_are_the_known_key_stream() -> None:
    words = mask_of(bytes(32), 4, RING)
    assert words[:2].tolist() == [2025887196, 2307473570]
    assert words.tobytes().hex() == "dc95c078a2408989ad48a21492842087"


def test_both_ends_agree_on_a_key() -> None:
    one, two = bytes(range(32)), bytes(range(1, 33))
    assert agree(one, public_of(two), b"info") == agree(two, public_of(one), b"info")
    assert agree(one, public_of(two), b"info") != agree(one, public_of(two), b"other")


def test_shares_give_the_secret_and_fewer_do_not() -> None:
    secret = bytes(range(224, 256))
    shares = split(secret, [0, 4, 5, 9], threshold=3)
    for some in combinations(shares, 3):
        assert recover({i: shares[i] for i in some}) == secret
    for few in combinations(shares, 2):
        assert recover({i: shares[i] for i in few}) != secret


def test_shares_that_are_changed_on_the_way_are_refused() -> None:
    def flipped(shares: EncryptedShares) -> EncryptedShares:
        return replace(shares, ciphertext=bytes([shares.ciphertext[0] ^ 1]) + shares.ciphertext[1:])

    with pytest.raises(SecureAggregationError, match="changed on the way"):
        Sum(4, change_shares=flipped).play()


def test_shares_that_are_given_to_another_client_are_refused() -> None:
    secure = Sum(4)
    inboxes = secure.share()
    first, second = secure.ids[:2]
    with pytest.raises(SecureAggregationError, match="not for this client"):
        secure.people[first].mask(inboxes[second], secure.encoded[first], RING)


def lying(who: Collection[int], only: int | None = None) -> Callable[[Unmasking], Unmasking]:
    """Return what changes the shares that some clients give away, of one or of all seeds.

    Each changes another byte: equal changes of two shares can take each other away.
    """

    def changed(share: bytes, at: int) -> bytes:
        return share[:at] + bytes([share[at] ^ 1]) + share[at + 1 :]

    def change(unmasking: Unmasking) -> Unmasking:
        if unmasking.client_id not in who:
            return unmasking
        at = -1 - unmasking.client_id
        seeds = {
            i: changed(share, len(share) + at) if only in (None, i) else share
            for i, share in unmasking.seeds.items()
        }
        return replace(unmasking, seeds=seeds)

    return change


def test_a_changed_share_of_few_is_left_out_and_of_many_is_refused() -> None:
    ids = Sum(7).ids  # five of seven shares are enough
    secure = Sum(7, change_unmasking=lying(ids[:2]))
    assert np.array_equal(secure.play(), secure.plain(ids))
    with pytest.raises(SecureAggregationError, match="were changed"):
        Sum(7, change_unmasking=lying(ids[:3])).play()


@pytest.mark.parametrize("liars", [[0], [2], [0, 2]])
def test_liars_among_many_do_not_break_the_sum_and_are_named(liars: list[int]) -> None:
    secure = Sum(20)
    who = [secure.ids[place] for place in liars]
    secure.change_unmasking = lying(who)
    assert np.array_equal(secure.play(), secure.plain(secure.ids))
    assert set(secure.server.doubted) == set(who)


def test_a_client_that_shares_badly_does_not_cost_its_neighbours_their_voice() -> None:
    secure = Sum(7)  # five shares are needed, and more than two holders are doubted
    ids = secure.ids

    def change(unmasking: Unmasking) -> Unmasking:
        place = ids.index(unmasking.client_id)
        return lying([unmasking.client_id], only=ids[place // 2])(unmasking)

    secure.change_unmasking = change
    assert np.array_equal(secure.play(), secure.plain(ids))
    assert set(secure.server.doubted) == set(ids)


def test_a_client_never_gives_away_both_secrets_of_another() -> None:
    secure = Sum(6)
    delivered = secure.mask(lost=secure.ids[:1])
    confirmations = secure.confirm(delivered)
    asked = secure.people[secure.ids[1]]
    first = asked.unmask(delivered, confirmations)
    assert not first.seeds.keys() & first.keys.keys()
    with pytest.raises(SecureAggregationError, match="does not unmask now"):
        asked.unmask(delivered - {secure.ids[2]}, confirmations)


def test_a_list_of_survivors_that_others_have_not_seen_is_refused() -> None:
    secure = Sum(6)
    delivered = secure.mask()
    shown = delivered - {secure.ids[0]}
    asked, *others = secure.ids[1:]
    confirmations = [secure.people[asked].confirm(shown)]
    confirmations += [secure.people[i].confirm(delivered) for i in others]
    with pytest.raises(SecureAggregationError, match="have signed this list"):
        secure.people[asked].unmask(shown, confirmations)


def test_a_sum_of_two_is_not_unmasked() -> None:
    secure = Sum(3)
    secure.mask()
    with pytest.raises(SecureAggregationError, match="vectors have arrived"):
        secure.people[secure.ids[0]].confirm(secure.ids[:2])


OTHER = bytes(range(32))


@pytest.mark.parametrize(
    "change",
    [
        lambda known: replace(known, mask_key=OTHER),
        lambda known: replace(known, encryption_key=OTHER),
        lambda known: replace(known, commitment=OTHER),
    ],
)
def test_keys_that_their_owner_has_not_signed_are_refused(
    change: Callable[[Advertisement], Advertisement],
) -> None:
    secure = Sum(4)
    known = secure.advertise()
    known[1] = change(known[1])
    with pytest.raises(SecureAggregationError, match="has not signed"):
        secure.people[secure.ids[0]].share(known)


def test_a_stranger_and_a_copy_are_refused() -> None:
    secure = Sum(4)
    known = secure.advertise()
    stranger = replace(known[1], client_id=1000)
    with pytest.raises(SecureAggregationError, match="nobody knows"):
        secure.people[secure.ids[0]].share([*known, stranger])
    with pytest.raises(SecureAggregationError, match="each named once"):
        secure.people[secure.ids[1]].share([known[0], known[1], known[1], known[2]])


def test_a_vector_that_comes_after_the_list_is_final_is_refused() -> None:
    secure = Sum(4)
    inboxes = secure.share()
    late, *others = secure.ids
    for i in others:
        secure.server.add_vector(secure.people[i].mask(inboxes[i], secure.encoded[i], RING))
    secure.server.delivered()
    with pytest.raises(SecureAggregationError, match="too late"):
        secure.server.add_vector(
            secure.people[late].mask(inboxes[late], secure.encoded[late], RING)
        )


@pytest.mark.parametrize(
    "words", [np.zeros(LENGTH + 1, "<u4"), np.zeros(LENGTH, "<u8"), np.zeros((5, 10), "<u4")]
)
def test_vectors_of_another_shape_are_refused(words: Words) -> None:
    secure = Sum(4)
    secure.share()
    with pytest.raises(SecureAggregationError, match="words of"):
        secure.server.add_vector(MaskedVector(secure.ids[0], words))


def test_nobody_is_counted_twice_or_uninvited() -> None:
    secure = Sum(4)
    inboxes = secure.share()
    first = secure.ids[0]
    vector = secure.people[first].mask(inboxes[first], secure.encoded[first], RING)
    secure.server.add_vector(vector)
    for unwanted in (vector, MaskedVector(1000, vector.words)):
        with pytest.raises(SecureAggregationError, match="is expected"):
            secure.server.add_vector(unwanted)


def test_usual_degrees_grow_with_the_logarithm() -> None:
    assert Session.usual_degree(100) is None, "the server has no graph to choose"
    assert Session.usual_degree(101) == 40
    assert Session.usual_degree(200) == 46
    assert Session.usual_degree(10_000) == 80
