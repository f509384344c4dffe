"""PodDisruptionBudgets."""

from typing import ClassVar

from proa.api.errors import Cause, invalid
from proa.api.int_or_string import validate_at_most_100_percent, validate_count_or_percent
from proa.api.labels import validate_label_selector
from proa.api.meta import Object
from proa.apiserver.registry.checks import check_choice, check_conditions, not_negative
from proa.apiserver.registry.strategy import KindStrategy

_COUNTS = ("disruptionsAllowed", "currentHealthy", "desiredHealthy", "expectedPods")


class PodDisruptionBudgetStrategy(KindStrategy):
    tracks_generation = True
    empty_status: ClassVar[Object | None] = dict.fromkeys(("currentHealthy", "desiredHealthy", "disruptionsAllowed", "expectedPods"), 0)

    def check(self, obj: Object) -> list[Cause]:
        spec = obj.get("spec") or {}
        causes: list[Cause] = []
        if "minAvailable" in spec and "maxUnavailable" in spec:
            causes.append(invalid("spec", spec, "minAvailable and maxUnavailable cannot be both set"))
        for field in ("minAvailable", "maxUnavailable"):
            if field in spec:
                causes += validate_count_or_percent(f"spec.{field}", spec[field])
                causes += validate_at_most_100_percent(f"spec.{field}", spec[field])
        causes += validate_label_selector(spec.get("selector"), "spec.selector")
        policies = ("AlwaysAllow", "IfHealthyBudget")
        return causes + check_choice("spec.unhealthyPodEvictionPolicy", spec.get("unhealthyPodEvictionPolicy"), policies, optional=True)


def check_budget_status(obj: Object, old: Object) -> list[Cause]:
    status = obj.get("status") or {}
    causes = check_conditions(status.get("conditions") or (), "status.conditions")
    return causes + [cause for field in _COUNTS for cause in not_negative(f"status.{field}", status.get(field))]
