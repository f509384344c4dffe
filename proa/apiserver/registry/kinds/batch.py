"""Jobs and CronJobs. A Job's selector is made from its own uid, unless it asks to choose it itself (manualSelector)."""

import re
from collections.abc import Sequence
from typing import ClassVar

from proa.api.errors import Cause, invalid, not_supported, required
from proa.api.labels import selector_from_object, validate_label_selector
from proa.api.meta import Object
from proa.api.names import dns1123_label
from proa.api.resource import StrategyContext
from proa.apiserver.registry.checks import check_choice, not_negative
from proa.apiserver.registry.kinds.cron_schedule import schedule_problem
from proa.apiserver.registry.kinds.job_spec import MANY_COMPLETIONS, MAX_PARALLELISM_OF_MANY, validate_job_spec
from proa.apiserver.registry.kinds.job_template import validate_template_update
from proa.apiserver.registry.kinds.workloads import is_unusable, name_warnings, template_labels, validate_match
from proa.apiserver.registry.object_meta import immutable
from proa.apiserver.registry.pod_spec.defaults import fill_template
from proa.apiserver.registry.pod_spec.warnings import template_warnings
from proa.apiserver.registry.strategy import KindStrategy

MAX_INT32 = 2147483647
MAX_CRON_JOB_NAME = 52
_UID_LABEL, _NAME_LABEL = "batch.kubernetes.io/controller-uid", "batch.kubernetes.io/job-name"
_FIXED = ("completionMode", "podFailurePolicy", "backoffLimitPerIndex", "managedBy", "successPolicy")
_MANY_INDEXES = (
    "In Indexed Jobs with a number of completions higher than 10^5 and a parallelism higher than 10^4, Kubernetes might not be able to "
    "track completedIndexes when a big number of indexes fail"
)
_CRON_JOBS_PAGE = "https://kubernetes.io/docs/concepts/workloads/controllers/cron-jobs/"
_zone_part = re.compile(r"[A-Za-z._0-9+][A-Za-z._0-9+-]{0,13}").fullmatch


class JobStrategy(KindStrategy):
    tracks_generation = True
    empty_status: ClassVar[Object | None] = {}

    def fill(self, obj: Object) -> None:
        spec = obj.setdefault("spec", {})
        if "completions" not in spec and "parallelism" not in spec:
            spec["completions"] = 1
        spec.setdefault("parallelism", 1)
        spec.setdefault("backoffLimit", MAX_INT32 if "backoffLimitPerIndex" in spec else 6)
        spec.setdefault("completionMode", "NonIndexed")
        spec.setdefault("suspend", False)
        spec.setdefault("manualSelector", False)
        spec.setdefault("podReplacementPolicy", "Failed" if "podFailurePolicy" in spec else "TerminatingOrFailed")
        fill_failure_policy(spec)
        template = spec.setdefault("template", {})
        fill_template(template)
        if template["metadata"].get("labels") and not obj.get("metadata", {}).get("labels"):
            obj.setdefault("metadata", {})["labels"] = dict(template["metadata"]["labels"])

    def prepare(self, obj: Object, context: StrategyContext) -> None:
        spec, meta = obj["spec"], obj.get("metadata", {})
        if spec.get("manualSelector"):
            return
        uid, name = meta.get("uid", ""), meta.get("name", "")
        labels = spec["template"]["metadata"].setdefault("labels", {})
        for key, value in (("controller-uid", uid), ("job-name", name)):
            labels.setdefault(key, value)
            labels.setdefault(f"batch.kubernetes.io/{key}", value)
        spec.setdefault("selector", {}).setdefault("matchLabels", {}).setdefault(_UID_LABEL, uid)

    def check(self, obj: Object) -> list[Cause]:
        return _validate_generated(obj) + self._check_spec(obj) + _validate_host_names(obj)

    def _check_spec(self, obj: Object) -> list[Cause]:
        spec = obj.get("spec", {})
        selector = spec.get("selector")
        causes = validate_job_spec(spec, "spec")
        causes += [required("spec.selector")] if selector is None else validate_label_selector(selector, "spec.selector")
        return causes if is_unusable(selector) else causes + validate_match(spec)

    def check_update(self, obj: Object, old: Object) -> list[Cause]:
        new, former = obj["spec"], old["spec"]
        causes = self._check_spec(obj) + _validate_completions(new, former)
        causes += immutable("spec.selector", new.get("selector"), former.get("selector"))
        causes += validate_template_update(new, old)
        return causes + [cause for field in _FIXED for cause in immutable(f"spec.{field}", new.get(field), former.get(field))]

    def warnings(self, obj: Object, old: Object | None) -> Sequence[str]:
        if old is None:
            return name_warnings(obj) + _spec_warnings(obj["spec"], "spec")
        return _spec_warnings(obj["spec"], "spec") if _is_new_generation(obj, old) else []


def fill_failure_policy(spec: Object) -> None:
    for rule in (spec.get("podFailurePolicy") or {}).get("rules") or ():
        for pattern in rule.get("onPodConditions") or ():
            pattern.setdefault("status", "True")


def _validate_generated(obj: Object) -> list[Cause]:
    """The labels that were made for this Job are there, whatever its author wrote."""
    spec, meta = obj.get("spec") or {}, obj.get("metadata") or {}
    if spec.get("manualSelector") or spec.get("selector") is None:
        return []
    labels, path = template_labels(spec) or {}, "spec.template.metadata.labels"
    uid, name = meta.get("uid", ""), meta.get("name", "")
    expected = {"controller-uid": uid, "job-name": name, _UID_LABEL: uid, _NAME_LABEL: name}
    causes = [] if uid else [required("metadata.uid")]
    for key, value in expected.items():
        if key not in labels:
            causes.append(required(f"{path}[{key}]", f"must be '{value}'"))
        elif labels[key] != value:
            causes.append(invalid(f"{path}[{key}]", labels, f"must be '{value}'"))
    if not is_unusable(spec["selector"]) and not selector_from_object(spec["selector"]).matches(expected):
        causes.append(invalid("spec.selector", spec["selector"], "`selector` not auto-generated"))
    return causes


def _validate_host_names(obj: Object) -> list[Cause]:
    """The pods of an Indexed Job are named after it and their index; the last one's name is the longest."""
    spec, name = obj.get("spec") or {}, obj.get("metadata", {}).get("name", "")
    completions = spec.get("completions") or 0
    last = f"{name}-{completions - 1}"
    if spec.get("completionMode") != "Indexed" or completions <= 0 or not dns1123_label(last):
        return []
    return [invalid("metadata.name", name, f"will not able to create pod with invalid DNS label: {last}")]


def _validate_completions(new: Object, former: Object) -> list[Cause]:
    """An Indexed Job grows and shrinks with its parallelism."""
    if new.get("completionMode") != "Indexed":
        return immutable("spec.completions", new.get("completions"), former.get("completions"))
    if new.get("completions") in (None, former.get("completions"), new.get("parallelism")):
        return []
    return [invalid("spec.completions", new["completions"], "can only be modified in tandem with spec.parallelism")]


def _is_new_generation(obj: Object, old: Object) -> bool:
    return bool(obj["metadata"].get("generation") != old["metadata"].get("generation"))


def _spec_warnings(spec: Object, path: str) -> list[str]:
    """Of a Job and of a CronJob's template."""
    completions, parallelism = spec.get("completions") or 0, spec.get("parallelism") or 0
    found = []
    if spec.get("completionMode") == "Indexed" and completions > MANY_COMPLETIONS and parallelism > MAX_PARALLELISM_OF_MANY:
        found.append(f"{path}: {_MANY_INDEXES}")
    return found + template_warnings(spec.get("template") or {}, f"{path}.template")


class CronJobStrategy(KindStrategy):
    tracks_generation = True
    empty_status: ClassVar[Object | None] = {}

    def fill(self, obj: Object) -> None:
        spec = obj.setdefault("spec", {})
        spec.setdefault("concurrencyPolicy", "Allow")
        spec.setdefault("suspend", False)
        spec.setdefault("successfulJobsHistoryLimit", 3)
        spec.setdefault("failedJobsHistoryLimit", 1)
        job = spec.setdefault("jobTemplate", {})
        job.setdefault("metadata", {})
        fill_failure_policy(job.setdefault("spec", {}))
        fill_template(job["spec"].setdefault("template", {}))

    def check(self, obj: Object) -> list[Cause]:
        name = obj.get("metadata", {}).get("name", "")
        causes = self._check_spec(obj.get("spec", {}), {})
        if len(name) > MAX_CRON_JOB_NAME:
            causes.append(invalid("metadata.name", name, f"must be no more than {MAX_CRON_JOB_NAME} characters"))
        return causes

    def check_update(self, obj: Object, old: Object) -> list[Cause]:
        return self._check_spec(obj.get("spec", {}), old.get("spec") or {})

    def _check_spec(self, spec: Object, former: Object) -> list[Cause]:
        causes = _validate_schedule(spec, former)
        causes += not_negative("spec.startingDeadlineSeconds", spec.get("startingDeadlineSeconds"))
        if spec.get("timeZone") is not None and spec["timeZone"] != former.get("timeZone"):
            causes += _validate_zone(spec["timeZone"], "spec.timeZone")
        causes += check_choice("spec.concurrencyPolicy", spec.get("concurrencyPolicy"), ("Allow", "Forbid", "Replace"))
        job, path = (spec.get("jobTemplate") or {}).get("spec") or {}, "spec.jobTemplate.spec"
        causes += validate_job_spec(job, path)
        if "selector" in job:
            causes.append(invalid(f"{path}.selector", job["selector"], "`selector` will be auto-generated"))
        if job.get("manualSelector"):
            causes.append(not_supported(f"{path}.manualSelector", True, ("nil", "false"), in_order=False))
        for field in ("successfulJobsHistoryLimit", "failedJobsHistoryLimit"):
            causes += not_negative(f"spec.{field}", spec.get(field))
        return causes

    def warnings(self, obj: Object, old: Object | None) -> Sequence[str]:
        """The path in the last one is upstream's own slip."""
        path, job = "spec.jobTemplate.spec", obj["spec"]["jobTemplate"]["spec"]
        if old is None:
            return name_warnings(obj) + _spec_warnings(job, path)
        found = _spec_warnings(job, path) if _is_new_generation(obj, old) else []
        if "TZ" in (obj["spec"].get("schedule") or ""):
            found.append(f"cannot use TZ or CRON_TZ in spec.spec.schedule, use timeZone instead, see {_CRON_JOBS_PAGE} for more details")
        return found


def _validate_schedule(spec: Object, former: Object) -> list[Cause]:
    schedule = spec.get("schedule")
    if not schedule:
        return [required("spec.schedule")]
    problem = schedule_problem(schedule)
    causes = [invalid("spec.schedule", schedule, problem)] if problem else []
    if "TZ" not in schedule:
        return causes
    if "TZ" not in (former.get("schedule") or ""):
        return [*causes, invalid("spec.schedule", schedule, "cannot use TZ or CRON_TZ in schedule, use timeZone field instead")]
    if spec.get("timeZone") is not None:
        causes.append(invalid("spec.schedule", schedule, "cannot use both timeZone field and TZ or CRON_TZ in schedule"))
    return causes


def _validate_zone(zone: str, path: str) -> list[Cause]:
    if not zone:
        return [invalid(path, zone, "timeZone must be nil or non-empty string")]
    if any(part in (".", "..") or not _zone_part(part) for part in zone.split("/")):
        return [invalid(path, zone, f"unknown time zone {zone}")]
    causes: list[Cause] = []
    if zone.lower() == "local":
        causes.append(invalid(path, zone, "timeZone must be an explicit time zone as defined in https://www.iana.org/time-zones"))
    return causes if zone == "Local" or _zone_exists(zone) else [*causes, invalid(path, zone, f"unknown time zone {zone}")]


def _zone_exists(zone: str) -> bool:
    import zoneinfo

    try:
        zoneinfo.ZoneInfo(zone)
    except (ValueError, OSError, zoneinfo.ZoneInfoNotFoundError):
        return False
    return True
