"""What a kubelet may write, sentence by sentence."""

import base64
from collections.abc import Callable, Sequence
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from proa.api.meta import Object
from proa.apiserver.admission.node_labels import forbidden_labels
from proa.apiserver.admission.node_restriction import NodeRestriction
from proa.apiserver.fake import FakeReader
from proa.apiserver.interface import AdmissionPlugin, Attributes, Decision, RequestInfo, User

Make = Callable[..., Attributes]
Ask = Callable[[AdmissionPlugin, Attributes], str]
N1 = User("system:node:n1", ("system:nodes",))
OWNER = {"apiVersion": "v1", "kind": "Node", "name": "n1", "uid": "node-uid", "controller": True}


def mirror(owner: Object | None = OWNER, **spec: Any) -> Object:
    metadata = {"name": "m", "annotations": {"kubernetes.io/config.mirror": "x"}, "ownerReferences": [owner] if owner else []}
    return {"metadata": metadata, "spec": {"nodeName": "n1", **spec}}


def pod(node: str, **more: Any) -> Object:
    return {"metadata": {"name": "web", "namespace": "shop", "uid": "pod-uid", **more}, "spec": {"nodeName": node}}


def node(name: str = "n1", labels: Object | None = None, taints: list[Object] | None = None, **spec: Any) -> Object:
    return {"metadata": {"name": name, "labels": labels or {}}, "spec": {"taints": taints or [], **spec}}


def owned(owners: list[Object]) -> Object:
    return {"metadata": {"name": "n1", "ownerReferences": owners}, "spec": {}}


def token(audiences: Sequence[str] = (), **reference: str) -> Object:
    return {"spec": {"boundObjectRef": {"apiVersion": "v1", "kind": "Pod", **reference}, "audiences": list(audiences)}}


def certificate_request(name: str) -> Object:
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    made = x509.CertificateSigningRequestBuilder().subject_name(subject).sign(ec.generate_private_key(ec.SECP256R1()), SHA256())
    request = base64.b64encode(made.public_bytes(Encoding.PEM)).decode()
    return {"metadata": {"name": "csr"}, "spec": {"signerName": "kubernetes.io/kubelet-serving", "request": request}}


def claim(**status: Any) -> Object:
    return {"metadata": {"name": "c", "resourceVersion": str(len(status))}, "status": status}


CSR, SLICES = "certificates.k8s.io/certificatesigningrequests", "resource.k8s.io/resourceslices"
LEASE = "coordination.k8s.io/leases"
MIRRORED: list[tuple[Object, str]] = [
    ({"volumes": [{"configMap": {"name": "c"}}]}, "configmaps"),
    ({"resourceClaims": [{"name": "r"}]}, "resourceclaims"),
    ({"volumes": [{"name": "v", "csi": {"driver": "d"}}]}, "csidrivers (via CSI volumes)"),
    ({"volumes": [{"name": "v", "persistentVolumeClaim": {"claimName": "c"}}]}, "persistentvolumeclaims"),
    ({"volumes": [{"name": "v", "ephemeral": {}}]}, "persistentvolumeclaims (via ephemeral volumes)"),
    ({"volumes": [{"name": "v", "projected": {"sources": [{"serviceAccountToken": {}}]}}]}, "serviceaccounts (via projected volumes)"),
    ({"volumes": [{"name": "v", "projected": {"sources": [{"clusterTrustBundle": {}}]}}]}, "clustertrustbundles"),
    ({"volumes": [{"name": "v", "projected": {"sources": [{"podCertificate": {}}]}}]}, "podcertificates"),
]
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
        'pods "m" is forbidden: node "n1" can not create pods that reference serviceaccounts',
    ),
    (
        "CREATE", "pods", "", mirror(volumes=[{"secret": {"secretName": "s"}}]), {},
        'pods "m" is forbidden: node "n1" can not create pods that reference secrets',
    ),
    *(
        ("CREATE", "pods", "", mirror(**spec), {}, f'pods "m" is forbidden: node "n1" can not create pods that reference {kind}')
        for spec, kind in MIRRORED
    ),
    (
        "CREATE", "pods", "", mirror(OWNER | {"uid": "x"}, serviceAccountName="a"), {},
        'pods "m" is forbidden: node n1 UID mismatch: expected x got node-uid',
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
        "CREATE", "nodes", "", node(configSource={}), {},
        'nodes "n1" is forbidden: node "n1" is not allowed to create pods with a non-nil configSource',
    ),
    (
        "UPDATE", "nodes", "", node(configSource={}), {"name": "n1", "old_object": node()},
        'nodes "n1" is forbidden: node "n1" is not allowed to update configSource to a new non-nil configSource',
    ),
    ("UPDATE", "nodes", "", owned([]), {"name": "n1", "old_object": owned([])}, ""),
    (
        "UPDATE", "nodes", "", owned([OWNER]), {"name": "n1", "old_object": owned([])},
        'nodes "n1" is forbidden: node "n1" is not allowed to modify ownerReferences',
    ),
    ("CREATE", CSR, "", certificate_request("system:node:n1"), {}, ""),
    (
        "CREATE", CSR, "", certificate_request("system:node:n2"), {},
        'certificatesigningrequests.certificates.k8s.io "csr" is forbidden: can only create a node CSR with CN=system:node:n1',
    ),
    (
        "CREATE", SLICES, "", {"metadata": {"name": "s"}, "spec": {"nodeName": "n2"}}, {},
        'resourceslices.resource.k8s.io "s" is forbidden: can only create ResourceSlice with the same NodeName as the requesting node',
    ),
    (
        "DELETE", SLICES, "", None, {"name": "s", "old_object": {"spec": {"nodeName": "n2"}}},
        'resourceslices.resource.k8s.io "s" is forbidden: can only delete ResourceSlice with the same NodeName as the requesting node',
    ),
    (
        "UPDATE", "pods", "status", {**pod("n1"), "status": {"extendedResourceClaimStatus": {"resourceClaimName": "c"}}},
        {"name": "web", "old_object": pod("n1")},
        'pods "web" is forbidden: node "n1" cannot update extended resource claim status',
    ),
    (
        "UPDATE", "nodes", "", node(labels={"x.k8s.io/y": "1"}), {"name": "n1", "old_object": node()},
        'nodes "n1" is forbidden: is not allowed to modify labels: x.k8s.io/y',
    ),
    ("CREATE", "serviceaccounts", "token", token(name="mine", uid="mine-uid"), {"name": "app"}, ""),
    ("CREATE", "serviceaccounts", "token", token(["vault"], name="mine", uid="mine-uid"), {"name": "app"}, ""),
    ("CREATE", "serviceaccounts", "token", token(["driver"], name="mine", uid="mine-uid"), {"name": "app"}, ""),
    ("CREATE", "serviceaccounts", "token", token(["granted"], name="mine", uid="mine-uid"), {"name": "app"}, ""),
    (
        "CREATE", "serviceaccounts", "token", token(["x"], name="mine", uid="mine-uid"), {"name": "app"},
        'serviceaccounts "app" is forbidden: audience "x" not found in pod spec volume, system:node:n1 is not authorized to request '
        "tokens for this audience",
    ),
    (
        "CREATE", "serviceaccounts", "token", token(["x", "vault"], name="mine", uid="mine-uid"), {"name": "app"},
        'serviceaccounts "app" is forbidden: node may only request 0 or 1 audiences',
    ),
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


VOLUMES = [
    {"name": "t", "projected": {"sources": [{"serviceAccountToken": {}}, {"serviceAccountToken": {"audience": "vault"}}]}},
    {"name": "v", "persistentVolumeClaim": {"claimName": "c"}},
]


class Grants:
    """Lets nodes ask for tokens for one more audience."""

    async def authorize(self, user: User, info: RequestInfo) -> Decision:
        asked = info.verb, info.group, info.version, info.resource, info.namespace, info.name
        return Decision(asked == ("request-serviceaccounts-token-audience", "", "v1", "granted", "shop", "app") or None)

    def rules_for(self, user: User, namespace: str) -> tuple[list[Object], list[Object], str]:
        return [], [], ""


@pytest.mark.parametrize(("operation", "plural", "subresource", "obj", "more", "expected"), CASES)
def test_writes_of_a_node(
    attributes: Make, ask: Ask, operation: str, plural: str, subresource: str, obj: Object | None, more: dict[str, Any], expected: str
) -> None:
    reader = FakeReader()
    reader.put("", "nodes", {"metadata": {"name": "n1", "uid": "node-uid"}})
    for name, host in (("mine", "n1"), ("other", "n2")):
        spec = {"nodeName": host, "volumes": VOLUMES}
        reader.put("", "pods", {"metadata": {"name": name, "namespace": "shop", "uid": f"{name}-uid"}, "spec": spec})
    reader.put("", "persistentvolumeclaims", {"metadata": {"name": "c", "namespace": "shop"}, "spec": {"volumeName": "pv"}})
    reader.put("", "persistentvolumes", {"metadata": {"name": "pv"}, "spec": {"csi": {"driver": "d"}}})
    reader.put("storage.k8s.io", "csidrivers", {"metadata": {"name": "d"}, "spec": {"tokenRequests": [{"audience": "driver"}]}})
    asked = attributes(operation, plural, obj, subresource=subresource, user=N1, **{"namespace": "shop", **more})
    code = "404" if expected.endswith("not found") else "403"
    assert ask(NodeRestriction(reader, Grants()), asked) == (f"{code} {expected}" if expected else "")


def test_others_are_not_restricted(attributes: Make, ask: Ask) -> None:
    assert ask(NodeRestriction(FakeReader(), Grants()), attributes("CREATE", "pods", pod("n1"), user=User("jane"))) == ""


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


ABOUT = 'PodCertificateRequest for pod "shop/web"'


@pytest.mark.parametrize(
    ("changed", "running", "expected"),
    [
        ({}, {}, ""),
        ({"nodeName": "n2"}, {}, '!PodCertificateRequest.Spec.NodeName="n2", which is not the requesting node "n1"'),
        (
            {"nodeUID": "x"}, {},
            f'500 {ABOUT} names node UID "x", inconsistent with the running node ("node-uid")',
        ),
        (
            {"podName": "gone"}, {},
            '500 while retrieving pod "shop/gone" named in the PodCertificateRequest: pod "gone" not found',
        ),
        ({"podUID": "x"}, {}, f'500 {ABOUT} contains pod UID ("x") which differs from running pod "pod-uid"'),
        ({}, {"nodeName": "n2"}, '!pod "shop/web" is not running on node "n1" named in the PodCertificateRequest'),
        (
            {"serviceAccountName": "x"}, {},
            f'!{ABOUT} contains serviceAccountName ("x") that differs from running pod ("shop")',
        ),
        (
            {"serviceAccountUID": "x"}, {},
            f'500 {ABOUT} names service account UID "x", which differs from the running service account ("account-uid")',
        ),
    ],
)  # fmt: skip
def test_certificates_are_asked_for_pods_of_the_own_node(
    attributes: Make, ask: Ask, changed: Object, running: Object, expected: str
) -> None:
    reader = FakeReader()
    reader.put("", "nodes", {"metadata": {"name": "n1", "uid": "node-uid"}})
    reader.put("", "serviceaccounts", {"metadata": {"name": "shop", "namespace": "shop", "uid": "account-uid"}})
    reader.put("", "pods", {**pod("n1"), "spec": {"nodeName": "n1", "serviceAccountName": "shop", **running}})
    body = {"metadata": {"name": "r"}, "spec": {**CERTIFICATE, **changed}}
    asked = attributes("CREATE", "certificates.k8s.io/podcertificaterequests", body, namespace="shop", user=N1)
    forbidden = '403 podcertificaterequests.certificates.k8s.io "r" is forbidden: '
    assert ask(NodeRestriction(reader, Grants()), asked) == expected.replace("!", forbidden, 1)
