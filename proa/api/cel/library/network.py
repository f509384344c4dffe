"""IP addresses, CIDRs and URLs. Source: Kubernetes' CEL libraries and Go's net/netip, which refuses zones and mapped addresses there."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable
from typing import Any, ClassVar
from urllib.parse import parse_qsl, urlsplit

from proa.api.cel.errors import EvaluationError
from proa.api.cel.functions import Function, Overload, overload
from proa.api.cel.library.costs import of_first, twice_first
from proa.api.cel.library.quantities import holds
from proa.api.cel.types import BOOL, INT, STRING, Type, list_of, map_of, opaque
from proa.api.cel.values import Opaque
from proa.lib.dataclass import dataclass

IP, CIDR, URL = opaque("net.IP"), opaque("net.CIDR"), opaque("kubernetes.URL")
_LINK_LOCAL_MULTICAST: dict[int, Any] = {4: ipaddress.ip_network("224.0.0.0/24"), 6: ipaddress.ip_network("ff02::/16")}
Address = ipaddress.IPv4Address | ipaddress.IPv6Address


@dataclass(frozen=True, slots=True)
class IpValue(Opaque):
    type_name: ClassVar[str] = "net.IP"
    address: Address

    def __str__(self) -> str:
        return str(self.address)


@dataclass(frozen=True, slots=True)
class CidrValue(Opaque):
    """`address` may have bits that the prefix does not cover."""

    type_name: ClassVar[str] = "net.CIDR"
    address: Address
    length: int

    def __str__(self) -> str:
        return f"{self.address}/{self.length}"

    @property
    def network(self) -> ipaddress.IPv4Network | ipaddress.IPv6Network:
        return ipaddress.ip_network(str(self), strict=False)


@dataclass(frozen=True, slots=True)
class UrlValue(Opaque):
    type_name: ClassVar[str] = "kubernetes.URL"
    text: str

    @property
    def parts(self) -> Any:
        return urlsplit(self.text)


def parse_address(text: str) -> Address:
    """Raises EvaluationError."""
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        raise EvaluationError(
            f'IP Address "{text}" parse error during conversion from string: ParseAddr("{text}"): unable to parse IP'
        ) from None
    if "%" in text:
        raise EvaluationError(f'IP address "{text}" with zone value is not allowed')
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped is not None:
        raise EvaluationError(f"IPv4-mapped IPv6 address {text!r} is not allowed")
    if isinstance(address, ipaddress.IPv6Address) and "." in text:
        raise EvaluationError(f'IP Address "{text}" parse error during conversion from string')
    return address


def parse_cidr(text: str) -> CidrValue:
    """Raises EvaluationError."""
    address, slash, length = text.partition("/")
    found = parse_address(address) if slash else None
    digits = length.isascii() and length.isdigit() and (length == "0" or not length.startswith("0"))
    if found is None or not digits or int(length) > found.max_prefixlen:
        raise EvaluationError(f'network address parse error during conversion from string: netip.ParsePrefix("{text}"): bad prefix')
    return CidrValue(found, int(length))


def _contains_ip(cidr: CidrValue, ip: Any) -> bool:
    return (parse_address(ip) if isinstance(ip, str) else ip.address) in cidr.network


def _contains_cidr(outer: CidrValue, inner: Any) -> bool:
    other = parse_cidr(inner) if isinstance(inner, str) else inner
    same_family = outer.address.version == other.address.version
    return bool(same_family and outer.length <= other.length and other.network.network_address in outer.network)


def _masked(cidr: CidrValue) -> CidrValue:
    return CidrValue(cidr.network.network_address, cidr.length)


def _global_unicast(address: Address) -> bool:
    broadcast = address == ipaddress.IPv4Address("255.255.255.255")
    return not (address.is_multicast or address.is_loopback or address.is_unspecified or address.is_link_local or broadcast)


_CONTROL = re.compile(r"[\x00-\x20\x7f]")
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:")


def parse_url(text: str) -> UrlValue:
    """As Go's ParseRequestURI; raises EvaluationError."""
    problem = ""
    if not text:
        problem = "empty url"
    elif _CONTROL.search(text):
        problem = "invalid control character in URL"
    elif not (text.startswith("/") or _SCHEME.match(text)):
        problem = "invalid URI for request"
    else:
        try:
            _ = urlsplit(text).port
        except ValueError as error:
            problem = str(error)
    if problem:
        raise EvaluationError(f'URL parse error during conversion from string: parse "{text}": {problem}')
    return UrlValue(text)


def _host(value: UrlValue) -> str:
    return str(value.parts.netloc.rpartition("@")[2])


def _host_name(value: UrlValue) -> str:
    host = _host(value)
    if host.startswith("["):
        return host[1:].partition("]")[0]
    return host.partition(":")[0]


def _port(value: UrlValue) -> str:
    rest = _host(value).rpartition("]")[2]
    return rest.partition(":")[2]


def _query(value: UrlValue) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for key, each in parse_qsl(value.parts.query, keep_blank_values=True):
        found.setdefault(key, []).append(each)
    return found


def _of(kind: Type, name: str, result: Type, run: Callable[[Any], Any]) -> Function:
    return Function(name, (overload(name, (kind,), result, run, member=True),))


def _of_address(name: str, read: Callable[[Address], Any], result: Type = BOOL) -> Function:
    return _of(IP, name, result, lambda value: read(value.address))


def _is_cidr(text: str) -> Any:
    return parse_cidr(text)


def _containing(name: str, other: Type, run: Callable[[CidrValue, Any], bool]) -> tuple[Overload, ...]:
    return tuple(overload(f"{name}_{each}", (CIDR, each), BOOL, run, member=True) for each in (STRING, other))


def _cost(cidr: CidrValue, short: int, long: int) -> int:
    return long if cidr.address.version == 6 else short


FUNCTIONS = (
    Function("isIP", (overload("isIP", (STRING,), BOOL, holds(parse_address)),), of_first),
    Function("ip", (
        overload("string_to_ip", (STRING,), IP, lambda text: IpValue(parse_address(text))),
        overload("cidr_ip", (CIDR,), IP, lambda cidr: IpValue(cidr.address), member=True)), of_first),
    Function("ip.isCanonical", (overload("ip.isCanonical", (STRING,), BOOL, lambda text: str(parse_address(text)) == text),), twice_first),
    Function("string", (overload("ip_to_string", (IP,), STRING, str), overload("cidr_to_string", (CIDR,), STRING, str))),
    _of_address("family", lambda address: address.version, INT),
    _of_address("isUnspecified", lambda address: address.is_unspecified),
    _of_address("isLoopback", lambda address: address.is_loopback),
    _of_address("isLinkLocalMulticast", lambda address: address in _LINK_LOCAL_MULTICAST[address.version]),
    _of_address("isLinkLocalUnicast", lambda address: address.is_link_local),
    _of_address("isGlobalUnicast", _global_unicast),
    Function("isCIDR", (overload("isCIDR", (STRING,), BOOL, holds(_is_cidr)),), of_first),
    Function("cidr", (overload("cidr", (STRING,), CIDR, parse_cidr),), of_first),
    Function("containsIP", _containing("cidr_contains_ip", IP, _contains_ip), lambda values, result: _cost(values[0], 1, 4)),
    Function("containsCIDR", _containing("cidr_contains_cidr", CIDR, _contains_cidr), lambda values, result: _cost(values[0], 3, 7)),
    _of(CIDR, "masked", CIDR, _masked),
    _of(CIDR, "prefixLength", INT, lambda cidr: cidr.length),
    Function("isURL", (overload("isURL", (STRING,), BOOL, holds(parse_url)),), of_first),
    Function("url", (overload("url", (STRING,), URL, parse_url),), of_first),
    _of(URL, "getScheme", STRING, lambda value: value.parts.scheme),
    _of(URL, "getHost", STRING, _host),
    _of(URL, "getHostname", STRING, _host_name),
    _of(URL, "getPort", STRING, _port),
    _of(URL, "getEscapedPath", STRING, lambda value: value.parts.path),
    _of(URL, "getQuery", map_of(STRING, list_of(STRING)), _query),
)  # fmt: skip
