"""The audit webhook: posts lists of events to the server that a kubeconfig names, and tries again for a while when it can't be reached."""

from collections.abc import Awaitable, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import orjson

from proa.client.kubeconfig import ClusterAccess, load_access
from proa.lib.backoff import Backoff
from proa.lib.clock import Clock
from proa.lib.http.client import Endpoint, HttpClient
from proa.lib.http.client_tls import client_context

ATTEMPTS = 5
FACTOR, JITTER = 1.5, 0.2
LONGEST_BACKOFF = 300.0
HEAD = b'{"kind":"EventList","apiVersion":"audit.k8s.io/v1","metadata":{},"items":['


class WebhookTarget:
    """The `Target` of the webhook backend."""

    name = "webhook"
    immediate = False

    def __init__(self, config: Path, clock: Clock, initial_backoff: float) -> None:
        """Raises ValueError, OSError for a kubeconfig that can't be used."""
        access = load_access(config)
        parts = urlsplit(access.server)
        tls = _tls(access) if parts.scheme == "https" else None
        port = parts.port or (443 if tls else 80)
        endpoint = Endpoint(parts.hostname or "localhost", port, tls, server_name=access.server_name)
        self._client = HttpClient(endpoint, timeout=30)
        self._target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        self._headers = [("host", endpoint.authority), ("content-type", "application/json"), ("user-agent", "kube-apiserver")]
        if access.token:
            self._headers.append(("authorization", f"Bearer {access.token}"))
        self._clock, self._initial_backoff = clock, initial_backoff

    def encode(self, event: dict[str, Any]) -> bytes:
        return orjson.dumps(event)

    def deliver(self, events: Sequence[bytes]) -> Awaitable[None]:
        return self._post(HEAD + b",".join(events) + b"]}")

    async def _post(self, body: bytes) -> None:
        """Raises OSError after the last attempt, or at once for an answer that no repetition will change."""
        backoff = Backoff(self._initial_backoff, LONGEST_BACKOFF, factor=FACTOR, jitter=JITTER)
        for attempt in range(1, ATTEMPTS + 1):
            try:
                response = await self._client.request("POST", self._target, self._headers, body)
            except (TimeoutError, OSError) as error:
                problem = str(error) or type(error).__name__
            else:
                if response.status < 300:
                    return
                problem = f"the webhook answered {response.status}"
                if response.status < 500 and response.status != 429:
                    raise OSError(problem)
            if attempt < ATTEMPTS:
                await self._clock.sleep(backoff.next())
        raise OSError(problem)

    async def close(self) -> None:
        await self._client.close()


def _tls(access: ClusterAccess) -> Any:
    return client_context(ca=access.ca, certificate=access.certificate, private_key=access.private_key, verify=access.verify)
