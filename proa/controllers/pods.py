"""What controllers ask of a pod, as pure predicates, and what of a pod they keep in memory."""

from datetime import datetime
from typing import Any

import orjson

from proa.api import meta
from proa.api.meta import Object
from proa.api.pod_annotations import DELETION_COST
from proa.lib.clock import parse_time

_METADATA = ("name", "namespace", "uid", "resourceVersion", "finalizers", "creationTimestamp", "deletionTimestamp")
_SPEC = ("nodeName", "hostname", "subdomain")
_STATUS = ("phase", "podIP")
_SHARED_LIMIT = 10_000
_shared: dict[bytes, Any] = {}


_VOLUME = ("name", "persistentVolumeClaim", "ephemeral")
"""Of volumes that claims stand behind; what an ephemeral volume's claim is made from is left out."""


def slim(pod: Object) -> Object:
    """Only what controllers read, with what siblings have in common kept once. Never change or write back such a pod; patch it."""
    metadata, spec, status = pod["metadata"], pod.get("spec") or {}, pod.get("status") or {}
    kept = _kept(metadata, _METADATA)
    for field in ("labels", "ownerReferences"):
        if field in metadata:
            kept[field] = _share(metadata[field])
    if (cost := meta.annotations(pod).get(DELETION_COST)) is not None:
        kept["annotations"] = {DELETION_COST: cost}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": kept, "spec": _slim_spec(spec), "status": _slim_status(status)}


def _slim_spec(spec: Object) -> Object:
    kept = _kept(spec, _SPEC)
    if volumes := [_kept(each, _VOLUME) for each in spec.get("volumes") or () if "persistentVolumeClaim" in each or "ephemeral" in each]:
        kept["volumes"] = [{**each, "ephemeral": {}} if "ephemeral" in each else each for each in volumes]
    if ports := _with_ports(spec.get("containers")):
        kept["containers"] = _share(ports)
    if ports := _with_ports([each for each in spec.get("initContainers") or () if each.get("restartPolicy") == "Always"]):
        kept["initContainers"] = _share(ports)
    if spec.get("tolerations"):
        kept["tolerations"] = _share(spec["tolerations"])
    return kept


def _slim_status(status: Object) -> Object:
    kept = _kept(status, _STATUS)
    if len(status.get("podIPs") or ()) > 1:
        kept["podIPs"] = status["podIPs"]
    conditions = [_kept(each, ("type", "status", "lastTransitionTime")) for each in status.get("conditions") or () if _is_read(each)]
    if conditions:
        kept["conditions"] = _share(conditions)
    if restarts := max_restarts({"status": status}):
        kept["containerStatuses"] = _share([{"restartCount": restarts}])
    return kept


def _is_read(condition: Object) -> bool:
    """Ready, and a disruption that was announced."""
    kind = condition.get("type")
    return kind == "Ready" or (kind == "DisruptionTarget" and condition.get("status") == "True")


def _share(value: Any) -> Any:
    """The first value equal to this one; forgotten all at once when there are too many."""
    if len(_shared) > _SHARED_LIMIT:
        _shared.clear()
    return _shared.setdefault(orjson.dumps(value), value)


def _kept(section: Object, fields: tuple[str, ...]) -> Object:
    return {field: section[field] for field in fields if field in section}


def _with_ports(containers: list[Object] | None) -> list[Object]:
    return [_kept(each, ("name", "ports", "restartPolicy")) for each in containers or () if each.get("ports")]


def phase(pod: Object) -> str:
    return pod.get("status", {}).get("phase") or ""


def is_finished(pod: Object) -> bool:
    return phase(pod) in ("Succeeded", "Failed")


def is_active(pod: Object) -> bool:
    """Neither finished nor on its way out."""
    return not is_finished(pod) and not meta.is_terminating(pod)


def node_name(pod: Object) -> str:
    return pod.get("spec", {}).get("nodeName") or ""


def is_ready(pod: Object) -> bool:
    ready = meta.condition(pod, "Ready")
    return ready is not None and ready.get("status") == "True"


def ready_since(pod: Object) -> datetime | None:
    ready = meta.condition(pod, "Ready")
    if ready is None or ready.get("status") != "True" or not ready.get("lastTransitionTime"):
        return None
    return parse_time(ready["lastTransitionTime"])


def seconds_until_available(pod: Object, min_ready_seconds: int, now: datetime) -> float | None:
    """0 if it is available, None if only another change can make it so."""
    if not is_ready(pod):
        return None
    if not min_ready_seconds:
        return 0.0
    since = ready_since(pod)
    return None if since is None else max(0.0, min_ready_seconds - (now - since).total_seconds())


def max_restarts(pod: Object) -> int:
    statuses: list[Any] = pod.get("status", {}).get("containerStatuses") or []
    return max((int(each.get("restartCount", 0)) for each in statuses), default=0)


def by_controller(obj: Object) -> list[str]:
    """Index function: the controller's UID, or `orphan/NAMESPACE` for what nobody controls."""
    controller = meta.controller_of(obj)
    return [controller["uid"] if controller else f"orphan/{meta.namespace(obj)}"]


def by_node(pod: Object) -> list[str]:
    """Index function: the node that the pod is bound to."""
    node = node_name(pod)
    return [node] if node else []
