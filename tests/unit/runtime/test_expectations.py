"""Expectations hold a controller back until its cache has caught up."""

import asyncio

from proa.lib.clock import VirtualClock
from proa.runtime.expectations import Expectations


def test_creations_and_deletions_are_awaited_and_time_out() -> None:
    clock = VirtualClock()
    expectations = Expectations(clock)
    states = [expectations.satisfied("k")]
    expectations.expect_creations("k", 2)
    expectations.creation_observed("k")
    states.append(expectations.satisfied("k"))
    expectations.creation_observed("k")
    states.append(expectations.satisfied("k"))
    expectations.expect_deletions("k", ["u1"])
    expectations.deletion_observed("k", "other")
    states.append(expectations.satisfied("k"))
    asyncio.run(clock.advance(301))
    states.append(expectations.satisfied("k"))
    assert states == [True, False, True, False, True]
