"""PriorityClasses."""

from proa.api.errors import Cause, forbidden
from proa.api.meta import Object
from proa.apiserver.registry.checks import check_choice
from proa.apiserver.registry.kinds.plain import GenerationStrategy
from proa.apiserver.registry.object_meta import immutable

HIGHEST_USER_PRIORITY = 1_000_000_000
SYSTEM_PRIORITIES = {"system-cluster-critical": 2_000_000_000, "system-node-critical": 2_000_001_000}


class PriorityClassStrategy(GenerationStrategy):
    """Its number and policy never change, so neither does its generation."""

    fixed_generation = True

    def fill(self, obj: Object) -> None:
        obj.setdefault("preemptionPolicy", "PreemptLowerPriority")

    def check(self, obj: Object) -> list[Cause]:
        name, value = obj.get("metadata", {}).get("name", ""), obj.get("value", 0)
        causes: list[Cause] = []
        if name.startswith("system-"):
            if problem := _unknown_system_class(obj):
                detail = f"priority class names with 'system-' prefix are reserved for system use only. error: {problem}"
                causes.append(forbidden("metadata.name", detail))
        elif value > HIGHEST_USER_PRIORITY:
            causes.append(forbidden("value", f"maximum allowed value of a user defined priority is {HIGHEST_USER_PRIORITY}"))
        policies = ("PreemptLowerPriority", "Never")
        return causes + check_choice("preemptionPolicy", obj.get("preemptionPolicy"), policies, in_order=False)

    def check_update(self, obj: Object, old: Object) -> list[Cause]:
        causes = [forbidden("value", "may not be changed in an update.")] if obj.get("value", 0) != old.get("value", 0) else []
        return causes + immutable("preemptionPolicy", obj.get("preemptionPolicy"), old.get("preemptionPolicy"))


def _unknown_system_class(obj: Object) -> str:
    name = obj["metadata"]["name"]
    if name not in SYSTEM_PRIORITIES:
        return f"{name} is not a known system priority class"
    if obj.get("value", 0) != SYSTEM_PRIORITIES[name]:
        return f"value of {name} PriorityClass must be {SYSTEM_PRIORITIES[name]}"
    return f"globalDefault of {name} PriorityClass must be false" if obj.get("globalDefault") else ""
