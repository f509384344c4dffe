"""What the main endpoint may change of a pod: images, a shorter deadline, more tolerations, fewer scheduling gates; nothing else."""

from typing import Any

import orjson

from proa.api.errors import Cause, forbidden, invalid
from proa.api.meta import Object
from proa.api.names import out_of_range
from proa.apiserver.registry.kinds.pod_gated import validate_gated_change, with_old_placement
from proa.apiserver.registry.pod_spec.validation import validate_pod_spec
from proa.apiserver.registry.strategy import not_kept

_MAX_INT32 = 2147483647
_UPDATABLE = (
    "`spec.containers[*].image`,`spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,"
    "`spec.tolerations` (only additions to existing tolerations),"
    "`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)"
)


def validate_changed_spec(new: Object, old: Object) -> list[Cause]:
    """What is wrong with the spec, but for what was wrong before."""
    causes = validate_pod_spec(new, "spec", is_pod=True)
    return not_kept(causes, validate_pod_spec(old, "spec", is_pod=True)) if causes else []


def validate_pod_change(new: Object, old: Object) -> list[Cause]:
    """Causes against what the main endpoint may not change."""
    for field in ("containers", "initContainers"):
        if len(new.get(field) or ()) != len(old.get(field) or ()):
            return [forbidden(f"spec.{field}", "pod updates may not add or remove containers")]
    causes, stop = _validate_deadline(new.get("activeDeadlineSeconds"), old.get("activeDeadlineSeconds"))
    if stop:
        return causes
    causes += _validate_tolerations(new, old) + _validate_gates(new, old)
    expected = _with_allowed_changes(new, old)
    if old.get("schedulingGates"):
        causes += validate_gated_change(new, old)
        with_old_placement(expected, old)
    if expected != old:
        told = f"pod updates may not change fields other than {_UPDATABLE}\n{difference(expected, old, 'spec')}"
        causes.append(forbidden("spec", told))
    return causes


def _with_allowed_changes(new: Object, old: Object) -> Object:
    """`new` with everything that may change set back to what it was."""
    put_back = dict(new)
    for name in ("containers", "initContainers"):
        pairs = zip(new.get(name) or (), old.get(name) or (), strict=True)
        restored = [fresh | {"image": former.get("image")} for fresh, former in pairs]
        if name in new:
            put_back[name] = restored
    fields = ["activeDeadlineSeconds", "tolerations", "schedulingGates"]
    if old.get("terminationGracePeriodSeconds", 0) < 0 and new.get("terminationGracePeriodSeconds") == 1:
        fields.append("terminationGracePeriodSeconds")
    for field in fields:
        put_back.pop(field, None)
        if field in old:
            put_back[field] = old[field]
    return put_back


def _validate_deadline(new: int | None, old: int | None) -> tuple[list[Cause], bool]:
    """(causes, whether they are all that is told)."""
    path = "spec.activeDeadlineSeconds"
    if new is None:
        return ([], False) if old is None else ([invalid(path, None, "must not update from a positive integer to nil value")], False)
    if not 0 <= new <= _MAX_INT32:
        return [invalid(path, new, out_of_range(0, _MAX_INT32))], True
    if old is not None and old < new:
        return [invalid(path, new, "must be less than or equal to previous value")], True
    return [], False


def _validate_gates(new: Object, old: Object) -> list[Cause]:
    former = {gate.get("name") for gate in old.get("schedulingGates") or ()}
    places = {gate.get("name"): index for index, gate in enumerate(new.get("schedulingGates") or ())}
    return [
        forbidden(f"spec.schedulingGates[{index}].name", f"only deletion is allowed, but found new scheduling gate '{name}'")
        for name, index in places.items()
        if name not in former
    ]


def _validate_tolerations(new: Object, old: Object) -> list[Cause]:
    bare = [_without_seconds(each) for each in new.get("tolerations") or ()]
    if all(_without_seconds(each) in bare for each in old.get("tolerations") or ()):
        return []
    return [forbidden("spec.tolerations", "existing toleration can not be modified except its tolerationSeconds")]


def _without_seconds(toleration: Object) -> Object:
    return {key: value for key, value in toleration.items() if key != "tolerationSeconds"}


def difference(new: Any, old: Any, path: str) -> str:
    """The fields that differ, one a line: old after `-`, new after `+`."""
    if isinstance(new, dict) and isinstance(old, dict):
        keys = sorted(key for key in new.keys() | old.keys() if new.get(key) != old.get(key))
        return "\n".join(difference(new.get(key), old.get(key), f"{path}.{key}") for key in keys)
    if isinstance(new, list) and isinstance(old, list) and len(new) == len(old):
        return "\n".join(difference(new[i], old[i], f"{path}[{i}]") for i in range(len(new)) if new[i] != old[i])
    return f"  {path}:\n- \t{orjson.dumps(old).decode()}\n+ \t{orjson.dumps(new).decode()}"
