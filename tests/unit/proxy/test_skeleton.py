"""The rules that no Service changes, whole: the one place where the order of checks is decided."""

import pytest

from proa.proxy.nftables.family import IPV4, IPV6
from proa.proxy.nftables.skeleton import Surroundings, base_chains, declarations
from tests.unit.proxy.plan import AROUND

VIP = "ip daddr . meta l4proto . th dport"
PORT = "ip daddr @node_addresses meta l4proto . th dport"

CHAINS = {
    "guard-loopback": ('iif != "lo" ip daddr 127.0.0.0/8 drop', 'iif != "lo" ip saddr 127.0.0.0/8 drop'),
    "refuse": ("meta l4proto tcp reject with tcp reset", "reject"),
    "masquerade-all": ("update @to_masquerade { ct id }",),
    "masquerade-own": ("fib saddr type local update @to_masquerade { ct id }",),
    "check-source": (f"ct state new {VIP} @source_limited {VIP} . ip saddr != @allowed_sources drop",),
    "check-source-prerouting": ("jump check-source",),
    "check-source-output": ("jump check-source",),
    "from-outside": (f"{VIP} vmap @services_from_outside", f"{PORT} vmap @node_ports_from_outside"),
    "to-service": (
        "ip daddr 10.96.0.0/16 ip saddr != 10.244.0.0/16 update @to_masquerade { ct id }",
        f"{VIP} vmap @external_services",
        f"{PORT} vmap @external_node_ports",
        f"{VIP} vmap @services",
        f"{PORT} vmap @node_ports",
    ),
    "prerouting": ("ip saddr != 10.244.0.0/16 jump from-outside", "jump to-service"),
    "output": ("jump to-service",),
    "after-translation": (
        "ct state new meta mark set ct id map @borrowed_marks delete @borrowed_marks { ct id : meta mark }",
        "ct state untracked accept",
        "ip daddr 10.96.0.0/16 ct state invalid drop",
        f"{VIP} vmap @services_otherwise",
        f"{PORT} vmap @node_ports_otherwise",
        "ip daddr 10.96.0.0/16 goto refuse",
    ),
    "after-prerouting": ("jump after-translation",),
    "after-output": ("jump after-translation",),
    "forward": ("ip saddr 10.244.0.0/16 ct state invalid drop",),
    "postrouting": (
        "ct status dnat ip saddr . ip daddr @hairpin masquerade fully-random",
        "ct status dnat ct id @to_masquerade delete @to_masquerade { ct id } masquerade fully-random",
    ),
}
HOOKS = {
    "guard-loopback": "type filter hook prerouting priority raw;",
    "check-source-prerouting": "type filter hook prerouting priority -101;",
    "check-source-output": "type filter hook output priority -101;",
    "prerouting": "type nat hook prerouting priority dstnat;",
    "output": "type nat hook output priority -100;",
    "after-prerouting": "type filter hook prerouting priority -99;",
    "after-output": "type route hook output priority -99;",
    "forward": "type filter hook forward priority filter;",
    "postrouting": "type nat hook postrouting priority srcnat;",
}


def test_all_rules_in_their_order() -> None:
    assert {name: tuple(rules) for name, _, rules in base_chains(IPV4, AROUND)} == CHAINS


def test_all_hooks() -> None:
    assert {name: hook for name, hook, _ in base_chains(IPV4, AROUND) if hook} == HOOKS


def test_ipv6_has_the_same_chains_in_its_own_words_and_no_localhost_node_ports() -> None:
    around = Surroundings(("fd00::1",), ("fd01::/112",), ("fd02::/64",))
    chains = {name: rules for name, _, rules in base_chains(IPV6, around)}
    assert set(chains) == set(CHAINS) - {"guard-loopback"}
    assert chains["prerouting"] == ["ip6 saddr != fd02::/64 jump from-outside", "jump to-service"]
    assert all("ipv4_addr" not in specification for _, _, specification in declarations(IPV6))


def test_several_networks_are_sets_and_none_leaves_the_rule_out() -> None:
    several = {name: rules for name, _, rules in base_chains(IPV4, Surroundings((), ("10.1.0.0/16", "10.2.0.0/16"), ()))}
    assert several["after-translation"][-1] == "ip daddr { 10.1.0.0/16, 10.2.0.0/16 } goto refuse"
    assert several["prerouting"][0] == "jump from-outside"
    assert several["forward"] == []


@pytest.mark.parametrize(("address", "inside"), [("10.96.3.4", True), ("10.97.0.1", False), ("", False)])
def test_in_service_network(address: str, inside: bool) -> None:
    assert AROUND.in_service_network(address) is inside


def test_surroundings_of_one_family() -> None:
    both = Surroundings(("192.168.1.1", "fd00::1"), ("10.96.0.0/16", "fd01::/112"), ("10.244.0.0/16",))
    assert both.of(IPV6) == Surroundings(("fd00::1",), ("fd01::/112",), ())
