"""networking.k8s.io: NetworkPolicy."""

from collections.abc import Sequence

from proa.api.errors import Cause, forbidden, invalid, not_supported, required
from proa.api.labels import validate_label_selector
from proa.api.meta import Object
from proa.api.names import port_number
from proa.apiserver.registry.addresses import Interface, cidr_warnings, parse_cidr
from proa.apiserver.registry.checks import check_cidr, check_port
from proa.apiserver.registry.kinds.plain import GenerationStrategy

POLICY_TYPES = ("Ingress", "Egress")
_PROTOCOLS = ("TCP", "UDP", "SCTP")


class NetworkPolicyStrategy(GenerationStrategy):
    def fill(self, obj: Object) -> None:
        spec = obj.setdefault("spec", {})
        spec.setdefault("podSelector", {})
        if not spec.get("policyTypes"):
            spec["policyTypes"] = ["Ingress", "Egress"] if spec.get("egress") else ["Ingress"]
        for direction in ("ingress", "egress"):
            for rule in spec.get(direction) or ():
                for port in rule.get("ports") or ():
                    port.setdefault("protocol", "TCP")

    def warnings(self, obj: Object, old: Object | None) -> Sequence[str]:
        return policy_warnings(obj)

    def check(self, obj: Object) -> list[Cause]:
        spec = obj.get("spec") or {}
        causes = validate_label_selector(spec.get("podSelector"), "spec.podSelector")
        for direction, peers in (("ingress", "from"), ("egress", "to")):
            for index, rule in enumerate(spec.get(direction) or ()):
                path = f"spec.{direction}[{index}]"
                for number, port in enumerate(rule.get("ports") or ()):
                    causes += _validate_policy_port(port, f"{path}.ports[{number}]")
                for number, peer in enumerate(rule.get(peers) or ()):
                    causes += _validate_peer(peer, f"{path}.{peers}[{number}]")
        types = spec.get("policyTypes") or []
        if len(types) > 2:
            return [*causes, invalid("spec.policyTypes", types, "may not specify more than two policyTypes")]
        wrong = [(index, kind) for index, kind in enumerate(types) if kind not in POLICY_TYPES]
        return causes + [not_supported(f"spec.policyTypes[{index}]", kind, POLICY_TYPES, in_order=False) for index, kind in wrong]


def _validate_policy_port(port: Object, path: str) -> list[Cause]:
    protocol = port.get("protocol")
    causes = [] if protocol in _PROTOCOLS else [not_supported(f"{path}.protocol", protocol or "", _PROTOCOLS, in_order=False)]
    first, last, own = port.get("port"), port.get("endPort"), f"{path}.endPort"
    if first is None:
        return causes if last is None else [*causes, invalid(own, last, "may not be specified when `port` is not specified")]
    if last is not None and isinstance(first, str):
        causes.append(invalid(own, last, "may not be specified when `port` is non-numeric"))
    causes += check_port(f"{path}.port", first)
    if last is not None and isinstance(first, int):
        if last < first:
            causes.append(invalid(own, first, "must be greater than or equal to `port`"))
        causes += [invalid(own, last, problem) for problem in port_number(last)]
    return causes


def _validate_peer(peer: Object, path: str) -> list[Cause]:
    given = [field for field in ("podSelector", "namespaceSelector", "ipBlock") if peer.get(field) is not None]
    causes = validate_label_selector(peer.get("podSelector"), f"{path}.podSelector")
    causes += validate_label_selector(peer.get("namespaceSelector"), f"{path}.namespaceSelector")
    if "ipBlock" in given:
        causes += _validate_block(peer["ipBlock"], f"{path}.ipBlock")
    if not given:
        causes.append(required(path, "must specify a peer"))
    elif "ipBlock" in given and len(given) > 1:
        causes.append(forbidden(path, "may not specify both ipBlock and another peer"))
    return causes


def _validate_block(block: Object, path: str) -> list[Cause]:
    whole = block.get("cidr")
    if not whole:
        return [required(f"{path}.cidr")]
    causes = check_cidr(f"{path}.cidr", whole)
    if parse_cidr(whole) is None:
        return causes
    for index, excluded in enumerate(block.get("except") or ()):
        own = f"{path}.except[{index}]"
        causes += check_cidr(own, excluded) + _inside(excluded, whole, own)
    return causes


def _inside(inner: str, outer: str, path: str) -> list[Cause]:
    small, large = parse_cidr(inner), parse_cidr(outer)
    if small is None or large is None:
        return []
    inside = small.version == large.version and small.network.network_address in large.network and _length(small) > _length(large)
    return [] if inside else [invalid(path, inner, "must be a strict subset of `cidr`")]


def _length(interface: Interface) -> int:
    return interface.network.prefixlen


def policy_warnings(policy: Object) -> list[str]:
    """Of the ranges in its rules."""
    found: list[str] = []
    for direction, peers in (("ingress", "from"), ("egress", "to")):
        for index, rule in enumerate((policy.get("spec") or {}).get(direction) or ()):
            for number, peer in enumerate(rule.get(peers) or ()):
                block, path = peer.get("ipBlock") or {}, f"spec.{direction}[{index}].{peers}[{number}].ipBlock"
                found += cidr_warnings(block.get("cidr") or "", f"{path}.cidr")
                for place, excluded in enumerate(block.get("except") or ()):
                    found += cidr_warnings(excluded, f"{path}.except[{place}]")
    return found
