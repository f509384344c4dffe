"""Exponential back-off."""

from proa.lib.backoff import Backoff


def test_it_doubles_up_to_the_maximum_and_starts_again() -> None:
    backoff = Backoff(1, 5)
    waits = [backoff.next() for _ in range(4)]
    backoff.reset()
    assert (waits, backoff.next()) == ([1, 2, 4, 5], 1)


def test_jitter_stretches_each_wait() -> None:
    backoff = Backoff(2, 100, factor=3, jitter=0.5, draw=lambda: 1.0)
    assert [backoff.next(), backoff.next()] == [3, 9]
