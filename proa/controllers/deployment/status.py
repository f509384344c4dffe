"""What a Deployment's status says: counts, Available, Progressing and its deadline, ReplicaFailure. Pure."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from proa.api import meta
from proa.api.meta import Object
from proa.controllers.deployment import arithmetic as count
from proa.lib.clock import format_time, parse_time

NO_DEADLINE = 2**31 - 1
NEW_AVAILABLE = "NewReplicaSetAvailable"
TIMED_OUT = "ProgressDeadlineExceeded"


def condition(type_: str, status: str, reason: str, message: str, now: datetime) -> Object:
    moment = format_time(now)
    return {
        "type": type_, "status": status, "lastUpdateTime": moment, "lastTransitionTime": moment, "reason": reason, "message": message,
    }  # fmt: skip


def with_condition(status: Object, new: Object) -> Object:
    """The status with `new` in it, unless the same status and reason are there already."""
    old = meta.condition({"status": status}, new["type"])
    if old is not None and (old["status"], old.get("reason")) == (new["status"], new["reason"]):
        return status
    if old is not None and old["status"] == new["status"]:
        new = {**new, "lastTransitionTime": old["lastTransitionTime"]}
    return {**status, "conditions": [*without_condition(status, new["type"]), new]}


def without_condition(status: Object, type_: str) -> list[Object]:
    return [each for each in status.get("conditions") or () if each["type"] != type_]


def has_deadline(deployment: Object) -> bool:
    deadline = deployment["spec"].get("progressDeadlineSeconds")
    return deadline is not None and deadline != NO_DEADLINE


def counted_status(deployment: Object, new: Object | None, replica_sets: Sequence[Object], now: datetime) -> Object:
    """Counts and the Available condition; other conditions as they were."""
    available = count.total_status(replica_sets, "availableReplicas")
    counts = {
        "replicas": count.total_status(replica_sets, "replicas"),
        "updatedReplicas": count.status_of(new, "replicas") if new is not None else 0,
        "readyReplicas": count.total_status(replica_sets, "readyReplicas"),
        "availableReplicas": available,
        "unavailableReplicas": max(0, count.total_size(replica_sets) - available),
    }
    status: Object = {field: number for field, number in counts.items() if number}
    status["terminatingReplicas"] = count.total_status(replica_sets, "terminatingReplicas")
    status["observedGeneration"] = deployment["metadata"].get("generation", 0)
    old = deployment.get("status", {})
    status |= {field: old[field] for field in ("collisionCount", "conditions") if old.get(field)}
    return with_condition(status, _availability(deployment, available, now))


def _availability(deployment: Object, available: int, now: datetime) -> Object:
    if available >= count.desired(deployment) - count.max_unavailable(deployment):
        return condition("Available", "True", "MinimumReplicasAvailable", "Deployment has minimum availability.", now)
    return condition("Available", "False", "MinimumReplicasUnavailable", "Deployment does not have minimum availability.", now)


def rollout_status(deployment: Object, new: Object | None, replica_sets: Sequence[Object], now: datetime) -> Object:
    """`counted_status` with Progressing and ReplicaFailure brought up to date."""
    status = counted_status(deployment, new, replica_sets, now)
    if not has_deadline(deployment):
        status["conditions"] = without_condition(status, "Progressing")
    elif not _was_complete(deployment, status):
        status = _progressed(deployment, new, status, now)
    return _with_failure(status, new, replica_sets)


def _was_complete(deployment: Object, status: Object) -> bool:
    current = meta.condition(deployment, "Progressing")
    settled = status.get("replicas", 0) == status.get("updatedReplicas", 0)
    return settled and current is not None and current.get("reason") == NEW_AVAILABLE


def _progressed(deployment: Object, new: Object | None, status: Object, now: datetime) -> Object:
    subject = f'ReplicaSet "{meta.name(new)}"' if new is not None else f'Deployment "{meta.name(deployment)}"'
    if is_complete(deployment, status):
        return with_condition(status, condition("Progressing", "True", NEW_AVAILABLE, f"{subject} has successfully progressed.", now))
    if _has_moved(deployment, status):
        return _refreshed(deployment, status, condition("Progressing", "True", "ReplicaSetUpdated", f"{subject} is progressing.", now))
    if has_timed_out(deployment, status, now):
        return with_condition(status, condition("Progressing", "False", TIMED_OUT, f"{subject} has timed out progressing.", now))
    return status


def _refreshed(deployment: Object, status: Object, new: Object) -> Object:
    """Progress moves lastUpdateTime even if status and reason stay."""
    current = meta.condition(deployment, "Progressing")
    if current is not None and current["status"] == "True":
        new = {**new, "lastTransitionTime": current["lastTransitionTime"]}
    return {**status, "conditions": [*without_condition(status, "Progressing"), new]}


def is_complete(deployment: Object, status: Object) -> bool:
    wanted = count.desired(deployment)
    counts = [status.get(field, 0) for field in ("updatedReplicas", "replicas", "availableReplicas")]
    return counts == [wanted] * 3 and status["observedGeneration"] >= deployment["metadata"].get("generation", 0)


def _has_moved(deployment: Object, status: Object) -> bool:
    old = deployment.get("status", {})
    before, now = _progress(old), _progress(status)
    return now[0] > before[0] or now[1] < before[1] or now[2] > before[2] or now[3] > before[3]


def _progress(status: Object) -> tuple[int, int, int, int]:
    updated = status.get("updatedReplicas", 0)
    return updated, status.get("replicas", 0) - updated, status.get("readyReplicas", 0), status.get("availableReplicas", 0)


def has_timed_out(deployment: Object, status: Object, now: datetime) -> bool:
    current = meta.condition({"status": status}, "Progressing")
    if not has_deadline(deployment) or current is None or current.get("reason") == NEW_AVAILABLE:
        return False
    return current.get("reason") == TIMED_OUT or _deadline(deployment, current) < now


def _deadline(deployment: Object, current: Object) -> datetime:
    return parse_time(current["lastUpdateTime"]) + timedelta(seconds=deployment["spec"]["progressDeadlineSeconds"])


def seconds_until_deadline(deployment: Object, status: Object, now: datetime) -> float | None:
    """When to look again whether progress has stalled."""
    current = meta.condition(deployment, "Progressing")
    if not has_deadline(deployment) or current is None or is_complete(deployment, status) or current.get("reason") == TIMED_OUT:
        return None
    return max(0.0, (_deadline(deployment, current) - now).total_seconds()) + 1


def _with_failure(status: Object, new: Object | None, replica_sets: Sequence[Object]) -> Object:
    """ReplicaFailure is handed on from the new ReplicaSet, else from any."""
    conditions = without_condition(status, "ReplicaFailure")
    ordered = [*([new] if new is not None else []), *replica_sets]
    failure = next((found for each in ordered if (found := meta.condition(each, "ReplicaFailure"))), None)
    if failure is not None:
        conditions.append({**failure, "lastUpdateTime": failure["lastTransitionTime"]})
    return {**status, "conditions": conditions}


def paused_condition(deployment: Object, now: datetime) -> Object | None:
    """The Progressing condition that pausing or resuming brings, so that the deadline does not run meanwhile; None if nothing changes."""
    current = meta.condition(deployment, "Progressing")
    if not has_deadline(deployment) or (current is not None and current.get("reason") == TIMED_OUT):
        return None
    says_paused = current is not None and current.get("reason") == "DeploymentPaused"
    if deployment["spec"].get("paused") and not says_paused:
        return condition("Progressing", "Unknown", "DeploymentPaused", "Deployment is paused", now)
    if not deployment["spec"].get("paused") and says_paused:
        return condition("Progressing", "Unknown", "DeploymentResumed", "Deployment is resumed", now)
    return None
