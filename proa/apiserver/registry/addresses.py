"""What is said of IP addresses and ranges that are valid but written in a way that readers disagree about.

Texts: apimachinery util/validation/ip.go. Addresses with leading zeros, which upstream may still let pass, are refused before.
"""

import ipaddress


def ip_warnings(value: str, path: str) -> list[str]:
    try:
        address = ipaddress.ip_address(value)
    except ValueError:
        return []
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    if mapped is not None:
        return [_non_standard("IP address", value, path, str(mapped))]
    if address.version == 6 and str(address) != value:
        return [f'{path}: IPv6 address "{value}" should be in RFC 5952 canonical format ("{address}")']
    return []


def cidr_warnings(value: str, path: str) -> list[str]:
    try:
        interface = ipaddress.ip_interface(value)
    except ValueError:
        return []
    network, length = interface.network, interface.network.prefixlen
    found = []
    if interface.ip != network.network_address:
        single = f"{interface.ip}/{interface.max_prefixlen}"
        found.append(f'{path}: CIDR value "{value}" is ambiguous in this context (should be "{network}" or "{single}"?)')
    mapped = interface.ip.ipv4_mapped if isinstance(interface, ipaddress.IPv6Interface) else None
    if mapped is not None or value.rpartition("/")[2] != str(length):
        usual = f"{mapped}/{length - 96}" if mapped is not None else str(network)
        found.append(_non_standard("CIDR value", value, path, usual))
    if not found and interface.version == 6 and str(interface) != value:
        found.append(f'{path}: IPv6 CIDR value "{value}" should be in RFC 5952 canonical format ("{interface}")')
    return found


def _non_standard(what: str, value: str, path: str, usual: str) -> str:
    return f'{path}: non-standard {what} "{value}" will be considered invalid in a future Kubernetes release: use "{usual}"'
