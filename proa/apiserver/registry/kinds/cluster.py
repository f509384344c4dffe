"""Kinds of several groups whose policy fits a few lines each: coordination, scheduling, policy, autoscaling, certificates, flow control."""

from typing import ClassVar

from proa.api.errors import Cause, forbidden, invalid, required
from proa.api.int_or_string import validate_count_or_percent
from proa.api.labels import validate_label_selector
from proa.api.meta import Object
from proa.api.names import path_segment
from proa.api.resource import StrategyContext
from proa.apiserver.registry.checks import check_choice, not_negative
from proa.apiserver.registry.kinds.plain import GenerationStrategy, SpecStatusStrategy
from proa.apiserver.registry.object_meta import NameCheck, immutable
from proa.apiserver.registry.strategy import KindStrategy

HIGHEST_USER_PRIORITY = 1_000_000_000
_SYSTEM_PRIORITIES = {"system-cluster-critical": 2_000_000_000, "system-node-critical": 2_000_001_000}
_REPLACED = "must be greater than 0"


class LeaseStrategy(KindStrategy):
    has_status = False
    allow_create_on_update = True

    def check(self, obj: Object) -> list[Cause]:
        spec = obj.get("spec") or {}
        causes: list[Cause] = []
        if "leaseDurationSeconds" in spec and spec["leaseDurationSeconds"] <= 0:
            causes.append(invalid("spec.leaseDurationSeconds", spec["leaseDurationSeconds"], _REPLACED))
        causes += not_negative("spec.leaseTransitions", spec.get("leaseTransitions"))
        if spec.get("preferredHolder") and not spec.get("strategy"):
            causes.append(forbidden("spec.preferredHolder", "may not be specified if strategy is not set"))
        return causes


class PriorityClassStrategy(GenerationStrategy):
    def fill(self, obj: Object) -> None:
        obj.setdefault("preemptionPolicy", "PreemptLowerPriority")

    def check(self, obj: Object) -> list[Cause]:
        name, value = obj.get("metadata", {}).get("name", ""), obj.get("value", 0)
        causes: list[Cause] = []
        if name.startswith("system-"):
            if _SYSTEM_PRIORITIES.get(name) != value:
                detail = "priority class names with 'system-' prefix are reserved for system use only"
                causes.append(forbidden("metadata.name", f"{detail}. error: {name} is not a known system priority class"))
        elif value > HIGHEST_USER_PRIORITY:
            detail = f"maximum allowed value of a user defined priority is {HIGHEST_USER_PRIORITY}"
            causes.append(forbidden("value", detail))
        return causes + check_choice("preemptionPolicy", obj.get("preemptionPolicy"), ("Never", "PreemptLowerPriority"))

    def check_update(self, obj: Object, old: Object) -> list[Cause]:
        causes: list[Cause] = []
        if obj.get("value") != old.get("value"):
            causes.append(forbidden("value", "may not be changed in an update."))
        return causes + immutable("preemptionPolicy", obj.get("preemptionPolicy"), old.get("preemptionPolicy"))


class PodDisruptionBudgetStrategy(SpecStatusStrategy):
    def check(self, obj: Object) -> list[Cause]:
        spec = obj.get("spec") or {}
        causes: list[Cause] = []
        if "minAvailable" in spec and "maxUnavailable" in spec:
            causes.append(invalid("spec", spec, "minAvailable and maxUnavailable cannot be both set"))
        for field in ("minAvailable", "maxUnavailable"):
            if field in spec:
                causes += validate_count_or_percent(f"spec.{field}", spec[field], at_most_100=True)
        causes += validate_label_selector(spec.get("selector"), "spec.selector")
        policies = ("AlwaysAllow", "IfHealthyBudget")
        return causes + check_choice("spec.unhealthyPodEvictionPolicy", spec.get("unhealthyPodEvictionPolicy"), policies, optional=True)


class AutoscalerStrategy(KindStrategy):
    """HorizontalPodAutoscaler of v2, and of v1 with the one metric it knows."""

    empty_status: ClassVar[Object | None] = {}

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
        spec = obj.get("spec") or {}
        low, high = spec.get("minReplicas", 1), spec.get("maxReplicas", 0)
        causes: list[Cause] = []
        if low < 1:
            causes.append(invalid("spec.minReplicas", low, "must be greater than or equal to 1"))
        if high < 1:
            causes.append(invalid("spec.maxReplicas", high, "must be greater than 0"))
        elif high < low:
            causes.append(invalid("spec.maxReplicas", high, "must be greater than or equal to `minReplicas`"))
        target = spec.get("scaleTargetRef") or {}
        for field in ("kind", "name"):
            if not target.get(field):
                causes.append(required(f"spec.scaleTargetRef.{field}"))
            else:
                problems = path_segment(target[field])
                causes += [invalid(f"spec.scaleTargetRef.{field}", target[field], problem) for problem in problems]
        return causes


_SCALE_UP: Object = {
    "stabilizationWindowSeconds": 0,
    "selectPolicy": "Max",
    "policies": [{"type": "Pods", "value": 4, "periodSeconds": 15}, {"type": "Percent", "value": 100, "periodSeconds": 15}],
}
_SCALE_DOWN: Object = {"selectPolicy": "Max", "policies": [{"type": "Percent", "value": 100, "periodSeconds": 15}]}


def _fill_behavior(behavior: Object) -> None:
    for direction, defaults in (("scaleUp", _SCALE_UP), ("scaleDown", _SCALE_DOWN)):
        rules = behavior.setdefault(direction, {})
        for field, value in defaults.items():
            if not rules.get(field) and field not in rules:
                rules[field] = [dict(policy) for policy in value] if field == "policies" else value


class CertificateSigningRequestStrategy(KindStrategy):
    """The requester is whoever asks; the spec never changes."""

    empty_status: ClassVar[Object | None] = {}

    @property
    def name_check(self) -> NameCheck:
        return path_segment

    def prepare(self, obj: Object, context: StrategyContext) -> None:
        spec = obj.setdefault("spec", {})
        for field in ("username", "uid", "groups", "extra"):
            spec.pop(field, None)
        if context.user:
            spec["username"] = context.user

    def prepare_change(self, obj: Object, old: Object, context: StrategyContext) -> None:
        obj["spec"] = old.get("spec", {})

    def check(self, obj: Object) -> list[Cause]:
        spec = obj.get("spec") or {}
        causes = [] if spec.get("request") else [required("spec.request")]
        if not spec.get("usages"):
            causes.append(required("spec.usages", "usages must be provided"))
        if not spec.get("signerName"):
            causes.append(required("spec.signerName"))
        seconds = spec.get("expirationSeconds")
        if seconds is not None and seconds < 600:
            causes.append(invalid("spec.expirationSeconds", seconds, "may not specify a duration less than 600 seconds (10 minutes)"))
        return causes


class FlowSchemaStrategy(SpecStatusStrategy):
    def fill(self, obj: Object) -> None:
        obj.setdefault("spec", {}).setdefault("matchingPrecedence", 1000)


class PriorityLevelStrategy(SpecStatusStrategy):
    def fill(self, obj: Object) -> None:
        spec = obj.setdefault("spec", {})
        limited = spec.get("limited")
        if limited is not None:
            limited.setdefault("nominalConcurrencyShares", 30)
            limited.setdefault("lendablePercent", 0)
            response = limited.setdefault("limitResponse", {"type": "Reject"})
            if response.get("type") == "Queue":
                queuing = response.setdefault("queuing", {})
                for field, value in (("queues", 64), ("handSize", 8), ("queueLengthLimit", 50)):
                    queuing.setdefault(field, value)
        elif spec.get("type") == "Exempt":
            exempt = spec.setdefault("exempt", {})
            exempt.setdefault("nominalConcurrencyShares", 0)
            exempt.setdefault("lendablePercent", 0)
