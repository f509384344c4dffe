"""What field selectors may ask of each kind, beside metadata.name and metadata.namespace; the very fields that upstream serves."""

from collections.abc import Callable, Mapping
from typing import Any

from proa.api.meta import Object

_REFERENCE = ("kind", "namespace", "name", "uid", "apiVersion", "resourceVersion", "fieldPath")
FIELDS: dict[tuple[str, str], tuple[str, ...]] = {
    ("", "pods"): (
        "spec.nodeName", "spec.restartPolicy", "spec.schedulerName", "spec.serviceAccountName", "spec.hostNetwork",
        "status.phase", "status.podIP", "status.podIPs", "status.nominatedNodeName",
    ),
    ("", "events"): (
        "involvedObject.kind", "involvedObject.namespace", "involvedObject.name", "involvedObject.uid", "involvedObject.apiVersion",
        "involvedObject.resourceVersion", "involvedObject.fieldPath", "reason", "reportingComponent", "source", "type",
    ),
    ("events.k8s.io", "events"): (
        "regarding.kind", "regarding.namespace", "regarding.name", "regarding.uid", "regarding.apiVersion", "regarding.resourceVersion",
        "regarding.fieldPath", "reason", "reportingController", "type",
    ),
    ("", "nodes"): ("spec.unschedulable",),
    ("", "secrets"): ("type",),
    ("", "namespaces"): ("status.phase",),
    ("", "services"): ("spec.clusterIP", "spec.type"),
    ("", "replicationcontrollers"): ("status.replicas",),
    ("apps", "replicasets"): ("status.replicas",),
    ("batch", "jobs"): ("status.successful",),
    ("certificates.k8s.io", "certificatesigningrequests"): ("spec.signerName",),
    ("resource.k8s.io", "resourceslices"): ("spec.nodeName", "spec.driver"),
}  # fmt: skip

STORED_LABELS: dict[tuple[str, str], dict[str, str]] = {
    ("events.k8s.io", "events"): {
        **{f"regarding.{name}": f"involvedObject.{name}" for name in _REFERENCE},
        "reportingController": "reportingComponent",
    },
}
"""Kinds that are kept under another group: what is asked under their own names is looked up under the stored ones."""

_ELSEWHERE = {"status.successful": ("status", "succeeded")}
_ZERO = {"spec.hostNetwork": "false", "spec.unschedulable": "false", "status.replicas": "0", "status.successful": "0"}
"""What an absent field reads as: the zero value of its type."""


def _text(value: Any) -> str:
    return ("true" if value else "false") if isinstance(value, bool) else str(value)


def _reader(name: str) -> Callable[[Object], str]:
    path, zero = _ELSEWHERE.get(name, tuple(name.split("."))), _ZERO.get(name, "")
    if len(path) == 2:
        return _reader_of_two(*path, zero)

    def read(obj: Object) -> str:
        value: Any = obj
        for part in path:
            value = value.get(part) if isinstance(value, dict) else None
            if value is None:
                return zero
        return _text(value)

    return read


def _reader_of_two(outer: str, inner: str, zero: str) -> Callable[[Object], str]:
    """The same for a path of two members, as nearly all are: every write reads them."""

    def read(obj: Object) -> str:
        holder = obj.get(outer)
        value = holder.get(inner) if type(holder) is dict else None
        if value is None:
            return zero
        return value if type(value) is str else _text(value)

    return read


def _source(event: Object) -> str:
    return (event.get("source") or {}).get("component") or event.get("reportingComponent") or ""


def _pod_ips(pod: Object) -> str:
    return ",".join(each.get("ip", "") for each in (pod.get("status") or {}).get("podIPs") or ())


_SPECIAL: dict[str, Callable[[Object], str]] = {"source": _source, "status.podIPs": _pod_ips}


def selectable_fields(group: str, plural: str) -> tuple[tuple[str, ...], Callable[[Object], Mapping[str, str]]]:
    """(names, function that reads them all)."""
    names = FIELDS.get((group, plural), ())
    readers = [(name, _SPECIAL.get(name) or _reader(name)) for name in names]

    def read_all(obj: Object) -> Mapping[str, str]:
        return {name: read(obj) for name, read in readers}

    return names, read_all
