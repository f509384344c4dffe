"""Which routes a node needs, and the way there from those that it has."""

import pytest

from proa.api.meta import Object
from proa.cni.routes import PROTOCOL, RoutePlan, plan_routes, wanted_routes
from proa.lib.netlink.network import Route


def node(name: str, address: str = "", *cidrs: str) -> Object:
    addresses = [{"type": "Hostname", "address": name}] + ([{"type": "InternalIP", "address": address}] if address else [])
    return {"metadata": {"name": name}, "spec": {"podCIDRs": list(cidrs)}, "status": {"addresses": addresses}}


OWN = Route("10.244.1.0/24", protocol=PROTOCOL, unreachable=True)
OTHER = Route("10.244.2.0/24", "192.168.1.2", protocol=PROTOCOL)


def test_other_nodes_by_their_own_address_and_this_nodes_rest_unreachable() -> None:
    nodes = [
        node("c"),
        node("b", "192.168.1.2", "10.244.2.0/24"),
        node("a", "192.168.1.1", "10.244.1.0/24"),
        node("d", "", "10.244.4.0/24"),
    ]
    assert wanted_routes(nodes, "a") == [OWN, OTHER]


def test_each_family_by_an_address_of_its_own() -> None:
    dual = node("b", "192.168.1.2", "10.244.2.0/24", "fd02:2::/64")
    dual["status"]["addresses"].append({"type": "InternalIP", "address": "fd00::2"})
    assert wanted_routes([dual], "a") == [OTHER, Route("fd02:2::/64", "fd00::2", protocol=PROTOCOL)]


def test_old_field_alone_is_enough() -> None:
    old: Object = {"metadata": {"name": "a"}, "spec": {"podCIDR": "10.244.1.0/24"}}
    assert wanted_routes([old], "a") == [OWN]


@pytest.mark.parametrize(
    ("present", "expected"),
    [
        ([], RoutePlan((OWN, OTHER), ())),
        ([OWN, Route("10.244.2.0/24", "192.168.1.2", "eth0", protocol=PROTOCOL)], RoutePlan((), ())),
        ([OWN, Route("10.244.2.0/24", "192.168.1.9", "eth0", protocol=PROTOCOL)], RoutePlan((OTHER,), ())),
        ([OWN, OTHER, Route("10.244.3.0/24", "192.168.1.3", "eth0", protocol=PROTOCOL)], RoutePlan((), ("10.244.3.0/24",))),
        ([Route("10.244.1.0/24", "192.168.1.1", protocol=PROTOCOL), OTHER], RoutePlan((OWN,), ())),
    ],
    ids=["new", "nothing to do", "node moved", "node gone", "own CIDR was another's"],
)
def test_plan(present: list[Route], expected: RoutePlan) -> None:
    assert plan_routes([OWN, OTHER], present) == expected
