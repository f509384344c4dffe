"""How many pods a ReplicaSet creates or deletes, which ones go first, and what its status says: pure."""

import math
from collections import Counter
from collections.abc import Sequence
from datetime import datetime

from proa.api import meta
from proa.api.meta import Object
from proa.api.pod_annotations import DELETION_COST
from proa.controllers import pods
from proa.lib.clock import format_time, parse_time
from proa.lib.dataclass import dataclass

BURST = 500


@dataclass(frozen=True, slots=True)
class Scaling:
    """Create `create` pods, or delete these."""

    create: int = 0
    delete: tuple[Object, ...] = ()


def plan_scaling(replica_set: Object, active: Sequence[Object], related: Sequence[Object], now: datetime) -> Scaling:
    """`related` are pods of all ReplicaSets of the same owner: nodes with several of them lose theirs first."""
    difference = len(active) - desired_replicas(replica_set)
    if difference < 0:
        return Scaling(create=min(-difference, BURST))
    if difference == 0:
        return Scaling()
    count = min(difference, BURST)
    ranked = rank_for_deletion(active, related, now) if count < len(active) else list(active)
    return Scaling(delete=tuple(ranked[:count]))


def desired_replicas(replica_set: Object) -> int:
    replicas = replica_set.get("spec", {}).get("replicas")
    return 1 if replicas is None else int(replicas)


def rank_for_deletion(candidates: Sequence[Object], related: Sequence[Object], now: datetime) -> list[Object]:
    """Most dispensable first."""
    crowds = Counter(pods.node_name(pod) for pod in related if pods.is_active(pod) and pods.node_name(pod))
    return sorted(candidates, key=lambda pod: _dispensability(pod, crowds[pods.node_name(pod)], now))


_PHASES = {"Pending": 0, "Unknown": 1, "Running": 2}


def _dispensability(pod: Object, crowd: int, now: datetime) -> tuple[object, ...]:
    """Ages are compared by powers of two, so that the youngest pod is not always the victim; equal ages by UID."""
    created = parse_time(pod["metadata"]["creationTimestamp"]) if pod["metadata"].get("creationTimestamp") else now
    ready = pods.is_ready(pod)
    return (
        bool(pods.node_name(pod)),
        _PHASES.get(pods.phase(pod), 0),
        ready,
        _deletion_cost(pod),
        -crowd,
        _age_rank(pods.ready_since(pod) or now, now) if ready else 0,
        -pods.max_restarts(pod),
        _age_rank(created, now),
        meta.uid(pod),
    )


def _age_rank(since: datetime, now: datetime) -> int:
    seconds = (now - since).total_seconds()
    return int(math.log2(seconds)) if seconds >= 1 else -1


def _deletion_cost(pod: Object) -> int:
    try:
        return int(meta.annotations(pod).get(DELETION_COST, "0"))
    except ValueError:
        return 0


def pod_from_template(owner: Object) -> Object:
    template = owner["spec"]["template"]
    metadata = template.get("metadata") or {}
    created: Object = {"generateName": f"{meta.name(owner)}-", "namespace": meta.namespace(owner)}
    for field in ("labels", "annotations", "finalizers"):
        if metadata.get(field):
            created[field] = metadata[field]
    created["ownerReferences"] = [meta.owner_reference(owner)]
    return {"apiVersion": "v1", "kind": "Pod", "metadata": created, "spec": template.get("spec", {})}


def build_status(replica_set: Object, active: Sequence[Object], failure: str, difference: int, now: datetime) -> Object:
    """The status after a round; `failure` is what creating or deleting pods met, "" if nothing."""
    spec = replica_set["spec"]
    template_labels = (spec["template"].get("metadata") or {}).get("labels") or {}
    min_ready = int(spec.get("minReadySeconds") or 0)
    counts = {
        "fullyLabeledReplicas": sum(template_labels.items() <= meta.labels(pod).items() for pod in active),
        "readyReplicas": sum(pods.is_ready(pod) for pod in active),
        "availableReplicas": sum(pods.seconds_until_available(pod, min_ready, now) == 0 for pod in active),
    }
    status: Object = {"replicas": len(active)} | {field: count for field, count in counts.items() if count}
    if generation := replica_set["metadata"].get("generation"):
        status["observedGeneration"] = generation
    conditions = [each for each in replica_set.get("status", {}).get("conditions") or () if each["type"] != "ReplicaFailure"]
    if failure:
        conditions.append(_failure_condition(replica_set, failure, difference, now))
    if conditions:
        status["conditions"] = conditions
    return status


def _failure_condition(replica_set: Object, failure: str, difference: int, now: datetime) -> Object:
    """An earlier failure stays as it was first told."""
    old = meta.condition(replica_set, "ReplicaFailure")
    if old is not None:
        return old
    reason = "FailedCreate" if difference < 0 else "FailedDelete"
    return {"type": "ReplicaFailure", "status": "True", "reason": reason, "message": failure, "lastTransitionTime": format_time(now)}


def seconds_until_next_available(replica_set: Object, active: Sequence[Object], now: datetime) -> float | None:
    """When the next ready pod will have been ready for minReadySeconds."""
    min_ready = int(replica_set["spec"].get("minReadySeconds") or 0)
    remaining = [left for pod in active if (left := pods.seconds_until_available(pod, min_ready, now))]
    return min(remaining) if remaining else None
