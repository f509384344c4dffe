"""The Kubernetes DNS specification as a table of questions and answers; addresses in plan.py."""

import pytest

from proa.dns.answer import answer, outside_target
from proa.dns.message import AAAA, CNAME, NAME_ERROR, NO_ERROR, NS, PTR, SRV, TXT, A
from proa.dns.records import service_records
from tests.unit.dns import plan

INDEX = plan.index()


@pytest.mark.parametrize(
    ("name", "kind", "data"),
    [
        ("web.default.svc.cluster.local", A, ["10.96.0.20"]),
        ("WEB.Default.svc.cluster.local", A, ["10.96.0.20"]),
        ("web.default.svc.cluster.local", AAAA, []),
        ("_http._tcp.web.default.svc.cluster.local", SRV, [(0, 100, 80, "web.default.svc.cluster.local")]),
        ("_metrics._udp.web.default.svc.cluster.local", SRV, [(0, 100, 9090, "web.default.svc.cluster.local")]),
        ("db.default.svc.cluster.local", A, ["10.244.0.5", "10.244.1.6"]),
        ("db-0.db.default.svc.cluster.local", A, ["10.244.0.5"]),
        ("10-244-1-6.db.default.svc.cluster.local", A, ["10.244.1.6"]),
        (
            "_sql._tcp.db.default.svc.cluster.local",
            SRV,
            [(0, 50, 5432, "db-0.db.default.svc.cluster.local"), (0, 50, 5432, "10-244-1-6.db.default.svc.cluster.local")],
        ),
        ("outside.default.svc.cluster.local", A, ["example.com"]),
        ("inside.default.svc.cluster.local", A, ["web.default.svc.cluster.local", "10.96.0.20"]),
        ("outside.default.svc.cluster.local", CNAME, ["example.com"]),
        ("20.0.96.10.in-addr.arpa", PTR, ["web.default.svc.cluster.local"]),
        ("5.0.244.10.in-addr.arpa", PTR, ["db-0.db.default.svc.cluster.local"]),
        ("10-244-0-5.default.pod.cluster.local", A, ["10.244.0.5"]),
        ("dns-version.cluster.local", TXT, ["1.1.0"]),
        ("cluster.local", NS, ["ns.dns.cluster.local"]),
        ("default.svc.cluster.local", A, []),
        ("empty.svc.cluster.local", A, []),
        ("_tcp.web.default.svc.cluster.local", A, []),
        ("svc.cluster.local", A, []),
    ],
)
def test_names_of_the_cluster(name: str, kind: int, data: list[object]) -> None:
    found = answer(plan.query(name, kind), INDEX)
    assert found is not None
    assert (found.code, [record.data for record in found.records]) == (NO_ERROR, data)
    assert bool(found.authority) is (not data)


@pytest.mark.parametrize(
    "name",
    [
        "nothing.default.svc.cluster.local",
        "10-244-1-7.db.default.svc.cluster.local",
        "web.other.svc.cluster.local",
        "other.svc.cluster.local",
        "kubernetes.default.svc.cluster.local.default.svc.cluster.local",
        "10-244-0-5.other.pod.cluster.local",
        "no-address.default.pod.cluster.local",
        "x.cluster.local",
    ],
)
def test_names_that_the_cluster_does_not_have(name: str) -> None:
    found = answer(plan.query(name), INDEX)
    assert found is not None
    assert found.code == NAME_ERROR
    assert [record.name for record in found.authority] == ["cluster.local"]


@pytest.mark.parametrize("name", ["example.com", "notcluster.local", "1.2.3.4.in-addr.arpa", "backend"])
def test_the_rest_of_the_world_is_not_ours(name: str) -> None:
    assert answer(plan.query(name), INDEX) is None


def test_srv_answers_bring_the_addresses_of_their_targets() -> None:
    found = answer(plan.query("_sql._tcp.db.default.svc.cluster.local", SRV), INDEX)
    assert found is not None
    assert [record.data for record in found.additional] == ["10.244.0.5", "10.244.1.6"]


def test_an_alias_out_of_the_cluster_names_what_is_still_to_ask() -> None:
    for name, target in (("outside", "example.com"), ("inside", ""), ("web", "")):
        query = plan.query(f"{name}.default.svc.cluster.local")
        found = answer(query, INDEX)
        assert found is not None
        assert outside_target(found, query, plan.ZONE) == target


def test_a_service_that_goes_takes_its_names_along_and_leaves_those_of_others() -> None:
    index = plan.index()
    twin = plan.service("aaa", plan.DB["spec"])
    assert index.put(("default", "aaa"), service_records(twin, [plan.DB_SLICE], plan.ZONE))
    assert not index.put(("default", "aaa"), service_records(twin, [plan.DB_SLICE], plan.ZONE))
    pointer = index.records["5.0.244.10.in-addr.arpa"][PTR]
    assert [record.data for record in pointer] == ["db-0.aaa.default.svc.cluster.local"]
    index.put(("default", "aaa"), ())
    assert index.records == plan.index().records
