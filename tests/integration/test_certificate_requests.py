"""CertificateSigningRequests through the front door: who asked, who approves, who signs."""

import base64
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from proa.lib.pki import create_authority
from tests.integration.conftest import Api, Run

REQUESTS = "/apis/certificates.k8s.io/v1/certificatesigningrequests"


def request_pem() -> str:
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "jane")])
    made = x509.CertificateSigningRequestBuilder().subject_name(subject).sign(ec.generate_private_key(ec.SECP256R1()), SHA256())
    return base64.b64encode(made.public_bytes(Encoding.PEM)).decode()


REQUEST = request_pem()
SPEC: dict[str, Any] = {"request": REQUEST, "signerName": "example.com/signer", "usages": ["client auth"]}
CERTIFICATE = base64.b64encode(create_authority("signer").certificate).decode()


def body(**spec: Any) -> dict[str, Any]:
    return {"metadata": {"name": "r"}, "spec": SPEC | spec}


def test_the_requester_is_who_asks(run: Run) -> None:
    async def scenario(api: Api) -> None:
        claimed = body(username="root", uid="0", groups=["system:masters"], extra={"a": ["b"]})
        made = await api("POST", REQUESTS, claimed, **{"x-remote-user": "jane", "x-remote-group": "devs, system:masters"})
        assert made.status == 201, made.body
        spec = made.body["spec"]
        assert {key: spec[key] for key in spec if key not in SPEC} == {
            "username": "jane",
            "groups": ["devs", "system:masters", "system:authenticated"],
        }
        changed = await api.patch("merge", f"{REQUESTS}/r", {"spec": {"signerName": "example.com/other"}})
        assert changed.body["spec"] == spec

    run(scenario)


@pytest.mark.parametrize(
    ("spec", "field", "message"),
    [
        ({"request": "eA=="}, "spec.request", "PEM block type must be CERTIFICATE REQUEST"),
        ({"request": CERTIFICATE}, "spec.request", "PEM block type must be CERTIFICATE REQUEST"),
        ({"usages": []}, "spec.usages", "Required value"),
        ({"usages": ["x"]}, "spec.usages[0]", 'Unsupported value: "x": supported values: "any", "cert sign"'),
        ({"usages": ["any", "any"]}, "spec.usages[1]", 'Duplicate value: "any"'),
        ({"signerName": "kubernetes.io/legacy-unknown"}, "spec.signerName", "the legacy signerName is not allowed via this API version"),
        ({"signerName": "x"}, "spec.signerName", "must be a fully qualified domain and path of the form 'example.com/signer-name'"),
        ({"signerName": "x/y"}, "spec.signerName", "should be a domain with at least two segments separated by dots"),
        ({"signerName": "a.b_/y"}, "spec.signerName", 'validating label "b_": '),
        ({"expirationSeconds": 599}, "spec.expirationSeconds", "may not specify a duration less than 600 seconds (10 minutes)"),
    ],
)
def test_what_a_request_may_be(run: Run, spec: dict[str, Any], field: str, message: str) -> None:
    async def scenario(api: Api) -> None:
        answer = await api("POST", REQUESTS, body(**spec))
        (cause,) = answer.body["details"]["causes"]
        assert (answer.status, cause["field"]) == (422, field)
        assert message in cause["message"]

    run(scenario)


def condition(kind: str, status: str = "True") -> dict[str, str]:
    return {"type": kind, "status": status, "reason": "e2e"}


def test_approval_changes_conditions_and_nothing_else(run: Run) -> None:
    async def scenario(api: Api) -> None:
        await api("POST", REQUESTS, body())
        patch = {
            "metadata": {"annotations": {"patchedapproval": "true"}}, "spec": {"usages": ["any"]},
            "status": {"certificate": CERTIFICATE, "conditions": [condition("ApprovalPatch")]},
        }  # fmt: skip
        done = (await api.patch("merge", f"{REQUESTS}/r/approval", patch)).body
        assert (done["metadata"]["annotations"], done["spec"]["usages"]) == ({"patchedapproval": "true"}, ["client auth"])
        (only,) = done["status"]["conditions"]
        assert (only["type"], "certificate" in done["status"]) == ("ApprovalPatch", False)
        assert only["lastUpdateTime"] == only["lastTransitionTime"] == "2030-01-01T00:00:00Z"
        done["status"]["conditions"].append(condition("Approved"))
        approved = await api("PUT", f"{REQUESTS}/r/approval", done)
        assert [each["type"] for each in approved.body["status"]["conditions"]] == ["ApprovalPatch", "Approved"]
        for conditions, message in (
            ([], 'status.conditions: Forbidden: updates may not remove a condition of type "Approved"'),
            (
                [condition("Approved"), condition("Denied")],
                'status.conditions: Invalid value: "Denied": Approved and Denied conditions are mutually exclusive',
            ),
            ([condition("Approved", "False")], 'status.conditions[0].status: Unsupported value: "False": supported values: "True"'),
            ([condition("Approved"), {"type": "x"}], "status.conditions[1].status: Required value"),
        ):
            refused = await api.patch("merge", f"{REQUESTS}/r/approval", {"status": {"conditions": conditions}})
            whole = f'CertificateSigningRequest.certificates.k8s.io "r" is invalid: {message}'
            assert refused.summary == (422, "Invalid", whole)

    run(scenario)


def test_status_sets_the_certificate_once_and_no_verdict(run: Run) -> None:
    async def scenario(api: Api) -> None:
        await api("POST", REQUESTS, body())
        path = f"{REQUESTS}/r/status"
        verdict = await api.patch("merge", path, {"status": {"conditions": [condition("Approved")]}})
        assert verdict.body["details"]["causes"][0]["message"] == 'Forbidden: updates may not add a condition of type "Approved"'
        await api.patch("merge", f"{REQUESTS}/r/approval", {"status": {"conditions": [condition("Approved")]}})
        other = condition("Approved") | {"reason": "mine", "lastUpdateTime": "2020-01-01T00:00:00Z"}
        kept = (await api.patch("merge", path, {"status": {"conditions": [other, condition("Failed")]}})).body["status"]["conditions"]
        assert [(each["type"], each["reason"], each["lastUpdateTime"]) for each in kept] == [
            ("Approved", "e2e", "2030-01-01T00:00:00Z"), ("Failed", "e2e", "2030-01-01T00:00:00Z"),
        ]  # fmt: skip
        strange = await api.patch("merge", path, {"status": {"certificate": REQUEST}})
        why = 'Invalid value: "<certificate data>": only CERTIFICATE PEM blocks are allowed, found "CERTIFICATE REQUEST"'
        assert strange.body["details"]["causes"][0]["message"] == why
        assert (await api.patch("merge", path, {"status": {"certificate": CERTIFICATE}})).body["status"]["certificate"] == CERTIFICATE
        again = await api.patch("merge", path, {"status": {"certificate": base64.b64encode(create_authority("b").certificate).decode()}})
        assert again.body["details"]["causes"][0]["message"] == "Forbidden: updates may not modify existing certificate content"

    run(scenario)
