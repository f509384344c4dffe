"""The numbers of a rollout: surge and unavailability resolved, proportions of a scaling Deployment. Pure."""

from collections.abc import Iterable

from proa.api import meta
from proa.api.int_or_string import scaled_value
from proa.api.meta import Object


def desired(deployment: Object) -> int:
    replicas = deployment["spec"].get("replicas")
    return 1 if replicas is None else int(replicas)


def size(replica_set: Object) -> int:
    """The replicas that a ReplicaSet was told to have."""
    return int(replica_set["spec"].get("replicas") or 0)


def total_size(replica_sets: Iterable[Object]) -> int:
    return sum(size(each) for each in replica_sets)


def status_of(obj: Object, field: str) -> int:
    return int(obj.get("status", {}).get(field) or 0)


def total_status(replica_sets: Iterable[Object], field: str) -> int:
    return sum(status_of(each, field) for each in replica_sets)


def is_rolling(deployment: Object) -> bool:
    return bool(deployment["spec"].get("strategy", {}).get("type", "RollingUpdate") == "RollingUpdate")


def _fenceposts(deployment: Object) -> tuple[int, int]:
    """(surge, unavailable): surge rounds up, unavailable down, and not both are 0, or nothing could move."""
    rolling = deployment["spec"].get("strategy", {}).get("rollingUpdate") or {}
    total = desired(deployment)
    surge = scaled_value(rolling.get("maxSurge", "25%"), total, round_up=True)
    unavailable = scaled_value(rolling.get("maxUnavailable", "25%"), total, round_up=False)
    return (surge, 1) if not surge and not unavailable else (surge, unavailable)


def max_surge(deployment: Object) -> int:
    return _fenceposts(deployment)[0] if is_rolling(deployment) else 0


def max_unavailable(deployment: Object) -> int:
    if not is_rolling(deployment) or not desired(deployment):
        return 0
    return min(_fenceposts(deployment)[1], desired(deployment))


def new_size(deployment: Object, replica_sets: Iterable[Object], new: int) -> int:
    """How large the new ReplicaSet may be now, given that it has `new` replicas and all have what they have."""
    if not is_rolling(deployment):
        return desired(deployment)
    room = desired(deployment) + max_surge(deployment) - total_size(replica_sets)
    return new if room <= 0 else new + min(room, desired(deployment) - new)


def proportion(deployment: Object, replica_set: Object, to_add: int, added: int, before: int) -> int:
    """The share of `to_add` (negative when shrinking) for this ReplicaSet; `before` is the total that its size was part of."""
    if not size(replica_set) or not to_add or to_add == added:
        return 0
    fraction = _fraction(deployment, replica_set, before)
    allowed = to_add - added
    return min(fraction, allowed) if to_add > 0 else max(fraction, allowed)


def _fraction(deployment: Object, replica_set: Object, before: int) -> int:
    if not desired(deployment):
        return -size(replica_set)
    if not before:
        return 0
    scaled = size(replica_set) * (desired(deployment) + max_surge(deployment)) / before
    return int(scaled + 0.5) - size(replica_set)


def annotation_number(obj: Object, annotation: str) -> int | None:
    try:
        return int(meta.annotations(obj)[annotation])
    except (KeyError, ValueError):
        return None
