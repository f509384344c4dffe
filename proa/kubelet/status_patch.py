"""The smallest strategic merge patch that turns a pod's old status into the new one, leaving other writers' conditions alone. Pure."""

from typing import Any

from proa.api import meta
from proa.api.meta import Object

_KEYED = {"conditions": "type", "podIPs": "ip", "hostIPs": "ip"}


def build_status_patch(pod: Object, status: Object) -> Object | None:
    """None if nothing changed. The uid makes it a conflict to hit a pod of the same name that came later."""
    old = pod.get("status") or {}
    changes: dict[str, Any] = {}
    for name in sorted({*old, *status}):
        if name not in status:
            changes[name] = None
        elif name not in old or not same(old[name], status[name]):
            key = _KEYED.get(name)
            changes[name] = _merged_list(old.get(name) or [], status[name], key) if key else status[name]
    return {"metadata": {"uid": meta.uid(pod)}, "status": changes} if changes else None


def same(left: Any, right: Any) -> bool:
    """Equal but for members that are null, empty or absent: a server may leave those out."""
    if isinstance(left, dict) and isinstance(right, dict):
        return all(same(left.get(key), right.get(key)) for key in {*left, *right})
    if isinstance(left, list) and isinstance(right, list):
        return len(left) == len(right) and all(map(same, left, right))
    return left == right or (not left and not right and not isinstance(left, bool) and not isinstance(right, bool) and _empty(left, right))


def _empty(left: Any, right: Any) -> bool:
    return all(value in (None, "", {}, []) for value in (left, right))


def _merged_list(old: list[Object], new: list[Object], key: str) -> list[Object]:
    before = {each[key]: each for each in old}
    gone = [{"$patch": "delete", key: name} for name in before if name not in {each[key] for each in new}]
    return gone + [_cleared(before.get(each[key]), each) for each in new if not same(before.get(each[key]), each)]


def _cleared(old: Object | None, new: Object) -> Object:
    """Members that went away are said to be null, as the merge would keep them."""
    return {name: None for name in old or {} if name not in new} | new
