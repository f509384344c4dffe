"""A container's environment: service variables, envFrom, env, in the order in which later ones win, with `$(VAR)` expanded.

Pure: config maps and secrets come in through a reader, so what is missing is found out by the caller's reader and said in upstream's words.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Literal

from proa.api import meta
from proa.api.meta import Object
from proa.kubelet.downward import field_value, resource_value
from proa.kubelet.expansion import expand

Kind = Literal["configmap", "secret"]
Reader = Callable[[Kind, str], Mapping[str, str] | None]
"""(kind, name) -> data as text, None if there is no such object in the pod's namespace."""


class ConfigError(Exception):
    """The container cannot be configured: reason CreateContainerConfigError."""


def build_environment(
    pod: Object,
    container: Object,
    read: Reader,
    services: Iterable[Object],
    *,
    host_ips: tuple[str, ...],
    pod_ips: tuple[str, ...],
    allocatable: Mapping[str, str],
) -> dict[str, str]:
    """Name -> value; `services` are those of the pod's namespace and `kubernetes` of the default one."""
    values: dict[str, str] = {}
    for source in container.get("envFrom") or []:
        values |= _from_source(pod, source, read)
    linked = service_environment(services, meta.namespace(pod), links=pod["spec"].get("enableServiceLinks", True) is not False)
    known = linked | values
    for entry in container.get("env") or []:
        value = _value(pod, container, entry, read, known, host_ips, pod_ips, allocatable)
        if value is not None:
            values[entry["name"]] = value
            known[entry["name"]] = value
    return linked | values


def _from_source(pod: Object, source: Object, read: Reader) -> dict[str, str]:
    kind: Kind = "configmap" if "configMapRef" in source else "secret"
    reference = source.get("configMapRef") or source.get("secretRef") or {}
    data = read(kind, reference["name"])
    if data is None:
        if reference.get("optional"):
            return {}
        raise ConfigError(f'{kind} "{reference["name"]}" not found')
    prefix = source.get("prefix") or ""
    # What a variable can not be named is left out, as the API documents.
    return {f"{prefix}{key}": value for key, value in sorted(data.items()) if "=" not in f"{prefix}{key}" and f"{prefix}{key}"}


def _value(
    pod: Object,
    container: Object,
    entry: Object,
    read: Reader,
    known: Mapping[str, str],
    host_ips: tuple[str, ...],
    pod_ips: tuple[str, ...],
    allocatable: Mapping[str, str],
) -> str | None:
    source = entry.get("valueFrom")
    if not source:
        return expand(entry.get("value") or "", known)
    if reference := source.get("fieldRef"):
        return field_value(pod, reference["fieldPath"], host_ips=host_ips, pod_ips=pod_ips)
    if reference := source.get("resourceFieldRef"):
        return resource_value(pod, reference, container["name"], allocatable)
    kind: Kind = "configmap" if "configMapKeyRef" in source else "secret"
    return _key(pod, kind, source.get("configMapKeyRef") or source.get("secretKeyRef") or {}, read)


def _key(pod: Object, kind: Kind, reference: Object, read: Reader) -> str | None:
    data = read(kind, reference["name"])
    if data is None:
        if reference.get("optional"):
            return None
        raise ConfigError(f'{kind} "{reference["name"]}" not found')
    if reference["key"] not in data:
        if reference.get("optional"):
            return None
        noun = "ConfigMap" if kind == "configmap" else "Secret"
        raise ConfigError(f"couldn't find key {reference['key']} in {noun} {meta.namespace(pod)}/{reference['name']}")
    return data[reference["key"]]


def service_environment(services: Iterable[Object], namespace: str, *, links: bool) -> dict[str, str]:
    """Docker-link style variables of every service with a cluster IP; `kubernetes` always, the others only with links."""
    values: dict[str, str] = {}
    chosen: dict[str, Object] = {}
    for service in services:
        name, own = meta.name(service), meta.namespace(service)
        if (own == "default" and name == "kubernetes" and name not in chosen) or (links and own == namespace):
            chosen[name] = service
    for name in sorted(chosen):
        if chosen[name]["spec"].get("clusterIP") not in (None, "", "None") and chosen[name]["spec"].get("ports"):
            values |= _of_service(name, chosen[name]["spec"])
    return values


def _of_service(name: str, spec: Object) -> dict[str, str]:
    prefix = name.upper().replace("-", "_")
    ip, ports = spec["clusterIP"], spec["ports"]
    host = f"[{ip}]" if ":" in ip else ip
    values = {f"{prefix}_SERVICE_HOST": ip, f"{prefix}_SERVICE_PORT": str(ports[0]["port"])}
    values |= {f"{prefix}_SERVICE_PORT_{each['name'].upper().replace('-', '_')}": str(each["port"]) for each in ports if each.get("name")}
    for index, each in enumerate(ports):
        protocol = (each.get("protocol") or "TCP").lower()
        url = f"{protocol}://{host}:{each['port']}"
        own = f"{prefix}_PORT_{each['port']}_{protocol.upper()}"
        if index == 0:
            values[f"{prefix}_PORT"] = url
        values |= {own: url, f"{own}_PROTO": protocol, f"{own}_PORT": str(each["port"]), f"{own}_ADDR": ip}
    return values
