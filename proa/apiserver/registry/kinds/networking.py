"""networking.k8s.io: Ingress, IngressClass, NetworkPolicy."""

from typing import ClassVar

from proa.api.errors import Cause, forbidden, invalid, not_supported, required
from proa.api.labels import validate_label_selector
from proa.api.meta import Object
from proa.api.names import dns1123_subdomain, wildcard_subdomain
from proa.apiserver.registry.checks import PROTOCOLS, check_choice, check_cidr, check_port, parse_ip
from proa.apiserver.registry.kinds.plain import GenerationStrategy, SpecStatusStrategy
from proa.apiserver.registry.object_meta import immutable

_PATH_TYPES = ("Exact", "ImplementationSpecific", "Prefix")
_BAD_SEQUENCES = ("//", "/./", "/../", "%2f", "%2F")
_BAD_SUFFIXES = ("/..", "/.")


class IngressStrategy(SpecStatusStrategy):
    empty_status: ClassVar[Object | None] = {"loadBalancer": {}}

    def check(self, obj: Object) -> list[Cause]:
        spec = obj.get("spec") or {}
        causes: list[Cause] = []
        if not spec.get("rules") and not spec.get("defaultBackend"):
            causes.append(invalid("spec", spec.get("rules") or [], "either `defaultBackend` or `rules` must be specified"))
        if "defaultBackend" in spec:
            causes += _validate_backend(spec["defaultBackend"], "spec.defaultBackend")
        for index, rule in enumerate(spec.get("rules") or ()):
            causes += _validate_rule(rule, f"spec.rules[{index}]")
        for index, tls in enumerate(spec.get("tls") or ()):
            for number, host in enumerate(tls.get("hosts") or ()):
                causes += _validate_host(host, f"spec.tls[{index}].hosts[{number}]")
        if spec.get("ingressClassName"):
            name = spec["ingressClassName"]
            causes += [invalid("spec.ingressClassName", name, problem) for problem in dns1123_subdomain(name)]
        return causes


def _validate_host(host: str, path: str) -> list[Cause]:
    if parse_ip(host):
        return [invalid(path, host, "must be a DNS name, not an IP address")]
    check = wildcard_subdomain if "*" in host else dns1123_subdomain
    return [invalid(path, host, problem) for problem in check(host)]


def _validate_rule(rule: Object, path: str) -> list[Cause]:
    causes = _validate_host(rule["host"], f"{path}.host") if rule.get("host") else []
    http = rule.get("http")
    if http is None:
        return causes
    if not http.get("paths"):
        causes.append(required(f"{path}.http.paths"))
    for index, each in enumerate(http.get("paths") or ()):
        own = f"{path}.http.paths[{index}]"
        causes += _validate_path(each, own) + _validate_backend(each.get("backend") or {}, f"{own}.backend")
    return causes


def _validate_path(each: Object, path: str) -> list[Cause]:
    kind, value = each.get("pathType"), each.get("path") or ""
    if not kind:
        return [required(f"{path}.pathType", "pathType must be specified")]
    if kind not in _PATH_TYPES:
        return [not_supported(f"{path}.pathType", kind, _PATH_TYPES)]
    if kind == "ImplementationSpecific" and not value:
        return []
    causes = [] if value.startswith("/") else [invalid(f"{path}.path", value, "must be an absolute path")]
    if kind != "ImplementationSpecific":
        causes += [invalid(f"{path}.path", value, f"must not contain '{part}'") for part in _BAD_SEQUENCES if part in value]
        causes += [invalid(f"{path}.path", value, f"cannot end with '{part}'") for part in _BAD_SUFFIXES if value.endswith(part)]
    return causes


def _validate_backend(backend: Object, path: str) -> list[Cause]:
    service, resource = backend.get("service"), backend.get("resource")
    if service is not None and resource is not None:
        return [invalid(path, "", "cannot set both resource and service backends")]
    if resource is not None:
        return [required(f"{path}.resource.{field}") for field in ("kind", "name") if not resource.get(field)]
    if service is None:
        return [required(path, "resource or service backend is required")]
    causes = [] if service.get("name") else [required(f"{path}.service.name")]
    port = service.get("port") or {}
    if port.get("name") and port.get("number"):
        causes.append(invalid(path, "", "cannot set both port name & port number"))
    elif port.get("name"):
        causes += check_port(f"{path}.service.port.name", port["name"])
    elif port.get("number"):
        causes += check_port(f"{path}.service.port.number", port["number"])
    else:
        causes.append(required(path, "port name or number is required"))
    return causes


class IngressClassStrategy(GenerationStrategy):
    def fill(self, obj: Object) -> None:
        parameters = (obj.get("spec") or {}).get("parameters")
        if parameters is not None:
            parameters.setdefault("scope", "Cluster")

    def check_update(self, obj: Object, old: Object) -> list[Cause]:
        return immutable("spec.controller", (obj.get("spec") or {}).get("controller"), (old.get("spec") or {}).get("controller"))


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
    first, last = port.get("port"), port.get("endPort")
    if first is None:
        return causes if last is None else [*causes, required(f"{path}.port", "must be specified when endPort is specified")]
    causes += check_port(f"{path}.port", first)
    if last is not None:
        if isinstance(first, str):
            causes.append(invalid(f"{path}.endPort", last, "may not be specified when `port` is non-numeric"))
        elif last < first:
            causes.append(invalid(f"{path}.endPort", last, "must be greater than or equal to `port`"))
    return causes


def _validate_peer(peer: Object, path: str) -> list[Cause]:
    given = [field for field in ("podSelector", "namespaceSelector", "ipBlock") if field in peer]
    if not given:
        return [required(path, "must specify a peer")]
    if "ipBlock" in peer and len(given) > 1:
        return [forbidden(path, "may not specify both ipBlock and another peer")]
    causes = validate_label_selector(peer.get("podSelector"), f"{path}.podSelector")
    causes += validate_label_selector(peer.get("namespaceSelector"), f"{path}.namespaceSelector")
    if block := peer.get("ipBlock"):
        causes += check_cidr(f"{path}.ipBlock.cidr", block["cidr"]) if block.get("cidr") else [required(f"{path}.ipBlock.cidr")]
        for index, excluded in enumerate(block.get("except") or ()):
            own = f"{path}.ipBlock.except[{index}]"
            causes += check_cidr(own, excluded) or _inside(excluded, block.get("cidr", ""), own)
    return causes


def _inside(inner: str, outer: str, path: str) -> list[Cause]:
    import ipaddress

    try:
        small, large = ipaddress.ip_network(inner, strict=False), ipaddress.ip_network(outer, strict=False)
    except ValueError:
        return []
    inside = small.version == large.version and small.network_address in large and small.prefixlen > large.prefixlen
    return [] if inside else [invalid(path, inner, "must be a strict subset of `cidr`")]
