"""What differs between IPv4 and IPv6 in nftables' words; every rule is written once, over this."""

from proa.lib.dataclass import dataclass
from proa.proxy.model import AddressType


@dataclass(frozen=True, slots=True)
class Family:
    """`protocol` is both the table's family and the keyword of header fields."""

    protocol: str
    address_type: AddressType
    nft_type: str
    host_bits: int

    @property
    def table(self) -> str:
        return f"{self.protocol} {TABLE}"


TABLE = "proa_proxy"
IPV4 = Family("ip", "IPv4", "ipv4_addr", 32)
IPV6 = Family("ip6", "IPv6", "ipv6_addr", 128)
