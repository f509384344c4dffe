"""Where a node's kubelet listens and how the API server proves to it who it is.

The kubelet's serving certificate must be of the cluster's authority and for the address in use; the API server's own is system:masters.
"""

import errno
import ssl
from functools import cached_property

from proa.api.errors import ApiError, NotFound
from proa.api.meta import Object
from proa.apiserver.config import ApiServerConfig
from proa.apiserver.interface import ObjectReader
from proa.lib.http.client import Endpoint
from proa.lib.http.client_tls import client_context

ADDRESS_TYPES = ("InternalIP", "ExternalIP", "Hostname")
DEFAULT_PORT = 10250


class Kubelets:
    def __init__(self, config: ApiServerConfig, reader: ObjectReader) -> None:
        self._config, self._reader = config, reader

    def endpoint(self, node_name: str, *, verify: bool = True) -> Endpoint:
        """Raises NotFound, or another ApiError for a node without an address."""
        node = self._reader.get("", "nodes", node_name)
        if node is None:
            raise NotFound.of("", "nodes", node_name)
        return Endpoint(node_address(node), node_port(node), self._verified if verify else self._unverified)

    @cached_property
    def _verified(self) -> ssl.SSLContext:
        certificate, key = self._identity
        return client_context(ca=self._config.client_ca.read_bytes(), certificate=certificate, private_key=key)

    @cached_property
    def _unverified(self) -> ssl.SSLContext:
        certificate, key = self._identity
        return client_context(verify=False, certificate=certificate, private_key=key)

    @property
    def _identity(self) -> tuple[bytes | None, bytes | None]:
        certificate, key = self._config.kubelet_client_certificate, self._config.kubelet_client_key
        return (certificate.read_bytes(), key.read_bytes()) if certificate and key else (None, None)


def node_address(node: Object) -> str:
    addresses = (node.get("status") or {}).get("addresses") or []
    for kind in ADDRESS_TYPES:
        for each in addresses:
            if each["type"] == kind and each.get("address"):
                return str(each["address"])
    listed = " ".join(f"{{{each['type']} {each['address']}}}" for each in addresses)
    raise unknown_error(f"no preferred addresses found; known addresses: [{listed}]")


def node_port(node: Object) -> int:
    endpoints = (node.get("status") or {}).get("daemonEndpoints") or {}
    return int((endpoints.get("kubeletEndpoint") or {}).get("Port") or DEFAULT_PORT)


def unknown_error(message: str) -> ApiError:
    """A failure without a reason of its own, as upstream reports what it got from below."""
    return ApiError(message, code=500, reason="")


def dial_error(endpoint: Endpoint, error: OSError) -> str:
    """Worded as Go's net package does, because people and scripts look for it."""
    where = f"dial tcp {endpoint.authority}"
    if isinstance(error, ssl.SSLError):
        return f"tls: failed to verify certificate: {error.reason or error}"
    if isinstance(error, TimeoutError):
        return f"{where}: i/o timeout"
    known = {
        errno.ECONNREFUSED: "connect: connection refused",
        errno.EHOSTUNREACH: "connect: no route to host",
        errno.ENETUNREACH: "connect: network is unreachable",
        errno.ECONNRESET: "connection reset by peer",
    }
    return f"{where}: {known.get(error.errno or 0, str(error) or type(error).__name__)}"
