from hypothesis import given
from hypothesis import strategies as st

from fedcore.engine.lanes import (
    CLIENTS_PER_LANE,
    FEW_LANES,
    MIN_LANES,
    PARTIAL_BYTES,
    cut_into_lanes,
    largest_first,
    num_lanes,
)

SIZES = st.lists(st.integers(min_value=1, max_value=5000), min_size=1, max_size=300)
SMALL_MODEL = 4 * 1000


@given(SIZES)
def test_every_client_is_in_one_lane(sizes: list[int]) -> None:
    lanes = cut_into_lanes(sizes, SMALL_MODEL)
    assert sorted(position for lane in lanes for position in lane) == list(range(len(sizes)))
    assert all(lanes)


@given(SIZES)
def test_no_lane_is_longer_than_a_fair_share_and_one_client(sizes: list[int]) -> None:
    lanes = cut_into_lanes(sizes, SMALL_MODEL)
    fair = sum(sizes) / len(lanes)
    for lane in lanes:
        assert sum(sizes[position] for position in lane) <= fair + max(sizes)


def test_few_clients_are_a_lane_each_in_their_order() -> None:
    assert cut_into_lanes([3, 9, 1], SMALL_MODEL) == ((0,), (1,), (2,))


def test_lanes_depend_on_the_cohort_alone() -> None:
    sizes = [7] * 40
    assert cut_into_lanes(sizes, SMALL_MODEL) == cut_into_lanes(sizes, SMALL_MODEL)


def test_large_cohorts_have_more_lanes_and_large_models_fewer() -> None:
    assert num_lanes(100, SMALL_MODEL) == MIN_LANES
    assert num_lanes(1000, SMALL_MODEL) == 1000 // CLIENTS_PER_LANE
    assert num_lanes(1000, PARTIAL_BYTES) == FEW_LANES
    assert num_lanes(2, PARTIAL_BYTES) == 2


def test_the_longest_lane_is_started_first() -> None:
    assert largest_first(((0,), (1,), (2, 3)), [5, 9, 4, 4]) == [1, 2, 0]
