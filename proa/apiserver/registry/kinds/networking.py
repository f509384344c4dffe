"""networking.k8s.io: NetworkPolicy."""

import ipaddress

from proa.api.errors import Cause, forbidden, invalid, required
from proa.api.labels import validate_label_selector
from proa.api.meta import Object
from proa.api.names import port_number
from proa.apiserver.registry.checks import PROTOCOLS, check_choice, check_cidr, check_port
from proa.apiserver.registry.kinds.plain import GenerationStrategy


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
            causes.append(invalid("spec.policyTypes", types, "may not specify more than two policyTypes"))
        for index, kind in enumerate(types):
            causes += check_choice(f"spec.policyTypes[{index}]", kind, ("Egress", "Ingress"))
        return causes


def _validate_policy_port(port: Object, path: str) -> list[Cause]:
    causes = check_choice(f"{path}.protocol", port.get("protocol"), PROTOCOLS)
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
    given = [field for field in ("podSelector", "namespaceSelector", "ipBlock") if field in peer]
    if not given:
        return [required(path, "must specify a peer")]
    if "ipBlock" in peer and len(given) > 1:
        return [forbidden(path, "may not specify both ipBlock and another peer")]
    causes = validate_label_selector(peer.get("podSelector"), f"{path}.podSelector")
    causes += validate_label_selector(peer.get("namespaceSelector"), f"{path}.namespaceSelector")
    if "ipBlock" in peer:
        block = peer["ipBlock"] or {}
        causes += check_cidr(f"{path}.ipBlock.cidr", block["cidr"]) if block.get("cidr") else [required(f"{path}.ipBlock.cidr")]
        for index, excluded in enumerate(block.get("except") or ()):
            own = f"{path}.ipBlock.except[{index}]"
            causes += check_cidr(own, excluded) or _inside(excluded, block.get("cidr", ""), own)
    return causes


def _inside(inner: str, outer: str, path: str) -> list[Cause]:
    try:
        small, large = ipaddress.ip_network(inner, strict=False), ipaddress.ip_network(outer, strict=False)
    except ValueError:
        return []
    inside = small.version == large.version and small.network_address in large and small.prefixlen > large.prefixlen
    return [] if inside else [invalid(path, inner, "must be a strict subset of `cidr`")]
