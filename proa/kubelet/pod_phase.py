"""A pod's phase from its containers' statuses: the rules of the pod life-cycle documentation. Pure."""

from collections.abc import Mapping

from proa.api.meta import Object
from proa.kubelet import pod_spec
from proa.kubelet.container_status import container_state


def compute_phase(pod: Object, statuses: Mapping[str, Object], *, ended: bool) -> str:
    """`statuses` by container name; `ended`: no container will start again, whatever the policy."""
    policy = pod_spec.restart_policy(pod)
    pending, failed = _initialization(pod, statuses)
    if failed and (policy == "Never" or ended):
        return "Failed"
    kinds = [_kind(statuses.get(each["name"])) for each in pod_spec.containers(pod)]
    running, stopped, succeeded = kinds.count("running"), len([k for k in kinds if k in ("failed", "succeeded")]), kinds.count("succeeded")
    if (pending and not (running or stopped)) or "waiting" in kinds:
        return "Pending"
    if running:
        return "Running"
    if not stopped:
        return "Pending"
    return _after_all_stopped(pod, statuses, policy, succeeded == stopped, ended)


def _after_all_stopped(pod: Object, statuses: Mapping[str, Object], policy: str, all_succeeded: bool, ended: bool) -> str:
    sidecars_run = any(_kind(statuses.get(each["name"])) == "running" for each in pod_spec.sidecars(pod))
    if ended:
        return "Succeeded" if all_succeeded else "Failed"
    if policy == "Always" or sidecars_run:
        return "Running"
    if all_succeeded:
        return "Succeeded"
    return "Failed" if policy == "Never" else "Running"


def _initialization(pod: Object, statuses: Mapping[str, Object]) -> tuple[int, int]:
    """(init containers that are still to succeed or start, that failed)."""
    pending = failed = 0
    for container in pod_spec.init_containers(pod):
        status = statuses.get(container["name"])
        kind = _kind(status)
        if pod_spec.is_sidecar(container):
            pending += kind == "waiting" or (kind == "running" and not (status or {}).get("started"))
        elif kind == "failed":
            failed += 1
        elif kind != "succeeded":
            last = ((status or {}).get("lastState") or {}).get("terminated")
            failed += bool(last and last["exitCode"] != 0 and container_state(status or {}) == "waiting")
            pending += 1
    return pending, failed


def _kind(status: Object | None) -> str:
    """running, waiting, succeeded or failed. A container that waits for its restart counts as what it ended as."""
    if not status:
        return "waiting"
    state = status.get("state") or {}
    if "running" in state:
        return "running"
    ended = state.get("terminated") or ((status.get("lastState") or {}).get("terminated"))
    if not ended:
        return "waiting"
    return "succeeded" if ended.get("exitCode") == 0 else "failed"
