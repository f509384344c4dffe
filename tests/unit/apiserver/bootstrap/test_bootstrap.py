"""A fresh cluster gets all that upstream has, a second start changes nothing, and what an operator did is respected."""

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest

from proa.api.meta import Object
from proa.api.resource import ResourceId
from proa.apiserver.authz.aggregation import outdated
from proa.apiserver.authz.build import build_authorizer
from proa.apiserver.bootstrap.reconcile import RECREATE, reconcile_binding, reconcile_endpoint_slice, reconcile_role, reconcile_service
from proa.apiserver.bootstrap.rule import rule
from proa.apiserver.bootstrap.run import Bootstrap
from proa.apiserver.config import ApiServerConfig
from proa.apiserver.fake import FakeReader, FakeWriter
from proa.apiserver.interface import RequestInfo, User
from proa.lib.clock import VirtualClock

GROUP = "rbac.authorization.k8s.io"


def serves_all(resource: ResourceId) -> bool:
    return True


def configuration(directory: Path, cidr: str = "10.96.0.0/16") -> ApiServerConfig:
    (directory / "ca.crt").write_text("CA")
    path = directory / "unused"
    return ApiServerConfig(
        directory, (), None, path, path, directory / "ca.crt", path, advertise_address="172.20.0.2", advertise_port=6443, service_cidr=cidr
    )


def started(directory: Path) -> tuple[FakeReader, FakeWriter]:
    reader = FakeReader()
    writer = FakeWriter(reader)
    asyncio.run(Bootstrap(reader, writer, configuration(directory), serves_all, VirtualClock()).run())
    return reader, writer


def test_a_fresh_cluster_is_complete_and_a_second_start_writes_nothing(tmp_path: Path) -> None:
    reader, writer = started(tmp_path)
    plurals = ("clusterroles", "clusterrolebindings", "roles", "rolebindings")
    counts = {plural: len(reader.list(GROUP, plural)) for plural in plurals}
    assert counts == {"clusterroles": 75, "clusterrolebindings": 56, "roles": 8, "rolebindings": 8}
    first = {path for _, path in writer.requests[:6]}
    assert first == {"/api/v1/namespaces", *(f"/apis/networking.k8s.io/v1/servicecidrs{rest}" for rest in ("", "/kubernetes/status"))}
    assert [(method, path) for method, path in writer.requests if method != "POST"] == [
        ("PATCH", "/apis/networking.k8s.io/v1/servicecidrs/kubernetes/status")
    ]
    assert outdated(reader.list(GROUP, "clusterroles")) == {}
    assert asyncio.run(Bootstrap(reader, writer, configuration(tmp_path), serves_all, VirtualClock()).run()) == 0


def test_kinds_that_this_version_of_the_api_lacks_are_left_out(tmp_path: Path) -> None:
    reader = FakeReader()
    without = Bootstrap(
        reader, FakeWriter(reader), configuration(tmp_path), lambda resource: resource.kind != "ServiceCIDR", VirtualClock()
    )
    asyncio.run(without.run())
    assert reader.list("networking.k8s.io", "servicecidrs") == []
    assert reader.list("scheduling.k8s.io", "priorityclasses") != []


def test_every_binding_grants_a_role_that_exists(tmp_path: Path) -> None:
    reader = started(tmp_path)[0]
    bindings = reader.list(GROUP, "clusterrolebindings") + reader.list(GROUP, "rolebindings")
    kinds = {"ClusterRole": "clusterroles", "Role": "roles"}
    roles = [(kinds[each["roleRef"]["kind"]], each["roleRef"]["name"], each["metadata"].get("namespace", "")) for each in bindings]
    missing = [name for plural, name, scope in roles if not reader.get(GROUP, plural, name, scope if plural == "roles" else "")]
    assert missing == []


def test_the_kubernetes_service_leads_to_the_server(tmp_path: Path) -> None:
    reader = started(tmp_path)[0]
    service = reader.get("", "services", "kubernetes", "default") or {}
    endpoints = reader.get("", "endpoints", "kubernetes", "default") or {}
    endpoint_slice = reader.get("discovery.k8s.io", "endpointslices", "kubernetes", "default") or {}
    port = {"name": "https", "port": 6443, "protocol": "TCP"}
    assert (service["spec"]["clusterIP"], service["spec"]["ports"]) == (
        "10.96.0.1", [{"name": "https", "port": 443, "protocol": "TCP", "targetPort": 6443}],
    )  # fmt: skip
    assert endpoints["subsets"] == [{"addresses": [{"ip": "172.20.0.2"}], "ports": [port]}]
    assert (endpoint_slice["endpoints"], endpoint_slice["ports"]) == (
        [{"addresses": ["172.20.0.2"], "conditions": {"ready": True}}], [port],
    )  # fmt: skip
    (tmp_path / "moved").mkdir()
    moved = configuration(tmp_path / "moved", "10.97.0.0/16")
    assert asyncio.run(Bootstrap(reader, FakeWriter(reader), moved, serves_all, VirtualClock()).run()) == 0


def test_a_server_on_loopback_has_a_service_without_endpoints(tmp_path: Path) -> None:
    reader = FakeReader()
    config = replace(configuration(tmp_path), advertise_address="127.0.0.1")
    asyncio.run(Bootstrap(reader, FakeWriter(reader), config, serves_all, VirtualClock()).run())
    found = [
        len(reader.list(group, plural)) for group, plural in (("", "services"), ("", "endpoints"), ("discovery.k8s.io", "endpointslices"))
    ]
    assert found == [1, 0, 0]


MASTER = User("kubernetes-admin", ("system:masters", "system:authenticated"))
AUTHENTICATED = ("system:authenticated",)
CONTROLLER = "system:serviceaccount:kube-system:"


def controller(name: str) -> User:
    return User(CONTROLLER + name, ("system:serviceaccounts", "system:serviceaccounts:kube-system", "system:authenticated"))


def ask(verb: str, plural: str, group: str = "", namespace: str = "", name: str = "") -> RequestInfo:
    resource, _, sub = plural.partition("/")
    return RequestInfo(verb, "", True, group, "v1", resource, sub, namespace, name)


@pytest.mark.parametrize(
    ("user", "info", "allowed"),
    [
        (MASTER, ask("delete", "namespaces", name="x"), True),
        (User("x", AUTHENTICATED), ask("list", "pods"), False),
        (User("x", AUTHENTICATED), RequestInfo("get", "/apis/apps/v1"), True),
        (User("x", AUTHENTICATED), ask("create", "selfsubjectaccessreviews", "authorization.k8s.io"), True),
        (User("system:anonymous", ("system:unauthenticated",)), RequestInfo("get", "/readyz"), True),
        (User("system:anonymous", ("system:unauthenticated",)), RequestInfo("get", "/api"), False),
        (User("system:kube-scheduler", AUTHENTICATED), ask("create", "pods/binding", namespace="x", name="y"), True),
        (
            User("system:kube-scheduler", AUTHENTICATED),
            ask("update", "leases", "coordination.k8s.io", "kube-system", "kube-scheduler"),
            True,
        ),
        (User("system:kube-scheduler", AUTHENTICATED), ask("delete", "nodes", name="x"), False),
        (User("system:kube-controller-manager", AUTHENTICATED), ask("list", "anything", "example.com"), True),
        (User("system:kube-proxy", AUTHENTICATED), ask("watch", "endpointslices", "discovery.k8s.io"), True),
        (User("system:kube-proxy", AUTHENTICATED), ask("list", "secrets"), False),
        (controller("deployment-controller"), ask("create", "replicasets", "apps", "x"), True),
        (controller("deployment-controller"), ask("create", "pods", namespace="x"), False),
        (controller("replicaset-controller"), ask("create", "pods", namespace="x"), True),
        (controller("service-controller"), ask("patch", "services/status", namespace="x", name="y"), True),
        (controller("coredns"), ask("watch", "endpointslices", "discovery.k8s.io"), True),
        (controller("default"), RequestInfo("get", "/openid/v1/jwks"), True),
        (User("system:node:n", ("system:nodes",)), ask("list", "services"), True),
    ],
)
def test_who_may_do_what_from_the_start(tmp_path: Path, user: User, info: RequestInfo, allowed: bool) -> None:
    authorizer = build_authorizer(started(tmp_path)[0])
    assert bool(asyncio.run(authorizer.authorize(user, info)).allowed) is allowed


def test_only_masters_are_cluster_admins(tmp_path: Path) -> None:
    reader = started(tmp_path)[0]
    bound = [each for each in reader.list(GROUP, "clusterrolebindings") if each["roleRef"]["name"] == "cluster-admin"]
    assert [each["subjects"] for each in bound] == [[{"apiGroup": GROUP, "kind": "Group", "name": "system:masters"}]]


AUTOUPDATE = {"rbac.authorization.kubernetes.io/autoupdate": "true"}


def role(*rules: Object, annotations: Object | None = None) -> Object:
    return {"metadata": {"name": "r", "annotations": AUTOUPDATE if annotations is None else annotations}, "rules": list(rules)}


@pytest.mark.parametrize(
    ("present", "expected"),
    [
        (role(rule("get list", "pods")), None),
        (role(rule("*", "*", "*")), None),
        (role(rule("get", "pods"), rule("get", "x")), role(rule("get", "pods"), rule("get", "x"), rule("list", "pods"))),
        (role(rule("get list", "pods"), annotations={}), role(rule("get list", "pods"))),
        (role(annotations={"rbac.authorization.kubernetes.io/autoupdate": "false"}), None),
    ],
)
def test_roles_only_gain_rules(present: Object, expected: Object | None) -> None:
    assert reconcile_role(role(rule("get list", "pods")), present) == expected


def binding(role: str, *subjects: str) -> Object:
    metadata = {"name": "b", "annotations": AUTOUPDATE}
    return {"metadata": metadata, "roleRef": {"name": role}, "subjects": [{"name": name} for name in subjects]}


@pytest.mark.parametrize(
    ("present", "expected"),
    [
        (binding("r", "a", "b"), None),
        (binding("r", "x"), binding("r", "x", "a", "b")),
        (binding("other", "a", "b"), RECREATE),
    ],
)
def test_bindings_only_gain_subjects_and_are_made_anew_for_another_role(present: Object, expected: object) -> None:
    assert reconcile_binding(binding("r", "a", "b"), present) == expected


def test_services_and_slices_are_corrected() -> None:
    wanted = {"spec": {"clusterIP": "10.0.0.1", "ports": [1]}}
    assert reconcile_service(wanted, {"spec": {"clusterIP": "10.0.0.2", "ports": [1]}}) is None
    assert reconcile_service(wanted, {"spec": {"clusterIP": "10.0.0.1", "ports": [2], "x": 1}}) == {
        "spec": {"clusterIP": "10.0.0.1", "ports": [1], "x": 1}
    }
    assert reconcile_service(wanted, {"spec": {"clusterIP": "10.0.0.1", "ports": [1], "x": 1}}) is None
    new = {"addressType": "IPv4", "endpoints": ["a"], "ports": ["p"]}
    assert reconcile_endpoint_slice(new, new | {"endpoints": ["b"]}) == new
    assert reconcile_endpoint_slice(new, new | {"addressType": "IPv6"}) == RECREATE
