"""The metrics of a HorizontalPodAutoscaler: one source each, of the type that it says, with a target that suits it."""

from collections.abc import Callable, Mapping

from proa.api.errors import Cause, forbidden, invalid, not_supported, required
from proa.api.meta import Object
from proa.api.names import dns1123_label, path_segment
from proa.api.quantity import canonical_text, parse
from proa.apiserver.registry.checks import check_name
from proa.apiserver.registry.kinds.scaled_reference import ReferenceRule, validate_reference

_TYPES = {"Object": "object", "Pods": "pods", "Resource": "resource", "External": "external", "ContainerResource": "containerResource"}
_ORDER = ("object", "external", "pods", "resource", "containerResource")
_TARGETS = ("Utilization", "Value", "AverageValue")


def validate_metrics(spec: Object, path: str, described: ReferenceRule) -> list[Cause]:
    """`described` is the rule for the objects that metrics of the type Object are about."""
    metrics = spec.get("metrics") or ()
    causes = [cause for index, metric in enumerate(metrics) for cause in _validate_metric(metric, f"{path}[{index}]", described)]
    if spec.get("minReplicas") == 0 and not any(metric.get("type") in ("Object", "External") for metric in metrics):
        causes.append(forbidden(path, "must specify at least one Object or External metric to support scaling to zero replicas"))
    return causes


def _validate_metric(metric: Object, path: str, described: ReferenceRule) -> list[Cause]:
    kind = metric.get("type") or ""
    causes = [] if kind else [required(f"{path}.type", "must specify a metric source type")]
    if kind not in _TYPES:
        causes.append(not_supported(f"{path}.type", kind, tuple(_TYPES)))
    given = [field for field in _ORDER if field in metric]
    if given and given[0] == "object":
        causes += _object(metric["object"], f"{path}.object", described)
    elif given:
        causes += _SOURCES[given[0]](metric[given[0]], f"{path}.{given[0]}")
    expected = _TYPES.get(kind)
    if expected is None:
        return [*causes, not_supported(f"{path}.type", kind, tuple(_TYPES))]
    if expected not in metric:
        causes.append(required(f"{path}.{expected}", "must populate information for the given metric source"))
    if len(given) != 1:
        causes += [forbidden(f"{path}.{field}", "must populate the given metric source only") for field in given if field != expected]
    return causes


def _validate_target(target: Object, path: str) -> list[Cause]:
    kind = target.get("type") or ""
    causes = [] if kind else [required(f"{path}.type", "must specify a metric target type")]
    if kind not in _TARGETS:
        causes.append(invalid(f"{path}.type", kind, "must be either Utilization, Value, or AverageValue"))
    causes += [
        invalid(f"{path}.{field}", canonical_text(target[field]), "must be positive")
        for field in ("value", "averageValue")
        if field in target and parse(target[field]).nano <= 0
    ]
    utilization = target.get("averageUtilization")
    if utilization is not None and utilization < 1:
        causes.append(invalid(f"{path}.averageUtilization", utilization, "must be greater than 0"))
    return causes


def _validate_named(source: Object, path: str) -> list[Cause]:
    name = (source.get("metric") or {}).get("name")
    return check_name(f"{path}.metric.name", name, path_segment, detail="must specify a metric name") + _validate_target(
        source.get("target") or {}, f"{path}.target"
    )


def _object(source: Object, path: str, rule: ReferenceRule) -> list[Cause]:
    target = source.get("target") or {}
    causes = validate_reference(source.get("describedObject") or {}, f"{path}.describedObject", rule)
    causes += _validate_named(source, path)
    if "value" not in target and "averageValue" not in target:
        causes.append(required(f"{path}.target.averageValue", "must set either a target value or averageValue"))
    return causes


def _external(source: Object, path: str) -> list[Cause]:
    target = source.get("target") or {}
    causes = _validate_named(source, path)
    if "value" not in target and "averageValue" not in target:
        causes.append(required(f"{path}.target.averageValue", "must set either a target value for metric or a per-pod target"))
    if "value" in target and "averageValue" in target:
        causes.append(forbidden(f"{path}.target.value", "may not set both a target value for metric and a per-pod target"))
    return causes


def _pods(source: Object, path: str) -> list[Cause]:
    causes = _validate_named(source, path)
    if "averageValue" not in (source.get("target") or {}):
        causes.append(required(f"{path}.target.averageValue", "must specify a positive target averageValue"))
    return causes


def _resource(source: Object, path: str) -> list[Cause]:
    return _resource_name(source, path) + _resource_target(source.get("target") or {}, f"{path}.target")


def _resource_name(source: Object, path: str) -> list[Cause]:
    return [] if source.get("name") else [required(f"{path}.name", "must specify a resource name")]


def _resource_target(target: Object, path: str) -> list[Cause]:
    causes = _validate_target(target, path)
    if "averageUtilization" not in target and "averageValue" not in target:
        causes.append(required(f"{path}.averageUtilization", "must set either a target raw value or a target utilization"))
    if "averageUtilization" in target and "averageValue" in target:
        causes.append(forbidden(f"{path}.averageValue", "may not set both a target raw value and a target utilization"))
    return causes


def _container_resource(source: Object, path: str) -> list[Cause]:
    causes = _resource_name(source, path)
    causes += check_name(f"{path}.container", source.get("container"), dns1123_label, detail="must specify a container")
    return causes + _resource_target(source.get("target") or {}, f"{path}.target")


_SOURCES: Mapping[str, Callable[[Object, str], list[Cause]]] = {
    "external": _external, "pods": _pods, "resource": _resource, "containerResource": _container_resource,
}  # fmt: skip
