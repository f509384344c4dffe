"""What controllers ask of a pod, as pure predicates, and what of a pod they keep in memory."""

from datetime import datetime
from typing import Any

from proa.api import meta
from proa.api.meta import Object
from proa.lib.clock import parse_time

_METADATA = (
    "name", "namespace", "uid", "resourceVersion", "labels", "ownerReferences", "finalizers", "generation",
    "creationTimestamp", "deletionTimestamp", "deletionGracePeriodSeconds",
)  # fmt: skip
_SPEC = ("nodeName", "hostname", "subdomain", "tolerations", "restartPolicy", "hostNetwork", "schedulingGates")
_STATUS = ("phase", "podIP", "podIPs", "hostIP", "conditions", "reason")
DELETION_COST = "controller.kubernetes.io/pod-deletion-cost"


def slim(pod: Object) -> Object:
    """Only what controllers read: a fifth of the whole. Never write such a pod back; patch it."""
    kept: Object = {"apiVersion": "v1", "kind": "Pod", "metadata": _kept(pod["metadata"], _METADATA)}
    if (cost := meta.annotations(pod).get(DELETION_COST)) is not None:
        kept["metadata"]["annotations"] = {DELETION_COST: cost}
    spec, status = pod.get("spec") or {}, pod.get("status") or {}
    kept["spec"] = _kept(spec, _SPEC) | {"containers": _with_ports(spec.get("containers"))}
    sidecars = [each for each in spec.get("initContainers") or () if each.get("restartPolicy") == "Always"]
    if ports := _with_ports(sidecars):
        kept["spec"]["initContainers"] = ports
    kept["status"] = _kept(status, _STATUS)
    if restarts := max((each.get("restartCount", 0) for each in status.get("containerStatuses") or ()), default=0):
        kept["status"]["containerStatuses"] = [{"restartCount": restarts}]
    return kept


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
