"""What every object has: reading and writing of ObjectMeta and conditions on plain dicts, so that no caller spells the paths out."""

from typing import Any

Object = dict[str, Any]


def metadata(obj: Object) -> Object:
    meta: Object = obj.setdefault("metadata", {})
    return meta


def name(obj: Object) -> str:
    return str(obj.get("metadata", {}).get("name", ""))


def namespace(obj: Object) -> str:
    """The namespace, "" for cluster-scoped objects."""
    return obj.get("metadata", {}).get("namespace") or ""


def uid(obj: Object) -> str:
    return obj.get("metadata", {}).get("uid") or ""


def resource_version(obj: Object) -> str:
    return obj.get("metadata", {}).get("resourceVersion") or ""


def labels(obj: Object) -> dict[str, str]:
    """The labels, never None; change them through `metadata(obj)`."""
    return obj.get("metadata", {}).get("labels") or {}


def annotations(obj: Object) -> dict[str, str]:
    return obj.get("metadata", {}).get("annotations") or {}


def owner_references(obj: Object) -> list[Object]:
    return obj.get("metadata", {}).get("ownerReferences") or []


def controller_of(obj: Object) -> Object | None:
    """The owner reference with controller=true, if any."""
    return next((owner for owner in owner_references(obj) if owner.get("controller")), None)


def finalizers(obj: Object) -> list[str]:
    return obj.get("metadata", {}).get("finalizers") or []


def is_terminating(obj: Object) -> bool:
    return bool(obj.get("metadata", {}).get("deletionTimestamp"))


def key(obj: Object) -> str:
    """`namespace/name`, or `name` for cluster-scoped objects: the key of work queues and listers."""
    scope = namespace(obj)
    return f"{scope}/{name(obj)}" if scope else name(obj)


def split_key(key: str) -> tuple[str, str]:
    """(namespace, name) of a key; namespace is "" for cluster-scoped objects."""
    scope, _, own = key.rpartition("/")
    return scope, own


def owner_reference(owner: Object, *, controller: bool = True) -> Object:
    """A reference to `owner`, which must carry apiVersion and kind."""
    reference: Object = {"apiVersion": owner["apiVersion"], "kind": owner["kind"], "name": name(owner), "uid": uid(owner)}
    if controller:
        reference |= {"controller": True, "blockOwnerDeletion": True}
    return reference


def condition(obj: Object, type_: str) -> Object | None:
    """status.conditions[type], if present."""
    conditions = obj.get("status", {}).get("conditions") or []
    return next((each for each in conditions if each.get("type") == type_), None)


def set_condition(obj: Object, new: Object, now: str) -> bool:
    """Put `new` (type, status, reason, message) into status.conditions; lastTransitionTime moves only with the status.

    Returns whether anything changed.
    """
    conditions: list[Object] = obj.setdefault("status", {}).setdefault("conditions", [])
    for index, old in enumerate(conditions):
        if old.get("type") == new["type"]:
            transition = old.get("lastTransitionTime", now) if old.get("status") == new["status"] else now
            merged = old | new | {"lastTransitionTime": transition}
            conditions[index] = merged
            return merged != old
    conditions.append(new | {"lastTransitionTime": now})
    return True
