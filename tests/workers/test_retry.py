"""Pauses between tries grow, and there is a last try."""

from workers.retry import RetryPolicy

POLICY = RetryPolicy(max_retries=4, first_pause_s=1.0, longest_pause_s=5.0)


def test_pauses_double_up_to_the_longest() -> None:
    assert [POLICY.pause_s(retries) for retries in range(5)] == [1.0, 2.0, 4.0, 5.0, 5.0]


def test_there_is_a_last_try() -> None:
    assert POLICY.allows(3)
    assert not POLICY.allows(4)
