"""One group version that another server answers for: where it is, how it is trusted, and how this server speaks to it.

Requests go over connections that stay open, with the certificate of the front proxy; the certificate of the other side must be of the
APIService's caBundle and for SERVICE.NAMESPACE.svc. An object that changes makes a new `RemoteApi`.
"""

import base64
import binascii
import ssl
from functools import cached_property

from proa.api.meta import Object
from proa.apiserver.aggregation.identity import Identity, identity_headers
from proa.apiserver.interface import MASTERS_GROUP, ObjectReader, User
from proa.apiserver.outbound import go_error, service_address
from proa.lib.http.client import Endpoint, HttpClient, HttpResponse

AGGREGATOR = User("system:kube-aggregator", (MASTERS_GROUP,))
"""Who the server is when it asks for its own needs; it may read every discovery document."""
FETCH_TIMEOUT = 5.0


class BadTrust(Exception):
    """The APIService's caBundle can't be used."""


class RemoteApi:
    def __init__(self, api_service: Object, reader: ObjectReader, identity: Identity) -> None:
        spec = api_service["spec"]
        self.group: str = spec.get("group") or ""
        self.version: str = spec["version"]
        self.spec: Object = spec
        self.service: Object = spec["service"]
        self.available = False
        self._reader, self._identity = reader, identity
        self._clients: dict[tuple[str, int], HttpClient] = {}

    @property
    def path(self) -> str:
        return f"/apis/{self.group}/{self.version}" if self.group else f"/api/{self.version}"

    @property
    def server_name(self) -> str:
        return f"{self.service['name']}.{self.service['namespace']}.svc"

    def address(self) -> tuple[str, int]:
        """Raises Unresolved."""
        return service_address(self._reader, self.service["namespace"], self.service["name"], self.service.get("port") or 443)

    @cached_property
    def tls(self) -> ssl.SSLContext:
        """Raises BadTrust."""
        bundle = self.spec.get("caBundle")
        try:
            ca = base64.b64decode(bundle) if bundle else None
            return self._identity.context(ca, verify=not self.spec.get("insecureSkipTLSVerify"))
        except (ssl.SSLError, ValueError, binascii.Error):
            raise BadTrust("unable to load root certificates: unable to parse bytes as PEM block") from None

    def client(self, host: str, port: int) -> HttpClient:
        """The pool of connections to one address; raises BadTrust."""
        known = self._clients.get((host, port))
        if known is None:
            known = self._clients[host, port] = HttpClient(Endpoint(host, port, self.tls, server_name=self.server_name))
        return known

    async def fetch(self, path: str, accept: str, etag: str = "") -> HttpResponse:
        """A document for this server's own use. Raises Unresolved, BadTrust, OSError."""
        headers = [("accept", accept), ("host", self.server_name), *identity_headers(AGGREGATOR)]
        if etag:
            headers.append(("if-none-match", etag))
        return await self.client(*self.address()).request("GET", path, headers, timeout=FETCH_TIMEOUT)

    async def problem_at(self, host: str, port: int) -> str:
        """Why the server at an address does not answer for this group version; "" if it does, whoever vouches for it."""
        url = f"https://{host}:{port}{self.path}"
        client = HttpClient(Endpoint(host, port, self._identity.unverified, server_name=self.server_name), connect_timeout=FETCH_TIMEOUT)
        try:
            headers = [("accept", "application/json"), ("host", self.server_name), *identity_headers(AGGREGATOR)]
            answer = await client.request("GET", self.path, headers, timeout=FETCH_TIMEOUT)
        except OSError as error:
            why = f'Get "{url}": {go_error(error, host, port, self.server_name)}'
            return f"failing or missing response from {url}: {why}"
        finally:
            await client.close()
        return "" if answer.status < 300 else f"failing or missing response from {url}: bad status from {url}: {answer.status}"

    async def close(self) -> None:
        for client in self._clients.values():
            await client.close()
        self._clients.clear()
