"""What sizes the ReplicaSets of a Deployment get in one step: rolling update, recreation, proportional scaling. Pure.

Every function returns a list of `Resize` in the order in which they are to happen; an empty list means that nothing moves now.
"""

from collections.abc import Sequence

from proa.api import meta
from proa.api.meta import Object
from proa.controllers.deployment import arithmetic as count
from proa.controllers.deployment.revisions import DESIRED_REPLICAS, MAX_REPLICAS, by_age
from proa.lib.dataclass import dataclass


@dataclass(frozen=True, slots=True)
class Resize:
    """Give this ReplicaSet that many replicas."""

    replica_set: Object
    replicas: int


def resize_new(deployment: Object, new: Object, old: Sequence[Object]) -> list[Resize]:
    """Grow the new one as far as surge allows, or shrink it to what is wanted."""
    have, wanted = count.size(new), count.desired(deployment)
    if have == wanted:
        return []
    replicas = wanted if have > wanted else count.new_size(deployment, [*old, new], have)
    return [] if replicas == have else [Resize(new, replicas)]


def shrink_old(deployment: Object, new: Object, old: Sequence[Object]) -> list[Resize]:
    """Take from the old ones what availability allows: first what is not available anyway, then the oldest."""
    if not count.total_size(old):
        return []
    minimum = count.desired(deployment) - count.max_unavailable(deployment)
    new_unavailable = count.size(new) - count.status_of(new, "availableReplicas")
    budget = count.total_size([*old, new]) - minimum - new_unavailable
    if budget <= 0:
        return []
    sizes = {meta.uid(each): count.size(each) for each in old}
    for each in by_age(old):
        unhealthy = sizes[meta.uid(each)] - count.status_of(each, "availableReplicas")
        taken = max(0, min(budget, unhealthy))
        sizes[meta.uid(each)] -= taken
        budget -= taken
    spare = count.total_status([*old, new], "availableReplicas") - minimum
    for each in by_age(old):
        taken = max(0, min(spare, sizes[meta.uid(each)]))
        sizes[meta.uid(each)] -= taken
        spare -= taken
    return [Resize(each, sizes[meta.uid(each)]) for each in by_age(old) if sizes[meta.uid(each)] != count.size(each)]


def drop_old(old: Sequence[Object]) -> list[Resize]:
    """All old ones to zero: the first half of Recreate."""
    return [Resize(each, 0) for each in old if count.size(each)]


def needs_scaling(deployment: Object, replica_sets: Sequence[Object]) -> bool:
    """Whether spec.replicas changed since the ReplicaSets were last sized: to be told from a rollout."""
    noted = [count.annotation_number(each, DESIRED_REPLICAS) for each in replica_sets if count.size(each)]
    return any(each is not None and each != count.desired(deployment) for each in noted)


def scale(deployment: Object, new: Object | None, old: Sequence[Object]) -> list[Resize]:
    """Follow a change of spec.replicas outside of a rollout, or in the middle of one in proportion."""
    active_old = [each for each in by_age(old) if count.size(each)]
    active = [*active_old, *([new] if new is not None and count.size(new) else [])]
    if len(active) <= 1:
        only = active[0] if active else new or (by_age(old)[-1] if old else None)
        wanted = count.desired(deployment)
        return [Resize(only, wanted)] if only is not None else []
    if new is not None and _is_saturated(deployment, new):
        return drop_old(active_old)
    return _proportional(deployment, active) if count.is_rolling(deployment) else []


def _is_saturated(deployment: Object, new: Object) -> bool:
    wanted = count.desired(deployment)
    noted = count.annotation_number(new, DESIRED_REPLICAS)
    return count.size(new) == wanted and noted == wanted and count.status_of(new, "availableReplicas") == wanted


def _proportional(deployment: Object, active: Sequence[Object]) -> list[Resize]:
    """Bigger ones get the bigger share (newer first when growing, older first when shrinking); the first takes the rounding."""
    wanted = count.desired(deployment)
    to_add = (wanted + count.max_surge(deployment) if wanted else 0) - count.total_size(active)
    aged = by_age(active) if to_add < 0 else by_age(active)[::-1]
    ordered = sorted(aged, key=count.size, reverse=True)
    sizes, added = [], 0
    for each in ordered:
        before = count.annotation_number(each, MAX_REPLICAS) or count.status_of(deployment, "replicas")
        share = count.proportion(deployment, each, to_add, added, before)
        sizes.append(count.size(each) + share)
        added += share
    if to_add:
        sizes[0] = max(0, sizes[0] + to_add - added)
    return [Resize(each, replicas) for each, replicas in zip(ordered, sizes, strict=True)]
