"""DaemonSets: one pod for each node, of a template whose changes are counted in an annotation that apps/v1 inherited."""

from typing import ClassVar

from proa.api.errors import Cause, invalid, not_supported, required
from proa.api.int_or_string import validate_at_most_100_percent, validate_count_or_percent, written_number
from proa.api.labels import validate_label_selector
from proa.api.meta import Object
from proa.api.resource import StrategyContext
from proa.apiserver.registry.checks import not_negative
from proa.apiserver.registry.kinds.workloads import (
    WorkloadStrategy,
    always_running,
    is_unusable,
    refuse_empty_selector,
    validate_any_template,
    validate_match,
)
from proa.apiserver.registry.object_meta import immutable

TEMPLATE_GENERATION = "deprecated.daemonset.template.generation"
"""How apps/v1 carries a field of the API before it; DaemonSets still show it."""


class DaemonSetStrategy(WorkloadStrategy):
    empty_status: ClassVar[Object | None] = {
        "currentNumberScheduled": 0,
        "numberMisscheduled": 0,
        "desiredNumberScheduled": 0,
        "numberReady": 0,
    }
    warns_of_name = False

    def prepare(self, obj: Object, context: StrategyContext) -> None:
        annotations = obj["metadata"].setdefault("annotations", {})
        annotations[TEMPLATE_GENERATION] = str(max(_template_generation(obj), 1))

    def prepare_change(self, obj: Object, old: Object, context: StrategyContext) -> None:
        step = obj["spec"].get("template") != old["spec"].get("template")
        obj["metadata"].setdefault("annotations", {})[TEMPLATE_GENERATION] = str(max(_template_generation(old), 1) + step)

    def fill_workload(self, obj: Object, spec: Object) -> None:
        update = spec.setdefault("updateStrategy", {})
        if update.setdefault("type", "RollingUpdate") == "RollingUpdate":
            rolling = update.setdefault("rollingUpdate", {})
            rolling.setdefault("maxUnavailable", 1)
            rolling.setdefault("maxSurge", 0)
        spec.setdefault("revisionHistoryLimit", 10)

    def check(self, obj: Object) -> list[Cause]:
        spec = obj.get("spec", {})
        selector, template = spec.get("selector"), spec.get("template") or {}
        causes = validate_label_selector(selector, "spec.selector")
        if not is_unusable(selector):
            causes += validate_match(spec)
        if selector is not None:
            causes += refuse_empty_selector(selector, "daemonset")
        causes += validate_any_template(template, "spec.template") + always_running(template, "DaemonSet")
        causes += not_negative("spec.minReadySeconds", spec.get("minReadySeconds"))
        causes += _validate_update(spec.get("updateStrategy") or {}, "spec.updateStrategy")
        return causes + not_negative("spec.revisionHistoryLimit", spec.get("revisionHistoryLimit"))

    def check_update(self, obj: Object, old: Object) -> list[Cause]:
        return immutable("spec.selector", obj["spec"].get("selector"), old["spec"].get("selector")) + self.check(obj)

    def is_news(self, obj: Object, old: Object | None) -> bool:
        return old is None or obj["spec"].get("template") != old["spec"].get("template")


def _template_generation(obj: Object) -> int:
    written = (obj["metadata"].get("annotations") or {}).get(TEMPLATE_GENERATION, "")
    return int(written) if written.isdecimal() else 0


def _validate_update(update: Object, path: str) -> list[Cause]:
    kind, rolling = update.get("type"), update.get("rollingUpdate")
    if kind == "OnDelete":
        return []
    if kind != "RollingUpdate":
        return [not_supported(path, update, ("RollingUpdate", "OnDelete"), in_order=False)]
    return [required(f"{path}.rollingUpdate")] if rolling is None else _validate_rollout(rolling, f"{path}.rollingUpdate")


def _validate_rollout(rolling: Object, path: str) -> list[Cause]:
    unavailable, surge = rolling.get("maxUnavailable", 0), rolling.get("maxSurge", 0)
    causes = validate_count_or_percent(f"{path}.maxUnavailable", unavailable)
    causes += validate_count_or_percent(f"{path}.maxSurge", surge)
    causes += validate_at_most_100_percent(f"{path}.maxUnavailable", unavailable)
    causes += validate_at_most_100_percent(f"{path}.maxSurge", surge)
    has_unavailable, has_surge = written_number(unavailable) != 0, written_number(surge) != 0
    if has_unavailable and has_surge:
        causes.append(invalid(f"{path}.maxSurge", surge, "may not be set when maxUnavailable is non-zero"))
    if not has_unavailable and not has_surge:
        causes.append(required(f"{path}.maxUnavailable", "cannot be 0 when maxSurge is 0"))
    return causes
