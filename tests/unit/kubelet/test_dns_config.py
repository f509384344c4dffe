"""resolv.conf by policy."""

from typing import Any

import pytest

from proa.kubelet.dns_config import Resolver, build_dns_config, parse_resolv_conf
from tests.unit.kubelet.objects import pod

HOST = Resolver(("8.8.8.8",), ("corp.example",), ("timeout:1",))
CLUSTER = ["n.svc.cluster.local", "svc.cluster.local", "cluster.local", "corp.example"]


@pytest.mark.parametrize(
    ("spec", "servers", "searches", "options"),
    [
        ({}, ["10.96.0.10"], CLUSTER, ["ndots:5"]),
        ({"dnsPolicy": "Default"}, ["8.8.8.8"], ["corp.example"], ["timeout:1"]),
        ({"hostNetwork": True}, ["8.8.8.8"], ["corp.example"], ["timeout:1"]),
        ({"hostNetwork": True, "dnsPolicy": "ClusterFirstWithHostNet"}, ["10.96.0.10"], CLUSTER, ["ndots:5"]),
        ({"dnsPolicy": "None", "dnsConfig": {"nameservers": ["1.1.1.1"], "searches": ["a.b"], "options": [{"name": "edns0"}]}},
         ["1.1.1.1"], ["a.b"], ["edns0"]),
        ({"dnsConfig": {"nameservers": ["1.1.1.1"], "options": [{"name": "ndots", "value": "2"}]}},
         ["10.96.0.10", "1.1.1.1"], CLUSTER, ["ndots:2"]),
    ],
)  # fmt: skip
def test_policies(spec: dict[str, Any], servers: list[str], searches: list[str], options: list[str]) -> None:
    made = build_dns_config(pod(**spec), HOST, ["10.96.0.10"], "cluster.local")
    assert made == ({"servers": servers, "searches": searches, "options": options}, [])


def test_too_many_servers_are_left_out_with_a_warning() -> None:
    config, warnings = build_dns_config(pod(dnsPolicy="None", dnsConfig={"nameservers": list("1234")}), HOST, [], "")
    assert config["servers"] == ["1", "2", "3"]
    assert warnings == ["Nameserver limits were exceeded, some nameservers have been omitted, the applied nameserver line is: 1 2 3"]


def test_a_resolver_file_is_read() -> None:
    text = "# comment\nnameserver 1.2.3.4\nnameserver ::1\nsearch a.b. c\noptions ndots:2 rotate\n"
    assert parse_resolv_conf(text) == Resolver(("1.2.3.4", "::1"), ("a.b", "c"), ("ndots:2", "rotate"))
