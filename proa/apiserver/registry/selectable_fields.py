"""What field selectors may ask of each kind, beside metadata.name and metadata.namespace; the very fields that upstream serves."""

from collections.abc import Callable, Mapping
from typing import Any

from proa.api.errors import BadRequest
from proa.api.fields import FieldSelector
from proa.api.meta import Object
from proa.api.resource import Resource

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
    ("certificates.k8s.io", "clustertrustbundles"): ("spec.signerName",),
    ("certificates.k8s.io", "podcertificaterequests"): ("spec.signerName", "spec.podName", "spec.nodeName"),
    ("resource.k8s.io", "resourceslices"): ("spec.nodeName", "spec.driver"),
}  # fmt: skip

STORED_LABELS: dict[tuple[str, str], dict[str, str]] = {
    ("events.k8s.io", "events"): {
        **{f"regarding.{name}": f"involvedObject.{name}" for name in _REFERENCE},
        "reportingController": "reportingComponent",
    },
}
"""Kinds that are kept under another group: what is asked under their own names is looked up under the stored ones."""

WITHOUT_NAMESPACE = frozenset({("", "nodes"), ("", "namespaces"), ("certificates.k8s.io", "certificatesigningrequests")})
"""Kinds that even refuse metadata.namespace, which others of the cluster's scope take and find nothing by."""
ALIASES = {("", "pods"): {"spec.host": "spec.nodeName"}}
"""Names that old clients use."""


def check_selectable(resource: Resource, fields: FieldSelector, *, custom: bool) -> None:
    """Raise BadRequest for a field that this kind can't be selected by, in the words of its conversion function upstream."""
    own = resource.id.group, resource.id.plural
    allowed = {"metadata.name", *resource.selectable_field_names, *ALIASES.get(own, ())}
    if resource.id.namespaced or not (custom or own in WITHOUT_NAMESPACE):
        allowed.add("metadata.namespace")
    for term in fields.requirements:
        if term.field not in allowed:
            raise BadRequest(_refusal(own, term.field, custom=custom))


def _refusal(own: tuple[str, str], label: str, *, custom: bool) -> str:
    if own == ("batch", "jobs"):
        return f'field label "{label}" not supported for Job'
    if custom or own in FIELDS:
        return f"field label not supported: {label}"
    return f'"{label}" is not a known field selector: only "metadata.name", "metadata.namespace"'


_ELSEWHERE = {"status.successful": ("status", "succeeded")}
_ZERO = {"spec.hostNetwork": "false", "spec.unschedulable": "false", "status.replicas": "0", "status.successful": "0"}
"""What an absent field reads as: the zero value of its type."""


def _text(value: Any) -> str:
    return ("true" if value else "false") if isinstance(value, bool) else str(value)


def _path(name: str) -> tuple[str, ...]:
    return _ELSEWHERE.get(name, tuple(name.split(".")))


def _reader(name: str) -> Callable[[Object], str]:
    path, zero = _path(name), _ZERO.get(name, "")

    def read(obj: Object) -> str:
        value: Any = obj
        for part in path:
            value = value.get(part) if isinstance(value, dict) else None
            if value is None:
                return zero
        return _text(value)

    return read


def _source(event: Object) -> str:
    return (event.get("source") or {}).get("component") or event.get("reportingComponent") or ""


def _pod_ips(pod: Object) -> str:
    return ",".join(each.get("ip", "") for each in (pod.get("status") or {}).get("podIPs") or ())


_SPECIAL: dict[str, Callable[[Object], str]] = {"source": _source, "status.podIPs": _pod_ips}


def selectable_fields(group: str, plural: str) -> tuple[tuple[str, ...], Callable[[Object], Mapping[str, str]]]:
    """(names, function that reads them all). Every write reads them, and nearly all are members of `spec` or `status`, taken together."""
    names = FIELDS.get((group, plural), ())
    readers = [(name, _SPECIAL.get(name) or _reader(name)) for name in names if name in _SPECIAL or len(_path(name)) != 2]
    grouped: dict[str, list[tuple[str, str]]] = {}
    for name in names:
        if name not in _SPECIAL and len(_path(name)) == 2:
            outer, inner = _path(name)
            grouped.setdefault(outer, []).append((name, inner))
    members, absent = list(grouped.items()), {name: _ZERO.get(name, "") for name in names}

    def read_all(obj: Object) -> Mapping[str, str]:
        found = absent.copy()
        for outer, inners in members:
            holder = obj.get(outer)
            if type(holder) is dict:
                for name, inner in inners:
                    value = holder.get(inner)
                    if value is not None:
                        found[name] = value if type(value) is str else _text(value)
        for name, read in readers:
            found[name] = read(obj)
        return found

    return names, read_all
