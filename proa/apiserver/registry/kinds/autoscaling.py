"""HorizontalPodAutoscaler of v2, and of v1 with the one metric it knows."""

from typing import ClassVar

from proa.api.errors import Cause, invalid, not_supported, required
from proa.api.meta import Object
from proa.apiserver.registry.checks import check_amount, check_choice, not_negative
from proa.apiserver.registry.kinds.autoscaling_metrics import validate_metrics
from proa.apiserver.registry.kinds.scaled_reference import ReferenceRule, api_version_problem, validate_reference
from proa.apiserver.registry.strategy import KindStrategy

MAX_PERIOD, MAX_WINDOW = 1800, 3600
_SELECT_POLICIES = ("Disabled", "Max", "Min")
_SCALE_UP: Object = {
    "stabilizationWindowSeconds": 0,
    "selectPolicy": "Max",
    "policies": [{"type": "Pods", "value": 4, "periodSeconds": 15}, {"type": "Percent", "value": 100, "periodSeconds": 15}],
}
_SCALE_DOWN: Object = {"selectPolicy": "Max", "policies": [{"type": "Percent", "value": 100, "periodSeconds": 15}]}


class AutoscalerStrategy(KindStrategy):
    empty_status: ClassVar[Object | None] = {"desiredReplicas": 0}

    def fill(self, obj: Object) -> None:
        spec = obj.setdefault("spec", {})
        spec.setdefault("minReplicas", 1)
        if obj.get("apiVersion") != "autoscaling/v2":
            return
        if not spec.get("metrics"):
            target = {"type": "Utilization", "averageUtilization": 80}
            spec["metrics"] = [{"type": "Resource", "resource": {"name": "cpu", "target": target}}]
        if "behavior" in spec:
            _fill_behavior(spec["behavior"])

    def check(self, obj: Object) -> list[Cause]:
        target = (obj.get("spec") or {}).get("scaleTargetRef") or {}
        return _validate_spec(obj, 1, ReferenceRule(group_needed=target.get("kind") != "ReplicationController"), ReferenceRule())

    def check_update(self, obj: Object, old: Object) -> list[Cause]:
        """What an object was allowed to say once, it may go on saying."""
        former, target = old.get("spec") or {}, (obj.get("spec") or {}).get("scaleTargetRef") or {}
        before = former.get("scaleTargetRef") or {}
        same = all(target.get(field) == before.get(field) for field in ("apiVersion", "kind"))
        scaled = ReferenceRule(group_needed=target.get("kind") != "ReplicationController", version_checked=not same)
        described = ReferenceRule(version_checked=not any(_describes_badly(metric) for metric in former.get("metrics") or ()))
        return _validate_spec(obj, 0 if former.get("minReplicas") == 0 else 1, scaled, described)


def _describes_badly(metric: Object) -> bool:
    described = (metric.get("object") or {}).get("describedObject") or {}
    return metric.get("type") == "Object" and bool(api_version_problem(described.get("apiVersion") or "", ReferenceRule()))


def _validate_spec(obj: Object, lowest: int, scaled: ReferenceRule, described: ReferenceRule) -> list[Cause]:
    spec = obj.get("spec") or {}
    low, high = spec.get("minReplicas"), spec.get("maxReplicas", 0)
    causes: list[Cause] = []
    if low is not None and low < lowest:
        causes.append(invalid("spec.minReplicas", low, f"must be greater than or equal to {lowest}"))
    if high < 1:
        causes.append(invalid("spec.maxReplicas", high, "must be greater than 0"))
    if low is not None and high < low:
        causes.append(invalid("spec.maxReplicas", high, "must be greater than or equal to `minReplicas`"))
    causes += validate_reference(spec.get("scaleTargetRef") or {}, "spec.scaleTargetRef", scaled)
    causes += validate_metrics(spec, "spec.metrics", described)
    utilization = spec.get("targetCPUUtilizationPercentage")
    if utilization is not None and utilization < 1:
        path = "spec.metrics[0].resource.target.averageUtilization"
        causes.append(invalid(path, utilization, "must be greater than 0"))
    behavior = spec.get("behavior") or {}
    for direction in ("scaleUp", "scaleDown"):
        if direction in behavior:
            causes += _validate_rules(behavior[direction], f"spec.behavior.{direction}")
    return causes


def check_autoscaler_status(obj: Object, old: Object) -> list[Cause]:
    status = obj.get("status") or {}
    return [
        cause for field in ("currentReplicas", "desiredReplicas") for cause in not_negative(f"status.{field}", status.get(field))
    ]  # fmt: skip


def _fill_behavior(behavior: Object) -> None:
    for direction, defaults in (("scaleUp", _SCALE_UP), ("scaleDown", _SCALE_DOWN)):
        rules = behavior.setdefault(direction, {})
        for field, value in defaults.items():
            if not rules.get(field) and field not in rules:
                rules[field] = [dict(policy) for policy in value] if field == "policies" else value


def _validate_rules(rules: Object, path: str) -> list[Cause]:
    seconds, select = rules.get("stabilizationWindowSeconds"), rules.get("selectPolicy")
    causes: list[Cause] = []
    if seconds is not None and seconds < 0:
        causes.append(invalid(f"{path}.stabilizationWindowSeconds", seconds, "must be greater than or equal to zero"))
    if seconds is not None and seconds > MAX_WINDOW:
        causes.append(invalid(f"{path}.stabilizationWindowSeconds", seconds, f"must be less than or equal to {MAX_WINDOW}"))
    causes += check_choice(f"{path}.selectPolicy", select, _SELECT_POLICIES, optional=True)
    if not rules.get("policies"):
        causes.append(required(f"{path}.policies", "must specify at least one Policy"))
    for index, policy in enumerate(rules.get("policies") or ()):
        causes += _validate_policy(policy, f"{path}.policies[{index}]")
    return causes + check_amount(f"{path}.tolerance", rules["tolerance"]) if "tolerance" in rules else causes


def _validate_policy(policy: Object, path: str) -> list[Cause]:
    kind, period = policy.get("type", ""), policy.get("periodSeconds", 0)
    causes = [] if kind in ("Percent", "Pods") else [not_supported(f"{path}.type", kind, ("Percent", "Pods"))]
    causes += [
        invalid(f"{path}.{field}", policy.get(field, 0), "must be greater than zero")
        for field in ("value", "periodSeconds")
        if policy.get(field, 0) <= 0
    ]
    if period > MAX_PERIOD:
        causes.append(invalid(f"{path}.periodSeconds", period, f"must be less than or equal to {MAX_PERIOD}"))
    return causes
