"""Controllers of pods: Deployment, ReplicaSet, ReplicationController, and what they share with StatefulSet and DaemonSet; PodTemplate.

All share one rule: the selector must match the template's labels, and never changes afterwards.
"""

from collections.abc import Sequence
from typing import ClassVar

from proa.api.errors import Cause, forbidden, invalid, not_supported, required
from proa.api.int_or_string import validate_at_most_100_percent, validate_count_or_percent, written_number
from proa.api.labels import selector_from_object, selector_from_set, validate_label_selector
from proa.api.meta import Object
from proa.api.names import dns1123_label
from proa.apiserver.registry.checks import not_negative
from proa.apiserver.registry.object_meta import immutable
from proa.apiserver.registry.pod_spec.defaults import fill_template
from proa.apiserver.registry.pod_spec.validation import validate_template
from proa.apiserver.registry.pod_spec.warnings import template_warnings
from proa.apiserver.registry.strategy import KindStrategy

SELECTOR_MISMATCH = "`selector` does not match template `labels`"
_TEMPLATE = "spec.template"


def validate_selector(spec: Object, kind: str) -> list[Cause]:
    """What apps/v1 asks of a selector by itself; `kind` is the name that the message has."""
    selector = spec.get("selector")
    if selector is None:
        return [required("spec.selector")]
    return validate_label_selector(selector, "spec.selector") + refuse_empty_selector(selector, kind)


def refuse_empty_selector(selector: Object, kind: str) -> list[Cause]:
    if selector.get("matchLabels") or selector.get("matchExpressions"):
        return []
    return [invalid("spec.selector", selector, f"empty selector is invalid for {kind}")]


def is_unusable(selector: Object | None) -> bool:
    """Whether no requirements can be made from it; none at all is usable, and selects nothing."""
    return bool(validate_label_selector(selector, ""))


def validate_match(spec: Object) -> list[Cause]:
    """The template's labels against a usable selector."""
    labels = template_labels(spec)
    if selector_from_object(spec.get("selector")).matches(labels or {}):
        return []
    return [invalid(f"{_TEMPLATE}.metadata.labels", labels, SELECTOR_MISMATCH)]


def template_labels(spec: Object) -> dict[str, str] | None:
    return ((spec.get("template") or {}).get("metadata") or {}).get("labels")


def validate_any_template(template: Object, path: str) -> list[Cause]:
    """All of a template but its restartPolicy, on which each kind has its own word."""
    policy = (template.get("spec") or {}).get("restartPolicy", "Always")
    return validate_template(template, path, (policy,))


def always_running(template: Object, kind: str) -> list[Cause]:
    """Pods of controllers that replace them run on: they neither end by themselves nor after some time."""
    pod = template.get("spec") or {}
    policy = pod.get("restartPolicy", "Always")
    causes = [] if policy == "Always" else [not_supported(f"{_TEMPLATE}.spec.restartPolicy", policy, ("Always",))]
    if pod.get("activeDeadlineSeconds") is not None:
        detail = f"activeDeadlineSeconds in {kind} is not Supported"
        causes.append(forbidden(f"{_TEMPLATE}.spec.activeDeadlineSeconds", detail))
    return causes


def _validate_replicated(spec: Object) -> list[Cause]:
    """Selector and template of Deployments and ReplicaSets. The messages name the respective other one, as upstream's do."""
    causes = validate_selector(spec, "deployment")
    if is_unusable(spec.get("selector")):
        return [*causes, invalid("spec.selector", spec["selector"], "invalid label selector")]
    template = spec.get("template") or {}
    return causes + validate_match(spec) + validate_any_template(template, _TEMPLATE) + always_running(template, "ReplicaSet")


def name_warnings(obj: Object) -> list[str]:
    problems = dns1123_label(obj.get("metadata", {}).get("name", ""))
    if not problems:
        return []
    told = "this is used in Pod names and hostnames, which can result in surprising behavior; a DNS label is recommended"
    return [f"metadata.name: {told}: [{' '.join(problems)}]"]


class WorkloadStrategy(KindStrategy):
    tracks_generation = True
    empty_status: ClassVar[Object | None] = {}
    warns_of_name: ClassVar[bool] = True
    """Whether the names of its pods are made from its own and something that isn't known yet."""

    def fill(self, obj: Object) -> None:
        spec = obj.setdefault("spec", {})
        fill_template(spec.setdefault("template", {}))
        self.fill_workload(obj, spec)

    def fill_workload(self, obj: Object, spec: Object) -> None:
        spec.setdefault("replicas", 1)

    def check_update(self, obj: Object, old: Object) -> list[Cause]:
        return self.check(obj) + immutable("spec.selector", obj["spec"].get("selector"), old["spec"].get("selector"))

    def warnings(self, obj: Object, old: Object | None) -> Sequence[str]:
        found = name_warnings(obj) if old is None and self.warns_of_name else []
        return found + (self.template_warnings(obj["spec"]) if self.is_news(obj, old) else [])

    def template_warnings(self, spec: Object) -> list[str]:
        return template_warnings(spec.get("template") or {}, _TEMPLATE)

    def is_news(self, obj: Object, old: Object | None) -> bool:
        """Whether the template is looked at: for each new generation, whatever has changed."""
        return old is None or obj["metadata"].get("generation") != old["metadata"].get("generation")


class DeploymentStrategy(WorkloadStrategy):
    annotations_count = True

    def fill_workload(self, obj: Object, spec: Object) -> None:
        spec.setdefault("replicas", 1)
        strategy = spec.setdefault("strategy", {})
        if strategy.setdefault("type", "RollingUpdate") == "RollingUpdate":
            rolling = strategy.setdefault("rollingUpdate", {})
            rolling.setdefault("maxUnavailable", "25%")
            rolling.setdefault("maxSurge", "25%")
        spec.setdefault("revisionHistoryLimit", 10)
        spec.setdefault("progressDeadlineSeconds", 600)

    def check(self, obj: Object) -> list[Cause]:
        spec = obj.get("spec", {})
        causes = not_negative("spec.replicas", spec.get("replicas")) + _validate_replicated(spec)
        causes += _validate_deployment_strategy(spec.get("strategy") or {}, "spec.strategy")
        causes += not_negative("spec.minReadySeconds", spec.get("minReadySeconds"))
        causes += not_negative("spec.revisionHistoryLimit", spec.get("revisionHistoryLimit"))
        deadline = spec.get("progressDeadlineSeconds")
        causes += not_negative("spec.progressDeadlineSeconds", deadline)
        if deadline is not None and deadline <= spec.get("minReadySeconds", 0):
            causes.append(invalid("spec.progressDeadlineSeconds", deadline, "must be greater than minReadySeconds"))
        return causes


def _validate_deployment_strategy(strategy: Object, path: str) -> list[Cause]:
    kind, rolling = strategy.get("type"), strategy.get("rollingUpdate")
    if kind == "Recreate":
        detail = "may not be specified when strategy `type` is 'Recreate'"
        return [forbidden(f"{path}.rollingUpdate", detail)] if rolling is not None else []
    if kind != "RollingUpdate":
        return [not_supported(path, strategy, ("Recreate", "RollingUpdate"))]
    if rolling is None:
        return [required(f"{path}.rollingUpdate", "this should be defaulted and never be nil")]
    return validate_rolling_update(rolling, f"{path}.rollingUpdate")


def validate_rolling_update(rolling: Object, path: str) -> list[Cause]:
    unavailable, surge = rolling.get("maxUnavailable", 0), rolling.get("maxSurge", 0)
    causes = validate_count_or_percent(f"{path}.maxUnavailable", unavailable)
    causes += validate_count_or_percent(f"{path}.maxSurge", surge)
    if written_number(unavailable) == 0 and written_number(surge) == 0:
        causes.append(invalid(f"{path}.maxUnavailable", unavailable, "may not be 0 when `maxSurge` is 0"))
    return causes + validate_at_most_100_percent(f"{path}.maxUnavailable", unavailable)


class ReplicaSetStrategy(WorkloadStrategy):
    empty_status: ClassVar[Object | None] = {"replicas": 0}

    def check(self, obj: Object) -> list[Cause]:
        spec = obj.get("spec", {})
        causes = not_negative("spec.replicas", spec.get("replicas")) + not_negative("spec.minReadySeconds", spec.get("minReadySeconds"))
        return causes + _validate_replicated(spec)


class ReplicationControllerStrategy(WorkloadStrategy):
    empty_status: ClassVar[Object | None] = {"replicas": 0}

    def fill(self, obj: Object) -> None:
        """A template is not made up: without one, there is nothing to replicate."""
        spec = obj.setdefault("spec", {})
        spec.setdefault("replicas", 1)
        if "template" in spec:
            fill_template(spec["template"])
        if labels := template_labels(spec):
            spec.setdefault("selector", dict(labels))
            obj.setdefault("metadata", {}).setdefault("labels", dict(labels))

    def check(self, obj: Object) -> list[Cause]:
        spec = obj.get("spec", {})
        causes = not_negative("spec.minReadySeconds", spec.get("minReadySeconds"))
        if not spec.get("selector"):
            causes.append(required("spec.selector"))
        causes += not_negative("spec.replicas", spec.get("replicas"))
        template, labels = spec.get("template"), template_labels(spec)
        if template is None:
            return [*causes, required(_TEMPLATE)]
        if spec.get("selector") and not selector_from_set(spec["selector"]).matches(labels or {}):
            causes.append(invalid(f"{_TEMPLATE}.metadata.labels", labels, SELECTOR_MISMATCH))
        return causes + validate_any_template(template, _TEMPLATE) + always_running(template, "ReplicationController")

    def check_update(self, obj: Object, old: Object) -> list[Cause]:
        return self.check(obj)


class PodTemplateStrategy(KindStrategy):
    has_status = False
    tracks_generation = True

    def fill(self, obj: Object) -> None:
        fill_template(obj.setdefault("template", {}))

    def check(self, obj: Object) -> list[Cause]:
        return validate_any_template(obj.get("template") or {}, "template")

    def warnings(self, obj: Object, old: Object | None) -> Sequence[str]:
        return template_warnings(obj.get("template") or {}, "template")


class ControllerRevisionStrategy(KindStrategy):
    has_status = False

    def check(self, obj: Object) -> list[Cause]:
        causes, data = not_negative("revision", obj.get("revision")), obj.get("data")
        if data is None:
            causes.append(required("data", "data is mandatory"))
        elif not isinstance(data, dict):
            causes.append(required("data", "data must be a valid JSON object"))
        return causes

    def check_update(self, obj: Object, old: Object) -> list[Cause]:
        return not_negative("revision", obj.get("revision")) + immutable("data", obj.get("data"), old.get("data"))
