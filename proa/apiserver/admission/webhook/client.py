"""Posts reviews to webhooks over TLS, on connections that stay open, with failures worded as Go's HTTP client words them.

The certificate is checked for `NAME.NAMESPACE.svc`, whatever address is dialled.
"""

import base64
import binascii
import ssl
from typing import Any
from urllib.parse import urlsplit

import orjson

from proa.api.meta import Object
from proa.apiserver.admission.webhook.credentials import Credentials, Identity
from proa.apiserver.interface import ObjectReader
from proa.apiserver.outbound import Unresolved, go_error, service_address
from proa.lib.dataclass import dataclass
from proa.lib.http.client import Endpoint, HttpClient, HttpResponse
from proa.lib.http.client_tls import client_context

USER_AGENT = "kube-apiserver-admission"
RETRIES = 2
"""For a connection that the webhook had closed meanwhile; webhooks are idempotent by contract."""
_GENERIC = {
    400: "the server rejected our request for an unknown reason",
    401: "the server has asked for the client to provide credentials",
    403: "unknown",
    404: "the server could not find the requested resource",
    405: "the server does not allow this method on the requested resource",
    413: "Request entity too large: limit is 3145728",
    415: "the body of the request was in an unknown format - accepted media types include: ",
    429: "the server has received too many requests and has asked us to try again later",
    503: "the server is currently unable to handle the request",
    504: "the server was unable to return a response in the time allotted, but may still be processing the request",
}


class CallError(Exception):
    """Why a webhook could not be asked; `code` is what metrics call it."""

    def __init__(self, why: str, code: int = 503) -> None:
        super().__init__(why)
        self.code = code


@dataclass(frozen=True, slots=True)
class Address:
    """Where a client config points: what is dialled, what is told, what the certificate must be for."""

    host: str
    port: int
    server_name: str
    authority: str
    path: str


class WebhookClient:
    def __init__(self, reader: ObjectReader, credentials: Credentials | None = None) -> None:
        self._reader = reader
        self._credentials = credentials or Credentials()
        self._clients: dict[tuple[str, int, str, str], HttpClient] = {}

    async def post(self, client_config: Object, body: bytes, seconds: int) -> Any:
        """The decoded answer; raises CallError."""
        url = _told_url(client_config, seconds)
        try:
            address = self._address(client_config)
        except Unresolved as error:
            raise CallError(f'Post "{url}": {error}') from None
        try:
            response = await self._send(client_config, address, body, seconds)
        except OSError as error:
            raise CallError(f'Post "{url}": {go_error(error, address.host, address.port, address.server_name)}') from None
        return _decoded(response)

    async def _send(self, client_config: Object, address: Address, body: bytes, seconds: int) -> HttpResponse:
        headers = [
            ("host", address.authority), ("content-type", "application/json"), ("accept", "application/json, */*"),
            ("user-agent", USER_AGENT),
        ]  # fmt: skip
        identity = self._credentials.of(address.server_name, address.port if client_config.get("url") else _service_port(client_config))
        if identity.authorization:
            headers.append(("authorization", identity.authorization))
        client = self._client(client_config, address, identity)
        target = f"{address.path}{'&' if '?' in address.path else '?'}timeout={seconds}s"
        for _ in range(RETRIES):
            try:
                return await client.request("POST", target, headers, body, timeout=seconds)
            except ConnectionRefusedError:
                raise
            except ConnectionError:
                continue
        return await client.request("POST", target, headers, body, timeout=seconds)

    def _client(self, client_config: Object, address: Address, identity: Identity) -> HttpClient:
        bundle = client_config.get("caBundle") or ""
        key = address.host, address.port, address.server_name, bundle
        if key not in self._clients:
            try:
                ca = base64.b64decode(bundle) if bundle else None
                tls = client_context(ca=ca, certificate=identity.certificate or None, private_key=identity.key or None)
            except (ssl.SSLError, ValueError, binascii.Error):
                raise CallError("unable to load root certificates: unable to parse bytes as PEM block") from None
            endpoint = Endpoint(address.host, address.port, tls, server_name=address.server_name)
            self._clients[key] = HttpClient(endpoint, timeout=30, connect_timeout=30)
        return self._clients[key]

    def _address(self, client_config: Object) -> Address:
        if url := client_config.get("url"):
            parts = urlsplit(url)
            host = parts.hostname or ""
            path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
            return Address(host, parts.port or 443, host, parts.netloc, path)
        service = client_config.get("service") or {}
        name, namespace, port = service.get("name", ""), service.get("namespace", ""), service.get("port") or 443
        host, number = service_address(self._reader, namespace, name, port)
        server_name = f"{name}.{namespace}.svc"
        return Address(host, number, server_name, f"{server_name}:{port}", service.get("path") or "/")

    async def close(self) -> None:
        for client in self._clients.values():
            await client.close()
        self._clients.clear()


def _service_port(client_config: Object) -> int:
    return int((client_config.get("service") or {}).get("port") or 443)


def _told_url(client_config: Object, seconds: int) -> str:
    if url := client_config.get("url"):
        return f"{url}?timeout={seconds}s"
    service = client_config.get("service") or {}
    host = f"{service.get('name', '')}.{service.get('namespace', '')}.svc:{service.get('port') or 443}"
    return f"https://{host}{service.get('path') or '/'}?timeout={seconds}s"


def _decoded(response: HttpResponse) -> Any:
    try:
        answer = orjson.loads(response.body)
    except orjson.JSONDecodeError as error:
        answer = None
        if response.status < 300:
            raise CallError(f"couldn't get version/kind; json parse error: {error}") from None
    if response.status < 300:
        return answer
    if isinstance(answer, dict) and answer.get("kind") == "Status" and answer.get("message"):
        raise CallError(str(answer["message"]), response.status)
    text = response.body[:2048].decode(errors="replace").strip()
    generic = f'an error on the server ("{text or "unknown"}") has prevented the request from succeeding'
    raise CallError(_GENERIC.get(response.status, generic), response.status)
