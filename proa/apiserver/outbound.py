"""How this server reaches the servers behind Services, and how it words that it can't.

A Service is resolved to one of its ready endpoints here: the API server need not be behind kube-proxy. Failures read as Go's network and
TLS packages put them, because people and scripts look for that.
"""

import random
import socket
import ssl

from proa.api import meta
from proa.apiserver.interface import ObjectReader

_UNKNOWN_AUTHORITY = (18, 19, 20, 21)
_EXPIRED = (9, 10)


class Unresolved(Exception):
    """Why a Service leads nowhere."""


def service_address(reader: ObjectReader, namespace: str, name: str, port: int) -> tuple[str, int]:
    """A ready endpoint of one of the Service's ports; raises Unresolved."""
    service = reader.get("", "services", name, namespace)
    if service is None:
        raise Unresolved(f'service "{name}" not found')
    spec = service.get("spec") or {}
    if spec.get("type") == "ExternalName":
        return spec.get("externalName", ""), port
    declared = next((each for each in spec.get("ports") or () if each.get("port") == port), None)
    if declared is None:
        raise Unresolved(f'no service port {port} found for service "{name}"')
    found = [
        (str(address), int(each["port"]))
        for slice_ in reader.list("discovery.k8s.io", "endpointslices", namespace)
        if meta.labels(slice_).get("kubernetes.io/service-name") == name
        for each in slice_.get("ports") or ()
        if (each.get("name") or "") == (declared.get("name") or "")
        for endpoint in slice_.get("endpoints") or ()
        if (endpoint.get("conditions") or {}).get("ready", True)
        for address in endpoint.get("addresses") or ()
    ]
    if not found:
        raise Unresolved(f'no endpoints available for service "{name}"')
    return random.choice(found)


def go_error(error: OSError, host: str, port: int, server_name: str) -> str:
    where = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    if isinstance(error, ConnectionRefusedError):
        return f"dial tcp {where}: connect: connection refused"
    if isinstance(error, TimeoutError):
        return "context deadline exceeded"
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"tls: failed to verify certificate: x509: {_certificate_problem(error, server_name)}"
    if isinstance(error, socket.gaierror):
        return f"dial tcp: lookup {host}: no such host"
    if isinstance(error, ConnectionResetError):
        return "EOF"
    return str(error)


def _certificate_problem(error: ssl.SSLCertVerificationError, server_name: str) -> str:
    if error.verify_code in _UNKNOWN_AUTHORITY:
        return "certificate signed by unknown authority"
    if error.verify_code in _EXPIRED:
        return "certificate has expired or is not yet valid"
    if "ostname mismatch" in error.verify_message or "address mismatch" in error.verify_message:
        return f"certificate is not valid for any names, but wanted to match {server_name}"
    return error.verify_message
