"""The server's own Lease in kube-system, by which clients and other servers see how many API servers there are and which of them live.

Its name comes from the host's, so a server that starts again takes its Lease over; leases of servers that have been gone for an hour are
removed. Source: KEP-1965.
"""

import base64
import hashlib
import logging
import socket
from datetime import datetime, timedelta

from proa.api import meta
from proa.api.errors import ApiError
from proa.api.kinds import LEASES
from proa.api.meta import Object
from proa.api.names import new_uid
from proa.apiserver.interface import ObjectReader, ObjectWriter
from proa.lib.clock import Clock, format_micro_time, parse_time
from proa.storage.interface import Unavailable

log = logging.getLogger(__name__)

LABEL = "apiserver.kubernetes.io/identity"
NAMESPACE = "kube-system"
DURATION = 3600
RENEWAL = 10.0
SWEEP = 3600.0


def lease_name(host: str) -> str:
    digest = hashlib.sha256(host.encode()).digest()[:16]
    return f"apiserver-{base64.b32encode(digest).decode().rstrip('=').lower()}"


def expired(lease: Object, now: datetime) -> bool:
    spec = lease.get("spec") or {}
    if not spec.get("renewTime") or not spec.get("leaseDurationSeconds"):
        return True
    return now > parse_time(spec["renewTime"]) + timedelta(seconds=spec["leaseDurationSeconds"])


class IdentityLease:
    def __init__(self, reader: ObjectReader, writer: ObjectWriter, clock: Clock, host: str = "") -> None:
        self._reader, self._writer, self._clock = reader, writer, clock
        self._host = host or socket.gethostname()
        self.name = lease_name(self._host)
        self._holder = f"{self.name}_{new_uid()}"

    async def run(self) -> None:
        """Forever."""
        swept = self._clock.monotonic()
        while True:
            try:
                await self.renew()
                if self._clock.monotonic() - swept >= SWEEP:
                    swept = self._clock.monotonic()
                    await self.sweep()
            except (ApiError, Unavailable) as error:
                log.warning("the server's lease could not be renewed: %s", error)
            await self._clock.sleep(RENEWAL)

    async def renew(self) -> None:
        now = format_micro_time(self._clock.now())
        present = self._reader.get(LEASES.group, LEASES.plural, self.name, NAMESPACE)
        if present is None:
            labels = {LABEL: "kube-apiserver", "kubernetes.io/hostname": self._host}
            spec = {"holderIdentity": self._holder, "leaseDurationSeconds": DURATION, "acquireTime": now, "renewTime": now}
            metadata = {"name": self.name, "namespace": NAMESPACE, "labels": labels}
            lease = {"apiVersion": LEASES.api_version, "kind": "Lease", "metadata": metadata, "spec": spec}
            await self._writer.request("POST", LEASES.path(NAMESPACE), lease)
            return
        change: Object = {"renewTime": now}
        if present["spec"].get("holderIdentity") != self._holder:
            change |= {"holderIdentity": self._holder, "acquireTime": now, "leaseDurationSeconds": DURATION}
        await self._writer.request("PATCH", LEASES.path(NAMESPACE, self.name), {"spec": change})

    async def sweep(self) -> None:
        now = self._clock.now()
        for lease in self._reader.list(LEASES.group, LEASES.plural, NAMESPACE):
            if LABEL in meta.labels(lease) and meta.name(lease) != self.name and expired(lease, now):
                await self._writer.request("DELETE", LEASES.path(NAMESPACE, meta.name(lease)))
