"""What may stand in the status of the controllers of pods: counts that aren't negative and fit together."""

from collections.abc import Sequence

from proa.api.errors import Cause, invalid
from proa.api.meta import Object
from proa.apiserver.registry.checks import not_negative

_DEPLOYMENT = ("observedGeneration", "replicas", "updatedReplicas", "readyReplicas", "availableReplicas", "unavailableReplicas",
               "terminatingReplicas", "collisionCount")  # fmt: skip
_REPLICA_SET = ("replicas", "fullyLabeledReplicas", "readyReplicas", "availableReplicas", "observedGeneration", "terminatingReplicas")
_STATEFUL_SET = ("replicas", "readyReplicas", "currentReplicas", "updatedReplicas", "availableReplicas", "observedGeneration",
                 "collisionCount")  # fmt: skip
_DAEMON_SET = ("currentNumberScheduled", "numberMisscheduled", "desiredNumberScheduled", "numberReady", "observedGeneration",
               "updatedNumberScheduled", "numberAvailable", "numberUnavailable", "collisionCount")  # fmt: skip


def check_deployment_status(obj: Object, old: Object) -> list[Cause]:
    limited = ("updatedReplicas", "readyReplicas", "availableReplicas")
    return _check_counts(obj, _DEPLOYMENT, limited, "readyReplicas") + _check_collisions(obj, old)


def check_replicas_status(obj: Object, old: Object) -> list[Cause]:
    """Of ReplicaSets and ReplicationControllers."""
    return _check_counts(obj, _REPLICA_SET, ("fullyLabeledReplicas", "readyReplicas", "availableReplicas"), "readyReplicas")


def check_stateful_status(obj: Object, old: Object) -> list[Cause]:
    limited = ("readyReplicas", "currentReplicas", "updatedReplicas", "availableReplicas")
    return _check_counts(obj, _STATEFUL_SET, limited, "status.readyReplicas") + _check_collisions(obj, old)


def check_daemon_status(obj: Object, old: Object) -> list[Cause]:
    return _check_counts(obj, _DAEMON_SET, (), "") + _check_collisions(obj, old)


def _check_counts(obj: Object, fields: Sequence[str], limited: Sequence[str], ready: str) -> list[Cause]:
    status = obj.get("status") or {}
    causes = [cause for field in fields for cause in not_negative(f"status.{field}", status.get(field))]
    total = status.get("replicas") or 0
    causes += [
        invalid(f"status.{field}", status.get(field) or 0, "cannot be greater than status.replicas")
        for field in limited
        if (status.get(field) or 0) > total
    ]
    available = status.get("availableReplicas") or 0
    if ready and available > (status.get("readyReplicas") or 0):
        causes.append(invalid("status.availableReplicas", available, f"cannot be greater than {ready}"))
    return causes


def _check_collisions(obj: Object, old: Object) -> list[Cause]:
    new, former = (obj.get("status") or {}).get("collisionCount"), (old.get("status") or {}).get("collisionCount")
    if former is None or (new is not None and new >= former):
        return []
    return [invalid("status.collisionCount", new or 0, "cannot be decremented")]
