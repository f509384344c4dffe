"""Routes through iproute2's `ip`, for processes that live long and must stay small: pyroute2 costs 24 MB of memory and 0.2 s of start,
one `ip -batch` 5 ms and nothing that stays. Works on the network namespace of the calling process.
"""

import json
import subprocess
from collections.abc import Iterable

from proa.lib.netlink.network import NetlinkError, NextHop, Route


def routes(protocol: int) -> list[Route]:
    """The IPv4 and IPv6 routes of the main table that carry this protocol number."""
    shown = [_ip(["-json", family, "route", "show", "table", "main", "proto", str(protocol)]) for family in ("-4", "-6")]
    return [_route(each, protocol) for output in shown for each in json.loads(output or "[]")]


def change_routes(replace: Iterable[Route], delete: Iterable[str]) -> None:
    """Put routes in place and take others (by destination) out, all in one run; a route that is already gone is no error."""
    lines = [f"route replace {_arguments(route)}" for route in replace]
    lines += [f"route del {destination}" for destination in delete]
    if lines:
        _ip(["-force", "-batch", "-"], "\n".join(lines) + "\n", gone_is_fine=True)


def _arguments(route: Route) -> str:
    words = [*(["unreachable"] if route.unreachable else []), route.destination, "proto", str(route.protocol)]
    if route.source:
        words += ["src", route.source]
    if route.next_hops:
        for hop in route.next_hops:
            words += ["nexthop", "via", hop.gateway, *(["dev", hop.link] if hop.link else []), "weight", str(hop.weight)]
    else:
        words += [*(["via", route.gateway] if route.gateway else []), *(["dev", route.link] if route.link else [])]
    return " ".join([*words, *(["onlink"] if route.on_link else [])])


def _route(listed: dict[str, object], protocol: int) -> Route:
    destination = str(listed["dst"])
    if destination == "default":
        destination = "0.0.0.0/0"
    hops = listed.get("nexthops")
    next_hops = tuple(
        NextHop(hop.get("gateway", ""), hop.get("dev", ""), hop.get("weight", 1)) for hop in (hops if isinstance(hops, list) else [])
    )
    unreachable = listed.get("type") == "unreachable"
    link = "" if next_hops or unreachable else str(listed.get("dev", ""))
    return Route(
        destination=destination if "/" in destination else f"{destination}/{128 if ':' in destination else 32}",
        gateway=str(listed.get("gateway", "")),
        link=link,
        source=str(listed.get("prefsrc", "")),
        next_hops=next_hops,
        protocol=protocol,
        unreachable=unreachable,
    )


def default_link() -> str:
    """The link of the IPv4 default route with the least metric, "" if there is none."""
    shown = json.loads(_ip(["-json", "-4", "route", "show", "default"]) or "[]")
    defaults = sorted((route.get("metric", 0), route["dev"]) for route in shown if "dev" in route)
    return str(defaults[0][1]) if defaults else ""


def link_networks(link: str) -> tuple[int, list[str]]:
    """The link's MTU and its addresses as IP/prefix."""
    (found,) = json.loads(_ip(["-json", "address", "show", "dev", link]))
    return found["mtu"], [f"{each['local']}/{each['prefixlen']}" for each in found["addr_info"]]


def _ip(arguments: list[str], stdin: str = "", *, gone_is_fine: bool = False) -> str:
    done = subprocess.run(["ip", *arguments], input=stdin, capture_output=True, text=True)
    errors = [line for line in done.stderr.splitlines() if not (gone_is_fine and ("No such process" in line or "Command failed" in line))]
    if done.returncode != 0 and errors:
        raise NetlinkError(done.returncode, f"ip {' '.join(arguments)}: {'; '.join(errors)}")
    return done.stdout


def add_address(link: str, address: str) -> None:
    """`address` is IP/prefix; no error if it is there already."""
    _ip(["address", "replace", address, "dev", link])
