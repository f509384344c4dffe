"""The link between a Deployment and its ReplicaSets: which one is new, its hash and name, revision and replica annotations. Pure."""

import hashlib
from collections.abc import Sequence
from typing import Any

import orjson

from proa.api import meta
from proa.api.meta import Object
from proa.controllers.deployment.arithmetic import desired, max_surge

HASH_LABEL = "pod-template-hash"
REVISION = "deployment.kubernetes.io/revision"
REVISION_HISTORY = "deployment.kubernetes.io/revision-history"
DESIRED_REPLICAS = "deployment.kubernetes.io/desired-replicas"
MAX_REPLICAS = "deployment.kubernetes.io/max-replicas"
NOT_COPIED = {
    "kubectl.kubernetes.io/last-applied-configuration", REVISION, REVISION_HISTORY, DESIRED_REPLICAS, MAX_REPLICAS,
    "deprecated.deployment.rollback.to",
}  # fmt: skip
_SAFE = "bcdfghjklmnpqrstvwxz2456789"
_HISTORY_LIMIT = 2000


def template_hash(template: Object, collisions: int) -> str:
    """Stable for equal templates, without vowels, so that it spells nothing."""
    encoded = orjson.dumps([template, collisions], option=orjson.OPT_SORT_KEYS)
    number = int.from_bytes(hashlib.blake2b(encoded, digest_size=4).digest(), "big")
    return "".join(_SAFE[ord(digit) % len(_SAFE)] for digit in str(number))


def without_hash(template: Object) -> Object:
    metadata = template.get("metadata") or {}
    labels = {key: value for key, value in (metadata.get("labels") or {}).items() if key != HASH_LABEL}
    rest = {key: value for key, value in metadata.items() if key not in ("labels", "creationTimestamp")}
    return {**template, "metadata": {**rest, "labels": labels}}


def same_template(one: Object, other: Object) -> bool:
    return without_hash(one) == without_hash(other)


def find_new(deployment: Object, replica_sets: Sequence[Object]) -> Object | None:
    """The oldest ReplicaSet with the Deployment's template, so that a clash of several settles on one."""
    template = without_hash(deployment["spec"]["template"])
    return next((each for each in by_age(replica_sets) if without_hash(each["spec"]["template"]) == template), None)


def by_age(replica_sets: Sequence[Object]) -> list[Object]:
    return sorted(replica_sets, key=lambda each: (each["metadata"].get("creationTimestamp", ""), meta.name(each)))


def revision(obj: Object) -> int:
    try:
        return int(meta.annotations(obj).get(REVISION, "0"))
    except ValueError:
        return 0


def next_revision(old: Sequence[Object]) -> int:
    return max((revision(each) for each in old), default=0) + 1


def new_replica_set(deployment: Object, number: int, replicas: int) -> Object:
    """What to create for the Deployment's template."""
    spec = deployment["spec"]
    digest = template_hash(spec["template"], int(deployment.get("status", {}).get("collisionCount") or 0))
    template = _labelled(spec["template"], digest)
    selector = {**spec["selector"], "matchLabels": {**(spec["selector"].get("matchLabels") or {}), HASH_LABEL: digest}}
    created: Object = {
        "apiVersion": "apps/v1",
        "kind": "ReplicaSet",
        "metadata": {
            "name": f"{meta.name(deployment)}-{digest}",
            "namespace": meta.namespace(deployment),
            "labels": template["metadata"]["labels"],
            "annotations": {**_copied(deployment), REVISION: str(number), **replica_annotations(deployment)},
            "ownerReferences": [meta.owner_reference(deployment)],
        },
        "spec": {"replicas": replicas, "selector": selector, "template": template},
    }
    if spec.get("minReadySeconds"):
        created["spec"]["minReadySeconds"] = spec["minReadySeconds"]
    return created


def _labelled(template: Object, digest: str) -> Object:
    metadata = template.get("metadata") or {}
    return {**template, "metadata": {**metadata, "labels": {**(metadata.get("labels") or {}), HASH_LABEL: digest}}}


def _copied(deployment: Object) -> dict[str, str]:
    return {key: value for key, value in meta.annotations(deployment).items() if key not in NOT_COPIED}


def replica_annotations(deployment: Object) -> dict[str, str]:
    wanted = desired(deployment)
    return {DESIRED_REPLICAS: str(wanted), MAX_REPLICAS: str(wanted + max_surge(deployment))}


def annotation_changes(deployment: Object, replica_set: Object, number: int) -> dict[str, str]:
    """What the new ReplicaSet's annotations lack; a revision only ever rises, and the one it had goes into the history."""
    have = meta.annotations(replica_set)
    changes = {key: value for key, value in _copied(deployment).items() if have.get(key) != value}
    if revision(replica_set) < number:
        changes[REVISION] = str(number)
        if have.get(REVISION):
            changes[REVISION_HISTORY] = _history(have.get(REVISION_HISTORY, ""), have[REVISION])
    return changes


def _history(history: str, number: str) -> str:
    entries = [*(history.split(",") if history else []), number]
    while len(",".join(entries)) > _HISTORY_LIMIT:
        entries.pop(0)
    return ",".join(entries)


def to_clean_up(deployment: Object, old: Sequence[Object]) -> list[Object]:
    """Old ReplicaSets beyond revisionHistoryLimit, the lowest revisions first; never one that still has pods."""
    limit: Any = deployment["spec"].get("revisionHistoryLimit")
    alive = [each for each in old if not meta.is_terminating(each)]
    if limit is None or len(alive) <= limit:
        return []
    ordered = sorted(by_age(alive), key=revision)
    return [each for each in ordered[: len(alive) - int(limit)] if _is_spent(each)]


def _is_spent(replica_set: Object) -> bool:
    status = replica_set.get("status", {})
    observed = status.get("observedGeneration", 0) >= replica_set["metadata"].get("generation", 0)
    return not status.get("replicas") and not replica_set["spec"].get("replicas") and observed
