"""The conditions of a pod that the node agent owns, in upstream's order and words. Pure."""

from collections.abc import Mapping

from proa.api.meta import Object
from proa.kubelet import pod_spec
from proa.kubelet.container_status import container_state

OWNED = ("PodReadyToStartContainers", "Initialized", "Ready", "ContainersReady", "PodScheduled")


def build_conditions(
    pod: Object, statuses: Mapping[str, Object], phase: str, *, sandbox_ready: bool, old: list[Object], now: str
) -> list[Object]:
    """What the agent says, after what others said. `lastTransitionTime` moves only with the status."""
    containers_ready = _containers_ready(pod, statuses, phase)
    own = [
        {"type": "PodReadyToStartContainers", "status": _truth(sandbox_ready)},
        {"type": "Initialized"} | _initialized(pod, statuses, phase),
        {"type": "Ready"} | _ready(pod, containers_ready, old),
        {"type": "ContainersReady"} | containers_ready,
        {"type": "PodScheduled", "status": "True"},
    ]
    generation = pod["metadata"].get("generation")
    before = {each["type"]: each for each in old}
    return [_finished(each, before.get(each["type"]), generation, now) for each in own] + [
        each for each in old if each["type"] not in OWNED
    ]


def _finished(condition: Object, old: Object | None, generation: int | None, now: str) -> Object:
    same = old is not None and old.get("status") == condition["status"]
    moment = (old or {}).get("lastTransitionTime", now) if same else now
    observed = {"observedGeneration": generation} if generation else {}
    return condition | {"lastProbeTime": None, "lastTransitionTime": moment} | observed


def _truth(value: bool) -> str:
    return "True" if value else "False"


def _condition(reason: str, message: str = "") -> Object:
    return {"status": "False", "reason": reason} | ({"message": message} if message else {})


def _initialized(pod: Object, statuses: Mapping[str, Object], phase: str) -> Object:
    incomplete = [each["name"] for each in pod_spec.init_containers(pod) if not _is_initialized(each, statuses.get(each["name"]))]
    if incomplete and not _any_ran(pod, statuses):
        if phase == "Succeeded":
            return {"status": "True", "reason": "PodCompleted"}
        return _condition("ContainersNotInitialized", f"containers with incomplete status: [{' '.join(incomplete)}]")
    return {"status": "True"} | ({"reason": "PodCompleted"} if phase == "Succeeded" else {})


def _is_initialized(container: Object, status: Object | None) -> bool:
    if pod_spec.is_sidecar(container):
        return bool(status and (status.get("started") or container_state(status) == "terminated"))
    ended = ((status or {}).get("state") or {}).get("terminated")
    return bool(ended and ended["exitCode"] == 0)


def _any_ran(pod: Object, statuses: Mapping[str, Object]) -> bool:
    """Once a regular container ran, the pod stays initialized."""
    return any(
        "running" in ((statuses.get(each["name"]) or {}).get("state") or {}) or (statuses.get(each["name"]) or {}).get("containerID")
        for each in pod_spec.containers(pod)
    )


def _containers_ready(pod: Object, statuses: Mapping[str, Object], phase: str) -> Object:
    if phase == "Succeeded":
        return _condition("PodCompleted")
    if phase == "Failed":
        return _condition("PodFailed")
    watched = [*pod_spec.sidecars(pod), *pod_spec.containers(pod)]
    unready = [each["name"] for each in watched if each["name"] in statuses and not statuses[each["name"]].get("ready")]
    unknown = [each["name"] for each in watched if each["name"] not in statuses]
    parts = [f"containers with unknown status: [{' '.join(unknown)}]"] if unknown else []
    parts += [f"containers with unready status: [{' '.join(unready)}]"] if unready else []
    return _condition("ContainersNotReady", ", ".join(parts)) if parts else {"status": "True"}


def _ready(pod: Object, containers_ready: Object, old: list[Object]) -> Object:
    if containers_ready["status"] != "True":
        return containers_ready
    given = {each["type"]: each.get("status") for each in old}
    messages = []
    for gate in pod["spec"].get("readinessGates") or []:
        kind = gate["conditionType"]
        if kind not in given:
            messages.append(f'corresponding condition of pod readiness gate "{kind}" does not exist.')
        elif given[kind] != "True":
            messages.append(f'the status of pod readiness gate "{kind}" is not "True", but {given[kind]}')
    return _condition("ReadinessGatesNotReady", ", ".join(messages)) if messages else {"status": "True"}
