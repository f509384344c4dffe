"""Kinds that are served in two versions or groups and stored once: Events, and HorizontalPodAutoscaler v1 and v2."""

from typing import Any

import orjson

from proa.api.meta import Object

_AUTOSCALING = "autoscaling.alpha.kubernetes.io"
METRICS = f"{_AUTOSCALING}/metrics"
BEHAVIOR = f"{_AUTOSCALING}/behavior"
CURRENT_METRICS = f"{_AUTOSCALING}/current-metrics"
CONDITIONS = f"{_AUTOSCALING}/conditions"

_EVENT_FIELDS = (
    ("involvedObject", "regarding"), ("message", "note"), ("source", "deprecatedSource"), ("firstTimestamp", "deprecatedFirstTimestamp"),
    ("lastTimestamp", "deprecatedLastTimestamp"), ("count", "deprecatedCount"), ("reportingComponent", "reportingController"),
)  # fmt: skip
"""(core v1, events.k8s.io v1); all other fields have one name."""


def convert_event(obj: Object, api_version: str) -> Object:
    """The same Event as `v1` or as `events.k8s.io/v1`."""
    if obj.get("apiVersion") == api_version:
        return obj
    to_core = api_version == "v1"
    names = {new: old for old, new in _EVENT_FIELDS} if to_core else dict(_EVENT_FIELDS)
    return {names.get(key, key): value for key, value in obj.items()} | {"apiVersion": api_version}


def convert_autoscaler(obj: Object, api_version: str) -> Object:
    """What v1 can't say travels in annotations, as upstream does, so that nothing is lost on the way through v1."""
    if obj.get("apiVersion") == api_version:
        return obj
    return _to_v1(obj) if api_version == "autoscaling/v1" else _to_v2(obj)


def _dumps(value: Any) -> str:
    return orjson.dumps(value).decode()


def _to_v1(obj: Object) -> Object:
    spec, status = dict(obj.get("spec") or {}), dict(obj.get("status") or {})
    annotations = dict(obj.get("metadata", {}).get("annotations") or {})
    others = []
    for metric in spec.pop("metrics", None) or ():
        target = _cpu_utilization(metric.get("resource"), "target")
        if target is not None and "targetCPUUtilizationPercentage" not in spec:
            spec["targetCPUUtilizationPercentage"] = target
        else:
            others.append(metric)
    rest = []
    for metric in status.pop("currentMetrics", None) or ():
        current = _cpu_utilization(metric.get("resource"), "current")
        if current is not None and "currentCPUUtilizationPercentage" not in status:
            status["currentCPUUtilizationPercentage"] = current
        rest.append(metric)
    kept = {METRICS: others, BEHAVIOR: spec.pop("behavior", None), CURRENT_METRICS: rest, CONDITIONS: status.pop("conditions", None)}
    annotations.update({key: _dumps(value) for key, value in kept.items() if value})
    status = {"currentReplicas": 0, "desiredReplicas": 0} | status  # counts that v1 shows even when they are zero
    return _assembled(obj, "autoscaling/v1", annotations, spec, status)


def _cpu_utilization(resource: Object | None, field: str) -> int | None:
    if not resource or resource.get("name") != "cpu":
        return None
    value: int | None = (resource.get(field) or {}).get("averageUtilization")
    return value


def _to_v2(obj: Object) -> Object:
    spec, status = dict(obj.get("spec") or {}), dict(obj.get("status") or {})
    annotations = dict(obj.get("metadata", {}).get("annotations") or {})
    found = {key: _loads(annotations.pop(key, None)) for key in (METRICS, BEHAVIOR, CURRENT_METRICS, CONDITIONS)}
    metrics = list(found[METRICS] or ())
    target = spec.pop("targetCPUUtilizationPercentage", None)
    if target is not None:
        aim = {"type": "Utilization", "averageUtilization": target}
        metrics.append({"type": "Resource", "resource": {"name": "cpu", "target": aim}})
    current = status.pop("currentCPUUtilizationPercentage", None)
    shown = found[CURRENT_METRICS]
    if not shown and current is not None:
        shown = [{"type": "Resource", "resource": {"name": "cpu", "current": {"averageUtilization": current}}}]
    for target_map, key, value in (
        (spec, "metrics", metrics), (spec, "behavior", found[BEHAVIOR]), (status, "currentMetrics", shown),
        (status, "conditions", found[CONDITIONS]),
    ):  # fmt: skip
        if value:
            target_map[key] = value
    if status.get("currentReplicas") == 0:
        del status["currentReplicas"]
    return _assembled(obj, "autoscaling/v2", annotations, spec, status)


def _loads(text: str | None) -> Any:
    try:
        return orjson.loads(text) if text else None
    except orjson.JSONDecodeError:
        return None


def _assembled(obj: Object, api_version: str, annotations: dict[str, str], spec: Object, status: Object) -> Object:
    meta = {key: value for key, value in obj.get("metadata", {}).items() if key != "annotations"}
    if annotations:
        meta["annotations"] = annotations
    return obj | {"apiVersion": api_version, "metadata": meta, "spec": spec, "status": status}
