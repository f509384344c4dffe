"""Where Services lead, and how failures of the transport are worded."""

import socket
import ssl
from typing import Any

import pytest

from proa.apiserver.fake import FakeReader
from proa.apiserver.outbound import Unresolved, go_error, service_address


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
    assert go_error(error, "10.0.0.1", 8443, "hook.default.svc") == expected


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
    except Unresolved as error:
        found = str(error)
    assert found == expected
