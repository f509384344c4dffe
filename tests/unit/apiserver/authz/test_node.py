"""A kubelet reaches what its own pods need, and nothing of other nodes."""

import asyncio
from typing import Any

import pytest

from proa.api.meta import Object
from proa.apiserver.authz.build import build_authorizer
from proa.apiserver.authz.node import selected
from proa.apiserver.fake import FakeReader
from proa.apiserver.interface import Decision, RequestInfo, User

N1, N2 = (User(f"system:node:{name}", ("system:nodes", "system:authenticated")) for name in ("n1", "n2"))
POD: Object = {
    "metadata": {"name": "web", "namespace": "shop", "uid": "u1"},
    "spec": {
        "nodeName": "n1",
        "serviceAccountName": "app",
        "imagePullSecrets": [{"name": "pull"}],
        "containers": [
            {
                "env": [{"name": "X", "valueFrom": {"secretKeyRef": {"name": "env-secret", "key": "k"}}}],
                "envFrom": [{"configMapRef": {"name": "env-map"}}],
            }
        ],
        "volumes": [
            {"name": "a", "secret": {"secretName": "volume-secret"}},
            {"name": "b", "projected": {"sources": [{"configMap": {"name": "projected-map"}}, {"secret": {"name": "projected-secret"}}]}},
            {"name": "c", "persistentVolumeClaim": {"claimName": "claim"}},
            {"name": "d", "ephemeral": {}},
        ],
    },
}
VOLUME: Object = {
    "metadata": {"name": "pv"},
    "spec": {"claimRef": {"namespace": "shop", "name": "claim"}, "csi": {"nodePublishSecretRef": {"name": "csi", "namespace": "storage"}}},
}
MIRROR: Object = {
    "metadata": {"name": "static", "namespace": "shop", "uid": "u2", "annotations": {"kubernetes.io/config.mirror": "x"}},
    "spec": {"nodeName": "n1", "volumes": [{"name": "a", "secret": {"secretName": "mirror-secret"}}]},
}
UNRELATED = Decision(None, "no relationship found between node 'n2' and this object")


def world() -> FakeReader:
    reader = FakeReader()
    reader.put("", "pods", POD)
    reader.put("", "pods", MIRROR)
    reader.put("", "persistentvolumes", VOLUME)
    return reader


def ask(user: User, verb: str, plural: str, reader: FakeReader | None = None, **more: Any) -> Decision:
    name, _, sub = plural.partition("/")
    info = RequestInfo(verb, "", True, resource=name, subresource=sub, **more)
    return asyncio.run(build_authorizer(reader or world()).authorize(user, info))


@pytest.mark.parametrize(
    ("verb", "plural", "namespace", "name"),
    [
        *[("get", "secrets", "shop", name) for name in ("pull", "env-secret", "volume-secret", "projected-secret")],
        *[("watch", "configmaps", "shop", name) for name in ("env-map", "projected-map")],
        ("get", "persistentvolumeclaims", "shop", "claim"),
        ("get", "persistentvolumeclaims", "shop", "web-d"),
        ("get", "persistentvolumes", "", "pv"),
        ("get", "secrets", "storage", "csi"),
        ("get", "pods", "shop", "web"),
        ("get", "pods", "shop", "static"),
        ("create", "serviceaccounts/token", "shop", "app"),
        ("get", "serviceaccounts", "shop", "app"),
        ("patch", "persistentvolumeclaims/status", "shop", "claim"),
    ],
)
def test_what_a_pod_needs_belongs_to_its_node_alone(verb: str, plural: str, namespace: str, name: str) -> None:
    assert ask(N1, verb, plural, namespace=namespace, name=name) == Decision(True)
    assert ask(N2, verb, plural, namespace=namespace, name=name) == UNRELATED


LEASES = {"group": "coordination.k8s.io"}
CERTIFICATES = {"group": "certificates.k8s.io"}


@pytest.mark.parametrize(
    ("verb", "plural", "more", "expected"),
    [
        ("get", "secrets", {"namespace": "shop", "name": "mirror-secret"}, "no relationship found between node 'n1' and this object"),
        ("list", "secrets", {"namespace": "shop"}, "No Object name found"),
        ("list", "secrets", {}, "can only read namespaced object of this type"),
        ("delete", "secrets", {"namespace": "shop", "name": "pull"}, "can only read resources of this type"),
        ("list", "configmaps", {"namespace": "shop", "field_selector": "metadata.name=env-map"}, True),
        ("list", "pods", {"field_selector": "spec.nodeName=n1"}, True),
        ("watch", "pods", {"field_selector": "status.phase!=x,spec.nodeName==n1"}, True),
        ("list", "pods", {"field_selector": "spec.nodeName=n2"}, "can only list/watch pods with spec.nodeName field selector"),
        ("list", "pods", {}, "can only list/watch pods with spec.nodeName field selector"),
        ("create", "pods", {"namespace": "shop"}, True),
        ("update", "pods", {"namespace": "shop", "name": "web"}, ""),
        ("patch", "pods/status", {"namespace": "shop", "name": "web"}, True),
        ("get", "nodes", {"name": "n1"}, True),
        ("list", "nodes", {"field_selector": "metadata.name=n1"}, True),
        ("list", "nodes", {}, "node 'n1' cannot read all nodes, only its own Node object"),
        ("get", "nodes", {"name": "n2"}, "node 'n1' cannot read 'n2', only its own Node object"),
        ("create", "nodes", {}, True),
        ("delete", "nodes", {"name": "n1"}, ""),
        ("update", "nodes/status", {"name": "n1"}, True),
        ("update", "leases", {**LEASES, "namespace": "kube-node-lease", "name": "n1"}, True),
        (
            "update", "leases", {**LEASES, "namespace": "kube-node-lease", "name": "n2"},
            "can only access node lease with the same name as the requesting node",
        ),
        (
            "get", "leases", {**LEASES, "namespace": "kube-system", "name": "n1"},
            'can only access leases in the "kube-node-lease" system namespace',
        ),
        ("create", "podcertificaterequests", {**CERTIFICATES, "namespace": "shop"}, True),
        ("list", "podcertificaterequests", {**CERTIFICATES, "field_selector": "spec.nodeName=n1"}, True),
        ("list", "podcertificaterequests", CERTIFICATES, "can only list/watch podcertificaterequests with nodeName field selector"),
        (
            "get", "podcertificaterequests", {**CERTIFICATES, "namespace": "shop", "name": "x"},
            "no relationship found between node 'n1' and this object",
        ),
        ("list", "clustertrustbundles", CERTIFICATES, True),
        ("list", "services", {}, True),
        ("list", "endpointslices", {"group": "discovery.k8s.io"}, ""),
        ("create", "events", {"namespace": "x"}, True),
        ("create", "tokenreviews", {"group": "authentication.k8s.io"}, True),
    ],
)  # fmt: skip
def test_rules_for_a_node(verb: str, plural: str, more: dict[str, Any], expected: bool | str) -> None:
    assert ask(N1, verb, plural, **more) == (Decision(True) if expected is True else Decision(None, str(expected)))


def test_access_ends_with_the_pod() -> None:
    reader = world()
    authorizer = build_authorizer(reader)
    asked = RequestInfo("get", "", True, resource="secrets", namespace="shop", name="pull")

    def allowed(user: User) -> bool:
        return bool(asyncio.run(authorizer.authorize(user, asked)).allowed)

    other = {**POD, "metadata": POD["metadata"] | {"name": "two", "uid": "u3"}, "spec": POD["spec"] | {"nodeName": "n2"}}
    seen = [(allowed(N1), allowed(N2))]
    reader.put("", "pods", other)
    seen.append((allowed(N1), allowed(N2)))
    reader.remove("", "pods", "web", "shop")
    seen.append((allowed(N1), allowed(N2)))
    reader.remove("", "pods", "two", "shop")
    seen.append((allowed(N1), allowed(N2)))
    assert seen == [(True, False), (True, True), (False, True), (False, False)]


def test_whoever_is_not_a_node_gets_no_opinion() -> None:
    for user in (User("system:node:n1"), User("jane", ("system:nodes",))):
        assert ask(user, "get", "secrets", namespace="shop", name="pull") == Decision(None)


@pytest.mark.parametrize(
    ("selector", "expected"),
    [("", ""), ("a=b", "b"), ("a==b", "b"), ("a!=b", ""), ("x=1,a=b", "b"), ("aa=b", ""), ("a", "")],
)
def test_selected(selector: str, expected: str) -> None:
    assert selected(selector, "a") == expected
