"""Permissions that only the object shows: signers, trust bundles, owners."""

import base64
from collections.abc import Callable
from typing import Any

import pytest

from proa.api.meta import Object
from proa.api.resource import ResourceId
from proa.apiserver.admission.certificate_approval import CertificateApproval
from proa.apiserver.admission.certificate_signing import CertificateSigning
from proa.apiserver.admission.certificate_subject_restriction import CertificateSubjectRestriction
from proa.apiserver.admission.cluster_trust_bundle_attest import ClusterTrustBundleAttest
from proa.apiserver.admission.owner_references_permission_enforcement import OwnerReferencesPermissionEnforcement
from proa.apiserver.interface import AdmissionPlugin, Attributes, Decision, RequestInfo, User

Make = Callable[..., Attributes]
Ask = Callable[[AdmissionPlugin, Attributes], str]
CSR = "certificates.k8s.io/certificatesigningrequests"
REFUSED = '403 certificatesigningrequests.certificates.k8s.io "r" is forbidden: '


class Allows:
    """An authorizer of (verb, resource or resource/subresource, name)."""

    def __init__(self, *allowed: tuple[str, str, str]) -> None:
        self._allowed = allowed

    async def authorize(self, user: User, info: RequestInfo) -> Decision:
        resource = f"{info.resource}/{info.subresource}" if info.subresource else info.resource
        return Decision((info.verb, resource, info.name) in self._allowed, "no rule")

    def rules_for(self, user: User, namespace: str) -> tuple[list[Object], list[Object], str]:
        return [], [], ""


def request(signer: str, **status: Any) -> Object:
    return {"metadata": {"name": "r"}, "spec": {"signerName": signer}, "status": status}


@pytest.mark.parametrize(
    ("plugin", "verb", "subresource", "new", "expected"),
    [
        (CertificateApproval, "approve", "approval", {}, 'user not permitted to approve requests with signerName "ex.com/s"'),
        (CertificateApproval, "approve", "status", {}, ""),
        (CertificateSigning, "sign", "status", {"certificate": "x"}, 'user not permitted to sign requests with signerName "ex.com/s"'),
        (CertificateSigning, "sign", "status", {"conditions": []}, ""),
        (CertificateSigning, "sign", "approval", {"certificate": "x"}, ""),
    ],
)
def test_signers(attributes: Make, ask: Ask, plugin: Any, verb: str, subresource: str, new: Object, expected: str) -> None:
    def asked() -> Attributes:
        old = request("ex.com/s")
        return attributes("UPDATE", CSR, request("other/x", **new), old_object=old, name="r", subresource=subresource)

    assert ask(plugin(Allows()), asked()) == (REFUSED + expected if expected else "")
    assert ask(plugin(Allows((verb, "signers", "ex.com/s"))), asked()) == ""
    assert ask(plugin(Allows((verb, "signers", "ex.com/*"))), asked()) == ""


def encoded_request(*groups: str) -> str:
    from cryptography import x509
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.hazmat.primitives.hashes import SHA256
    from cryptography.hazmat.primitives.serialization import Encoding
    from cryptography.x509.oid import NameOID

    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.ORGANIZATION_NAME, group) for group in groups])
    made = x509.CertificateSigningRequestBuilder().subject_name(subject).sign(key, SHA256())
    return base64.b64encode(made.public_bytes(Encoding.PEM)).decode()


def test_nobody_asks_for_masters(attributes: Make, ask: Ask) -> None:
    def answer(signer: str, body: str) -> str:
        obj = request(signer)
        obj["spec"]["request"] = body
        return ask(CertificateSubjectRestriction(), attributes("CREATE", CSR, obj))

    client = "kubernetes.io/kube-apiserver-client"
    assert answer(client, encoded_request("dev")) == ""
    assert answer("ex.com/s", encoded_request("system:masters")) == ""
    assert answer(client, encoded_request("dev", "system:masters")) == (
        f"{REFUSED}use of kubernetes.io/kube-apiserver-client signer with system:masters group is not allowed"
    )
    assert answer(client, "bm90IGEgcmVxdWVzdA==").startswith(f"{REFUSED}failed to parse CSR: ")


@pytest.mark.parametrize(
    ("operation", "signer", "old", "expected"),
    [
        ("CREATE", "", None, ""),
        ("CREATE", "ex.com/s", None, 'user not permitted to attest for signerName "ex.com/s"'),
        ("UPDATE", "ex.com/s", {"spec": {"signerName": "ex.com/s"}}, ""),
        (
            "UPDATE",
            "ex.com/s",
            {"spec": {"signerName": "ex.com/s", "trustBundle": "x"}},
            'user not permitted to attest for signerName "ex.com/s"',
        ),
    ],
)
def test_trust_bundles(attributes: Make, ask: Ask, operation: str, signer: str, old: Object | None, expected: str) -> None:
    obj = {"metadata": {"name": "b"}, "spec": {"signerName": signer} if signer else {}}
    asked = attributes(operation, "certificates.k8s.io/clustertrustbundles", obj, old_object=old)
    refused = f'403 clustertrustbundles.certificates.k8s.io "b" is forbidden: {expected}'
    assert ask(ClusterTrustBundleAttest(Allows()), asked) == (refused if expected else "")


def owned(*owners: Object) -> Object:
    return {"metadata": {"name": "web", "ownerReferences": list(owners)}}


OWNER = {"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": "rs", "uid": "1"}
BLOCKING = OWNER | {"blockOwnerDeletion": True}
MAY_BLOCK = ("update", "replicasets/finalizers", "rs")
MAY_DELETE = ("delete", "pods", "web")
CANNOT_BLOCK = "cannot set blockOwnerDeletion if an ownerReference refers to a resource you can't set finalizers on: no rule, <nil>"


@pytest.mark.parametrize(
    ("new", "old", "allowed", "expected"),
    [
        (owned(OWNER), None, (), ""),
        (owned(BLOCKING), None, (), CANNOT_BLOCK),
        (owned(BLOCKING), None, (MAY_BLOCK,), ""),
        (owned(BLOCKING), owned(BLOCKING), (), ""),
        (owned(), owned(OWNER), (), "cannot set an ownerRef on a resource you can't delete: no rule, <nil>"),
        (owned(), owned(OWNER), (MAY_DELETE,), ""),
        (owned(BLOCKING), owned(OWNER), (MAY_DELETE,), CANNOT_BLOCK),
        (
            owned(BLOCKING | {"kind": "Nothing"}), None, (),
            "cannot set blockOwnerDeletion in this case because cannot find RESTMapping for APIVersion apps/v1 Kind Nothing: "
            'no matches for kind "Nothing" in version "apps/v1"',
        ),
    ],
)  # fmt: skip
def test_owners(attributes: Make, ask: Ask, new: Object, old: Object | None, allowed: Any, expected: str) -> None:
    replica_sets = ResourceId("apps", "v1", "replicasets", "ReplicaSet", True)
    plugin = OwnerReferencesPermissionEnforcement(Allows(*allowed), lambda version, kind: [replica_sets] if kind == "ReplicaSet" else [])
    asked = attributes("CREATE" if old is None else "UPDATE", "pods", new, old_object=old, name="web", namespace="shop")
    assert ask(plugin, asked) == (f'403 pods "web" is forbidden: {expected}' if expected else "")
