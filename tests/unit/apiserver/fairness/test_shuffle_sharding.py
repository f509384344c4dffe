"""Hands of queues."""

from collections import Counter

import pytest

from proa.apiserver.fairness.shuffle_sharding import deal, hash_flow, required_entropy_bits


@pytest.mark.parametrize(
    ("hash_value", "deck", "size", "hand"),
    [(0, 4, 2, (0, 1)), (5, 4, 2, (1, 2)), (4, 4, 2, (0, 2)), (3, 4, 1, (3,)), (11, 4, 2, (3, 2)), (0, 3, 3, (0, 1, 2))],
)
def test_a_hash_is_read_as_cards(hash_value: int, deck: int, size: int, hand: tuple[int, ...]) -> None:
    assert deal(hash_value, deck, size) == hand


def test_every_hand_is_dealt_equally_often() -> None:
    hands = Counter(deal(value, 5, 3) for value in range(5 * 4 * 3))
    assert len(hands) == 60
    assert set(hands.values()) == {1}
    assert all(len(set(hand)) == 3 and max(hand) < 5 for hand in hands)


def test_entropy() -> None:
    assert [required_entropy_bits(*each) for each in ((64, 6), (128, 8), (1, 1), (1024, 6), (10_000_000, 3))] == [36, 56, 0, 60, 70]


def test_flows_differ_by_schema_and_distinguisher() -> None:
    assert len({hash_flow("a", "b"), hash_flow("a", "c"), hash_flow("b", "b"), hash_flow("ab", "")}) == 4
    assert hash_flow("a", "b") == hash_flow("a", "b")
