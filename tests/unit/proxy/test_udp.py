"""Which UDP flows are forgotten after a change."""

import pytest

from proa.lib.netlink.conntrack import UdpFlow
from proa.proxy.model import build_rules
from proa.proxy.rules import Endpoint, Frontend, Ruleset
from proa.proxy.udp import changed_frontends, stale_flows
from tests.unit.proxy.plan import NODE, endpoint_slice, service

VIP, NODE_PORT = Frontend("10.96.0.1", "udp", 53), Frontend("", "udp", 30053)
A, B = Endpoint("10.244.1.5", 53), Endpoint("10.244.2.6", 53)
CLIENT = ("10.244.1.9", 40000)


def rules(*ips: str) -> Ruleset:
    ports = ({"port": 53, "protocol": "UDP", "nodePort": 30053}, {"name": "tcp", "port": 53})
    targets = ({"port": 53, "protocol": "UDP"}, {"name": "tcp", "port": 53})
    return build_rules([service(type="NodePort", ports=ports)], [endpoint_slice(*ips, ports=targets)], NODE)


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        (rules(A.ip, B.ip), rules(B.ip), {VIP, NODE_PORT}),
        (rules(A.ip), rules(), {VIP, NODE_PORT}),
        (rules(), rules(A.ip), {VIP, NODE_PORT}),
        (rules(A.ip), Ruleset(), {VIP, NODE_PORT}),
        (Ruleset(), rules(A.ip), {VIP, NODE_PORT}),
        (rules(A.ip), rules(A.ip, B.ip), set()),
        (rules(), rules(), set()),
    ],
    ids=["one went", "the last went", "the first came", "service deleted", "service created", "one more", "none still"],
)
def test_frontends_that_lost_an_endpoint_or_got_their_first(old: Ruleset, new: Ruleset, expected: set[Frontend]) -> None:
    assert changed_frontends(old, new, ["default/web"]) == expected


@pytest.mark.parametrize(
    ("flow", "stale"),
    [
        (UdpFlow(CLIENT, ("10.96.0.1", 53), A), True),
        (UdpFlow(CLIENT, ("10.96.0.1", 53), B), False),
        (UdpFlow(CLIENT, ("10.96.0.1", 53), ("10.96.0.1", 53)), True),
        (UdpFlow(CLIENT, ("10.96.0.1", 54), A), False),
        (UdpFlow(CLIENT, ("192.168.1.1", 30053), A), True),
        (UdpFlow(CLIENT, ("127.0.0.1", 30053), A), True),
        (UdpFlow(CLIENT, ("192.168.1.2", 30053), A), False),
        (UdpFlow(CLIENT, A, A), False),
    ],
    ids=["dead endpoint", "living one", "never translated", "another port", "node port", "localhost", "another node's", "no service"],
)
def test_a_flow_is_stale_if_nobody_answers_it_who_should(flow: UdpFlow, stale: bool) -> None:
    assert stale_flows([flow], {VIP, NODE_PORT}, rules(B.ip), {"192.168.1.1", "127.0.0.1"}) == ([flow] if stale else [])
