"""status.containerStatuses from what the runtime has. Pure.

A container that is not there waits: for its turn (PodInitializing), for its start (ContainerCreating), or for what the last try ran into.
"""

from collections.abc import Mapping
from dataclasses import field
from datetime import UTC, datetime
from typing import Any

from proa.api.meta import Object
from proa.kubelet import pod_spec, resources
from proa.kubelet.cri.runtime import Container
from proa.kubelet.pod_runtime import PodRuntime
from proa.lib.clock import format_time
from proa.lib.dataclass import dataclass

CRASH_LOOP = "CrashLoopBackOff"
UNKNOWN_EXIT_CODE = 137
LOST_REASON = "ContainerStatusUnknown"
LOST_MESSAGE = "The container could not be located when the pod was terminated"


@dataclass(frozen=True, slots=True)
class Waiting:
    """Why a container does not run."""

    reason: str
    message: str = ""


@dataclass(frozen=True, slots=True)
class StatusInputs:
    """What the agent knows beside the runtime. `ready` and `started` hold container ids, `waiting` container names.

    `messages` are termination messages by container id. `ended`: no container of this pod will start again.
    """

    ready: frozenset[str] = frozenset()
    started: frozenset[str] = frozenset()
    waiting: Mapping[str, Waiting] = field(default_factory=dict)
    messages: Mapping[str, str] = field(default_factory=dict)
    ended: bool = False
    initialized: bool = False


def build_container_status(pod: Object, container: Object, runtime: PodRuntime, inputs: StatusInputs, old: Object | None) -> Object:
    """One entry; `old` is the API's present entry, which is believed where the runtime has forgotten."""
    attempts = runtime.attempts(container["name"])
    latest = attempts[0] if attempts else None
    if latest is None:
        return _without_container(pod, container, runtime, inputs, old)
    status: Object = {
        "name": container["name"],
        "state": _state(latest, inputs),
        "lastState": _state(attempts[1], inputs) if len(attempts) > 1 and attempts[1].is_exited else _remembered(old, latest),
        "ready": latest.is_running and latest.id in inputs.ready,
        "restartCount": latest.attempt,
        "image": latest.image or container["image"],
        "imageID": latest.image_ref,
        "containerID": f"containerd://{latest.id}",
        "started": latest.is_running and latest.id in inputs.started,
    }
    waiting = inputs.waiting.get(container["name"])
    if not latest.is_running and waiting is not None and not inputs.ended:
        if latest.is_exited:
            status["lastState"] = status["state"]
        status["state"] = _waiting(waiting)
    return status | _granted(container)


def _remembered(old: Object | None, latest: Container) -> Object:
    """The previous attempt may have been collected; the API still has it."""
    if old and old.get("restartCount") == latest.attempt:
        return dict(old.get("lastState") or {})
    return {}


def _without_container(pod: Object, container: Object, runtime: PodRuntime, inputs: StatusInputs, old: Object | None) -> Object:
    base: Object = {
        "name": container["name"],
        "state": {},
        "lastState": {},
        "ready": False,
        "restartCount": 0,
        "image": container["image"],
        "imageID": "",
        "started": False,
    }
    if old and old.get("containerID"):
        base |= {key: old[key] for key in ("restartCount", "image", "imageID", "containerID", "lastState") if key in old}
    if old and "terminated" in (old.get("state") or {}) and not inputs.waiting.get(container["name"]):
        return base | {"state": old["state"]} | _granted(container)
    if inputs.ended and _was_due(pod, container, runtime, inputs):
        return base | {"state": {"terminated": _lost()}} | _granted(container)
    return base | {"state": _waiting(inputs.waiting.get(container["name"]) or _turn(pod, container, inputs))}


def _was_due(pod: Object, container: Object, runtime: PodRuntime, inputs: StatusInputs) -> bool:
    """Whether the container should have run by the end of its pod: one whose turn never came still waits for it."""
    init = pod_spec.init_containers(pod)
    if not init or inputs.initialized:
        return True
    names = [each["name"] for each in init]
    if container["name"] not in names:
        return False
    return any(runtime.latest(name) for name in names[names.index(container["name"]) + 1 :])


def _turn(pod: Object, container: Object, inputs: StatusInputs) -> Waiting:
    if pod_spec.init_containers(pod) and not inputs.initialized:
        return Waiting("PodInitializing")
    return Waiting("ContainerCreating")


def _lost() -> Object:
    return {
        "exitCode": UNKNOWN_EXIT_CODE, "reason": LOST_REASON, "message": LOST_MESSAGE, "startedAt": None, "finishedAt": None,
    }  # fmt: skip


def _waiting(waiting: Waiting) -> Object:
    return {"waiting": {"reason": waiting.reason} | ({"message": waiting.message} if waiting.message else {})}


def _state(container: Container, inputs: StatusInputs) -> Object:
    if container.state == "RUNNING":
        return {"running": {"startedAt": _moment(container.started_at)}}
    if container.state == "CREATED":
        return {"waiting": {"reason": "ContainerCreating"}}
    if container.state == "UNKNOWN":
        return {"waiting": {"reason": LOST_REASON, "message": "The runtime does not know the container's state"}}
    ended: Object = {
        "exitCode": container.exit_code,
        "reason": container.reason or ("Completed" if container.exit_code == 0 else "Error"),
        "startedAt": _moment(container.started_at),
        "finishedAt": _moment(container.finished_at),
        "containerID": f"containerd://{container.id}",
    }
    message = inputs.messages.get(container.id) or container.message
    return {"terminated": ended | ({"message": message} if message else {})}


def _moment(nanoseconds: int) -> str | None:
    return format_time(datetime.fromtimestamp(nanoseconds / 1e9, UTC)) if nanoseconds > 0 else format_time(datetime.fromtimestamp(0, UTC))


def _granted(container: Object) -> Object:
    """What the container was given, as in-place resizing and mounts show it. Without `resources` no pod would be resized."""
    wanted = container.get("resources") or {}
    granted: Object = {"resources": {key: value for key, value in wanted.items() if key in ("limits", "requests")}}
    if wanted and (asked := resources.requests(container)):
        granted["allocatedResources"] = asked
    if mounts := container.get("volumeMounts"):
        granted["volumeMounts"] = [_mount_status(each) for each in mounts]
    return granted


def _mount_status(mount: Object) -> Object:
    status: dict[str, Any] = {"name": mount["name"], "mountPath": mount["mountPath"]}
    if mount.get("readOnly"):
        recursive = mount.get("recursiveReadOnly") or "Disabled"
        status |= {"readOnly": True, "recursiveReadOnly": "Disabled" if recursive == "IfPossible" else recursive}
    return status


def container_state(status: Object) -> str:
    """`running`, `terminated` or `waiting`."""
    return next(iter(status.get("state") or {}), "waiting")
