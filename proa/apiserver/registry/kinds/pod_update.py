"""What the main endpoint may change of a pod: images, a shorter deadline, more tolerations, fewer scheduling gates; nothing else."""

from typing import Any

import orjson

from proa.api.errors import Cause, forbidden, invalid
from proa.api.meta import Object

_UPDATABLE = (
    "`spec.containers[*].image`,`spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,"
    "`spec.tolerations` (only additions to existing tolerations),"
    "`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)"
)


def validate_pod_change(new: Object, old: Object) -> list[Cause]:
    """Causes against what the main endpoint may not change."""
    causes: list[Cause] = []
    for field in ("containers", "initContainers", "ephemeralContainers"):
        if len(new.get(field) or ()) != len(old.get(field) or ()):
            detail = f"pod updates may not add or remove {'containers' if field != 'ephemeralContainers' else 'ephemeral containers'}"
            return [forbidden(f"spec.{field}", detail)]
    deadline = _validate_deadline(new.get("activeDeadlineSeconds"), old.get("activeDeadlineSeconds"))
    causes += deadline + _validate_gates(new, old) + _validate_tolerations(new, old)
    expected = _with_allowed_changes(new, old)
    if expected != old:
        difference = _difference(expected, old, "spec")
        causes.append(forbidden("spec", f"pod updates may not change fields other than {_UPDATABLE}\n{difference}"))
    return causes


def _with_allowed_changes(new: Object, old: Object) -> Object:
    """`new` with everything that may change set back to what it was."""
    put_back = dict(new)
    for name in ("containers", "initContainers"):
        pairs = zip(new.get(name) or (), old.get(name) or (), strict=False)
        restored = [fresh | {"image": former.get("image")} for fresh, former in pairs]
        if name in new:
            put_back[name] = restored
    fields = ["activeDeadlineSeconds", "tolerations", "schedulingGates"]
    if old.get("terminationGracePeriodSeconds", 0) < 0 and new.get("terminationGracePeriodSeconds") == 1:
        fields.append("terminationGracePeriodSeconds")
    if old.get("schedulingGates"):
        fields += [field for field in ("nodeSelector", "affinity") if _narrower(field, new, old)]
    for field in fields:
        put_back.pop(field, None)
        if field in old:
            put_back[field] = old[field]
    return put_back


def _narrower(field: str, new: Object, old: Object) -> bool:
    """A gated pod's node selector may gain pairs; required node affinity may be set where there was none, or gain expressions."""
    if field == "nodeSelector":
        return (old.get(field) or {}).items() <= (new.get(field) or {}).items()
    former, fresh = _required_terms(old), _required_terms(new)
    if not former:
        return True
    return len(former) == len(fresh) and all(
        all(expression in (after.get(kind) or []) for expression in before.get(kind) or [])
        for before, after in zip(former, fresh, strict=True)
        for kind in ("matchExpressions", "matchFields")
    )


def _required_terms(spec: Object) -> list[Object]:
    node = (spec.get("affinity") or {}).get("nodeAffinity") or {}
    terms: list[Object] = (node.get("requiredDuringSchedulingIgnoredDuringExecution") or {}).get("nodeSelectorTerms") or []
    return terms


def _validate_deadline(new: int | None, old: int | None) -> list[Cause]:
    path = "spec.activeDeadlineSeconds"
    if old is None or new == old:
        return []
    if new is None:
        return [invalid(path, new, "must not update from a positive integer to nil value")]
    return [invalid(path, new, f"must be less than or equal to previous value {old}")] if new > old else []


def _validate_gates(new: Object, old: Object) -> list[Cause]:
    former = [gate.get("name") for gate in old.get("schedulingGates") or ()]
    fresh = [gate.get("name") for gate in new.get("schedulingGates") or ()]
    added = [name for name in fresh if name not in former]
    if not added:
        return []
    return [forbidden("spec.schedulingGates", f"only deletion is allowed, but found new scheduling gates {', '.join(map(str, added))}")]


def _validate_tolerations(new: Object, old: Object) -> list[Cause]:
    former, fresh = old.get("tolerations") or [], new.get("tolerations") or []
    bare = [{key: value for key, value in each.items() if key != "tolerationSeconds"} for each in fresh]
    for toleration in former:
        if toleration not in fresh and {key: value for key, value in toleration.items() if key != "tolerationSeconds"} not in bare:
            return [forbidden("spec.tolerations", "existing toleration can not be modified except its tolerationSeconds")]
    return []


def _difference(new: Any, old: Any, path: str) -> str:
    """The fields that differ, one a line: old after `-`, new after `+`."""
    if isinstance(new, dict) and isinstance(old, dict):
        keys = sorted(key for key in new.keys() | old.keys() if new.get(key) != old.get(key))
        return "\n".join(_difference(new.get(key), old.get(key), f"{path}.{key}") for key in keys)
    if isinstance(new, list) and isinstance(old, list) and len(new) == len(old):
        return "\n".join(_difference(new[i], old[i], f"{path}[{i}]") for i in range(len(new)) if new[i] != old[i])
    return f"  {path}:\n- \t{orjson.dumps(old).decode()}\n+ \t{orjson.dumps(new).decode()}"
