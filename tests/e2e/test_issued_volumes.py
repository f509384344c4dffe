"""What the API issues for a pod and the node agent keeps fresh in its files: trust bundles and certificates. The test plays the signer."""

import base64
import json
from datetime import UTC, datetime, timedelta
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding, load_pem_private_key

from proa.lib.pki import CertificateAuthority, create_authority
from tests.e2e.namespace import Namespace, container, pod
from tests.e2e.real_cluster import wait_for


def _bundle(name: str, *authorities: CertificateAuthority, signer: str = "", **labels: str) -> dict[str, Any]:
    trust = "".join(each.certificate.decode() for each in authorities)
    return {
        "apiVersion": "certificates.k8s.io/v1",
        "kind": "ClusterTrustBundle",
        "metadata": {"name": name, "labels": labels},
        "spec": {"trustBundle": trust} | ({"signerName": signer} if signer else {}),
    }


def _projected(*sources: dict[str, Any]) -> list[dict[str, Any]]:
    return [{"name": "v", "projected": {"sources": list(sources), "defaultMode": 0o444}}]


def _reader(**fields: Any) -> dict[str, Any]:
    return container(volumeMounts=[{"name": "v", "mountPath": "/v"}], **fields)


def _certificates(text: str) -> list[bytes]:
    return sorted(each.public_bytes(Encoding.PEM) for each in x509.load_pem_x509_certificates(text.encode()))


def test_trust_bundles_are_merged_into_a_file_that_follows_them(space: Namespace) -> None:
    one, two, three = (create_authority(name) for name in ("one", "two", "three"))
    signer = f"example.com/{space.name}"
    prefix = signer.replace("/", ":")
    bundles = [
        _bundle(space.name, one, two),
        _bundle(f"{prefix}:a", one, two, signer=signer, live="yes"),
        _bundle(f"{prefix}:b", two, three, signer=signer, live="yes"),
        _bundle(f"{prefix}:c", create_authority("four"), signer=signer, live="no"),
    ]
    by_label = {"signerName": signer, "labelSelector": {"matchLabels": {"live": "yes"}}}
    sources = [
        {"name": space.name, "path": "name.pem"},
        by_label | {"path": "signer/all.pem"},
        {"name": "no-such", "path": "optional.pem", "optional": True},
    ]
    try:
        space.apply(pod("p", _reader(), volumes=_projected(*({"clusterTrustBundle": each} for each in sources))))
        missing = f'while getting ClusterTrustBundle: clustertrustbundle.certificates.k8s.io "{space.name}" not found'
        assert space.wait_for_event("p", "FailedMount") == f'MountVolume.SetUp failed for volume "v" : {missing}'
        space.apply(*bundles)
        space.ready("p")
        assert space.shell("p", "stat -Lc %a /v/name.pem; cat /v/optional.pem") == "444\n"
        assert _certificates(space.shell("p", "cat /v/name.pem")) == sorted([one.certificate, two.certificate])
        merged = space.shell("p", "cat /v/signer/all.pem")
        assert _certificates(merged) == sorted([one.certificate, two.certificate, three.certificate])
        space.out("delete", "clustertrustbundle", f"{prefix}:b")
        wait_for(lambda: space.shell("p", "cat /v/signer/all.pem") != merged, "the file doesn't follow", patience=20.0, interval=0.2)
        assert _certificates(space.shell("p", "cat /v/signer/all.pem")) == sorted([one.certificate, two.certificate])
    finally:
        space.run("delete", "clustertrustbundle", *(each["metadata"]["name"] for each in bundles), "--ignore-not-found")


def _issue(space: Namespace, authority: CertificateAuthority, request: dict[str, Any], start: datetime) -> str:
    """Sign what the request's key proves, for a day from `start`; what is in the certificate is the signer's business."""
    asked = x509.load_der_x509_csr(base64.b64decode(request["spec"]["stubPKCS10Request"]))
    end, issuer = start + timedelta(days=1), x509.load_pem_x509_certificate(authority.certificate)
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, request["spec"]["podName"])])
    builder = x509.CertificateBuilder(issuer.subject, name, asked.public_key(), x509.random_serial_number(), start, end)
    signed = builder.sign(load_pem_private_key(authority.private_key, None), hashes.SHA256())  # type: ignore[arg-type]
    chain = (signed.public_bytes(Encoding.PEM) + authority.certificate).decode()
    condition = {"type": "Issued", "status": "True", "reason": "Signed", "message": "", "lastTransitionTime": _time(datetime.now(UTC))}
    times = {"notBefore": _time(start), "beginRefreshAt": _time(start + timedelta(minutes=10)), "notAfter": _time(end)}
    status = {"certificateChain": chain, "conditions": [condition], **times}
    patch = json.dumps({"status": status})
    space.out("patch", "podcertificaterequest", request["metadata"]["name"], "--subresource=status", "--type=merge", "-p", patch)
    return chain


def _time(moment: datetime) -> str:
    return f"{moment:%Y-%m-%dT%H:%M:%SZ}"


def _pending(space: Namespace, count: int) -> dict[str, Any]:
    """The newest of that many requests."""
    found = wait_for(
        lambda: len(items := space.get("podcertificaterequests")["items"]) == count and items, f"no {count} requests", interval=0.2
    )
    return next(dict(each) for each in found if not (each.get("status") or {}).get("conditions"))


def test_a_pod_gets_a_certificate_for_its_own_key_and_a_new_one_in_time(space: Namespace) -> None:
    authority = create_authority("signer")
    source = {
        "signerName": "example.com/signer",
        "keyType": "ECDSAP256",
        "credentialBundlePath": "bundle.pem",
        "keyPath": "key.pem",
        "certificateChainPath": "chain.pem",
        "userAnnotations": {"example.com/for": "tests"},
    }
    user = {"runAsUser": 1234}
    space.apply(pod("p", _reader(securityContext=user), volumes=_projected({"podCertificate": source})))
    request = _pending(space, 1)
    placed, account = space.get("pod", "p"), space.get("serviceaccount", "default")
    spec = {key: value for key, value in request["spec"].items() if key != "stubPKCS10Request"}
    assert spec == {
        "signerName": "example.com/signer",
        "podName": "p",
        "podUID": placed["metadata"]["uid"],
        "serviceAccountName": "default",
        "serviceAccountUID": account["metadata"]["uid"],
        "nodeName": placed["spec"]["nodeName"],
        "nodeUID": space.get("node", placed["spec"]["nodeName"])["metadata"]["uid"],
        "maxExpirationSeconds": 86400,
        "unverifiedUserAnnotations": {"example.com/for": "tests"},
    }
    waiting = 'MountVolume.SetUp failed for volume "v" : credential bundle is not issued yet'
    assert space.wait_for_event("p", "FailedMount") == waiting
    # Its time to be refreshed is over when it is issued, so the next one is asked for at once.
    first = _issue(space, authority, request, datetime.now(UTC).replace(microsecond=0) - timedelta(minutes=30))
    space.ready("p")
    assert space.shell("p", "stat -Lc '%a %u' /v/bundle.pem /v/key.pem /v/chain.pem") == "600 1234\n" * 3
    key, chain = space.shell("p", "cat /v/key.pem"), space.shell("p", "cat /v/chain.pem")
    assert chain == first
    assert space.shell("p", "cat /v/bundle.pem") == key + chain
    _assert_pair(key, chain)
    second = _issue(space, authority, _pending(space, 2), datetime.now(UTC).replace(microsecond=0))
    wait_for(lambda: space.shell("p", "cat /v/chain.pem") == second, "the second certificate isn't there", patience=20.0, interval=0.2)
    renewed = space.shell("p", "cat /v/key.pem")
    assert renewed != key
    _assert_pair(renewed, second)
    assert space.shell("p", "cat /v/bundle.pem") == renewed + second


def _assert_pair(key: str, chain: str) -> None:
    leaf = x509.load_pem_x509_certificates(chain.encode())[0]
    assert load_pem_private_key(key.encode(), None).public_key() == leaf.public_key()
