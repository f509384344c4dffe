"""Seats divided by shares, and lent to where the demand is."""

import pytest

from proa.apiserver.bootstrap.flow_control import MANDATORY_LEVELS, SUGGESTED_LEVELS
from proa.apiserver.fairness.allocation import Claim, Limits, SeatDemand, Shares, allocate, divide
from proa.apiserver.fairness.configuration import queuing_of, shares_of


def test_the_default_levels_share_six_hundred_seats() -> None:
    specs = {name: level["spec"] for name, level in (MANDATORY_LEVELS | SUGGESTED_LEVELS).items()}
    limits = divide(600, {name: shares_of(spec, queuing_of(spec)) for name, spec in specs.items()})
    assert {name: (each.nominal, each.minimum, each.maximum, each.request_maximum) for name, each in limits.items()} == {
        "exempt": (0, 0, 600, 0), "catch-all": (13, 13, 613, 0), "system": (74, 50, 674, 12), "node-high": (98, 73, 698, 15),
        "leader-election": (25, 25, 625, 4), "workload-high": (98, 49, 698, 15), "workload-low": (245, 24, 845, 37),
        "global-default": (49, 24, 649, 8),
    }  # fmt: skip


def test_borrowing_may_be_limited() -> None:
    limits = divide(100, {"a": Shares(1, lendable_percent=50, borrowing_percent=20, hand_size=60), "b": Shares(3)})
    assert limits == {"a": Limits(25, 12, 30, 1), "b": Limits(75, 75, 175)}
    assert limits["a"].initial == 19


@pytest.mark.parametrize(
    ("required", "claims", "amounts", "proportion"),
    [
        (30, [Claim(10, 0, 100), Claim(20, 0, 100)], [10, 20], 1),
        (60, [Claim(10, 0, 100), Claim(20, 0, 100)], [20, 40], 2),
        (60, [Claim(10, 0, 100), Claim(20, 0, 25)], [35, 25], 3.5),
        (20, [Claim(10, 10, 100), Claim(20, 0, 100)], [10, 10], 0.5),
        (10, [Claim(5, 5, 10), Claim(5, 5, 10)], [5, 5], 1),
        (20, [Claim(5, 5, 10), Claim(5, 5, 10)], [10, 10], 2),
        (8, [Claim(0, 0, 100), Claim(0, 0, 100)], [4, 4], 4000),
        (0, [Claim(0, 0, 5)], [0], 0),
    ],
)
def test_everybody_gets_the_same_part_of_the_target(required: int, claims: list[Claim], amounts: list[float], proportion: float) -> None:
    found, fair = allocate(required, claims)
    assert found == pytest.approx(amounts)
    assert fair == pytest.approx(proportion)


@pytest.mark.parametrize("required", [4, 21])
def test_bounds_that_allow_no_sum(required: int) -> None:
    with pytest.raises(ValueError, match="do not allow a sum"):
        allocate(required, [Claim(5, 5, 20)])


def test_demand_fades_slowly_and_what_was_used_is_kept() -> None:
    demand, limits = SeatDemand(), Limits(20, 5, 100)
    demand.update(30, 10, 40)
    assert demand.claim(limits) == Claim(40, 20, 100)
    demand.update(0, 0, 0)
    claim = demand.claim(limits)
    assert claim.target == pytest.approx(40 * 0.977)
    assert claim.lower == 5
