"""Rows of what makes pods: apps, batch, autoscaling and policy."""

from typing import Any

from proa.api.meta import Object, condition, controller_of, is_terminating
from proa.api.resource import Column
from proa.apiserver.columns.cells import (
    AGE,
    NAME,
    NONE,
    UNSET,
    Cell,
    ago,
    at,
    column,
    containers_and_images,
    count,
    field,
    format_labels,
    format_selector,
    go_boolean,
    number,
    selector_text,
)  # fmt: skip
from proa.apiserver.columns.duration import human_duration
from proa.lib.clock import parse_time

_TEMPLATE = containers_and_images("spec", "template", "spec")
_SELECTOR = column("Selector", format_selector("spec", "selector"), "The label selector for pods.", wide=True)


def _ratio(status: str) -> Cell:
    return lambda obj, now: f"{at(obj, 'status', status) or 0}/{at(obj, 'spec', 'replicas') or 0}"


_READY_RATIO = column("Ready", _ratio("readyReplicas"), "How many pods are ready, of how many wanted.")

DEPLOYMENTS: tuple[Column, ...] = (
    NAME,
    _READY_RATIO,
    column("Up-to-date", number("status", "updatedReplicas"), "Pods that have the newest template."),
    column("Available", number("status", "availableReplicas"), "Pods that have been ready for minReadySeconds."),
    AGE,
    *_TEMPLATE,
    column("Selector", lambda obj, now: selector_text(at(obj, "spec", "selector")), "The label selector for pods.", wide=True),
)

STATEFUL_SETS: tuple[Column, ...] = (NAME, _READY_RATIO, AGE, *_TEMPLATE)

_REPLICAS = (
    NAME,
    column("Desired", number("spec", "replicas"), "How many pods are wanted.", type="integer"),
    column("Current", number("status", "replicas"), "How many pods there are.", type="integer"),
    column("Ready", number("status", "readyReplicas"), "How many pods are ready.", type="integer"),
    AGE,
    *_TEMPLATE,
)
REPLICA_SETS: tuple[Column, ...] = (*_REPLICAS, _SELECTOR)
REPLICATION_CONTROLLERS: tuple[Column, ...] = (
    *_REPLICAS,
    column("Selector", lambda obj, now: format_labels(at(obj, "spec", "selector")), "The labels that select pods.", wide=True),
)


def _node_selector(obj: Object, now: float) -> str:
    return format_labels(at(obj, "spec", "template", "spec", "nodeSelector"))


DAEMON_SETS: tuple[Column, ...] = (
    NAME,
    column("Desired", number("status", "desiredNumberScheduled"), "Nodes that should run the pod.", type="integer"),
    column("Current", number("status", "currentNumberScheduled"), "Nodes that run the pod and should.", type="integer"),
    column("Ready", number("status", "numberReady"), "Nodes whose pod is ready.", type="integer"),
    column("Up-to-date", number("status", "updatedNumberScheduled"), "Nodes whose pod has the newest template.", type="integer"),
    column("Available", number("status", "numberAvailable"), "Nodes whose pod is available.", type="integer"),
    column("Node Selector", _node_selector, "Labels of the nodes that are meant."),
    AGE,
    *_TEMPLATE,
    _SELECTOR,
)


def _controller(obj: Object, now: float) -> str:
    owner = controller_of(obj)
    if owner is None:
        return NONE
    group = owner.get("apiVersion", "").rpartition("/")[0]
    kind = f"{owner.get('kind', '')}.{group}" if group else owner.get("kind", "")
    return f"{kind.lower()}/{owner.get('name', '')}"


CONTROLLER_REVISIONS: tuple[Column, ...] = (
    NAME,
    column("Controller", _controller, "The object that the revision belongs to."),
    column("Revision", number("revision"), "The revision's number."),
    AGE,
)


def _job_status(obj: Object, now: float) -> str:
    for type_, word in (("Complete", "Complete"), ("Failed", "Failed"), ("", "Terminating"), ("Suspended", "Suspended"),
                        ("FailureTarget", "FailureTarget")):  # fmt: skip
        if is_terminating(obj) if not type_ else (condition(obj, type_) or {}).get("status") == "True":
            return word
    return "Running"


def _completions(obj: Object, now: float) -> str:
    succeeded, wanted = at(obj, "status", "succeeded") or 0, at(obj, "spec", "completions")
    if wanted is not None:
        return f"{succeeded}/{wanted}"
    parallelism = at(obj, "spec", "parallelism") or 0
    return f"{succeeded}/1 of {parallelism}" if parallelism > 1 else f"{succeeded}/1"


def _job_duration(obj: Object, now: float) -> str:
    start, end = at(obj, "status", "startTime"), at(obj, "status", "completionTime")
    if not start:
        return ""
    until = parse_time(end).timestamp() if end else now
    return human_duration(until - parse_time(start).timestamp())


JOBS: tuple[Column, ...] = (
    NAME,
    column("Status", _job_status, "Where the job stands."),
    column("Completions", _completions, "Pods that succeeded, of how many wanted."),
    column("Duration", _job_duration, "How long the job ran, or has run."),
    AGE,
    *_TEMPLATE,
    _SELECTOR,
)

CRON_JOBS: tuple[Column, ...] = (
    NAME,
    column("Schedule", field("spec", "schedule"), "When jobs start, as cron writes it."),
    column("Timezone", field("spec", "timeZone", default=NONE), "The time zone of the schedule."),
    column("Suspend", lambda obj, now: go_boolean(at(obj, "spec", "suspend")), "Whether no new job is started.", type="boolean"),
    column("Active", count("status", "active"), "Jobs that run now.", type="integer"),
    column("Last Schedule", ago("status", "lastScheduleTime", default=NONE), "When a job was last started."),
    AGE,
    *containers_and_images("spec", "jobTemplate", "spec", "template", "spec"),
    column("Selector", format_selector("spec", "jobTemplate", "spec", "selector"), "The label selector for pods.", wide=True),
)

POD_DISRUPTION_BUDGETS: tuple[Column, ...] = (
    NAME,
    column("Min Available", lambda obj, now: _text(obj, "minAvailable"), "Pods that must stay available."),
    column("Max Unavailable", lambda obj, now: _text(obj, "maxUnavailable"), "Pods that may be unavailable."),
    column("Allowed Disruptions", number("status", "disruptionsAllowed"), "Pods that may be disrupted now.", type="integer"),
    AGE,
)


def _text(obj: Object, name: str) -> str:
    value = at(obj, "spec", name)
    return "N/A" if value is None else str(value)


def _reference(obj: Object, now: float) -> str:
    target = at(obj, "spec", "scaleTargetRef") or {}
    return f"{target.get('kind', '')}/{target.get('name', '')}"


_SOURCES = {"External": "external", "Pods": "pods", "Object": "object", "Resource": "resource", "ContainerResource": "containerResource"}


def _metrics(obj: Object, now: float) -> str:
    if "metrics" not in obj.get("spec", {}) and "targetCPUUtilizationPercentage" in obj.get("spec", {}):
        current = at(obj, "status", "currentCPUUtilizationPercentage")
        return f"cpu: {'<unknown>' if current is None else f'{current}%'}/{obj['spec']['targetCPUUtilizationPercentage']}%"
    specs, statuses = at(obj, "spec", "metrics") or [], at(obj, "status", "currentMetrics") or []
    if not specs:
        return NONE
    texts = [_metric(spec, statuses[index] if index < len(statuses) else {}) for index, spec in enumerate(specs)]
    shown = ", ".join(texts[:2])
    return f"{shown} + {len(texts) - 2} more..." if len(texts) > 2 else shown


def _metric(spec: Object, status: Object) -> str:
    source = _SOURCES.get(spec.get("type", ""))
    if source is None:
        return "<unknown type>"
    target, current = at(spec, source, "target") or {}, at(status, source, "current") or {}
    if source in ("resource", "containerResource"):
        return f"{at(spec, source, 'name')}: {_resource_metric(target, current)}"
    if "averageValue" in target:
        suffix = "" if source == "pods" else " (avg)"
        return f"{_or_unknown(current.get('averageValue'))}/{target['averageValue']}{suffix}"
    return f"{_or_unknown(current.get('value'))}/{target.get('value')}"


def _resource_metric(target: Object, current: Object) -> str:
    if "averageValue" in target:
        return f"{_or_unknown(current.get('averageValue'))}/{target['averageValue']}"
    used, wanted = current.get("averageUtilization"), target.get("averageUtilization")
    return f"{'<unknown>' if used is None else f'{used}%'}/{'<auto>' if wanted is None else f'{wanted}%'}"


def _or_unknown(value: Any) -> Any:
    return "<unknown>" if value is None else value


HORIZONTAL_POD_AUTOSCALERS: tuple[Column, ...] = (
    NAME,
    column("Reference", _reference, "What is scaled."),
    column("Targets", _metrics, "Each metric: what it is, and what it should be."),
    column("MinPods", lambda obj, now: str(_or_unset(at(obj, "spec", "minReplicas"))), "The smallest number of pods."),
    column("MaxPods", number("spec", "maxReplicas"), "The largest number of pods."),
    column("Replicas", number("status", "currentReplicas"), "How many pods there are."),
    AGE,
)

SCALES: tuple[Column, ...] = (
    column("Name", field("metadata", "name"), "The name of the scaled object."),
    column("Desired", number("spec", "replicas"), "How many pods are wanted.", type="integer"),
    column("Available", number("status", "replicas"), "How many pods there are.", type="integer"),
    AGE,
)


def _or_unset(value: Any) -> Any:
    return UNSET if value is None else value
