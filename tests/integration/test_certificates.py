"""certificates.k8s.io through the front door: requests, their approval and their signers; trust bundles; requests for pods."""

import asyncio
import base64
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from proa.lib.pki import CertificateAuthority, create_authority
from tests.integration.conftest import Api, Run
from tests.integration.controllers import until, working

REQUESTS = "/apis/certificates.k8s.io/v1/certificatesigningrequests"
BUNDLES = "/apis/certificates.k8s.io/v1/clustertrustbundles"
POD_REQUESTS = "/apis/certificates.k8s.io/v1/namespaces/default/podcertificaterequests"
CLIENT, KUBELET = "kubernetes.io/kube-apiserver-client", "kubernetes.io/kube-apiserver-client-kubelet"
SIGNING, APPROVING = "certificatesigningrequest-signing-controller", "certificatesigningrequest-approving-controller"
KEY = ec.generate_private_key(ec.SECP256R1())


def pkcs10(name: str = "jane", organizations: Sequence[str] = ("dev",), dns: Sequence[str] = ()) -> x509.CertificateSigningRequest:
    attributes = [x509.NameAttribute(NameOID.ORGANIZATION_NAME, each) for each in organizations]
    subject = x509.Name([*attributes, x509.NameAttribute(NameOID.COMMON_NAME, name)])
    builder = x509.CertificateSigningRequestBuilder().subject_name(subject)
    if dns:
        builder = builder.add_extension(x509.SubjectAlternativeName([x509.DNSName(each) for each in dns]), critical=False)
    return builder.sign(KEY, SHA256())


def text(data: bytes) -> str:
    return base64.b64encode(data).decode()


def request(name: str = "r", pem: bytes | None = None, **spec: Any) -> dict[str, Any]:
    body = {"request": text(pkcs10().public_bytes(Encoding.PEM) if pem is None else pem), "signerName": CLIENT, "usages": ["client auth"]}
    return {"metadata": {"name": name}, "spec": {**body, **spec}}


def condition(type_: str, status: str = "True", **more: str) -> dict[str, str]:
    return {"type": type_, "status": status, "reason": "R", "message": "M", **more}


async def decide(api: Api, name: str, *conditions: dict[str, str], part: str = "approval") -> Any:
    live = (await api("GET", f"{REQUESTS}/{name}")).body
    return await api("PUT", f"{REQUESTS}/{name}/{part}", {**live, "status": {"conditions": list(conditions)}})


def causes(answer: Any) -> list[tuple[str, str]]:
    return [(each["field"], each["message"]) for each in answer.body["details"]["causes"]]


@pytest.fixture
def authority(tmp_path: Path) -> CertificateAuthority:
    return CertificateAuthority.load_or_create(tmp_path, "signing")


def test_the_server_says_who_asks_and_the_spec_never_changes(run: Run) -> None:
    async def scenario(api: Api) -> None:
        groups = {"x_remote_user": "jane", "x_remote_group": "system:masters", "x_remote_uid": "7"}
        body = request(username="root", groups=["system:masters", "x"], extra={"a": ["b"]}) | {
            "status": {"conditions": [condition("Approved")]}
        }
        made = await api("POST", REQUESTS, body, **groups)
        assert made.status == 201
        spec = made.body["spec"]
        assert (spec["username"], spec["groups"], spec.get("extra")) == ("jane", ["system:masters", "system:authenticated"], None)
        assert made.body["status"] == {}
        changed = await api("PUT", f"{REQUESTS}/r", {**made.body, "spec": request(usages=["server auth"])["spec"]})
        assert (changed.status, changed.body["spec"]) == (200, spec)

    run(scenario)


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        ({"usages": []}, [("spec.usages", "Required value")]),
        ({"usages": ["client auth", "client auth"]}, [("spec.usages[1]", 'Duplicate value: "client auth"')]),
        ({"expirationSeconds": 599}, [
            ("spec.expirationSeconds", "Invalid value: 599: may not specify a duration less than 600 seconds (10 minutes)")]),
        ({"signerName": ""}, [("spec.signerName", "Required value")]),
        ({"signerName": "kubernetes.io/legacy-unknown"}, [
            ("spec.signerName",
             'Invalid value: "kubernetes.io/legacy-unknown": the legacy signerName is not allowed via this API version')]),
        ({"signerName": "example.com"}, [
            ("spec.signerName",
             'Invalid value: "example.com": must be a fully qualified domain and path of the form \'example.com/signer-name\'')]),
        ({"signerName": "example/x"}, [
            ("spec.signerName", 'Invalid value: "example": should be a domain with at least two segments separated by dots')]),
        ({"request": text(b"x")}, [("spec.request", 'Invalid value: "eA==": PEM block type must be CERTIFICATE REQUEST')]),
    ],
)  # fmt: skip
def test_refused_requests(run: Run, spec: dict[str, Any], expected: list[tuple[str, str]]) -> None:
    async def scenario(api: Api) -> None:
        body = request(**{"signerName": "example.com/s", **spec})
        answer = await api("POST", REQUESTS, body)
        assert (answer.status, causes(answer)) == (422, expected)

    run(scenario)


def test_unknown_usages_are_refused_with_the_known_ones(run: Run) -> None:
    async def scenario(api: Api) -> None:
        answer = await api("POST", REQUESTS, request(usages=["fun"]))
        ((field, message),) = causes(answer)
        assert field == "spec.usages[0]"
        assert message.startswith('Unsupported value: "fun": supported values: "any", "cert sign", "client auth"')

    run(scenario)


def test_approval_and_status_each_set_their_own_and_take_nothing_back(run: Run) -> None:
    async def scenario(api: Api) -> None:
        await api("POST", REQUESTS, request())
        elsewhere = await decide(api, "r", condition("Approved"), part="status")
        assert causes(elsewhere) == [("status.conditions", 'Forbidden: updates may not add a condition of type "Approved"')]
        assert causes(await decide(api, "r", condition("Approved", "False"))) == [
            ("status.conditions[0].status", 'Unsupported value: "False": supported values: "True"')
        ]
        both = await decide(api, "r", condition("Approved"), condition("Denied"))
        detail = 'Invalid value: "Denied": Approved and Denied conditions are mutually exclusive'
        assert causes(both) == [("status.conditions", detail)]
        approved = await decide(api, "r", condition("Approved"))
        assert approved.status == 200
        stored = approved.body["status"]["conditions"][0]
        assert (stored["reason"], bool(stored["lastUpdateTime"]), bool(stored["lastTransitionTime"])) == ("R", True, True)
        assert causes(await decide(api, "r")) == [("status.conditions", 'Forbidden: updates may not remove a condition of type "Approved"')]
        certificate = {"status": {"certificate": text(create_authority("x").certificate)}}
        through_approval = await api.patch("merge", f"{REQUESTS}/r/approval", certificate)
        assert (through_approval.status, through_approval.body["status"].get("certificate")) == (200, None)
        assert causes(await api.patch("merge", f"{REQUESTS}/r/status", {"status": {"certificate": text(b"x")}})) == [
            ("status.certificate", 'Invalid value: "<certificate data>": must contain at least one CERTIFICATE PEM block')
        ]
        assert (await api.patch("merge", f"{REQUESTS}/r/status", certificate)).status == 200
        another = {"status": {"certificate": text(create_authority("y").certificate)}}
        assert causes(await api.patch("merge", f"{REQUESTS}/r/status", another)) == [
            ("status.certificate", "Forbidden: updates may not modify existing certificate content")
        ]

    run(scenario)


def issued(answer: Any) -> x509.Certificate:
    return x509.load_pem_x509_certificate(base64.b64decode(answer.body["status"]["certificate"]))


def test_an_approved_request_is_signed_as_it_asks(run: Run, tmp_path: Path, authority: CertificateAuthority) -> None:
    async def scenario(api: Api) -> None:
        paths = {"signing_certificate": tmp_path / "signing.crt", "signing_key": tmp_path / "signing.key"}
        async with working(api, SIGNING, **paths):
            await api("POST", REQUESTS, request(expirationSeconds=3600, usages=["client auth", "digital signature"]))
            await decide(api, "r", condition("Approved"))
            done = await until_signed(api, "r")
        certificate = issued(done)
        certificate.verify_directly_issued_by(x509.load_pem_x509_certificate(authority.certificate))
        assert certificate.subject == pkcs10().subject
        assert certificate.not_valid_after_utc - certificate.not_valid_before_utc == timedelta(seconds=3600 + 300)
        usages = certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
        assert [each.dotted_string for each in usages] == ["1.3.6.1.5.5.7.3.2"]
        bits = certificate.extensions.get_extension_for_class(x509.KeyUsage).value
        assert (bits.digital_signature, bits.key_encipherment) == (True, False)

    run(scenario)


async def until_signed(api: Api, name: str) -> Any:
    """Signing runs in a thread of its own, so real moments pass, too."""
    for _ in range(500):
        answer = await api("GET", f"{REQUESTS}/{name}")
        if answer.body["status"].get("certificate") or any(
            each["type"] == "Failed" for each in answer.body["status"].get("conditions", ())
        ):
            return answer
        await api.clock.advance(0.01)
        await asyncio.sleep(0.001)
    raise AssertionError("never signed")


@pytest.mark.parametrize(
    ("signer", "usages", "pem", "why"),
    [
        (CLIENT, ["server auth"], pkcs10(), "invalid usage for client certificate: server auth"),
        (CLIENT, ["digital signature"], pkcs10(), "missing required usage for client certificate: client auth"),
        (KUBELET, ["client auth"], pkcs10(), "subject organization is not system:nodes"),
        (KUBELET, ["client auth"], pkcs10("n", ["system:nodes"]), "subject common name does not begin with system:node:"),
        (KUBELET, ["client auth"], pkcs10("system:node:n", ["system:nodes"], ["n"]), "DNS subjectAltNames are not allowed"),
        (KUBELET, ["client auth"], pkcs10("system:node:n", ["system:nodes"]),
         "usages did not match [client auth digital signature key encipherment]"),
        ("kubernetes.io/kubelet-serving", ["server auth"], pkcs10("system:node:n", ["system:nodes"]),
         "DNS or IP subjectAltName is required"),
    ],
)  # fmt: skip
def test_what_a_signer_does_not_sign_fails(
    run: Run, tmp_path: Path, authority: CertificateAuthority, signer: str, usages: list[str], pem: x509.CertificateSigningRequest, why: str
) -> None:  # fmt: skip
    async def scenario(api: Api) -> None:
        paths = {"signing_certificate": tmp_path / "signing.crt", "signing_key": tmp_path / "signing.key"}
        async with working(api, SIGNING, **paths):
            await api("POST", REQUESTS, request(pem=pem.public_bytes(Encoding.PEM), signerName=signer, usages=usages))
            await decide(api, "r", condition("Approved"))
            failed = (await until_signed(api, "r")).body["status"]["conditions"][1]
            assert (failed["type"], failed["reason"], failed["message"]) == ("Failed", "SignerValidationFailure", why)

    run(scenario)


def test_a_node_gets_its_own_client_certificate_approved_and_others_need_the_right(run: Run) -> None:
    async def scenario(api: Api) -> None:
        pem = pkcs10("system:node:n", ["system:nodes"]).public_bytes(Encoding.PEM)
        body = request(pem=pem, signerName=KUBELET, usages=["client auth", "digital signature"])
        binding = {
            "metadata": {"name": "b"}, "subjects": [{"kind": "Group", "name": "system:nodes", "apiGroup": "rbac.authorization.k8s.io"}],
            "roleRef": {
                "apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole",
                "name": "system:certificates.k8s.io:certificatesigningrequests:selfnodeclient",
            },
        }  # fmt: skip
        assert (await api("POST", "/apis/rbac.authorization.k8s.io/v1/clusterrolebindings", binding)).status == 201
        node = {"x_remote_user": "system:node:n", "x_remote_group": "system:nodes"}
        assert (await api("POST", REQUESTS, body, **node)).status == 201
        stranger = request("other", pem=pem, signerName=KUBELET, usages=["client auth", "digital signature"])
        assert (await api("POST", REQUESTS, stranger)).status == 201
        async with working(api, APPROVING):
            done = await until(api, f"{REQUESTS}/r", lambda answer: bool(answer.body["status"].get("conditions")))
            (told,) = done.body["status"]["conditions"]
            assert (told["type"], told["reason"]) == ("Approved", "AutoApproved")
            assert told["message"] == "Auto approving self kubelet client certificate after SubjectAccessReview."
            # root may do everything, so the other right is the one that counts for it
            other = await until(api, f"{REQUESTS}/other", lambda answer: bool(answer.body["status"].get("conditions")))
            assert other.body["status"]["conditions"][0]["message"].startswith("Auto approving kubelet client certificate")

    run(scenario)


def test_decided_requests_go_after_an_hour_and_open_ones_after_a_day(run: Run) -> None:
    async def scenario(api: Api) -> None:
        await api("POST", REQUESTS, request("open"))
        await api("POST", REQUESTS, request("denied"))
        await decide(
            api, "denied", condition("Denied", lastUpdateTime=(api.clock.now() - timedelta(hours=2)).strftime("%Y-%m-%dT%H:%M:%SZ"))
        )
        async with working(api, "certificatesigningrequest-cleaner-controller"):
            await until(api, f"{REQUESTS}/denied", lambda answer: answer.status == 404)
            assert (await api("GET", f"{REQUESTS}/open")).status == 200

    run(scenario)


def bundle(name: str, signer: str = "", pem: str | None = None) -> dict[str, Any]:
    spec = {"trustBundle": create_authority("a").certificate.decode() if pem is None else pem}
    return {"metadata": {"name": name}, "spec": spec | ({"signerName": signer} if signer else {})}


LEAF = create_authority("a").issue("x")[0].decode()
ROOT = create_authority("a").certificate.decode()


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (bundle("a:b"), ("metadata.name", 'Invalid value: "a:b": ClusterTrustBundle without signer name must not have ":" in its name')),
        (
            bundle("b", "example.com/s"),
            ("metadata.name",
             'Invalid value: "b": ClusterTrustBundle for signerName example.com/s must be named with prefix example.com:s:'),
        ),
        (bundle("b", pem=""), ("spec.trustBundle", 'Invalid value: "<value omitted>": at least one trust anchor must be provided')),
        (bundle("b", pem=LEAF), ("spec.trustBundle", 'Invalid value: "<value omitted>": entry 0 does not have the CA bit set')),
        (
            bundle("b", pem=ROOT + ROOT),
            ("spec.trustBundle", 'Invalid value: "<value omitted>": duplicate trust anchor (indices [0 1])'),
        ),
        (
            bundle("b", pem=create_authority("a").private_key.decode()),
            ("spec.trustBundle", 'Invalid value: "<value omitted>": entry 0 has bad block type: PRIVATE KEY'),
        ),
    ],
)  # fmt: skip
def test_refused_trust_bundles(run: Run, body: dict[str, Any], expected: tuple[str, str]) -> None:
    async def scenario(api: Api) -> None:
        answer = await api("POST", BUNDLES, body)
        assert (answer.status, causes(answer)) == (422, [expected])

    run(scenario)


def test_bundles_are_found_by_their_signer_and_keep_it(run: Run) -> None:
    async def scenario(api: Api) -> None:
        made = await api("POST", BUNDLES, bundle("example.com:s:one", "example.com/s"))
        assert made.status == 201
        assert (await api("POST", BUNDLES, bundle("plain"))).status == 201
        found = (await api("GET", f"{BUNDLES}?fieldSelector=spec.signerName%3Dexample.com%2Fs")).body["items"]
        assert [each["metadata"]["name"] for each in found] == ["example.com:s:one"]
        other = await api("PUT", f"{BUNDLES}/example.com:s:one", {**made.body, "spec": bundle("x")["spec"]})
        assert ("spec.signerName", 'Invalid value: "": field is immutable') in causes(other)

    run(scenario)


def test_the_servers_own_authority_is_published_and_replaced(run: Run) -> None:
    async def scenario(api: Api) -> None:
        publisher = "kube-apiserver-serving-clustertrustbundle-publisher-controller"
        query = f"{BUNDLES}?fieldSelector=spec.signerName%3Dkubernetes.io%2Fkube-apiserver-serving"
        for authority in (ROOT, create_authority("b").certificate.decode()):
            async with working(api, publisher, root_ca=authority):
                fits = lambda answer, wanted=authority: [each["spec"]["trustBundle"] for each in answer.body["items"]] == [wanted]  # noqa: E731
                (found,) = (await until(api, query, fits)).body["items"]
                assert found["metadata"]["name"].startswith("kubernetes.io:kube-apiserver-serving:")

    run(scenario)


def pod_request(**spec: Any) -> dict[str, Any]:
    body = {
        "signerName": "example.com/s", "podName": "p", "podUID": "1", "serviceAccountName": "default", "serviceAccountUID": "2",
        "nodeName": "n", "nodeUID": "3", "stubPKCS10Request": text(pkcs10().public_bytes(Encoding.DER)),
    }  # fmt: skip
    return {"metadata": {"name": "r"}, "spec": {**body, **spec}}


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        ({"podUID": ""}, ("spec.podUID", 'Invalid value: "": must not be empty')),
        ({"maxExpirationSeconds": 60}, ("spec.maxExpirationSeconds", "Invalid value: 60: must be in the range [3600, 7862400]")),
        (
            {"signerName": "a.kubernetes.io/s", "maxExpirationSeconds": 86401},
            ("spec.maxExpirationSeconds", "Invalid value: 86401: must be in the range [3600, 86400]"),
        ),
        (
            {"unverifiedUserAnnotations": {"a": "b"}},
            ("spec.unverifiedUserAnnotations", 'Invalid value: "a": must be domain-prefixed (such as "acme.io/foo")'),
        ),
    ],
)
def test_refused_requests_for_pods(run: Run, spec: dict[str, Any], expected: tuple[str, str]) -> None:
    async def scenario(api: Api) -> None:
        answer = await api("POST", POD_REQUESTS, pod_request(**spec))
        assert (answer.status, causes(answer)) == (422, [expected])

    run(scenario)


def stamp(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def leaf(days: float = 0.5, key: ec.EllipticCurvePrivateKey = KEY) -> x509.Certificate:
    start, name = datetime(2020, 1, 1, tzinfo=UTC), x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "p")])
    builder = x509.CertificateBuilder(name, name, key.public_key(), 1, start, start + timedelta(days=days))
    return builder.sign(key, SHA256())


def answer_with(certificate: x509.Certificate, **changes: Any) -> dict[str, Any]:
    start, end = certificate.not_valid_before_utc, certificate.not_valid_after_utc
    status = {
        "conditions": [condition("Issued")], "certificateChain": certificate.public_bytes(Encoding.PEM).decode(),
        "notBefore": stamp(start), "notAfter": stamp(end), "beginRefreshAt": stamp(start + timedelta(minutes=30)),
    }  # fmt: skip
    return {key: value for key, value in (status | changes).items() if value is not None}


EARLY = "2020-01-01T00:01:00Z"
CONSISTENT = "Required value: must be present and consistent with the issued certificate"


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        (answer_with(leaf(), notAfter=None, beginRefreshAt=None), [
            ("status.notAfter", CONSISTENT),
            ("status.beginRefreshAt", "Required value: must be present and in the range [notbefore+10min, notafter-10min]")]),
        (answer_with(leaf(), beginRefreshAt="2020-01-01T00:09:00Z"), [
            ("status.beginRefreshAt", 'Invalid value: "2020-01-01T00:09:00Z": must be at least 10 minutes after status.notBefore')]),
        (answer_with(leaf(), beginRefreshAt="2020-01-01T11:55:00Z"), [
            ("status.beginRefreshAt", 'Invalid value: "2020-01-01T11:55:00Z": must be at least 10 minutes before status.notAfter')]),
        (answer_with(leaf(), notBefore=EARLY), [
            ("status.notBefore", f'Invalid value: "{EARLY}": must be set to the NotBefore time encoded in the leaf certificate')]),
        (answer_with(leaf(), notAfter=EARLY), [
            ("status.notAfter", f'Invalid value: "{EARLY}": must be set to the NotAfter time encoded in the leaf certificate')]),
        (answer_with(leaf(0.02)), [
            ("status.certificateChain", "Invalid value: 1728000000000: leaf certificate lifetime must be >= 1 hour")]),
        (answer_with(leaf(2)), [("status.certificateChain", "Invalid value: 172800000000000: leaf certificate lifetime must be <= "
                            "spec.maxExpirationSeconds (86400)")]),
        (answer_with(leaf(), certificateChain="x"), [
            ("status.certificateChain", 'Invalid value: "x": issued certificate chain must contain at least one certificate')]),
        ({"conditions": [condition("Denied")], "certificateChain": "x"}, [
            ("status", "Invalid value: non-condition status fields must be empty when denying or failing the PodCertificateRequest")]),
        ({"notBefore": "2020-01-01T00:09:00Z"}, [
            ("status", 'Invalid value: status is immutable unless transitioning to "Issued", "Denied", or "Failed"')]),
        ({"conditions": [condition("Denied"), condition("Failed", "False"), condition("x")]}, [
            ("status.conditions.[1].type", 'Invalid value: "Failed": There may be at most one condition with type "Issued", "Denied", or '
             '"Failed"'),
            ("status.conditions.[1].status", 'Unsupported value: "False": supported values: "True"'),
            ("status.conditions.[2].type", 'Unsupported value: "x": supported values: "Issued", "Denied", "Failed"')]),
        ({"conditions": [condition("Denied", reason="")]}, [("status.conditions[0].reason", "Required value")]),
    ],
)  # fmt: skip
def test_refused_answers(run: Run, status: dict[str, Any], expected: list[tuple[str, str]]) -> None:
    async def scenario(api: Api) -> None:
        made = (await api("POST", POD_REQUESTS, pod_request())).body
        assert causes(await api("PUT", f"{POD_REQUESTS}/r/status", {**made, "status": status})) == expected

    run(scenario)


def test_a_request_for_a_pod_is_answered_once_and_for_its_key(run: Run) -> None:
    async def scenario(api: Api) -> None:
        made = (await api("POST", POD_REQUESTS, pod_request())).body
        assert made["spec"]["maxExpirationSeconds"] == 86400
        changed = await api("PUT", f"{POD_REQUESTS}/r", {**made, "spec": {**made["spec"], "podName": "q"}})
        assert (changed.status, causes(changed)[0][0]) == (422, "spec")
        foreign = leaf(key=ec.generate_private_key(ec.SECP256R1()))
        other = await api("PUT", f"{POD_REQUESTS}/r/status", {**made, "status": answer_with(foreign)})
        assert causes(other)[0][1].endswith("leaf certificate was not issued to the requested public key")
        assert (await api("PUT", f"{POD_REQUESTS}/r/status", {**made, "status": answer_with(leaf())})).status == 200
        live = (await api("GET", f"{POD_REQUESTS}/r")).body
        again = await api("PUT", f"{POD_REQUESTS}/r/status", {**live, "status": {"conditions": [condition("Denied")]}})
        assert causes(again) == [("status", "Invalid value: immutable after PodCertificateRequest is issued, denied, or failed")]
        assert (await api("PUT", f"{POD_REQUESTS}/r/status", live)).status == 200

    run(scenario)
