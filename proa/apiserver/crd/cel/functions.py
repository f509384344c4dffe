"""The functions that Kubernetes adds to CEL: lists, regular expressions, sets, URLs, quantities, IP addresses and CIDRs.

Values of Kubernetes' own types travel as maps with one key that names the type, which no rule can make or look into by accident.
"""

import ipaddress
import re
from collections.abc import Callable
from itertools import pairwise
from typing import Any
from urllib.parse import parse_qs, urlsplit

from proa.api.quantity import NANO, Quantity
from proa.api.quantity import parse as parse_quantity

QUANTITY, IP, CIDR, URL = "k8s quantity", "k8s ip", "k8s cidr", "k8s url"
Network = ipaddress.IPv4Network | ipaddress.IPv6Network
Address = ipaddress.IPv4Address | ipaddress.IPv6Address


def _holds(make: Callable[[str], Any]) -> Callable[[str], bool]:
    def check(text: str) -> bool:
        try:
            make(text)
        except ValueError:
            return False
        return True

    return check


def _quantity(text: str) -> dict[str, Any]:
    parse_quantity(text)
    return {QUANTITY: text}


def _amount(value: Any) -> int:
    """In nano units."""
    return parse_quantity(value[QUANTITY]).nano


def _compare(left: Any, right: Any) -> int:
    difference = _amount(left) - _amount(right)
    return (difference > 0) - (difference < 0)


def _operand(value: Any) -> int:
    return value * NANO if isinstance(value, int) else _amount(value)


def _as_quantity(amount: int) -> dict[str, Any]:
    return {QUANTITY: str(Quantity(amount))}


def _as_integer(value: Any) -> int:
    amount = _amount(value)
    if amount % NANO:
        raise ValueError("cannot convert value to integer")
    return amount // NANO


def parse_address(text: str) -> Address:
    address = ipaddress.ip_address(text)
    if "%" in text or (address.version == 6 and address.ipv4_mapped is not None):
        raise ValueError(f"IP address {text!r} is not allowed")
    return address


def _ip(text: str) -> dict[str, Any]:
    return {IP: str(parse_address(text))}


def _network(text: str) -> Network:
    if "/" not in text:
        raise ValueError(f"network address parse error: {text!r}")
    return ipaddress.ip_network(text, strict=False)


def _cidr(text: str) -> dict[str, Any]:
    _network(text)
    return {CIDR: text}


def _of_ip(read: Callable[[Address], Any]) -> Callable[[Any], Any]:
    return lambda value: read(ipaddress.ip_address(value[IP]))


def _contains_ip(cidr: Any, ip: Any) -> bool:
    return ipaddress.ip_address(ip if isinstance(ip, str) else ip[IP]) in _network(cidr[CIDR])


def _contains_cidr(outer: Any, inner: Any) -> bool:
    one, other = _network(outer[CIDR]), _network(inner if isinstance(inner, str) else inner[CIDR])
    return one.version == other.version and other.subnet_of(one)  # type: ignore[arg-type]


def _url(text: str) -> dict[str, Any]:
    parts = urlsplit(text)
    if not parts.scheme and not text.startswith("/"):
        raise ValueError(f"URL parse error during conversion from string: parse {text!r}: invalid URI for request")
    return {URL: text}


def _url_part(read: Callable[[Any], Any]) -> Callable[[Any], Any]:
    return lambda value: read(urlsplit(value[URL]))


def _least(items: list[Any]) -> Any:
    if not items:
        raise ValueError("min called on empty list")
    return min(items)


def _most(items: list[Any]) -> Any:
    if not items:
        raise ValueError("max called on empty list")
    return max(items)


def _index(items: list[Any], item: Any) -> int:
    return items.index(item) if item in items else -1


def _last_index(items: list[Any], item: Any) -> int:
    return len(items) - 1 - items[::-1].index(item) if item in items else -1


def _find(text: str, pattern: str) -> str:
    found = re.search(pattern, text)
    return found[0] if found else ""


def _find_all(text: str, pattern: str) -> list[str]:
    return [found[0] for found in re.finditer(pattern, text)]


TABLE: tuple[tuple[str, str, tuple[str, ...], bool, Callable[..., Any]], ...] = (
    # name, result, parameters, as a member, implementation
    ("isSorted", "BOOL", ("LIST",), True, lambda items: all(a <= b for a, b in pairwise(items))),
    ("sum", "DYN", ("LIST",), True, sum),
    ("min", "DYN", ("LIST",), True, _least),
    ("max", "DYN", ("LIST",), True, _most),
    ("indexOf", "INT", ("LIST", "DYN"), True, _index),
    ("lastIndexOf", "INT", ("LIST", "DYN"), True, _last_index),
    ("find", "STRING", ("STRING", "STRING"), True, _find),
    ("findAll", "LIST", ("STRING", "STRING"), True, _find_all),
    ("sets.contains", "BOOL", ("LIST", "LIST"), False, lambda all_, some: all(item in all_ for item in some)),
    ("sets.equivalent", "BOOL", ("LIST", "LIST"), False, lambda a, b: all(i in b for i in a) and all(i in a for i in b)),
    ("sets.intersects", "BOOL", ("LIST", "LIST"), False, lambda a, b: any(item in b for item in a)),
    ("isQuantity", "BOOL", ("STRING",), False, _holds(parse_quantity)),
    ("quantity", "DYN", ("STRING",), False, _quantity),
    ("compareTo", "INT", ("DYN", "DYN"), True, _compare),
    ("isGreaterThan", "BOOL", ("DYN", "DYN"), True, lambda a, b: _compare(a, b) > 0),
    ("isLessThan", "BOOL", ("DYN", "DYN"), True, lambda a, b: _compare(a, b) < 0),
    ("sign", "INT", ("DYN",), True, lambda value: (_amount(value) > 0) - (_amount(value) < 0)),
    ("isInteger", "BOOL", ("DYN",), True, lambda value: _amount(value) % NANO == 0),
    ("asInteger", "INT", ("DYN",), True, _as_integer),
    ("asApproximateFloat", "DOUBLE", ("DYN",), True, lambda value: _amount(value) / NANO),
    ("add", "DYN", ("DYN", "DYN"), True, lambda a, b: _as_quantity(_amount(a) + _operand(b))),
    ("sub", "DYN", ("DYN", "DYN"), True, lambda a, b: _as_quantity(_amount(a) - _operand(b))),
    ("isIP", "BOOL", ("STRING",), False, _holds(parse_address)),
    ("ip", "DYN", ("STRING",), False, _ip),
    ("ip.isCanonical", "BOOL", ("STRING",), False, lambda text: str(parse_address(text)) == text),
    ("family", "INT", ("DYN",), True, _of_ip(lambda address: address.version)),
    ("isUnspecified", "BOOL", ("DYN",), True, _of_ip(lambda address: address.is_unspecified)),
    ("isLoopback", "BOOL", ("DYN",), True, _of_ip(lambda address: address.is_loopback)),
    ("isLinkLocalMulticast", "BOOL", ("DYN",), True, _of_ip(lambda address: address.is_multicast and address.is_link_local)),
    ("isLinkLocalUnicast", "BOOL", ("DYN",), True, _of_ip(lambda address: address.is_link_local and not address.is_multicast)),
    ("isGlobalUnicast", "BOOL", ("DYN",), True, _of_ip(
        lambda address: not (address.is_multicast or address.is_loopback or address.is_unspecified or address.is_link_local))),
    ("isCIDR", "BOOL", ("STRING",), False, _holds(_network)),
    ("cidr", "DYN", ("STRING",), False, _cidr),
    ("containsIP", "BOOL", ("DYN", "DYN"), True, _contains_ip),
    ("containsCIDR", "BOOL", ("DYN", "DYN"), True, _contains_cidr),
    ("ip", "DYN", ("MAP",), True, lambda cidr: {IP: cidr[CIDR].partition("/")[0]}),
    ("masked", "DYN", ("DYN",), True, lambda cidr: {CIDR: str(_network(cidr[CIDR]))}),
    ("prefixLength", "INT", ("DYN",), True, lambda cidr: _network(cidr[CIDR]).prefixlen),
    ("isURL", "BOOL", ("STRING",), False, _holds(_url)),
    ("url", "DYN", ("STRING",), False, _url),
    ("getScheme", "STRING", ("DYN",), True, _url_part(lambda parts: parts.scheme)),
    ("getHost", "STRING", ("DYN",), True, _url_part(lambda parts: parts.netloc.rpartition("@")[2])),
    ("getHostname", "STRING", ("DYN",), True, _url_part(lambda parts: parts.hostname or "")),
    ("getPort", "STRING", ("DYN",), True, _url_part(lambda parts: str(parts.port or ""))),
    ("getEscapedPath", "STRING", ("DYN",), True, _url_part(lambda parts: parts.path)),
    ("getQuery", "DYN", ("DYN",), True, _url_part(lambda parts: parse_qs(parts.query, keep_blank_values=True))),
)  # fmt: skip
