"""A remote service that is asked reviews: where it is and how it is reached stand in a kubeconfig file (webhook token authentication,
webhook authorization). Answers are reviews too; whatever else happens is a `BackendError`.
"""

import asyncio
import os
import random
from pathlib import Path
from urllib.parse import urlsplit

import orjson

from proa.api.meta import Object
from proa.client.kubeconfig import ClusterAccess, load_access
from proa.lib.http.client import Endpoint, HttpClient, HttpResponse
from proa.lib.http.client_tls import client_context

RETRY_SECONDS = (0.5, 0.75, 1.125, 1.6875)
"""Upstream's back-off between five attempts; jittered."""
_TRANSIENT = (429, 500, 502, 503, 504)


class BackendError(Exception):
    """Why no answer could be had."""


class WebhookBackend:
    """`timeout` bounds one attempt."""

    def __init__(self, access: ClusterAccess, timeout: float = 30.0) -> None:
        parts = urlsplit(access.server)
        self._url = access.server
        self._target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        tls = None
        if parts.scheme == "https":
            tls = client_context(ca=access.ca, certificate=access.certificate, private_key=access.private_key, verify=access.verify)
        endpoint = Endpoint(parts.hostname or "", parts.port or (443 if tls else 80), tls, server_name=access.server_name)
        self._client = HttpClient(endpoint, timeout=timeout)
        self._headers = [("content-type", "application/json"), ("accept", "application/json, */*")]
        if access.token:
            self._headers.append(("authorization", f"Bearer {access.token}"))

    @staticmethod
    def from_kubeconfig(path: Path, timeout: float = 30.0) -> "WebhookBackend":
        """Raises ValueError, OSError."""
        return WebhookBackend(load_access(path), timeout)

    async def review(self, review: Object) -> Object:
        """The review with its status; raises BackendError."""
        body = orjson.dumps(review)
        for pause in RETRY_SECONDS:
            try:
                response = await self._client.request("POST", self._target, self._headers, body)
            except TimeoutError:
                raise BackendError(f'Post "{self._url}": context deadline exceeded') from None
            except OSError:
                pass
            else:
                if response.status not in _TRANSIENT:
                    return self._decoded(response)
            await asyncio.sleep(pause * random.uniform(1, 1.2))
        try:
            return self._decoded(await self._client.request("POST", self._target, self._headers, body))
        except OSError as error:
            raise BackendError(f'Post "{self._url}": {error or type(error).__name__}') from None

    def _decoded(self, response: HttpResponse) -> Object:
        if not 200 <= response.status < 300:
            told = response.body[:256].decode(errors="replace").strip() or "unknown"
            raise BackendError(f'an error on the server ("{told}") has prevented the request from succeeding')
        try:
            answer = orjson.loads(response.body)
        except orjson.JSONDecodeError as error:
            raise BackendError(f"couldn't get version/kind; json parse error: {error}") from None
        if not isinstance(answer, dict):
            raise BackendError("the answer is not an object")
        return answer

    async def keep_open(self) -> None:
        """Until cancelled: connections close with the server whose background this is part of."""
        try:
            await asyncio.Event().wait()
        finally:
            await self._client.close()


def in_cluster_access() -> ClusterAccess:
    """What a pod finds; raises ValueError where this is none."""
    host, port = os.environ.get("KUBERNETES_SERVICE_HOST", ""), os.environ.get("KUBERNETES_SERVICE_PORT", "")
    folder = Path("/var/run/secrets/kubernetes.io/serviceaccount")
    if not host or not port or not (folder / "token").is_file():
        raise ValueError("unable to load in-cluster configuration, KUBERNETES_SERVICE_HOST and KUBERNETES_SERVICE_PORT must be defined")
    named = f"[{host}]" if ":" in host else host
    return ClusterAccess(f"https://{named}:{port}", (folder / "ca.crt").read_bytes(), token=(folder / "token").read_text().strip())
