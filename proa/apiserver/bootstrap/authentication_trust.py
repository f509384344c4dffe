"""ConfigMap kube-system/extension-apiserver-authentication: what extension servers learn about whom they may trust, kept as it should be.

Several API servers may keep it together while they are upgraded, so what one finds is combined with what it wants: authorities that have
expired are left out, the others and all names stay. Source: kube-apiserver's cluster authentication trust controller.
"""

import asyncio
import json
import logging
import re
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime, timedelta

from proa.api.errors import ApiError
from proa.lib.clock import Clock
from proa.storage.interface import Collection, StoreEvent

log = logging.getLogger(__name__)

NAME = "extension-apiserver-authentication"
KEY = f"kube-system/{NAME}"
BUNDLES = ("client-ca-file", "requestheader-client-ca-file")
SLACK = timedelta(minutes=5)
RETRY_SECONDS = 1.0
_CERTIFICATE = re.compile(r"-----BEGIN CERTIFICATE-----\s.*?-----END CERTIFICATE-----", re.DOTALL)


def combined_trust(found: Mapping[str, str], wanted: Mapping[str, str], now: datetime | None = None) -> dict[str, str]:
    """Data of the ConfigMap. What nobody reads is not kept."""
    made: dict[str, str] = {}
    now = now or datetime.now(UTC)
    for key in wanted:
        made[key] = _bundle(found.get(key, ""), wanted[key], now) if key in BUNDLES else _names(found.get(key, ""), wanted[key])
    return made


def _names(found: str, wanted: str) -> str:
    try:
        known = [str(each) for each in json.loads(found or "[]")]
    except (ValueError, TypeError):
        known = []
    return json.dumps(list(dict.fromkeys([*known, *json.loads(wanted)])), separators=(",", ":"))


def _bundle(found: str, wanted: str, now: datetime) -> str:
    """Each certificate once, in the order in which they came."""
    ours = _certificates(wanted)
    known = [each for each in _certificates(found) if each in ours or not _expired(each, now)]
    if set(known) <= set(ours):
        return wanted
    return "".join(f"{each}\n" for each in dict.fromkeys([*known, *ours]))


def _certificates(bundle: str) -> list[str]:
    return ["\n".join(line.strip() for line in each.splitlines()) for each in _CERTIFICATE.findall(bundle)]


def _expired(certificate: str, now: datetime) -> bool:
    from cryptography import x509

    try:
        return x509.load_pem_x509_certificate(certificate.encode()).not_valid_after_utc < now - SLACK
    except ValueError:
        return True


Ensure = Callable[[], Awaitable[object]]


class TrustKeeper:
    """Puts the ConfigMap right when somebody changes or deletes it; `ensure` writes it if it is not as it should be."""

    def __init__(self, config_maps: Collection, ensure: Ensure, clock: Clock) -> None:
        self._ensure, self._clock = ensure, clock
        self._wake = asyncio.Event()
        config_maps.observe(self._observe)

    def _observe(self, event: StoreEvent) -> None:
        if event.entry.key == KEY:
            self._wake.set()

    async def run(self) -> None:
        while True:
            await self._wake.wait()
            self._wake.clear()
            try:
                await self._ensure()
            except ApiError as error:
                log.warning("ConfigMap %s can't be written: %s", KEY, error.message)
                await self._clock.sleep(RETRY_SECONDS)
                self._wake.set()
