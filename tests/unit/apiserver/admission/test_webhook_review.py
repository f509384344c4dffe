"""Which answers of webhooks count, and how failures of the transport are worded."""

import base64
import socket
import ssl
from typing import Any

import pytest

from proa.apiserver.admission.webhook.client import Address, CallError, go_error, service_address
from proa.apiserver.admission.webhook.hook import Wanted, rule_of
from proa.apiserver.admission.webhook.review import InvalidReview, Verdict, verify
from proa.apiserver.fake import FakeReader

PATCH = base64.b64encode(b"[]").decode()


def answer(api_version: str = "admission.k8s.io/v1", **response: Any) -> dict[str, Any]:
    return {"apiVersion": api_version, "kind": "AdmissionReview", "response": {"uid": "u", "allowed": True, **response}}


@pytest.mark.parametrize(
    ("given", "mutating", "expected"),
    [
        (answer(), False, Verdict(True)),
        (answer(allowed=False, status={"message": "no"}, warnings=["w"]), False, Verdict(False, {"message": "no"}, warnings=("w",))),
        (answer(patch=PATCH, patchType="JSONPatch"), True, Verdict(True, patch=b"[]", patch_type="JSONPatch")),
        (answer(auditAnnotations={"k": "v"}), True, Verdict(True, audit_annotations={"k": "v"})),
        ([], False, "webhook response was absent"),
        ({"response": None}, False, "webhook response was absent"),
        (answer(uid="other"), False, 'expected response.uid="u", got "other"'),
        (
            answer("admission.k8s.io/v1beta1"), False,
            "expected webhook response of admission.k8s.io/v1, Kind=AdmissionReview, got admission.k8s.io/v1beta1, Kind=AdmissionReview",
        ),
        (answer(patch=PATCH), True, "webhook returned response.patch but not response.patchType"),
        (answer(patchType="JSONPatch"), True, "webhook returned response.patchType but not response.patch"),
        (answer(patch=PATCH, patchType=""), True, 'webhook returned invalid response.patchType of ""'),
        (answer(patch=PATCH), False, "validating webhook may not return response.patch"),
        (answer(patchType="JSONPatch"), False, "validating webhook may not return response.patchType"),
    ],
)  # fmt: skip
def test_answers_of_v1(given: Any, mutating: bool, expected: Any) -> None:
    review = {"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview"}
    try:
        found: Any = verify(given, review, "u", mutating=mutating)
    except InvalidReview as error:
        found = str(error)
    assert found == expected


def test_v1beta1_need_not_name_the_patch_type() -> None:
    review = {"apiVersion": "admission.k8s.io/v1beta1", "kind": "AdmissionReview"}
    assert verify(answer("admission.k8s.io/v1beta1", patch=PATCH), review, "u", mutating=True) == Verdict(True, {}, b"[]", "JSONPatch")


def refused_certificate(code: int, message: str) -> ssl.SSLCertVerificationError:
    error = ssl.SSLCertVerificationError(1, message)
    error.verify_code, error.verify_message = code, message
    return error


VERIFY = "tls: failed to verify certificate: x509: "


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (ConnectionRefusedError(), "dial tcp 10.0.0.1:8443: connect: connection refused"),
        (TimeoutError(), "context deadline exceeded"),
        (ConnectionResetError(), "EOF"),
        (socket.gaierror(-2, "Name or service not known"), "dial tcp: lookup 10.0.0.1: no such host"),
        (refused_certificate(19, "self signed"), f"{VERIFY}certificate signed by unknown authority"),
        (refused_certificate(10, "expired"), f"{VERIFY}certificate has expired or is not yet valid"),
        (
            refused_certificate(62, "Hostname mismatch, certificate is not valid for 'hook.default.svc'."),
            f"{VERIFY}certificate is not valid for any names, but wanted to match hook.default.svc",
        ),
    ],
)
def test_failures_are_worded_as_upstream(error: OSError, expected: str) -> None:
    assert go_error(error, Address("10.0.0.1", 8443, "hook.default.svc", "hook.default.svc:443", "/")) == expected


@pytest.mark.parametrize(
    ("spec", "endpoints", "expected"),
    [
        ({"ports": [{"name": "a", "port": 443}]}, [{"addresses": ["10.0.0.1"]}], ("10.0.0.1", 8443)),
        (
            {"ports": [{"name": "a", "port": 443}]},
            [{"addresses": ["10.0.0.1"], "conditions": {"ready": False}}],
            'no endpoints available for service "hook"',
        ),
        ({"ports": [{"name": "b", "port": 443}]}, [{"addresses": ["10.0.0.1"]}], 'no endpoints available for service "hook"'),
        ({"ports": [{"name": "a", "port": 80}]}, [], 'no service port 443 found for service "hook"'),
        ({"type": "ExternalName", "externalName": "hook.example.com"}, [], ("hook.example.com", 443)),
    ],
)
def test_addresses_of_services(spec: dict[str, Any], endpoints: list[dict[str, Any]], expected: Any) -> None:
    reader = FakeReader()
    reader.put("", "services", {"metadata": {"name": "hook", "namespace": "n"}, "spec": spec})
    metadata = {"name": "hook-1", "namespace": "n", "labels": {"kubernetes.io/service-name": "hook"}}
    reader.put("discovery.k8s.io", "endpointslices", {"metadata": metadata, "ports": [{"name": "a", "port": 8443}], "endpoints": endpoints})
    try:
        found: Any = service_address(reader, "n", "hook", 443)
    except CallError as error:
        found = str(error)
    assert found == expected


def rule(*resources: str, **more: Any) -> dict[str, Any]:
    return {"operations": ["CREATE"], "apiGroups": ["apps"], "apiVersions": ["v1"], "resources": list(resources), **more}


@pytest.mark.parametrize(
    ("declared", "wanted", "expected"),
    [
        (rule("deployments"), ("CREATE", ""), True),
        (rule("deployments"), ("UPDATE", ""), False),
        (rule("deployments"), ("CREATE", "scale"), False),
        (rule("deployments/*"), ("CREATE", "scale"), True),
        (rule("deployments/*"), ("CREATE", ""), True),
        (rule("*/scale"), ("CREATE", "scale"), True),
        (rule("*"), ("CREATE", "scale"), False),
        (rule("*/*"), ("CREATE", "scale"), True),
        (rule("deployments", apiVersions=["v2"]), ("CREATE", ""), False),
        (rule("deployments", apiGroups=["*"], operations=["*"], apiVersions=["*"]), ("DELETE", ""), True),
        (rule("deployments", scope="Cluster"), ("CREATE", ""), False),
        (rule("deployments", scope="Namespaced"), ("CREATE", ""), True),
    ],
)
def test_rules(declared: dict[str, Any], wanted: tuple[str, str], expected: bool) -> None:
    operation, subresource = wanted
    assert rule_of(declared).matches(Wanted(operation, "apps", "v1", "deployments", subresource, True)) is expected
