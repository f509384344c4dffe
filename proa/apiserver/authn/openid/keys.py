"""The keys of one issuer, fetched over HTTPS by way of its discovery document (OpenID Connect Discovery 1.0) when a token first needs
them, and again when a token is signed with a key that isn't known: so issuers rotate keys, and this server starts without them.
"""

import asyncio
import logging
import ssl
from functools import cached_property
from typing import Any
from urllib.parse import urlsplit

import orjson

from proa.apiserver.authn.openid.configuration import Issuer
from proa.lib.clock import Clock
from proa.lib.http.client import Endpoint, HttpClient
from proa.lib.http.client_tls import client_context
from proa.lib.json_web_signature import VerificationKey, from_json_web_key

WELL_KNOWN = "/.well-known/openid-configuration"
TIMEOUT_SECONDS = 10.0
PAUSE_SECONDS = 10.0
"""How long a failed fetch stands before the next: tokens must not make this server hammer an issuer that is down."""
RECHECK_SECONDS = 1.0
"""How long fetched keys stand before a token of an unknown key leads to another look."""
log = logging.getLogger(__name__)


class ProviderKeys:
    def __init__(self, issuer: Issuer, clock: Clock) -> None:
        self._issuer = issuer
        self._clock = clock
        self._keys: list[VerificationKey] | None = None
        self._keys_url = ""
        self._fetching: asyncio.Task[None] | None = None
        self._not_before = float("-inf")

    async def verified(self, algorithm: str, key_id: str, signature: bytes, data: bytes) -> bool | None:
        """Whether the issuer signed it; None while its keys can't be had."""
        if self._keys is not None and self._check(algorithm, key_id, signature, data):
            return True
        await self._refresh()
        return None if self._keys is None else self._check(algorithm, key_id, signature, data)

    def _check(self, algorithm: str, key_id: str, signature: bytes, data: bytes) -> bool:
        keys = [key for key in self._keys or () if not key_id or not key.key_id or key.key_id == key_id]
        return any(key.verifies(algorithm, signature, data) for key in keys)

    async def _refresh(self) -> None:
        """One fetch at a time, whoever waits for it."""
        if self._clock.monotonic() < self._not_before:
            return
        if self._fetching is None:
            self._fetching = asyncio.create_task(self._fetch(), name="openid-keys")
        await asyncio.shield(self._fetching)

    async def _fetch(self) -> None:
        try:
            async with asyncio.timeout(TIMEOUT_SECONDS):
                if not self._keys_url:
                    self._keys_url = await self._discover()
                document = await self._get(self._keys_url)
            self._keys = [key for key in map(from_json_web_key, document["keys"]) if key is not None]
            self._not_before = self._clock.monotonic() + RECHECK_SECONDS
        except (OSError, ValueError, LookupError, TypeError, AttributeError) as error:
            log.warning("oidc authenticator: initializing plugin: %s: %s", self._issuer.url, error or type(error).__name__)
            self._not_before = self._clock.monotonic() + PAUSE_SECONDS
        finally:
            self._fetching = None

    async def _discover(self) -> str:
        document = await self._get(self._issuer.discovery_url or self._issuer.url.rstrip("/") + WELL_KNOWN)
        if document.get("issuer") != self._issuer.url:
            told = document.get("issuer")
            raise ValueError(f'oidc: issuer did not match the issuer returned by provider, expected "{self._issuer.url}" got "{told}"')
        return str(document["jwks_uri"])

    async def _get(self, url: str) -> Any:
        """Raises OSError, ValueError."""
        parts = urlsplit(url)
        if parts.scheme != "https":
            raise ValueError(f"{url}: the scheme must be https")
        client = HttpClient(Endpoint(parts.hostname or "", parts.port or 443, self._tls), timeout=TIMEOUT_SECONDS)
        try:
            target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
            answer = await client.request("GET", target, [("accept", "application/json")])
        finally:
            await client.close()
        if answer.status != 200:
            raise ValueError(f"{url}: {answer.status}")
        return orjson.loads(answer.body)

    @cached_property
    def _tls(self) -> ssl.SSLContext:
        return client_context(ca=self._issuer.certificate_authority.encode() or None)
