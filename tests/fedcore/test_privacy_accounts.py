"""What noise promises, against figures of other accountants and of mathematics."""

from __future__ import annotations

import math

import pytest

from fedcore.errors import PrivacyError
from fedcore.privacy import curves
from fedcore.privacy.accounts import Account
from fedcore.spec import renyi
from fedcore.spec.renyi import NoisySum

#: chance, noise, sums, delta, and epsilon by Renyi divergences and by privacy loss distributions,
#: as dp-accounting 0.6.0 computes them; the first is also known exactly: 4.37718.
KNOWN = [
    (1, 1.0, 1, 1e-5, 4.7285, 4.3772),
    (1, 10, 100, 1e-5, 4.7285, 4.3772),
    (0.01, 1.0, 1000, 1e-5, 2.1014, 1.8282),
    (0.1, 1.0, 100, 1e-5, 7.9039, 7.0466),
    (0.02, 0.8, 500, 1e-5, 5.3719, 4.6680),
    (0.05, 2.0, 200, 1e-6, 1.9518, 1.7921),
    (256 / 60000, 1.1, 14063, 1e-5, 2.5967, 2.3818),
]


@pytest.mark.parametrize("known", KNOWN)
def test_known_figures(known: tuple[float, float, int, float, float, float]) -> None:
    chance, noise, count, delta, by_renyi, tight = known
    release = NoisySum(chance, noise)
    bound = renyi.epsilon(release, count, delta)
    assert by_renyi * (1 - 1e-4) <= bound <= by_renyi * 1.01
    found = Account(delta, planned=count).epsilon([(release, count)])
    assert found == pytest.approx(tight, rel=2e-3)
    assert bound >= found * (1 - 1e-3)


@pytest.mark.parametrize(
    ("clients", "cohort", "count", "right", "not_doubled"),
    [(1000, 10, 1000, 3.5761, 1.4453), (100, 10, 100, 14.0538, 5.3790)],
)
def test_replacing_a_client_moves_the_sum_by_twice_the_clip(
    clients: int, cohort: int, count: int, right: float, not_doubled: float
) -> None:
    release = NoisySum(cohort / clients, 2.0, "fixed_size")
    found = Account(1e-5, planned=count).epsilon([(release, count)])
    assert found == pytest.approx(right, rel=1e-4)
    quieter = NoisySum(cohort / clients, 4.0, "fixed_size")
    assert Account(1e-5, planned=count).epsilon([(quieter, count)]) == pytest.approx(
        not_doubled, rel=1e-4
    )
    assert renyi.epsilon(quieter, count, 1e-5) >= not_doubled * (1 - 1e-4)


def test_sums_with_different_noise_add_up_to_one() -> None:
    sums = [(NoisySum(1.0, noise), 1) for noise in (1.0, 2.0, 4.0)]
    account = Account(1e-5, planned=3)
    assert account.epsilon(sums) == pytest.approx(5.1274, rel=2e-3)
    joined = (1 + 1 / 4 + 1 / 16) ** -0.5
    assert account.epsilon([(NoisySum(1.0, joined), 1)]) == pytest.approx(5.1274, rel=2e-3)
    assert renyi.epsilon(NoisySum(1.0, joined), 1, 1e-5) == pytest.approx(5.5319, rel=2e-3)


def test_noise_for_an_epsilon_is_as_little_as_it_takes() -> None:
    account, release = Account(1e-5, planned=1000), NoisySum(0.01, 1.0)
    noise = account.noise_for(1.0, release)
    assert noise == pytest.approx(1.4146, rel=2e-3)
    assert account.epsilon([(NoisySum(0.01, noise), 1000)]) <= 1.0
    bound = renyi.least_noise(release, 1000, 1.0, 1e-5)
    assert bound == pytest.approx(1.5131, rel=2e-3)


def test_no_noise_promises_nothing_and_that_is_no_error() -> None:
    account = Account(1e-5, planned=10)
    assert account.epsilon([(NoisySum(0.5, 0.0), 3)]) == math.inf
    assert account.epsilon([(NoisySum(0.5, 0.0), 0)]) == 0.0
    assert account.epsilon([]) == 0.0


def test_what_is_spent_grows_with_every_sum() -> None:
    account, release = Account(1e-5, planned=400), NoisySum(0.05, 1.0)
    found = [account.epsilon([(release, count)]) for count in (1, 49, 50, 51, 60, 399, 400)]
    assert found == sorted(found)
    exact = curves.epsilon([(release, 400)], 1e-5, 1e-4)
    assert found[-1] == pytest.approx(exact, rel=2e-3)


def test_an_epsilon_that_no_noise_keeps_is_refused() -> None:
    with pytest.raises(PrivacyError, match="no noise") as caught:
        Account(1e-300, planned=10**6).noise_for(1e-6, NoisySum(1.0, 1.0))
    assert caught.value.context["field"] == "privacy.dp.epsilon"
