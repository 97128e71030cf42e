"""Round robin, latency-proportional and Oort against the checks of their cards."""

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import pytest
import torch

from fedcore.params import Layout, Params
from fedcore.rng import Purpose, rng
from fedcore.sampling import SAMPLERS, Sampler, Seen
from fedcore.spec import RunSpec
from fedcore.state import RunState


def sampler(clients: int, **settings: Any) -> Sampler:
    spec = RunSpec.parse(
        {"sampling": settings, "partition": {"kind": "iid", "clients": clients}}
    ).sampling
    return SAMPLERS.of(spec)(spec)


def empty_state() -> RunState:
    layout = Layout(("x",), ((1,),))
    return RunState(0, {"model": Params(layout, torch.zeros(1))})


def draw(
    chosen: Sampler,
    clients: int,
    rounds: int,
    seen: Callable[[int], tuple[float, float]] = lambda _: (1.0, 1.0),
    seed: int = 0,
) -> list[tuple[int, ...]]:
    """Return the cohorts of some rounds; ``seen`` gives a client's loss and seconds."""
    state, cohorts = empty_state(), []
    size = vars(chosen)["spec"].cohort_size(clients)
    for round_index in range(rounds):
        generator = rng(seed, Purpose.SAMPLING, round_index)
        sample = chosen.select(state, range(clients), size, generator)
        cohort = [Seen(c, 10, *seen(c)) for c in sample.client_ids]
        memory = chosen.learn(sample.memory, round_index, cohort)
        state = replace(state, round_index=round_index + 1, sampler=memory)
        cohorts.append(sample.client_ids)
    return cohorts


def shares(cohorts: list[tuple[int, ...]], clients: int) -> Mapping[int, float]:
    """Return how often each client was drawn, relative to the mean."""
    counts = Counter(client for cohort in cohorts for client in cohort)
    mean = sum(counts.values()) / clients
    return {client: counts[client] / mean for client in range(clients)}


def test_poisson_draws_each_client_by_itself() -> None:
    cohorts = draw(sampler(200, kind="poisson", fraction=0.1), 200, 400)
    sizes = torch.tensor([float(len(cohort)) for cohort in cohorts])
    assert sizes.mean().item() == pytest.approx(20, abs=0.7)
    assert sizes.var().item() == pytest.approx(200 * 0.1 * 0.9, rel=0.2)
    by_number = draw(sampler(200, kind="poisson", count=20), 200, 400)
    assert by_number == cohorts
    assert draw(sampler(5, kind="poisson", fraction=1.0), 5, 3) == [tuple(range(5))] * 3


def test_poisson_decides_on_a_client_whatever_becomes_of_the_others() -> None:
    chosen = sampler(50, kind="poisson", fraction=0.5)
    first, second = (
        chosen.select(empty_state(), range(50), size, rng(0, Purpose.SAMPLING, 3))
        for size in (1, 50)
    )
    assert first == second


def test_round_robin_takes_everyone_once_per_turn() -> None:
    cohorts = draw(sampler(12, kind="round_robin", count=4), 12, 6)
    for turn in (cohorts[:3], cohorts[3:]):
        assert sorted(client for cohort in turn for client in cohort) == list(range(12))


def test_round_robin_counts_differ_by_one_at_most() -> None:
    cohorts = draw(sampler(7, kind="round_robin", count=3), 7, 10)
    counts = Counter(client for cohort in cohorts for client in cohort)
    assert max(counts.values()) - min(counts.values()) <= 1


def test_round_robin_skips_a_client_that_is_not_available() -> None:
    chosen = sampler(6, kind="round_robin", count=2)
    generator = torch.Generator()
    first = chosen.select(empty_state(), [0, 2, 3, 4, 5], 2, generator)
    assert first.client_ids == (0, 2)
    state = replace(empty_state(), sampler=first.memory)
    assert chosen.select(state, [0, 1, 2, 4, 5], 2, generator).client_ids == (4, 5)


def test_latency_draws_in_proportion_to_speed() -> None:
    seconds = {0: 1.0, 1: 2.0, 2: 4.0}
    cohorts = draw(
        sampler(3, kind="latency_proportional", count=1), 3, 3000, lambda c: (1.0, seconds[c])
    )
    # The first draws do not know the times yet; their number is bounded, and so is their effect.
    counts = Counter(cohort[0] for cohort in cohorts[50:])
    total = sum(counts.values())
    for client, expected in enumerate((4 / 7, 2 / 7, 1 / 7)):
        deviation = (expected * (1 - expected) / total) ** 0.5
        assert abs(counts[client] / total - expected) < 4 * deviation


@pytest.mark.parametrize(
    "settings",
    [
        {"kind": "random", "fraction": 1.0},
        {"kind": "round_robin", "fraction": 1.0},
        {"kind": "latency_proportional", "fraction": 1.0},
        {"kind": "oort", "fraction": 1.0},
    ],
    ids=lambda settings: str(settings["kind"]),
)
def test_a_fraction_of_one_is_everybody(settings: dict[str, Any]) -> None:
    assert draw(sampler(5, **settings), 5, 3) == [(0, 1, 2, 3, 4)] * 3


@pytest.mark.parametrize("kind", ["random", "round_robin", "latency_proportional", "oort"])
def test_the_seed_alone_decides(kind: str) -> None:
    chosen = sampler(20, kind=kind, count=5)
    assert draw(chosen, 20, 10) == draw(chosen, 20, 10)
    assert chosen.select(empty_state(), [], 0, torch.Generator()).client_ids == ()


OORT = {"kind": "oort", "count": 10}


def test_oort_prefers_useful_clients_and_forgets_nobody() -> None:
    drawn = shares(draw(sampler(50, **OORT), 50, 300, lambda c: (1.0 + c / 49, 1.0)), 50)
    top = sum(drawn[client] for client in range(45, 50)) / 5
    bottom = sum(drawn[client] for client in range(25)) / 25
    assert top > 2.5
    assert bottom < 0.6
    assert min(drawn.values()) > 0


def test_oort_avoids_useful_clients_that_are_slow() -> None:
    slow = range(45, 50)
    cohorts = draw(
        sampler(50, **OORT, pacer_step=0),
        50,
        300,
        lambda c: (1.0 + c / 49, 4.0 if c in slow else 1.0),
    )
    drawn = shares(cohorts, 50)
    assert sum(drawn[client] for client in slow) / 5 < 0.6


def test_oort_clips_a_single_outlier_to_its_peers() -> None:
    def outlier(client: int) -> tuple[float, float]:
        return (10.0 if client == 7 else 1.0, 1.0)

    clipped = shares(draw(sampler(50, **OORT), 50, 300, outlier), 50)[7]
    seen = shares(draw(sampler(50, **OORT, clip=0.99), 50, 300, outlier), 50)[7]
    assert clipped < 2.0
    assert seen > 2.5


def test_oort_explores_new_clients_first() -> None:
    cohorts = draw(sampler(50, **OORT), 50, 3)
    assert len({client for cohort in cohorts for client in cohort}) >= 25
