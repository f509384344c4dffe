"""The client over HTTPS: from a kubeconfig, or from a URL with its authority and our credentials."""

from pathlib import Path
from urllib.parse import urlsplit

from proa.client.kubeconfig import ClusterAccess, load_access
from proa.client.transport import Headers, HttpTransport
from proa.client.verbs import VerbClient
from proa.lib.http.client import Endpoint, HttpClient
from proa.lib.http.client_tls import client_context


class RestClient(VerbClient):
    """PEM bytes; without `ca` the system's authorities vouch for the server."""

    def __init__(
        self,
        url: str,
        *,
        ca: bytes | None = None,
        certificate: bytes | None = None,
        private_key: bytes | None = None,
        token: str = "",
        verify: bool = True,
        server_name: str = "",
        timeout: float = 60.0,
        user_agent: str = "proa",
    ) -> None:
        parts = urlsplit(url)
        tls = None
        if parts.scheme == "https":
            tls = client_context(ca=ca, certificate=certificate, private_key=private_key, verify=verify)
        port = parts.port or (443 if tls else 80)
        endpoint = Endpoint(parts.hostname or "localhost", port, tls, server_name=server_name)
        identity: Headers = (("authorization", f"Bearer {token}"),) if token else ()
        super().__init__(HttpTransport(HttpClient(endpoint, timeout=timeout), identity), user_agent=user_agent)

    @classmethod
    def from_kubeconfig(cls, path: Path | str, context: str = "", *, timeout: float = 60.0, user_agent: str = "proa") -> "RestClient":
        """Of the named context, or the current one; raises ValueError for a file that can't be used."""
        return cls.from_access(load_access(Path(path), context), timeout=timeout, user_agent=user_agent)

    @classmethod
    def from_access(cls, access: ClusterAccess, *, timeout: float = 60.0, user_agent: str = "proa") -> "RestClient":
        return cls(
            access.server,
            ca=access.ca,
            certificate=access.certificate,
            private_key=access.private_key,
            token=access.token,
            verify=access.verify,
            server_name=access.server_name,
            timeout=timeout,
            user_agent=user_agent,
        )
