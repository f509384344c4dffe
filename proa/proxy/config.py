"""What a proxy must be told; the same names as flags and configuration files use."""

from proa.lib.dataclass import dataclass
from proa.proxy.nftables.family import IPV4, Family
from proa.proxy.nftables.skeleton import Surroundings


@dataclass(frozen=True, slots=True)
class ProxyConfig:
    """Both families are served if `families` says so; addresses and CIDRs may then be of both."""

    node_name: str
    node_addresses: tuple[str, ...]
    service_cidrs: tuple[str, ...]
    cluster_cidrs: tuple[str, ...]
    families: tuple[Family, ...] = (IPV4,)
    check_period_seconds: float = 60.0
    min_sync_period_seconds: float = 0.005
    healthz_port: int = 10256
    """0 for none."""

    def surroundings(self, family: Family) -> Surroundings:
        return Surroundings(self.node_addresses, self.service_cidrs, self.cluster_cidrs).of(family)
