"""Which endpoints of a Service may get traffic: ready ones near enough, and while there is none, those that still serve while terminating.

Source: EndpointSlice API reference, KEP-1669 (terminating endpoints), KEP-2433 and KEP-3015 (hints by zone and node).
"""

from collections.abc import Callable, Iterable, Sequence

from proa.api.meta import Object
from proa.lib.dataclass import dataclass
from proa.proxy.rules import Endpoint


@dataclass(frozen=True, slots=True)
class Node:
    """Where this proxy runs; `zone` is the label topology.kubernetes.io/zone."""

    name: str
    zone: str = ""


@dataclass(frozen=True, slots=True)
class Candidate:
    """One endpoint of one port, with the conditions' documented defaults filled in."""

    endpoint: Endpoint
    ready: bool
    serving: bool
    terminating: bool
    node_name: str
    zone_hints: frozenset[str] = frozenset()
    node_hints: frozenset[str] = frozenset()

    @property
    def is_serving_terminating(self) -> bool:
        return self.serving and self.terminating


@dataclass(frozen=True, slots=True)
class Chosen:
    """`cluster` for traffic policy Cluster, `local` for Local. `exist_anywhere`: some endpoint works, though perhaps not for this node."""

    cluster: tuple[Endpoint, ...]
    local: tuple[Endpoint, ...]
    exist_anywhere: bool


def candidates(slices: Iterable[Object], port_name: str, protocol: str, address_type: str) -> list[Candidate]:
    """The endpoints behind one Service port, ordered by address; an endpoint in two slices counts once, its ready entry first."""
    found: dict[Endpoint, Candidate] = {}
    for endpoint_slice in slices:
        if endpoint_slice.get("addressType") != address_type:
            continue
        for port in endpoint_slice.get("ports") or ():
            number = port.get("port")
            if number is None or (port.get("name") or "") != port_name or (port.get("protocol") or "TCP") != protocol:
                continue
            for entry in endpoint_slice.get("endpoints") or ():
                candidate = _candidate(entry, number)
                known = found.get(candidate.endpoint)
                if known is None or (candidate.ready and not known.ready):
                    found[candidate.endpoint] = candidate
    return [found[endpoint] for endpoint in sorted(found)]


def choose(found: Sequence[Candidate], node: Node) -> Chosen:
    nearby = _nearby(found, node)
    cluster = [each for each in found if each.ready and nearby(each)] or [each for each in found if each.is_serving_terminating]
    here = [each for each in found if each.node_name == node.name]
    local = [each for each in here if each.ready] or [each for each in here if each.is_serving_terminating]
    return Chosen(
        cluster=tuple(each.endpoint for each in cluster),
        local=tuple(each.endpoint for each in local),
        exist_anywhere=any(each.ready or each.is_serving_terminating for each in found),
    )


def _candidate(entry: Object, port: int) -> Candidate:
    conditions = entry.get("conditions") or {}
    ready = conditions.get("ready") is not False
    serving = conditions.get("serving")
    hints = entry.get("hints") or {}
    return Candidate(
        endpoint=Endpoint(entry["addresses"][0], port),
        ready=ready,
        serving=ready if serving is None else bool(serving),
        terminating=bool(conditions.get("terminating")),
        node_name=entry.get("nodeName") or "",
        zone_hints=frozenset(hint["name"] for hint in hints.get("forZones") or ()),
        node_hints=frozenset(hint["name"] for hint in hints.get("forNodes") or ()),
    )


def _nearby(found: Sequence[Candidate], node: Node) -> Callable[[Candidate], bool]:
    """Hints count only if every ready endpoint has one and one is for us: a partly hinted Service would overload the hinted ends."""
    ready = [each for each in found if each.ready]
    if ready and all(each.node_hints for each in ready) and any(node.name in each.node_hints for each in ready):
        return lambda each: node.name in each.node_hints
    if ready and all(each.zone_hints for each in ready) and any(node.zone in each.zone_hints for each in ready):
        return lambda each: node.zone in each.zone_hints
    return lambda each: True
