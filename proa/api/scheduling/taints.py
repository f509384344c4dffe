"""Taints and tolerations: which taints keep a pod off a node. Pure; shared by everyone who places or evicts pods."""

import re
from collections.abc import Callable, Iterable

from proa.api.meta import Object

NO_SCHEDULE, PREFER_NO_SCHEDULE, NO_EXECUTE = "NoSchedule", "PreferNoSchedule", "NoExecute"
EFFECTS = (NO_SCHEDULE, PREFER_NO_SCHEDULE, NO_EXECUTE)
UNSCHEDULABLE_TAINT: Object = {"key": "node.kubernetes.io/unschedulable", "effect": NO_SCHEDULE}
_integer = re.compile(r"0|-?[1-9][0-9]*").fullmatch


def tolerates(toleration: Object, taint: Object) -> bool:
    """An empty effect or key stands for all; Exists ignores the value; Lt and Gt compare the taint's value as a number."""
    if toleration.get("effect") and toleration["effect"] != taint["effect"]:
        return False
    if toleration.get("key") and toleration["key"] != taint["key"]:
        return False
    operator, wanted, value = toleration.get("operator") or "Equal", toleration.get("value") or "", taint.get("value") or ""
    if operator == "Exists":
        return True
    if not toleration.get("key"):
        return False
    if operator == "Equal":
        return bool(wanted == value)
    return _compares(operator, value, wanted)


def _compares(operator: str, value: str, wanted: str) -> bool:
    if not _integer(value) or not _integer(wanted):
        return False
    return int(value) < int(wanted) if operator == "Lt" else operator == "Gt" and int(value) > int(wanted)


def keeps_off(taint: Object) -> bool:
    """Whether the taint is a matter of a filter."""
    return taint["effect"] in (NO_SCHEDULE, NO_EXECUTE)


def find_untolerated(
    taints: Iterable[Object], tolerations: Iterable[Object], counts: Callable[[Object], bool] = keeps_off
) -> Object | None:
    """The first taint that `counts` and that no toleration answers."""
    for taint in taints:
        if counts(taint) and not any(tolerates(each, taint) for each in tolerations):
            return taint
    return None


def count_untolerated_preferences(taints: Iterable[Object], tolerations: Iterable[Object]) -> int:
    """How many PreferNoSchedule taints nothing tolerates."""
    found = [each for each in taints if each["effect"] == PREFER_NO_SCHEDULE]
    return sum(1 for taint in found if not any(tolerates(each, taint) for each in tolerations))
