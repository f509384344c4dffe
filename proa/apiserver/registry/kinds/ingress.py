"""networking.k8s.io: Ingress and IngressClass."""

from collections.abc import Sequence
from typing import ClassVar

from proa.api import meta
from proa.api.errors import Cause, forbidden, invalid, not_supported, required, too_long
from proa.api.meta import Object
from proa.api.names import dns1123_label, dns1123_subdomain, path_segment, wildcard_subdomain
from proa.apiserver.registry.addresses import parse_ip
from proa.apiserver.registry.checks import check_domain_path, check_key, check_name, check_optional_name, check_port
from proa.apiserver.registry.kinds.plain import GenerationStrategy, SpecStatusStrategy
from proa.apiserver.registry.object_meta import immutable

CLASS = "kubernetes.io/ingress.class"
MAX_CONTROLLER = 250
_PATH_TYPES = ("Exact", "ImplementationSpecific", "Prefix")
_BAD_SEQUENCES = ("//", "/./", "/../", "%2f", "%2F")
_BAD_SUFFIXES = ("/..", "/.")
_SCOPES = ("Cluster", "Namespace")


class IngressStrategy(SpecStatusStrategy):
    empty_status: ClassVar[Object | None] = {"loadBalancer": {}}

    def check(self, obj: Object) -> list[Cause]:
        spec = obj.get("spec") or {}
        causes: list[Cause] = []
        if not spec.get("rules") and not spec.get("defaultBackend"):
            causes.append(invalid("spec", spec.get("rules") or None, "either `defaultBackend` or `rules` must be specified"))
        if "defaultBackend" in spec:
            causes += _validate_backend(spec["defaultBackend"], "spec.defaultBackend")
        for index, rule in enumerate(spec.get("rules") or ()):
            causes += _validate_rule(rule, f"spec.rules[{index}]")
        for index, tls in enumerate(spec.get("tls") or ()):
            for number, host in enumerate(tls.get("hosts") or ()):
                causes += _validate_name(host, f"spec.tls[{index}].hosts[{number}]")
            causes += check_optional_name(f"spec.tls[{index}].secretName", tls.get("secretName"), dns1123_subdomain)
        name = spec.get("ingressClassName")
        return causes if name is None else causes + check_key("spec.ingressClassName", name, dns1123_subdomain)

    def warnings(self, obj: Object, old: Object | None) -> Sequence[str]:
        deprecated = old is None and CLASS in meta.annotations(obj)
        return (f"annotation \"{CLASS}\" is deprecated, please use 'spec.ingressClassName' instead",) if deprecated else ()

    def validate(self, obj: Object) -> Sequence[Cause]:
        """A new Ingress that names its class twice names the same one."""
        annotation, name = meta.annotations(obj).get(CLASS), (obj.get("spec") or {}).get("ingressClassName")
        if annotation is None or name is None or annotation == name:
            return super().validate(obj)
        detail = "must match `ingressClassName` when both are specified"
        return [*super().validate(obj), invalid(f"annotations.{CLASS}", annotation, detail)]


def _validate_name(host: str, path: str) -> list[Cause]:
    check = wildcard_subdomain if "*" in host else dns1123_subdomain
    return [invalid(path, host, problem) for problem in check(host)]


def _validate_host(host: str, path: str) -> list[Cause]:
    causes = [invalid(path, host, "must be a DNS name, not an IP address")] if parse_ip(host) else []
    return causes + _validate_name(host, path)


def _validate_rule(rule: Object, path: str) -> list[Cause]:
    causes = _validate_host(rule["host"], f"{path}.host") if rule.get("host") else []
    http = rule.get("http")
    if http is None:
        return causes
    if not http.get("paths"):
        causes.append(required(f"{path}.http.paths"))
    for index, each in enumerate(http.get("paths") or ()):
        own = f"{path}.http.paths[{index}]"
        if not each.get("pathType"):
            causes.append(required(f"{own}.pathType", "pathType must be specified"))
        else:
            causes += _validate_path(each, own) + _validate_backend(each.get("backend") or {}, f"{own}.backend")
    return causes


def _validate_path(each: Object, path: str) -> list[Cause]:
    kind, value = each.get("pathType"), each.get("path") or ""
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
        return _validate_reference(resource, f"{path}.resource")
    if service is None:
        return [invalid(path, "", "resource or service backend is required")]
    causes = check_name(f"{path}.service.name", service.get("name"), dns1123_label)
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


def _validate_reference(reference: Object, path: str) -> list[Cause]:
    group = reference.get("apiGroup")
    causes = [] if group is None else [invalid(f"{path}.apiGroup", group, problem) for problem in dns1123_subdomain(group)]
    for field in ("kind", "name"):
        causes += check_name(f"{path}.{field}", reference.get(field), path_segment, detail=f"{field} is required")
    return causes


class IngressClassStrategy(GenerationStrategy):
    def fill(self, obj: Object) -> None:
        parameters = (obj.get("spec") or {}).get("parameters")
        if parameters is not None:
            parameters.setdefault("scope", "Cluster")

    def check(self, obj: Object) -> list[Cause]:
        spec = obj.get("spec") or {}
        controller = spec.get("controller") or ""
        causes = [too_long("spec.controller", MAX_CONTROLLER)] if len(controller) > MAX_CONTROLLER else []
        causes += check_domain_path("spec.controller", controller)
        return causes + (_validate_parameters(spec["parameters"], "spec.parameters") if spec.get("parameters") else [])

    def check_update(self, obj: Object, old: Object) -> list[Cause]:
        new, former = (obj.get("spec") or {}).get("controller"), (old.get("spec") or {}).get("controller")
        return immutable("spec.controller", new, former) + self.check(obj)


def _validate_parameters(parameters: Object, path: str) -> list[Cause]:
    causes = _validate_reference(parameters, path)
    scope, namespace = parameters.get("scope"), parameters.get("namespace")
    if scope not in _SCOPES:
        return [*causes, not_supported(f"{path}.scope", scope, _SCOPES)]
    if scope == "Cluster":
        return causes if namespace is None else [*causes, forbidden(f"{path}.namespace", "`parameters.scope` is set to 'Cluster'")]
    return causes + check_name(f"{path}.namespace", namespace, dns1123_label, detail="`parameters.scope` is set to 'Namespace'")
