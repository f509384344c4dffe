"""A pod's whole status from what the runtime has and the agent knows. Pure: same inputs, same status, so only changes are sent."""

from collections.abc import Iterable, Mapping
from dataclasses import field

from proa.api.meta import Object
from proa.kubelet import pod_spec, resources
from proa.kubelet.container_status import StatusInputs, build_container_status
from proa.kubelet.pod_conditions import build_conditions
from proa.kubelet.pod_phase import compute_phase
from proa.kubelet.pod_runtime import PodRuntime
from proa.lib.dataclass import dataclass


@dataclass(frozen=True, slots=True)
class Verdict:
    """Why the agent itself ended a pod (DeadlineExceeded, Evicted, UnsupportedField, OutOfcpu, ...)."""

    reason: str
    message: str
    conditions: tuple[Object, ...] = ()


@dataclass(frozen=True, slots=True)
class PodView:
    """Everything that makes a status."""

    pod: Object
    runtime: PodRuntime
    inputs: StatusInputs = field(default_factory=StatusInputs)
    verdict: Verdict | None = None
    host_ips: tuple[str, ...] = ()
    start_time: str = ""


_KINDS = (
    ("initContainerStatuses", "initContainers"), ("containerStatuses", "containers"),
    ("ephemeralContainerStatuses", "ephemeralContainers"),
)  # fmt: skip


def build_pod_status(view: PodView, now: str) -> Object:
    """PodStatus; `now` for conditions that change."""
    pod, old = view.pod, view.pod.get("status") or {}
    lists = {field_name: _statuses(view, kind, old.get(field_name) or []) for field_name, kind in _KINDS}
    by_name = {each["name"]: each for entries in lists.values() for each in entries}
    phase = _phase(view, by_name, str(old.get("phase") or ""))
    before = _with_verdict_conditions(list(old.get("conditions") or []), view.verdict, now)
    status: Object = {
        "phase": phase,
        "conditions": build_conditions(pod, by_name, phase, sandbox_ready=_sandbox_ready(view.runtime), old=before, now=now),
        "qosClass": resources.qos_class(pod),
    }
    status |= {name: entries for name, entries in lists.items() if entries}
    if view.start_time:
        status["startTime"] = old.get("startTime") or view.start_time
    if generation := pod["metadata"].get("generation"):
        status["observedGeneration"] = generation
    if view.verdict is not None:
        status |= {"reason": view.verdict.reason, "message": view.verdict.message}
    elif old.get("reason") and phase == "Failed":
        status |= {key: old[key] for key in ("reason", "message") if key in old}
    return status | _addresses(view, old) | {key: old[key] for key in ("nominatedNodeName", "resize") if key in old}


def _sandbox_ready(runtime: PodRuntime) -> bool:
    return bool(runtime.sandbox and runtime.sandbox.ready and (runtime.sandbox.ips or runtime.sandbox.host_network))


def _phase(view: PodView, statuses: Mapping[str, Object], old: str) -> str:
    if view.verdict is not None:
        # Failed is said only once nothing runs any more: controllers count on it.
        return "Failed" if view.runtime.is_gone or not view.runtime.containers else (old or "Pending")
    if old in ("Succeeded", "Failed"):
        return old
    phase = compute_phase(view.pod, statuses, ended=view.inputs.ended)
    return (old or "Running") if phase in ("Succeeded", "Failed") and view.runtime.running else phase


def _statuses(view: PodView, kind: str, old: Iterable[Object]) -> list[Object]:
    before = {each["name"]: each for each in old}
    entries = [
        build_container_status(view.pod, container, view.runtime, view.inputs, before.get(container["name"]))
        for container in view.pod["spec"].get(kind) or []
    ]
    if kind == "initContainers":
        for entry in entries:
            ended = (entry.get("state") or {}).get("terminated")
            if ended and ended.get("exitCode") == 0:
                entry["ready"] = True
    return entries


def _with_verdict_conditions(old: list[Object], verdict: Verdict | None, now: str) -> list[Object]:
    added = {each["type"]: each for each in (verdict.conditions if verdict else ())}
    kept = [each for each in old if each["type"] not in added]
    before = {each["type"]: each for each in old}
    return kept + [
        each | {"lastProbeTime": None, "lastTransitionTime": before.get(kind, {}).get("lastTransitionTime", now)}
        for kind, each in added.items()
    ]


def _addresses(view: PodView, old: Object) -> Object:
    """Host addresses from the first moment; the pod's as long as its sandbox has them, and after the end as last seen."""
    result: Object = {}
    if view.host_ips and view.start_time:
        result = {"hostIP": view.host_ips[0], "hostIPs": [{"ip": ip} for ip in view.host_ips]}
    ips = view.host_ips if pod_spec.is_host_network(view.pod) and view.host_ips else view.runtime.pod_ips
    if ips and view.start_time:
        return result | {"podIP": ips[0], "podIPs": [{"ip": ip} for ip in ips]}
    if old.get("podIP"):
        result |= {"podIP": old["podIP"], "podIPs": old.get("podIPs") or [{"ip": old["podIP"]}]}
    return result
