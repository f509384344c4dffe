"""All that is allocated, put together: the write hooks of Services and IPAddresses over one index, and what repairs it."""

from collections.abc import Callable

from proa.apiserver.allocators.ip_address import IpAddressHook
from proa.apiserver.allocators.repair import ClusterIpRepair
from proa.apiserver.allocators.service import ServiceAllocator
from proa.apiserver.config import ApiServerConfig
from proa.apiserver.interface import ObjectReader, ObjectWriter, WriteHook
from proa.lib.clock import Clock
from proa.storage.interface import Collection

IP_ADDRESSES = ("networking.k8s.io", "ipaddresses")


class Allocation:
    def __init__(self, config: ApiServerConfig, reader: ObjectReader, writer: ObjectWriter, clock: Clock, now: Callable[[], str]) -> None:
        services = ServiceAllocator(config, reader, now)
        self._claims = services.addresses.claims
        self.hooks: dict[tuple[str, str], WriteHook] = {("", "services"): services, IP_ADDRESSES: IpAddressHook(services.addresses)}
        self.repair = ClusterIpRepair(services.addresses, reader, writer, clock)

    def attach(self, group: str, plural: str, collection: Collection) -> None:
        """A resource is served; of its versions, any collection is the same."""
        if (group, plural) == IP_ADDRESSES:
            self._claims.collection = collection
