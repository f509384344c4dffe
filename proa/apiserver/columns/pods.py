"""A Pod's row: the one word that sums up its containers, how many are ready, how often and when they restarted."""

from collections.abc import Sequence
from typing import Any

from proa.api.meta import Object, condition, is_terminating
from proa.api.resource import Column
from proa.apiserver.columns.cells import AGE, NAME, NONE, at, column, field, format_labels, joined
from proa.apiserver.columns.duration import since
from proa.lib.dataclass import dataclass

Status = dict[str, Any]


@dataclass(slots=True)
class PodSummary:
    ready: int
    total: int
    reason: str
    restarts: int
    last_restart: str = ""


def summarize(pod: Object) -> PodSummary:
    """What READY, STATUS and RESTARTS say. Init containers count until the pod is initialized, sidecars always."""
    status, spec = pod.get("status") or {}, pod.get("spec") or {}
    sidecars = {each["name"] for each in spec.get("initContainers") or () if each.get("restartPolicy") == "Always"}
    summary = PodSummary(0, len(spec.get("containers") or ()) + len(sidecars), _pod_reason(pod, status), 0)
    initializing = _add_init_containers(summary, status, spec, sidecars)
    if not initializing or _is_true(pod, "Initialized"):
        inits = status.get("initContainerStatuses") or ()
        _restart_count(summary, [each for each in inits if each.get("name") in sidecars])
        _add_containers(summary, pod, status.get("containerStatuses") or ())
    if is_terminating(pod):
        summary.reason = _terminating_reason(summary.reason, status)
    return summary


def _pod_reason(pod: Object, status: Status) -> str:
    scheduled = condition(pod, "PodScheduled")
    if scheduled and scheduled.get("reason") == "SchedulingGated":
        return "SchedulingGated"
    return status.get("reason") or status.get("phase") or ""


def _add_init_containers(summary: PodSummary, status: Status, spec: Status, sidecars: set[str]) -> bool:
    """Sets the reason and restarts up to the init container that holds the pod back; whether there is one."""
    seen: list[Status] = []
    for index, each in enumerate(status.get("initContainerStatuses") or ()):
        seen.append(each)
        terminated, waiting = at(each, "state", "terminated"), at(each, "state", "waiting", "reason")
        if terminated is not None and not terminated.get("exitCode"):
            continue
        if each.get("name") in sidecars and each.get("started"):
            summary.ready += bool(each.get("ready"))
            continue
        if terminated is not None:
            summary.reason = f"Init:{_exit_reason(terminated)}"
        elif waiting and waiting != "PodInitializing":
            summary.reason = f"Init:{waiting}"
        else:
            summary.reason = f"Init:{index}/{len(spec.get('initContainers') or ())}"
        _restart_count(summary, seen)
        return True
    return False


def _add_containers(summary: PodSummary, pod: Object, statuses: Sequence[Status]) -> None:
    running = False
    # The first container has the last word.
    for each in reversed(statuses):
        waiting, terminated = at(each, "state", "waiting", "reason"), at(each, "state", "terminated")
        if waiting:
            summary.reason = waiting
        elif terminated is not None:
            summary.reason = _exit_reason(terminated)
        elif each.get("ready") and at(each, "state", "running") is not None:
            running = True
            summary.ready += 1
    restarts, last = summary.restarts, summary.last_restart
    _restart_count(summary, statuses)
    summary.restarts += restarts
    summary.last_restart = max(summary.last_restart, last)
    if summary.reason == "Completed" and running:
        summary.reason = "Running" if _is_true(pod, "Ready") else "NotReady"


def _restart_count(summary: PodSummary, statuses: Sequence[Status]) -> None:
    summary.restarts = sum(each.get("restartCount") or 0 for each in statuses)
    summary.last_restart = max((at(each, "lastState", "terminated", "finishedAt") or "" for each in statuses), default="")


def _exit_reason(terminated: Status) -> str:
    if terminated.get("reason"):
        return str(terminated["reason"])
    return f"Signal:{terminated['signal']}" if terminated.get("signal") else f"ExitCode:{terminated.get('exitCode', 0)}"


def _terminating_reason(reason: str, status: Status) -> str:
    if status.get("reason") == "NodeLost":
        return "Unknown"
    return reason if status.get("phase") in ("Succeeded", "Failed") else "Terminating"


def _is_true(pod: Object, type_: str) -> bool:
    found = condition(pod, type_)
    return found is not None and found.get("status") == "True"


def _ready(pod: Object, now: float) -> str:
    summary = summarize(pod)
    return f"{summary.ready}/{summary.total}"


def _restarts(pod: Object, now: float) -> str:
    summary = summarize(pod)
    if summary.restarts and summary.last_restart:
        return f"{summary.restarts} ({since(summary.last_restart, now)} ago)"
    return str(summary.restarts)


def _ip(pod: Object, now: float) -> str:
    addresses = at(pod, "status", "podIPs")
    return (addresses[0].get("ip") if addresses else None) or NONE


def _readiness_gates(pod: Object, now: float) -> str:
    gates = at(pod, "spec", "readinessGates")
    return f"{sum(_is_true(pod, gate.get('conditionType', '')) for gate in gates)}/{len(gates)}" if gates else NONE


def row_conditions(pod: Object) -> list[Object]:
    """By which clients hide pods that have run their course."""
    messages = {"Succeeded": "The pod has completed successfully.", "Failed": "The pod failed."}
    phase = at(pod, "status", "phase")
    if phase not in messages:
        return []
    return [{"type": "Completed", "status": "True", "reason": phase, "message": messages[phase]}]


PODS: tuple[Column, ...] = (
    NAME,
    column("Ready", _ready, "How many of the pod's containers are ready, of how many."),
    column("Status", lambda pod, now: summarize(pod).reason, "What the pod's containers are doing, in a word."),
    column("Restarts", _restarts, "How often containers restarted, and when the last one did."),
    AGE,
    column("IP", _ip, "The pod's first address.", wide=True),
    column("Node", field("spec", "nodeName", default=NONE), "The node that the pod is bound to.", wide=True),
    column("Nominated Node", field("status", "nominatedNodeName", default=NONE), "The node where preemption makes room.", wide=True),
    column("Readiness Gates", _readiness_gates, "How many readiness gates are open, of how many.", wide=True),
)


def _template(key: str) -> Any:
    return lambda obj, now: joined(each.get(key, "") for each in at(obj, "template", "spec", "containers") or ())


POD_TEMPLATES: tuple[Column, ...] = (
    NAME,
    column("Containers", _template("name"), "The names of the template's containers."),
    column("Images", _template("image"), "The images of the template's containers."),
    column("Pod Labels", lambda obj, now: format_labels(at(obj, "template", "metadata", "labels")), "The template's labels."),
)
