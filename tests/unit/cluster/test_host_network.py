"""Routes and localhost ports of the machine, planned from Nodes and Services.

Addresses: nodes 172.30.0.2 and .3, pods 10.244.0.0/24 and 10.244.1.0/24, pool 172.30.0.192/26.
"""

import socket

from proa.api.meta import Object
from proa.cluster.host_network import ROUTE_PROTOCOL, HostPlan, PortClaims, node_port_commands, plan, route_changes
from proa.cluster.settings import ClusterSettings
from proa.lib.netlink.network import NextHop, Route

SETTINGS = ClusterSettings("proa", 6443, "10.244.0.0/16", "10.96.0.0/16", "172.30.0.0/24", "1.37")


def _node(index: int, ready: str = "True") -> Object:
    return {
        "metadata": {"name": f"node-{index}"},
        "spec": {"podCIDR": f"10.244.{index}.0/24"},
        "status": {
            "addresses": [{"type": "Hostname", "address": "x"}, {"type": "InternalIP", "address": f"172.30.0.{index + 2}"}],
            "conditions": [{"type": "Ready", "status": ready}],
        },
    }


def _service(*ports: Object) -> Object:
    return {"metadata": {"name": "s", "namespace": "n"}, "spec": {"ports": list(ports)}}


def _route(destination: str, gateway: str = "", hops: tuple[str, ...] = ()) -> Route:
    return Route(destination, gateway=gateway, next_hops=tuple(NextHop(hop) for hop in hops), protocol=ROUTE_PROTOCOL)


def test_pods_by_their_node_and_the_pool_over_ready_nodes() -> None:
    service = _service({"port": 80, "nodePort": 30080}, {"port": 53, "nodePort": 30053, "protocol": "UDP"}, {"port": 81})
    assert plan([_node(1), _node(0)], [service], SETTINGS) == HostPlan(
        (
            _route("10.244.0.0/24", "172.30.0.2"),
            _route("10.244.1.0/24", "172.30.0.3"),
            _route("172.30.0.192/26", hops=("172.30.0.2", "172.30.0.3")),
        ),
        {("TCP", 30080): service, ("UDP", 30053): service},
        "172.30.0.2",
    )


def test_a_node_that_is_down_keeps_its_pods_route_and_loses_the_rest() -> None:
    found = plan([_node(0, "Unknown"), _node(1)], [], SETTINGS)
    assert found.gateway == "172.30.0.3"
    assert found.routes[2] == _route("172.30.0.192/26", "172.30.0.3")
    assert plan([_node(0, "False")], [], SETTINGS) == HostPlan((_route("10.244.0.0/24", "172.30.0.2"),), {}, "")


def test_only_what_differs_is_changed() -> None:
    wanted = [_route("10.244.0.0/24", "172.30.0.2"), _route("10.244.1.0/24", "172.30.0.9"), _route("10.0.0.0/8", hops=("172.30.0.2",))]
    actual = [
        Route("10.244.0.0/24", gateway="172.30.0.2", link="proa0", protocol=ROUTE_PROTOCOL),
        Route("10.244.1.0/24", gateway="172.30.0.3", link="proa0", protocol=ROUTE_PROTOCOL),
        Route("10.244.2.0/24", gateway="172.30.0.4", link="proa0", protocol=ROUTE_PROTOCOL),
    ]
    assert route_changes(wanted, actual) == (wanted[1:], ["10.244.2.0/24"])


def test_the_map_is_replaced_whole() -> None:
    assert node_port_commands("proa_x", {}) == "flush map ip proa_x node_ports\n"
    assert node_port_commands("proa_x", {("TCP", 30080): "172.30.0.2", ("UDP", 30053): "172.30.0.2"}) == (
        "flush map ip proa_x node_ports\n"
        "add element ip proa_x node_ports { tcp . 30080 : 172.30.0.2 . 30080, udp . 30053 : 172.30.0.2 . 30053 }\n"
    )


def test_a_port_goes_to_whoever_claims_it_first() -> None:
    with socket.socket() as program:
        program.bind(("127.0.0.1", 0))
        port = ("TCP", program.getsockname()[1])
        first, second = PortClaims(), PortClaims()
        assert not first.claim(port)
        program.close()
        assert first.claim(port)
        assert first.claim(port)
        assert not second.claim(port)
        first.release(port)
        assert second.claim(port)
        second.release(port)
