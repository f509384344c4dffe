"""The downward API: what fieldRef and resourceFieldRef give, in environment variables and files."""

import re
from collections.abc import Mapping

from proa.api import meta
from proa.api.meta import Object
from proa.api.quantity import Quantity, parse
from proa.kubelet import pod_spec, resources

_SUBSCRIPT = re.compile(r"(metadata\.(?:labels|annotations))\['(.*)'\]")
_ENV_ONLY = ("spec.nodeName", "spec.serviceAccountName", "status.hostIP", "status.hostIPs", "status.podIP", "status.podIPs")


class InvalidField(Exception):
    """The reference names something that is not there."""


def field_value(pod: Object, path: str, *, host_ips: tuple[str, ...] = (), pod_ips: tuple[str, ...] = ()) -> str:
    """The value of a fieldRef's fieldPath."""
    if match := _SUBSCRIPT.fullmatch(path):
        source = meta.labels(pod) if match[1].endswith("labels") else meta.annotations(pod)
        return source.get(match[2], "")
    values = {
        "metadata.name": meta.name(pod),
        "metadata.namespace": meta.namespace(pod),
        "metadata.uid": meta.uid(pod),
        "metadata.labels": _formatted(meta.labels(pod)),
        "metadata.annotations": _formatted(meta.annotations(pod)),
        "spec.nodeName": pod["spec"].get("nodeName", ""),
        "spec.serviceAccountName": pod["spec"].get("serviceAccountName", ""),
        "status.hostIP": host_ips[0] if host_ips else "",
        "status.hostIPs": ",".join(host_ips),
        "status.podIP": pod_ips[0] if pod_ips else "",
        "status.podIPs": ",".join(pod_ips),
    }
    if path not in values:
        raise InvalidField(f"unsupported fieldPath: {path}")
    return str(values[path])


def _formatted(values: Mapping[str, str]) -> str:
    """One `key="value"` a line, sorted."""
    return "\n".join(f"{key}={_quoted(value)}" for key, value in sorted(values.items()))


def _quoted(text: str) -> str:
    escapes = {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\t": "\\t", "\r": "\\r"}
    return '"' + "".join(escapes.get(char, char) for char in text) + '"'


def resource_value(pod: Object, reference: Object, default_container: str, allocatable: Mapping[str, str]) -> str:
    """The value of a resourceFieldRef, in units of its divisor, rounded up. A missing limit is what the node has."""
    name = reference.get("containerName") or default_container
    container = pod_spec.container(pod, name)
    if container is None:
        raise InvalidField(f"container {name} not found")
    kind, _, resource = reference["resource"].partition(".")
    amounts = resources.limits(container) if kind == "limits" else resources.requests(container)
    if kind == "requests" and resource not in amounts:
        amounts = {resource: resources.limits(container)[resource]} if resource in resources.limits(container) else {}
    fallback = allocatable.get(resource, "0") if kind == "limits" else "0"
    return str(_divided(parse(amounts.get(resource, fallback)), reference.get("divisor"), resource))


def _divided(amount: Quantity, divisor: str | int | None, resource: str) -> int:
    unit = parse(divisor) if divisor not in (None, "", "0", 0) else parse("1")
    if resource == "cpu":
        return -(-amount.milli_value // max(unit.milli_value, 1))
    return -(-amount.value // max(unit.value, 1))
