"""What the status of a CustomResourceDefinition should be: which names it got, and its conditions. Pure."""

import copy
from collections.abc import Iterable, Mapping

from proa.api.meta import Object
from proa.apiserver.crd.definition_rules import approval, has_bad_bundle, is_protected

FINALIZER = "customresourcecleanup.apiextensions.k8s.io"
_IN_USE = '"{}" is already in use'


def desired_status(crd: Object, others: Iterable[Mapping[str, object]], now: str) -> Object:
    """`others` are the accepted names of the other definitions of its group."""
    status: Object = copy.deepcopy(crd.get("status") or {})
    accepted, conflict = accepted_names(crd, others)
    status["acceptedNames"] = accepted
    status.setdefault("storedVersions", [])
    reason, message = conflict or ("NoConflicts", "no conflicts found")
    set_condition(status, "NamesAccepted", "False" if conflict else "True", reason, message, now)
    established = find_condition(status, "Established")
    if established is None or established["status"] != "True":
        if conflict:
            set_condition(status, "Established", "False", "NotAccepted", "not all names are accepted", now)
        elif has_bad_bundle(crd["spec"]):
            set_condition(status, "Established", "False", "InvalidCABundle", "The conversion webhook CABundle is invalid", now)
        else:
            set_condition(status, "Established", "True", "InitialNamesAccepted", "the initial names have been accepted", now)
    if is_protected(crd["spec"]["group"]):
        _set_approval(crd, status, now)
    return status


def is_settled(crd: Object) -> bool:
    """Whether `desired_status` would change nothing, whatever names others hold. False where that isn't plain to see."""
    status, spec = crd.get("status") or {}, crd["spec"]
    true = {condition.get("type") for condition in status.get("conditions") or () if condition.get("status") == "True"}
    if crd["metadata"].get("deletionTimestamp") or is_protected(spec["group"]):
        return False
    return {"NamesAccepted", "Established"} <= true and status.get("acceptedNames") == spec["names"] and "storedVersions" in status


def accepted_names(crd: Object, others: Iterable[Mapping[str, object]]) -> tuple[Object, tuple[str, str] | None]:
    """(acceptedNames, (reason, message) of the last conflict). What conflicts keeps the name it had."""
    wanted, had = crd["spec"]["names"], (crd.get("status") or {}).get("acceptedNames") or {}
    resources, kinds = taken(others)
    names: Object = copy.deepcopy(had)
    conflict: tuple[str, str] | None = None
    for field, reason, used in (("plural", "PluralConflict", resources), ("singular", "SingularConflict", resources)):
        conflict = _claim(names, wanted, had, field, reason, used) or conflict
    conflict = _claim_short_names(names, wanted, had, resources) or conflict
    for field, reason, used in (("kind", "KindConflict", kinds), ("listKind", "ListKindConflict", kinds)):
        conflict = _claim(names, wanted, had, field, reason, used) or conflict
    _put(names, "categories", wanted.get("categories"))
    return names, conflict


def taken(others: Iterable[Mapping[str, object]]) -> tuple[set[object], set[object]]:
    """(names of resources, kinds) that other definitions hold."""
    resources: set[object] = set()
    kinds: set[object] = set()
    for names in others:
        short = names.get("shortNames") or ()
        resources |= {names.get("plural"), names.get("singular"), *(short if isinstance(short, list) else ())}
        kinds |= {names.get("kind"), names.get("listKind")}
    return resources - {None, ""}, kinds - {None, ""}


def _claim(names: Object, wanted: Object, had: Object, field: str, reason: str, used: set[object]) -> tuple[str, str] | None:
    name = wanted.get(field, "")
    if name != had.get(field, "") and name in used:
        return reason, _IN_USE.format(name)
    _put(names, field, name)
    return None


def _claim_short_names(names: Object, wanted: Object, had: Object, used: set[object]) -> tuple[str, str] | None:
    own = set(had.get("shortNames") or ())
    clashes = [name for name in wanted.get("shortNames") or () if name not in own and name in used]
    if not clashes:
        _put(names, "shortNames", wanted.get("shortNames"))
        return None
    told = [_IN_USE.format(name) for name in clashes]
    return "ShortNamesConflict", told[0] if len(told) == 1 else f"[{', '.join(told)}]"


def _put(names: Object, field: str, value: object) -> None:
    if value:
        names[field] = copy.deepcopy(value)
    else:
        names.pop(field, None)


def _set_approval(crd: Object, status: Object, now: str) -> None:
    state, reason = approval(crd)
    shown = {
        "approved": ("True", "ApprovedAnnotation"),
        "bypassed": ("False", "UnapprovedAnnotation"),
        "invalid": ("False", "InvalidAnnotation"),
        "missing": ("False", "MissingAnnotation"),
    }[state]
    set_condition(status, "KubernetesAPIApprovalPolicyConformant", *shown, reason, now)


def find_condition(status: Object, kind: str) -> Object | None:
    found: Object | None = next((each for each in status.get("conditions") or () if each.get("type") == kind), None)
    return found


def set_condition(status: Object, kind: str, value: str, reason: str, message: str, now: str) -> None:
    """The time moves only with the value."""
    condition = find_condition(status, kind)
    if condition is None:
        condition = {"type": kind}
        status["conditions"] = [*(status.get("conditions") or ()), condition]
    if condition.get("status") != value:
        condition["lastTransitionTime"] = now
    condition |= {"status": value, "reason": reason, "message": message}


def mark_terminating(crd: Object, now: str) -> None:
    """What a deletion begins with: instances go first, so the definition waits for them."""
    meta = crd["metadata"]
    if meta.get("deletionTimestamp"):
        return
    finalizers = meta.setdefault("finalizers", [])
    if FINALIZER not in finalizers:
        finalizers.append(FINALIZER)
    text = "CustomResourceDefinition marked for deletion; CustomResource deletion will begin soon"
    set_condition(crd.setdefault("status", {}), "Terminating", "True", "InstanceDeletionPending", text, now)
