"""Rules of Services with session affinity: what a client is remembered by must outlive every change but the endpoint's own end."""

import pytest

from proa.api.meta import Object
from proa.proxy.nftables.elements import Pick, identities
from proa.proxy.nftables.family import IPV4, IPV6
from proa.proxy.nftables.skeleton import pick_rules
from proa.proxy.rules import Endpoint
from tests.unit.proxy.plan import elements, endpoint_slice, service

STICKY = service(sessionAffinity="ClientIP")


def test_slots_lead_to_identities_and_identities_to_endpoints() -> None:
    numbers = identities(frozenset({Endpoint("10.244.2.5", 8080), Endpoint("10.244.2.6", 8080)}))
    first, second = (f"0x{numbers[Endpoint(ip, 8080)]:08x}" for ip in ("10.244.2.5", "10.244.2.6"))
    assert elements([STICKY], [endpoint_slice("10.244.2.5", "10.244.2.6")]) == {
        ("services", "10.96.0.1 . tcp . 80"): "goto pick-2-sticky-10800",
        ("identities", "10.96.0.1 . tcp . 80 . 0x00000000"): first,
        ("identities", "10.96.0.1 . tcp . 80 . 0x00000001"): second,
        ("endpoints", f"10.96.0.1 . tcp . 80 . {first}"): "10.244.2.5 . 8080",
        ("endpoints", f"10.96.0.1 . tcp . 80 . {second}"): "10.244.2.6 . 8080",
    }


def test_an_endpoint_keeps_its_identity_when_others_come_and_go() -> None:
    def of_second(*ips: str) -> str:
        found = elements([STICKY], [endpoint_slice(*ips)])
        return next(key for (name, key), value in found.items() if name == "endpoints" and value == "10.244.2.6 . 8080")

    assert of_second("10.244.2.5", "10.244.2.6") == of_second("10.244.2.6") == of_second("10.244.2.4", "10.244.2.6", "10.244.2.7")


def test_timeout_is_the_services_own() -> None:
    spec: Object = {"sessionAffinity": "ClientIP", "sessionAffinityConfig": {"clientIP": {"timeoutSeconds": 30}}}
    assert elements([service(**spec)], [endpoint_slice("10.244.2.5")])["services", "10.96.0.1 . tcp . 80"] == "goto pick-1-sticky-30"


def test_clashing_identities_move_to_the_next_free_number(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("proa.proxy.nftables.elements.zlib.crc32", lambda data: 0xFFFFFFFF)
    endpoints = [Endpoint("10.244.2.5", 80), Endpoint("10.244.2.5", 81), Endpoint("10.244.2.6", 80)]
    assert identities(frozenset(endpoints)) == {endpoints[0]: 0xFFFFFFFF, endpoints[1]: 0, endpoints[2]: 1}


def test_sticky_chain_reads_the_memory_first_and_forgets_what_leads_nowhere() -> None:
    client = "ip saddr . ip daddr . meta l4proto . th dport"
    key = "ip daddr . meta l4proto . th dport"
    assert pick_rules(IPV4, Pick(3, affinity_seconds=30)) == [
        "update @borrowed_marks { ct id : meta mark }",
        f"meta mark set {client} map @affinity update @affinity {{ {client} timeout 30s : meta mark }} "
        f"dnat to {key} . meta mark map @endpoints",
        f"delete @affinity {{ {client} : meta mark }}",
        "meta mark set numgen random mod 3",
        f"meta mark set {key} . meta mark map @identities",
        f"update @affinity {{ {client} timeout 30s : meta mark }}",
        f"dnat to {key} . meta mark map @endpoints",
    ]


def test_ipv6_clients_are_hashed_since_nft_cannot_remember_them() -> None:
    key = "ip6 daddr . meta l4proto . th dport"
    assert pick_rules(IPV6, Pick(3, outside=True, affinity_seconds=30)) == [
        "update @borrowed_marks { ct id : meta mark }",
        f"meta mark set jhash ip6 saddr . {key} mod 3 offset 65536",
        f"meta mark set {key} . meta mark map @identities",
        f"dnat to {key} . meta mark map @endpoints",
    ]


def test_plain_chains_draw_and_translate() -> None:
    assert pick_rules(IPV4, Pick(3, node_port=True, outside=True)) == [
        "update @borrowed_marks { ct id : meta mark }",
        "meta mark set numgen random mod 3 offset 65536",
        "dnat to meta l4proto . th dport . meta mark map @node_port_endpoints",
    ]
