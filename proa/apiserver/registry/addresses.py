"""IP addresses and ranges in fields: how they are read, what is refused, and what is said of those that are valid but written in a way that
readers disagree about.

Reading is sloppy, as upstream's is: leading zeros are decimal. What is refused (upstream's StrictIPCIDRValidation) is decided on top of it.
Rules and texts: apimachinery util/validation/ip.go.
"""

import ipaddress
import re

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Interface = ipaddress.IPv4Interface | ipaddress.IPv6Interface
_dotted = re.compile(r"[0-9]+(\.[0-9]+){3}").fullmatch
NOT_AN_ADDRESS = "must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)"
NOT_A_RANGE = "must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)"


def parse_ip(value: str) -> Address | None:
    try:
        return None if "%" in value else ipaddress.ip_address(_without_zeros(value))
    except ValueError:
        return None


def parse_cidr(value: str) -> Interface | None:
    """The address with its network, whose bits beyond the prefix it may have."""
    text, slash, length = value.partition("/")
    if not slash or not (length.isascii() and length.isdigit()) or parse_ip(text) is None:
        return None
    try:
        return ipaddress.ip_interface(f"{_without_zeros(text)}/{int(length)}")
    except ValueError:
        return None


def _without_zeros(value: str) -> str:
    return ".".join(str(int(part)) for part in value.split(".")) if _dotted(value) else value


def _mapped(address: Address) -> ipaddress.IPv4Address | None:
    return address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None


def ip_problems(value: str) -> list[str]:
    address = parse_ip(value)
    if address is None:
        return [NOT_AN_ADDRESS]
    if _without_zeros(value) != value:
        return ["must not have leading 0s"]
    return ["must not be an IPv4-mapped IPv6 address"] if _mapped(address) else []


def cidr_problems(value: str) -> list[str]:
    interface = parse_cidr(value)
    if interface is None:
        return [NOT_A_RANGE]
    text, _, length = value.partition("/")
    if _without_zeros(text) != text or str(int(length)) != length:
        return ["must not have leading 0s in IP or prefix length"]
    if _mapped(interface.ip):
        return ["must not have an IPv4-mapped IPv6 address"]
    return [] if interface.ip == interface.network.network_address else ["must not have bits set beyond the prefix length"]


def ip_warnings(value: str, path: str) -> list[str]:
    address = parse_ip(value)
    if address is None:
        return []
    if ip_problems(value):
        return [f'{path}: non-standard IP address "{value}" is invalid: use "{_mapped(address) or address}"']
    if address.version == 6 and str(address) != value:
        return [f'{path}: IPv6 address "{value}" should be in RFC 5952 canonical format ("{address}")']
    return []


def cidr_warnings(value: str, path: str) -> list[str]:
    interface = parse_cidr(value)
    if interface is None:
        return []
    network, length, mapped = interface.network, interface.network.prefixlen, _mapped(interface.ip)
    found = []
    if interface.ip != network.network_address:
        single = f"{interface.ip}/{interface.max_prefixlen}"
        found.append(f'{path}: CIDR value "{value}" is ambiguous in this context (should be "{network}" or "{single}"?)')
    text, _, written = value.partition("/")
    if mapped is not None or _without_zeros(text) != text or written != str(length):
        usual = f"{mapped}/{length - 96}" if mapped is not None else str(network)
        found.append(f'{path}: non-standard CIDR value "{value}" is invalid: use "{usual}"')
    if not found and interface.version == 6 and str(interface) != value:
        found.append(f'{path}: IPv6 CIDR value "{value}" should be in RFC 5952 canonical format ("{interface}")')
    return found
