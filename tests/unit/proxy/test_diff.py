"""Deltas: whatever changes, the table after the delta is the table that a whole load would make."""

import random
from collections.abc import Mapping

import pytest

from proa.api.meta import Object
from proa.proxy.model import build_rules, build_service
from proa.proxy.nftables.compile import Delta, all_picks, compile_delta, compile_whole, diff, whole_elements
from proa.proxy.nftables.elements import Elements, Pick
from proa.proxy.nftables.family import IPV4
from proa.proxy.rules import Ruleset
from tests.unit.proxy.plan import AROUND, NODE, endpoint, endpoint_slice, load_balancer, service


@pytest.mark.parametrize("seed", range(40))
def test_applied_delta_equals_the_whole(seed: int) -> None:
    dice = random.Random(seed)
    ruleset, objects = Ruleset(), dict[str, tuple[Object, list[Object]]]()
    table: Elements = whole_elements(ruleset, IPV4, AROUND)
    chains: set[Pick] = set()
    for _ in range(25):
        names = [f"s{dice.randrange(6)}" for _ in range(dice.randrange(1, 4))]
        for name in names:
            objects.pop(f"default/{name}", None)
            if dice.random() < 0.8:
                objects[f"default/{name}"] = _random_service(dice, name)
        keys = {f"default/{name}" for name in names}
        new = ruleset.with_changes({key: build_service(*objects[key], NODE) if key in objects else None for key in keys})
        delta = diff(ruleset, new, AROUND, keys)
        chains |= delta.picks
        _apply(delta, table)
        assert table == whole_elements(new, IPV4, AROUND)
        assert table == whole_elements(_from_nothing(objects), IPV4, AROUND)
        assert diff(ruleset, new, AROUND) == delta
        assert all_picks(new) <= chains
        ruleset = new


def test_changed_endpoints_leave_and_come_in_one_text_with_the_chain_they_need() -> None:
    old = build_rules([service()], [endpoint_slice("10.244.2.5", "10.244.2.6")], NODE)
    new = build_rules([service()], [endpoint_slice("10.244.2.6")], NODE)
    assert compile_delta(diff(old, new, AROUND), IPV4, set()) == (
        "add chain ip proa_proxy pick-1\n"
        "flush chain ip proa_proxy pick-1\n"
        "add rule ip proa_proxy pick-1 update @borrowed_marks { ct id : meta mark }\n"
        "add rule ip proa_proxy pick-1 meta mark set numgen random mod 1\n"
        "add rule ip proa_proxy pick-1 dnat to ip daddr . meta l4proto . th dport . meta mark map @endpoints\n"
        "delete element ip proa_proxy services {\n10.96.0.1 . tcp . 80\n}\n"
        "delete element ip proa_proxy endpoints {\n10.96.0.1 . tcp . 80 . 0x00000000,\n10.96.0.1 . tcp . 80 . 0x00000001\n}\n"
        "add element ip proa_proxy services {\n10.96.0.1 . tcp . 80 : goto pick-1\n}\n"
        "add element ip proa_proxy endpoints {\n10.96.0.1 . tcp . 80 . 0x00000000 : 10.244.2.6 . 8080\n}\n"
    )


def test_chains_that_are_there_are_not_made_again() -> None:
    new = build_rules([service()], [endpoint_slice("10.244.2.6")], NODE)
    delta = diff(Ruleset(), new, AROUND)
    assert delta.picks == {Pick(1)}
    assert "chain" not in compile_delta(delta, IPV4, {Pick(1)})


def test_no_change_is_no_delta() -> None:
    ruleset = build_rules([service()], [endpoint_slice("10.244.2.6")], NODE)
    assert not diff(ruleset, ruleset, AROUND)


def test_whole_load_keeps_what_packets_filled_in_unless_made_afresh() -> None:
    text = compile_whole(Ruleset(), IPV4, AROUND)
    flushed = [line.split()[4] for line in text.splitlines() if line.startswith(("flush map", "flush set"))]
    assert not {"affinity", "borrowed_marks", "to_masquerade"} & set(flushed)
    assert {"services", "endpoints", "identities", "node_ports", "hairpin", "allowed_sources"} <= set(flushed)
    assert "delete table" not in text
    assert compile_whole(Ruleset(), IPV4, AROUND, afresh=True).startswith("add table ip proa_proxy\ndelete table ip proa_proxy\n")


def _apply(delta: Delta, table: Elements) -> None:
    """As the kernel does: what is removed must be there, what is added must not."""
    for element, value in delta.removed.items():
        assert table.pop(element) == value
    for element, value in delta.added.items():
        assert element not in table
        table[element] = value


def _from_nothing(objects: Mapping[str, tuple[Object, list[Object]]]) -> Ruleset:
    services = [found for found, _ in objects.values()]
    return build_rules(services, [each for _, slices in objects.values() for each in slices], NODE)


def _random_service(dice: random.Random, name: str) -> tuple[Object, list[Object]]:
    spec: Object = {
        "sessionAffinity": dice.choice(["None", "ClientIP"]),
        "externalTrafficPolicy": dice.choice(["Cluster", "Local"]),
        "internalTrafficPolicy": dice.choice(["Cluster", "Local"]),
        "externalIPs": dice.sample(["203.0.113.1", "203.0.113.2"], dice.randrange(3)),
        "loadBalancerSourceRanges": dice.choice([[], ["10.0.0.0/8"], ["10.0.0.0/9", "10.128.0.0/9"]]),
    }
    ports = [{"name": "a", "port": 80, "nodePort": dice.choice([30080, 30081])}, {"name": "b", "port": 53, "protocol": "UDP"}]
    ips = dice.sample([f"10.244.{node}.{number}" for node in (1, 2) for number in range(5, 9)], dice.randrange(5))
    endpoints = [endpoint(ip, ready=dice.random() < 0.7, serving=True, terminating=dice.random() < 0.3) for ip in ips]
    made = load_balancer(name, f"10.96.0.{dice.randrange(1, 4)}", {"ip": f"172.16.0.{dice.randrange(1, 3)}"}, ports=ports, **spec)
    targets = [{"name": "a", "port": 8080}, {"name": "b", "port": 5353, "protocol": "UDP"}]
    return made, [endpoint_slice(*endpoints, name=name, ports=targets)]
