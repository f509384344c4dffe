"""Shuffle sharding: each flow is dealt its own small hand of queues, so that a flow which floods its hand hurts few of the others.

Two flows share a whole hand with a chance of one in millions; a mouse whose hand overlaps an elephant's still has an unburdened queue.
Source: KEP-1040, "Queue Assignment".
"""

import math

HASH_BITS = 60
"""How much of a hash a hand may use up; more would deal some hands never."""


def required_entropy_bits(deck_size: int, hand_size: int) -> int:
    return math.ceil(math.log2(deck_size) * hand_size)


def deal(hash_value: int, deck_size: int, hand_size: int) -> tuple[int, ...]:
    """`hand_size` different numbers below `deck_size`, the same for the same hash: its digits in the bases deck_size, deck_size - 1, ..."""
    digits: list[int] = []
    for taken in range(hand_size):
        hash_value, digit = divmod(hash_value, deck_size - taken)
        digits.append(digit)
    return tuple(_card(digits, place) for place in range(hand_size))


def _card(digits: list[int], place: int) -> int:
    """The digit counts the cards that are left: step over those that were dealt before it."""
    card = digits[place]
    for earlier in reversed(digits[:place]):
        if card >= earlier:
            card += 1
    return card


def hash_flow(schema: str, distinguisher: str) -> int:
    """64 bits that tell flows apart, the same in every server."""
    import hashlib

    return int.from_bytes(hashlib.sha256(f"{schema}\0{distinguisher}".encode()).digest()[:8], "little")
