"""What shall happen to a packet that is sent to a Service, in plain values that know nothing of nftables.

A `Frontend` is a place that clients send to; its `Rule` says who answers. A `Ruleset` keeps the rules per Service, so that a change
costs what the changed Services cost, and settles which Service owns a frontend that several claim (the oldest one, as with external IPs).
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import field
from typing import Literal, NamedTuple, TypeVar

from proa.lib.dataclass import dataclass

ServiceKey = str
"""`namespace/name`."""

T = TypeVar("T")


class Frontend(NamedTuple):
    """`address` is a cluster, external or load-balancer IP; "" means a node port, on the node's own addresses."""

    address: str
    protocol: str
    port: int


class Endpoint(NamedTuple):
    ip: str
    port: int


@dataclass(frozen=True, slots=True)
class Rule:
    """`endpoints` serve everyone, or, if `outside` is given (traffic policy Local), only clients inside the cluster; `outside` the others.

    `otherwise` is what becomes of packets that find no endpoint. `external`: the frontend is meant for clients outside the cluster.
    `allowed_sources` None allows everyone.
    """

    endpoints: tuple[Endpoint, ...]
    outside: tuple[Endpoint, ...] | None = None
    otherwise: Literal["reject", "drop"] = "reject"
    external: bool = False
    affinity_seconds: int = 0
    allowed_sources: tuple[str, ...] | None = None

    @property
    def all_endpoints(self) -> frozenset[Endpoint]:
        return frozenset(self.endpoints) | frozenset(self.outside or ())


@dataclass(frozen=True, slots=True)
class ServiceRules:
    """Everything of one Service. `local_ips` are its endpoints on this node, which may reach themselves through the Service.

    On `health_check_port` (0: none) load balancers ask whether this node has endpoints: `ready_here` of them.
    """

    frontends: Mapping[Frontend, Rule] = field(default_factory=dict)
    local_ips: frozenset[str] = frozenset()
    created: str = ""
    health_check_port: int = 0
    ready_here: int = 0


@dataclass(frozen=True, slots=True)
class Ruleset:
    """All Services of one address family. `owners` and `hairpin` name, per frontend and per local IP, the Services that claim it."""

    services: Mapping[ServiceKey, ServiceRules] = field(default_factory=dict)
    owners: Mapping[Frontend, tuple[ServiceKey, ...]] = field(default_factory=dict)
    hairpin: Mapping[str, tuple[ServiceKey, ...]] = field(default_factory=dict)

    def rule(self, frontend: Frontend) -> Rule | None:
        claims = self.owners.get(frontend)
        return self.services[claims[0]].frontends[frontend] if claims else None

    def rules(self) -> Iterator[tuple[Frontend, Rule]]:
        for frontend, claims in self.owners.items():
            yield frontend, self.services[claims[0]].frontends[frontend]

    def with_changes(self, changes: Mapping[ServiceKey, ServiceRules | None]) -> "Ruleset":
        """The ruleset after these Services changed; None removes one."""
        services, owners, hairpin = dict(self.services), dict(self.owners), dict(self.hairpin)
        for key, new in changes.items():
            old = services.pop(key, None)
            if new is not None and new.frontends:
                services[key] = new
            _claim(hairpin, key, old.local_ips if old else (), new.local_ips if new else (), services)
            _claim(owners, key, old.frontends if old else (), new.frontends if new else (), services)
        return Ruleset(services, owners, hairpin)


def _claim(
    claims: dict[T, tuple[ServiceKey, ...]],
    key: ServiceKey,
    old: Iterable[T],
    new: Iterable[T],
    services: Mapping[ServiceKey, ServiceRules],
) -> None:
    for item in old:
        others = tuple(other for other in claims[item] if other != key)
        if others:
            claims[item] = others
        else:
            del claims[item]
    for item in new:
        claimants = {*claims.get(item, ()), key}
        claims[item] = tuple(sorted(claimants, key=lambda each: (services[each].created, each)))
