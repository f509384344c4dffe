"""The IPAddress objects: each is the claim of one object, mostly a Service, on one address. They are written here for Services, beside the
Service itself, so that both share one commit; whatever a crash leaves in between, `repair` sets right.
"""

import asyncio
import logging
from collections.abc import Callable, Iterable

from proa.api import meta
from proa.api.meta import Object
from proa.api.names import new_uid
from proa.apiserver.allocators.address_range import family_of
from proa.apiserver.interface import ObjectReader
from proa.lib.dataclass import dataclass
from proa.storage.interface import Collection, KeyExists

log = logging.getLogger(__name__)

FAMILY_LABEL = "ipaddress.kubernetes.io/ip-family"
MANAGED_BY_LABEL = "ipaddress.kubernetes.io/managed-by"
MANAGER = "ipallocator.k8s.io"
_OWN_FIELDS: Object = {
    "f:metadata": {"f:labels": {".": {}, f"f:{FAMILY_LABEL}": {}, f"f:{MANAGED_BY_LABEL}": {}}},
    "f:spec": {"f:parentRef": {".": {}, "f:name": {}, "f:namespace": {}, "f:resource": {}}},
}


@dataclass(frozen=True, slots=True)
class Claim:
    """`service` is the key of the Service that the object refers to, "" if it refers to something else."""

    service: str
    managed: bool
    created: str


def claim_of(ip_address: Object) -> Claim:
    parent = (ip_address.get("spec") or {}).get("parentRef") or {}
    is_service = not parent.get("group") and parent.get("resource") == "services"
    service = f"{parent.get('namespace', '')}/{parent.get('name', '')}" if is_service else ""
    managed = meta.labels(ip_address).get(MANAGED_BY_LABEL) == MANAGER
    return Claim(service, managed, ip_address["metadata"].get("creationTimestamp", ""))


def new_ip_address(address: str, service: str, now: str) -> Object:
    namespace, name = meta.split_key(service)
    managed = {
        "manager": "kube-apiserver", "operation": "Update", "apiVersion": "networking.k8s.io/v1", "time": now, "fieldsType": "FieldsV1",
        "fieldsV1": _OWN_FIELDS,
    }  # fmt: skip
    return {
        "kind": "IPAddress",
        "apiVersion": "networking.k8s.io/v1",
        "metadata": {
            "name": address,
            "uid": new_uid(),
            "creationTimestamp": now,
            "labels": {FAMILY_LABEL: family_of(address), MANAGED_BY_LABEL: MANAGER},
            "managedFields": [managed],
        },
        "spec": {"parentRef": {"resource": "services", "namespace": namespace, "name": name}},
    }


class Claims:
    """`changed` is told the address of a claim that goes or changes: something may have to be repaired. Without a collection (versions of
    the API that have no IPAddress) nothing is written and nothing is claimed."""

    def __init__(self, reader: ObjectReader, now: Callable[[], str]) -> None:
        self.collection: Collection | None = None
        self.by_address: dict[str, Claim] = {}
        self.changed: Callable[[str], None] = lambda address: None
        self._by_service: dict[str, set[str]] = {}
        self._now = now
        reader.observe("networking.k8s.io", "ipaddresses", self.observe)

    def observe(self, event: str, ip_address: Object) -> None:
        address = meta.name(ip_address)
        old = self.by_address.pop(address, None)
        if old is not None:
            self._by_service.get(old.service, set()).discard(address)
            if not self._by_service.get(old.service):
                self._by_service.pop(old.service, None)
        if event != "DELETED":
            new = self.by_address[address] = claim_of(ip_address)
            self._by_service.setdefault(new.service, set()).add(address)
        if event != "ADDED":
            self.changed(address)

    def of_service(self, service: str) -> set[str]:
        """The addresses that are claimed for it by this server."""
        return {address for address in self._by_service.get(service, ()) if self.by_address[address].managed}

    async def write(self, service: str, addresses: Iterable[str]) -> set[str]:
        """What this has claimed. What the Service had before stays; where somebody else was faster, it is left to the repair."""
        if self.collection is None:
            return set()
        wanted = [each for each in addresses if each not in self._by_service.get(service, ())]
        claimed = await asyncio.gather(*(self._write(self.collection, service, each) for each in wanted))
        return {address for address, is_new in zip(wanted, claimed, strict=True) if is_new}

    async def _write(self, collection: Collection, service: str, address: str) -> bool:
        try:
            await collection.create(address, new_ip_address(address, service, self._now()))
        except KeyExists:
            log.warning("the IPAddress %s of Service %s is somebody else's", address, service)
            return False
        return True

    async def withdraw(self, service: str, addresses: Iterable[str]) -> None:
        """Delete what is (still) claimed for that Service."""
        if self.collection is not None:
            await asyncio.gather(*(self.delete(each, lambda claim: claim.managed and claim.service == service) for each in addresses))

    async def delete(self, address: str, still: Callable[[Claim], bool]) -> bool:
        """Whether it was deleted; it is not if the stored object is no longer what the caller means."""

        async def check(obj: Object) -> None:
            if not still(claim_of(obj)):
                raise KeyError(address)

        if self.collection is None:
            return False
        try:
            await self.collection.delete(address, check)
        except KeyError:
            return False
        return True
