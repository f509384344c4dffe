"""Brings IPAddress objects and Services back in step, at the start, every three minutes, and at once when a claim that a Service needs
goes or changes: a missing claim is made again, one that refers to something else is replaced, one that nobody has is dropped. Each repair
is told by an event. Source: the cluster IP repair of kube-apiserver, KEP-1880.
"""

import asyncio
import logging
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime
from typing import Literal

from proa.api import meta
from proa.api.errors import ApiError
from proa.api.meta import Object
from proa.apiserver.allocators.address_range import family_of
from proa.apiserver.allocators.claims import Claim
from proa.apiserver.allocators.service_ip import ServiceIPs
from proa.apiserver.interface import ObjectReader, ObjectWriter
from proa.lib.clock import Clock, format_micro_time, parse_time
from proa.lib.dataclass import dataclass
from proa.storage.interface import Unavailable

log = logging.getLogger(__name__)

INTERVAL = 180.0
GRACE = 60.0
"""As old is a claim whose Service isn't there before it counts as leaked: its Service may be on its way."""
REPORTER = "ipallocator-repair-controller"
Action = Literal["claim", "replace", "drop", "tell"]


@dataclass(frozen=True, slots=True)
class Repair:
    """Make the claim of `service` on `address`, replace what claims it now, drop that, or only tell."""

    action: Action
    address: str
    service: str
    reason: str
    message: str


def plan(
    services: Mapping[str, Iterable[str]], claims: Mapping[str, Claim], is_known: Callable[[str], bool], is_leaked: Callable[[Claim], bool]
) -> Iterator[Repair]:
    """`services` are the cluster IPs of each Service; `is_leaked` says whether a claim without its Service is old enough to go."""
    for service, addresses in services.items():
        for address in addresses:
            yield from _of_service(service, address, claims.get(address), services, is_known)
    for address, claim in claims.items():
        if claim.managed and address not in services.get(claim.service, ()):
            yield from _of_claim(address, claim, services, is_leaked)


def _of_service(
    service: str, address: str, claim: Claim | None, services: Mapping[str, Iterable[str]], is_known: Callable[[str], bool]
) -> Iterator[Repair]:
    told = f"[{family_of(address)}]: {address}"
    if not is_known(address):
        why = f"Cluster IP {told} is not within any configured Service CIDR; please recreate service"
        yield Repair("tell", address, service, "ClusterIPOutOfRange", why)
    elif claim is None:
        yield Repair("claim", address, service, "ClusterIPNotAllocated", f"Cluster IP {told} is not allocated; repairing")
    elif claim.service != service and claim.service and address in services.get(claim.service, ()):
        why = f"the ClusterIP {told} for Service {service} was assigned to other Service {claim.service}"
        yield Repair("tell", address, service, "ClusterIPAlreadyAllocated", why)
    elif claim.service != service:
        why = f"the ClusterIP {told} for Service {service} has a wrong reference; repairing"
        yield Repair("replace", address, service, "ClusterIPNotAllocated", why)
    elif not claim.managed:
        why = f"the ClusterIP {told} for Service {service} has a wrong label; repairing"
        yield Repair("replace", address, service, "ClusterIPNotAllocated", why)


def _of_claim(address: str, claim: Claim, services: Mapping[str, Iterable[str]], is_leaked: Callable[[Claim], bool]) -> Iterator[Repair]:
    if any(address in held for held in services.values()):
        return  # the Service that has it gets its claim replaced
    if not claim.service:
        why = f"IPAddress {address} appears to have been modified, not referencing a Service: cleaning up"
        yield Repair("drop", address, "", "IPAddressNotAllocated", why)
    elif claim.service in services:
        why = f"IPAddress: {address} for Service {claim.service} has a wrong reference; cleaning up"
        yield Repair("drop", address, claim.service, "IPAddressWrongReference", why)
    elif is_leaked(claim):
        why = f"IPAddress: {address} for Service {claim.service} appears to have leaked: cleaning up"
        yield Repair("drop", address, claim.service, "IPAddressNotAllocated", why)


class ClusterIpRepair:
    def __init__(self, addresses: ServiceIPs, reader: ObjectReader, writer: ObjectWriter, clock: Clock) -> None:
        self._addresses, self._reader, self._writer, self._clock = addresses, reader, writer, clock
        self._wake = asyncio.Event()
        addresses.claims.changed = self._claim_changed

    async def run(self) -> None:
        """Forever."""
        while True:
            due = asyncio.ensure_future(self._clock.sleep(INTERVAL))
            woken = asyncio.ensure_future(self._wake.wait())
            try:
                await asyncio.wait({due, woken}, return_when=asyncio.FIRST_COMPLETED)
            finally:
                due.cancel()
                woken.cancel()
            self._wake.clear()
            try:
                await self.round()
            except (ApiError, Unavailable) as error:
                log.warning("cluster IPs could not be repaired: %s", error)

    async def round(self, grace: float = GRACE) -> None:
        """Look at everything once; with no requests served yet, no claim is young enough to wait for its Service."""
        if self._addresses.claims.collection is None:
            return
        now = self._clock.now()
        services, claims = self._addresses.reservations.by_key, self._addresses.claims.by_address
        is_known = self._addresses.ranges.is_known
        for repair in list(plan(services, claims, is_known, lambda claim: _age(claim, now) >= grace)):
            await self._apply(repair)

    async def _apply(self, repair: Repair) -> None:
        claims, about = self._addresses.claims, self._regarding(repair)
        if repair.action == "drop" and not await claims.delete(repair.address, lambda claim: claim.service == repair.service):
            return
        if repair.action == "replace":
            await claims.delete(repair.address, lambda claim: not (claim.managed and claim.service == repair.service))
        if repair.action in ("claim", "replace"):
            if not self._addresses.reservations.is_held_by(repair.address, repair.service):
                return  # deleted meanwhile
            await claims.write(repair.service, [repair.address])
        if about is not None:
            await self._tell(about, repair)

    def _regarding(self, repair: Repair) -> Object | None:
        if repair.action == "drop":
            return self._reader.get("networking.k8s.io", "ipaddresses", repair.address)
        namespace, name = meta.split_key(repair.service)
        return self._reader.get("", "services", name, namespace)

    async def _tell(self, about: Object, repair: Repair) -> None:
        log.warning("%s: %s", repair.reason, repair.message)
        namespace, now = meta.namespace(about) or "default", format_micro_time(self._clock.now())
        regarding = {"kind": about["kind"], "apiVersion": about["apiVersion"], "name": meta.name(about), "uid": meta.uid(about)}
        event = {
            "apiVersion": "events.k8s.io/v1", "kind": "Event", "metadata": {"generateName": f"{meta.name(about)}-", "namespace": namespace},
            "eventTime": now, "reportingController": REPORTER, "reportingInstance": REPORTER,
            "action": "ClusterIPAllocation", "reason": repair.reason, "note": repair.message, "type": "Warning",
            "regarding": regarding | ({"namespace": meta.namespace(about)} if meta.namespace(about) else {}),
        }  # fmt: skip
        try:
            await self._writer.request("POST", f"/apis/events.k8s.io/v1/namespaces/{namespace}/events", event)
        except ApiError as error:
            log.warning("no event about %s: %s", repair.address, error)

    def _claim_changed(self, address: str) -> None:
        """Claims that go with their Service are nothing to repair."""
        if self._addresses.reservations.is_held(address):
            self._wake.set()


def _age(claim: Claim, now: datetime) -> float:
    return (now - parse_time(claim.created)).total_seconds() if claim.created else GRACE
