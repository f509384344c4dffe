"""pods/proxy, services/proxy and nodes/proxy: which address a request means.

The name may carry a scheme and a port: `name`, `name:port`, `scheme:name:port`.
"""

import ipaddress
import random
import ssl
from functools import cached_property

from proa.api.errors import BadRequest, NotFound, ServiceUnavailable
from proa.api.meta import Object
from proa.apiserver.call import Call
from proa.apiserver.connect.kubelet import Kubelets
from proa.apiserver.connect.pod import admit_connect
from proa.apiserver.connect.proxy import ProxyTarget, proxy
from proa.lib.http.client import Endpoint
from proa.lib.http.client_tls import client_context
from proa.lib.http.message import AnyResponse


def split_name(identifier: str) -> tuple[str, str, str] | None:
    """(scheme, name, port), None if it is none of the three forms."""
    parts = identifier.split(":")
    scheme = parts.pop(0) if len(parts) == 3 else ""
    name, port = parts[0], "".join(parts[1:2])
    return (scheme, name, port) if len(parts) <= 2 and name and scheme in ("http", "https", "") else None


def split_path(raw_path: str, *, namespaced: bool) -> tuple[str, str]:
    """(the proxy's own path, what follows it), for .../NAME/proxy/REST; the rest is as the client sent it."""
    parts = raw_path.split("/")
    own = len(["", "api", "v1", "namespaces", "NAMESPACE", "pods", "NAME", "proxy"]) - (0 if namespaced else 2)
    return "/".join(parts[:own]), "".join(f"/{part}" for part in parts[own:])


class Proxies:
    def __init__(self, kubelets: Kubelets) -> None:
        self._kubelets = kubelets

    @cached_property
    def _any_certificate(self) -> ssl.SSLContext:
        """Nobody vouches for what pods serve."""
        return client_context(verify=False)

    async def pod(self, call: Call) -> AnyResponse:
        scheme, name, port = _named(call, "pod")
        pod = call.server.reader.get("", "pods", name, call.info.namespace)
        if pod is None:
            raise NotFound.of("", "pods", name)
        await admit_connect(call, "PodProxyOptions")
        return await self._to(call, scheme, pod_address(pod), port or first_port(pod))

    async def service(self, call: Call) -> AnyResponse:
        scheme, name, port = _named(call, "service")
        reader = call.server.reader
        service = reader.get("", "services", name, call.info.namespace)
        if service is None:
            raise NotFound.of("", "services", name)
        await admit_connect(call, "ServiceProxyOptions")
        endpoints = reader.get("", "endpoints", name, call.info.namespace)
        if endpoints is None:
            raise NotFound.of("", "endpoints", name)
        address, number = choose_endpoint(service, endpoints, port, call.info.name)
        return await self._to(call, scheme, address, str(number))

    async def node(self, call: Call) -> AnyResponse:
        scheme, name, port = _named(call, "node")
        await admit_connect(call, "NodeProxyOptions")
        kubelet = self._kubelets.endpoint(name)
        if port in ("", str(kubelet.port)):
            return await proxy(call.request, ProxyTarget(kubelet, *_paths(call)))
        return await self._to(call, scheme, kubelet.host, port)

    async def _to(self, call: Call, scheme: str, address: str, port: str) -> AnyResponse:
        tls = self._any_certificate if scheme == "https" else None
        if port and not port.isdigit():
            raise BadRequest(f'invalid port "{port}"')
        endpoint = Endpoint(address, int(port or (443 if tls else 80)), tls)
        return await proxy(call.request, ProxyTarget(endpoint, *_paths(call)))


def _paths(call: Call) -> tuple[str, str]:
    prefix, path = split_path(call.request.raw_path or call.request.path, namespaced=bool(call.info.namespace))
    return path, prefix


def _named(call: Call, what: str) -> tuple[str, str, str]:
    parts = split_name(call.info.name)
    if parts is None:
        raise BadRequest(f'invalid {what} request "{call.info.name}"')
    return parts


def pod_address(pod: Object) -> str:
    """Only what can be a pod's: a request must not reach this machine's own services through an address written into a status."""
    status = pod.get("status") or {}
    text = str((status.get("podIPs") or [{}])[0].get("ip") or status.get("podIP") or "")
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        raise BadRequest("address not allowed") from None
    # An IPv4 address in IPv6 form leads where the IPv4 address does.
    address = (address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None) or address
    if address.is_loopback or address.is_link_local or address.is_multicast or address.is_unspecified or text == "255.255.255.255":
        raise BadRequest("address not allowed")
    return text


def first_port(pod: Object) -> str:
    for container in pod["spec"].get("containers") or ():
        if container.get("ports"):
            return str(container["ports"][0]["containerPort"])
    return ""


def choose_endpoint(service: Object, endpoints: Object, port: str, asked: str) -> tuple[str, int]:
    """A ready endpoint of the service's port, which is given by name or number; `asked` is how the client named it all."""
    name = service["metadata"]["name"]
    wanted = port
    if port.isdigit():
        named = [each.get("name", "") for each in service["spec"].get("ports") or () if each["port"] == int(port)]
        if not named:
            raise ServiceUnavailable(f'no service port {port} found for service "{name}"')
        wanted = named[0]
    subsets = list(endpoints.get("subsets") or ())
    random.shuffle(subsets)
    for subset in subsets:
        for each in subset.get("ports") or ():
            if each.get("name", "") == wanted and subset.get("addresses"):
                return random.choice(subset["addresses"])["ip"], each["port"]
    raise ServiceUnavailable(f'no endpoints available for service "{asked}"')
