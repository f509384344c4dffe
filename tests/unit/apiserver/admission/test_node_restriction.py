"""What a kubelet may write, sentence by sentence."""

from collections.abc import Callable
from typing import Any

import pytest

from proa.api.meta import Object
from proa.apiserver.admission.node_labels import forbidden_labels
from proa.apiserver.admission.node_pod_certificates import problem
from proa.apiserver.admission.node_restriction import NodeRestriction
from proa.apiserver.fake import FakeReader
from proa.apiserver.interface import AdmissionPlugin, Attributes, User

Make = Callable[..., Attributes]
Ask = Callable[[AdmissionPlugin, Attributes], str]
N1 = User("system:node:n1", ("system:nodes",))
OWNER = {"apiVersion": "v1", "kind": "Node", "name": "n1", "uid": "node-uid", "controller": True}


def mirror(owner: Object | None = OWNER, **spec: Any) -> Object:
    metadata = {"name": "m", "annotations": {"kubernetes.io/config.mirror": "x"}, "ownerReferences": [owner] if owner else []}
    return {"metadata": metadata, "spec": {"nodeName": "n1", **spec}}


def pod(node: str, **more: Any) -> Object:
    return {"metadata": {"name": "web", "namespace": "shop", "uid": "pod-uid", **more}, "spec": {"nodeName": node}}


def node(name: str = "n1", labels: Object | None = None, taints: list[Object] | None = None) -> Object:
    return {"metadata": {"name": name, "labels": labels or {}}, "spec": {"taints": taints or []}}


def token(**reference: str) -> Object:
    return {"spec": {"boundObjectRef": {"apiVersion": "v1", "kind": "Pod", **reference}}}


def claim(**status: Any) -> Object:
    return {"metadata": {"name": "c", "resourceVersion": str(len(status))}, "status": status}


LEASE = "coordination.k8s.io/leases"
CASES: list[tuple[str, str, str, Object | None, dict[str, Any], str]] = [
    ("CREATE", "pods", "", mirror(), {}, ""),
    (
        "CREATE", "pods", "", pod("n1"), {},
        'pods "web" is forbidden: pod does not have "kubernetes.io/config.mirror" annotation, node "n1" can only create mirror pods',
    ),
    (
        "CREATE", "pods", "", mirror(nodeName="n2"), {},
        'pods "m" is forbidden: node "n1" can only create pods with spec.nodeName set to itself',
    ),
    ("CREATE", "pods", "", mirror(None), {}, 'pods "m" is forbidden: node "n1" can only create pods with an owner reference set to itself'),
    (
        "CREATE", "pods", "", mirror(OWNER | {"controller": False}), {},
        'pods "m" is forbidden: node "n1" can only create pods with a controller owner reference set to itself',
    ),
    ("CREATE", "pods", "", mirror(OWNER | {"uid": "x"}), {}, 'pods "m" is forbidden: node n1 UID mismatch: expected x got node-uid'),
    (
        "CREATE", "pods", "", mirror(serviceAccountName="a"), {},
        'pods "m" is forbidden: node "n1" can not create pods that reference a service account',
    ),
    (
        "CREATE", "pods", "", mirror(volumes=[{"secret": {"secretName": "s"}}]), {},
        'pods "m" is forbidden: node "n1" can not create pods that reference secrets',
    ),
    ("DELETE", "pods", "", None, {"name": "mine"}, ""),
    (
        "DELETE", "pods", "", None, {"name": "other"},
        'pods "other" is forbidden: node "n1" can only delete pods with spec.nodeName set to itself',
    ),
    ("DELETE", "pods", "", None, {"name": "ghost"}, 'pods "ghost" not found'),
    (
        "UPDATE", "pods", "", pod("n1"), {"name": "web", "old_object": pod("n1")},
        'pods "web" is forbidden: unexpected operation "UPDATE", node "n1" can only create and delete mirror pods',
    ),
    ("UPDATE", "pods", "status", pod("n1"), {"name": "web", "old_object": pod("n1")}, ""),
    (
        "UPDATE", "pods", "status", pod("n2"), {"name": "web", "old_object": pod("n2")},
        'pods "web" is forbidden: node "n1" can only update pod status for pods with spec.nodeName set to itself',
    ),
    (
        "UPDATE", "pods", "status", pod("n1", labels={"a": "b"}), {"name": "web", "old_object": pod("n1")},
        'pods "web" is forbidden: node "n1" cannot update labels through pod status',
    ),
    ("CREATE", "pods", "eviction", {"metadata": {"name": "mine"}}, {"name": "mine"}, ""),
    (
        "CREATE", "pods", "eviction", {"metadata": {"name": "other"}}, {"name": "other"},
        'pods "other" is forbidden: node n1 can only evict pods with spec.nodeName set to itself',
    ),
    (
        "CREATE", "pods", "binding", {}, {"name": "mine"},
        "pods \"mine\" is forbidden: unexpected pod subresource \"binding\", only 'status' and 'eviction' are allowed",
    ),
    ("CREATE", "nodes", "", node(labels={"kubernetes.io/hostname": "n1", "mine": "x"}), {}, ""),
    ("CREATE", "nodes", "", node("n2"), {}, 'nodes "n2" is forbidden: node "n1" is not allowed to modify node "n2"'),
    (
        "CREATE", "nodes", "", node(labels={"node-role.kubernetes.io/control-plane": ""}), {},
        'nodes "n1" is forbidden: node "n1" is not allowed to set the following labels: node-role.kubernetes.io/control-plane',
    ),
    ("UPDATE", "nodes", "status", node(), {"name": "n1", "old_object": node()}, ""),
    (
        "UPDATE", "nodes", "", node(), {"name": "n1", "old_object": node(taints=[{"key": "x"}])},
        'nodes "n1" is forbidden: node "n1" is not allowed to modify taints',
    ),
    (
        "UPDATE", "nodes", "", node(labels={"x.k8s.io/y": "1"}), {"name": "n1", "old_object": node()},
        'nodes "n1" is forbidden: is not allowed to modify labels: x.k8s.io/y',
    ),
    ("CREATE", "serviceaccounts", "token", token(name="mine", uid="mine-uid"), {"name": "app"}, ""),
    (
        "CREATE", "serviceaccounts", "token", {"spec": {}}, {"name": "app"},
        'serviceaccounts "app" is forbidden: node requested token not bound to a pod',
    ),
    (
        "CREATE", "serviceaccounts", "token", token(name="mine"), {"name": "app"},
        'serviceaccounts "app" is forbidden: node requested token with a pod binding without a uid',
    ),
    (
        "CREATE", "serviceaccounts", "token", token(name="other", uid="other-uid"), {"name": "app"},
        'serviceaccounts "app" is forbidden: node requested token bound to a pod scheduled on a different node',
    ),
    ("CREATE", LEASE, "", {"metadata": {"name": "n1"}}, {"namespace": "kube-node-lease"}, ""),
    (
        "CREATE", LEASE, "", {"metadata": {"name": "n2"}}, {"namespace": "kube-node-lease"},
        'leases.coordination.k8s.io "n2" is forbidden: can only access node lease with the same name as the requesting node',
    ),
    (
        "UPDATE", LEASE, "", {"metadata": {"name": "n1"}}, {"name": "n1"},
        'leases.coordination.k8s.io "n1" is forbidden: can only access leases in the "kube-node-lease" system namespace',
    ),
    ("UPDATE", "persistentvolumeclaims", "status", claim(capacity="1"), {"name": "c", "old_object": claim()}, ""),
    (
        "UPDATE", "persistentvolumeclaims", "status", claim(phase="Bound"), {"name": "c", "old_object": claim()},
        'persistentvolumeclaims "c" is forbidden: node "n1" is not allowed to update fields other than '
        "status.capacity and status.conditions",
    ),
    ("CREATE", "events", "", {}, {}, ""),
]  # fmt: skip


@pytest.mark.parametrize(("operation", "plural", "subresource", "obj", "more", "expected"), CASES)
def test_writes_of_a_node(
    attributes: Make, ask: Ask, operation: str, plural: str, subresource: str, obj: Object | None, more: dict[str, Any], expected: str
) -> None:
    reader = FakeReader()
    reader.put("", "nodes", {"metadata": {"name": "n1", "uid": "node-uid"}})
    for name, host in (("mine", "n1"), ("other", "n2")):
        reader.put("", "pods", {"metadata": {"name": name, "namespace": "shop", "uid": f"{name}-uid"}, "spec": {"nodeName": host}})
    asked = attributes(operation, plural, obj, subresource=subresource, user=N1, **{"namespace": "shop", **more})
    code = "404" if expected.endswith("not found") else "403"
    assert ask(NodeRestriction(reader), asked) == (f"{code} {expected}" if expected else "")


def test_others_are_not_restricted(attributes: Make, ask: Ask) -> None:
    assert ask(NodeRestriction(FakeReader()), attributes("CREATE", "pods", pod("n1"), user=User("jane"))) == ""


@pytest.mark.parametrize(
    ("new", "old", "expected"),
    [
        ({"a": "1", "example.com/a": "1", "kubernetes.io/os": "linux"}, {}, []),
        ({"kubelet.kubernetes.io/x": "", "a.node.kubernetes.io/y": ""}, {}, []),
        ({"node-restriction.kubernetes.io/x": "", "a.node-restriction.kubernetes.io/y": ""}, {},
         ["a.node-restriction.kubernetes.io/y", "node-restriction.kubernetes.io/x"]),
        ({"x.kubernetes.io/y": "1"}, {"x.kubernetes.io/y": "1"}, []),
        ({}, {"k8s.io/y": "1"}, ["k8s.io/y"]),
    ],
)  # fmt: skip
def test_labels_that_are_not_the_kubelets(new: dict[str, str], old: dict[str, str], expected: list[str]) -> None:
    assert forbidden_labels(new, old) == expected


CERTIFICATE = {
    "nodeName": "n1", "nodeUID": "node-uid", "podName": "web", "podUID": "pod-uid", "serviceAccountName": "shop",
    "serviceAccountUID": "account-uid",
}  # fmt: skip


@pytest.mark.parametrize(
    ("changed", "running", "expected"),
    [
        ({}, {}, ""),
        ({"nodeName": "n2"}, {}, 'PodCertificateRequest.Spec.NodeName="n2", which is not the requesting node "n1"'),
        ({"podName": "gone"}, {}, 'while retrieving pod named in the PodCertificateRequest: pod "gone" not found'),
        ({"podUID": "x"}, {}, 'PodCertificateRequest.Spec.PodUID contains pod UID ("x") which differs from running pod "pod-uid"'),
        ({}, {"nodeName": "n2"}, 'pod "web" is not running on node "n1"'),
        ({"serviceAccountName": "x"}, {}, 'PodCertificateRequest.Spec.ServiceAccountName ("x") differs from running pod\'s "shop"'),
        ({"serviceAccountUID": "x"}, {}, "PodCertificateRequest.Spec.ServiceAccountUID differs from the UID of the pod's service account"),
        ({"nodeUID": "x"}, {}, "PodCertificateRequest.Spec.NodeUID differs from the node's UID"),
    ],
)
def test_certificates_are_asked_for_pods_of_the_own_node(changed: Object, running: Object, expected: str) -> None:
    reader = FakeReader()
    reader.put("", "nodes", {"metadata": {"name": "n1", "uid": "node-uid"}})
    reader.put("", "serviceaccounts", {"metadata": {"name": "shop", "namespace": "shop", "uid": "account-uid"}})
    reader.put("", "pods", {**pod("n1"), "spec": {"nodeName": "n1", "serviceAccountName": "shop", **running}})
    assert problem("n1", {"spec": {**CERTIFICATE, **changed}}, "shop", reader) == expected
