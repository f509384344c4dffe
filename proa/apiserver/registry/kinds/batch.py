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
from proa.apiserver.registry.kinds.job_spec import validate_job_spec
from proa.apiserver.registry.kinds.workloads import SELECTOR_MISMATCH
from proa.apiserver.registry.object_meta import immutable
from proa.apiserver.registry.pod_spec.defaults import fill_template
from proa.apiserver.registry.pod_spec.warnings import template_warnings
from proa.apiserver.registry.strategy import KindStrategy

MAX_INT32 = 2147483647
MAX_CRON_JOB_NAME = 52
_UID_LABEL, _NAME_LABEL = "batch.kubernetes.io/controller-uid", "batch.kubernetes.io/job-name"
_FIXED = ("completionMode", "podFailurePolicy", "backoffLimitPerIndex", "managedBy", "successPolicy")
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
        return _validate_generated(obj) + self._check_spec(obj)

    def _check_spec(self, obj: Object) -> list[Cause]:
        spec = obj.get("spec", {})
        causes = validate_job_spec(spec, "spec")
        selector = spec.get("selector")
        if selector is None:
            return [*causes, required("spec.selector")]
        wrong = validate_label_selector(selector, "spec.selector")
        labels = _template_labels(spec)
        if not wrong and not selector_from_object(selector).matches(labels):
            wrong.append(invalid("spec.template.metadata.labels", labels, SELECTOR_MISMATCH))
        return causes + wrong

    def check_update(self, obj: Object, old: Object) -> list[Cause]:
        new, former = obj["spec"], old["spec"]
        causes = self._check_spec(obj) + _validate_completions(new, former)
        causes += immutable("spec.selector", new.get("selector"), former.get("selector"))
        causes += immutable("spec.template", new.get("template"), _as_before(new, old))
        return causes + [cause for field in _FIXED for cause in immutable(f"spec.{field}", new.get(field), former.get(field))]

    def warnings(self, obj: Object, old: Object | None) -> Sequence[str]:
        spec = obj.get("spec") or {}
        found = _name_warnings(obj) if old is None else []
        found += _indexed_warnings(spec, "spec")
        former = ((old or {}).get("spec") or {}).get("template")
        return found + (template_warnings(spec.get("template") or {}, "spec.template") if spec.get("template") != former else [])


def fill_failure_policy(spec: Object) -> None:
    for rule in (spec.get("podFailurePolicy") or {}).get("rules") or ():
        for pattern in rule.get("onPodConditions") or ():
            pattern.setdefault("status", "True")


def _template_labels(spec: Object) -> dict[str, str]:
    return ((spec.get("template") or {}).get("metadata") or {}).get("labels") or {}


def _validate_generated(obj: Object) -> list[Cause]:
    """The labels that were made for this Job are there, whatever its author wrote."""
    spec, meta = obj.get("spec") or {}, obj.get("metadata") or {}
    if spec.get("manualSelector") or spec.get("selector") is None:
        return []
    labels, path = _template_labels(spec), "spec.template.metadata.labels"
    uid, name = meta.get("uid", ""), meta.get("name", "")
    expected = {"controller-uid": uid, "job-name": name, _UID_LABEL: uid, _NAME_LABEL: name}
    causes: list[Cause] = []
    for key, value in expected.items():
        if key not in labels:
            causes.append(required(f"{path}[{key}]", f"must be '{value}'"))
        elif labels[key] != value:
            causes.append(invalid(f"{path}[{key}]", labels[key], f"must be '{value}'"))
    if not validate_label_selector(spec["selector"], "") and not selector_from_object(spec["selector"]).matches(expected):
        causes.append(invalid("spec.selector", spec["selector"], "`selector` not auto-generated"))
    return causes


def _validate_completions(new: Object, former: Object) -> list[Cause]:
    """An Indexed Job grows and shrinks with its parallelism."""
    if new.get("completionMode") != "Indexed":
        return immutable("spec.completions", new.get("completions"), former.get("completions"))
    if new.get("completions") in (None, former.get("completions"), new.get("parallelism")):
        return []
    return [invalid("spec.completions", new["completions"], "can only be modified in tandem with spec.parallelism")]


def _as_before(new: Object, old: Object) -> Object:
    """The old template, with what a suspended Job that hasn't started may change taken from the new one."""
    former: Object = old["spec"].get("template") or {}
    if not old["spec"].get("suspend") or (old.get("status") or {}).get("startTime"):
        return former
    fresh = new.get("template") or {}
    spec = _taking(former.get("spec") or {}, fresh.get("spec") or {}, ("nodeSelector", "tolerations", "schedulingGates"))
    affinity = _taking(spec.get("affinity") or {}, (fresh.get("spec") or {}).get("affinity") or {}, ("nodeAffinity",))
    spec.pop("affinity", None)
    if affinity or "affinity" in (fresh.get("spec") or {}):
        spec["affinity"] = affinity
    meta = _taking(former.get("metadata") or {}, fresh.get("metadata") or {}, ("annotations", "labels"))
    return former | {"metadata": meta, "spec": spec}


def _taking(former: Object, fresh: Object, fields: tuple[str, ...]) -> Object:
    kept = {key: value for key, value in former.items() if key not in fields}
    return kept | {field: fresh[field] for field in fields if field in fresh}


def _name_warnings(obj: Object) -> list[str]:
    problems = dns1123_label(obj.get("metadata", {}).get("name", ""))
    if not problems:
        return []
    told = "this is used in Pod names and hostnames, which can result in surprising behavior; a DNS label is recommended"
    return [f"metadata.name: {told}: [{' '.join(problems)}]"]


def _indexed_warnings(spec: Object, path: str) -> list[str]:
    completions, parallelism = spec.get("completions") or 0, spec.get("parallelism") or 0
    if spec.get("completionMode") != "Indexed" or "backoffLimitPerIndex" in spec or completions <= 100_000 or parallelism <= 10_000:
        return []
    return [f"{path}: In Indexed Jobs with a number of completions higher than 10^5 and a parallelism higher than 10^4, Kubernetes might "
            "not be able to track completedIndexes when a big number of indexes fail"]  # fmt: skip


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
            causes.append(not_supported(f"{path}.manualSelector", True, ("nil", "false")))
        for field in ("successfulJobsHistoryLimit", "failedJobsHistoryLimit"):
            causes += not_negative(f"spec.{field}", spec.get(field))
        return causes

    def warnings(self, obj: Object, old: Object | None) -> Sequence[str]:
        spec = obj.get("spec") or {}
        found = _name_warnings(obj) if old is None else []
        job = (spec.get("jobTemplate") or {}).get("spec") or {}
        former = ((((old or {}).get("spec") or {}).get("jobTemplate") or {}).get("spec") or {}).get("template")
        if job.get("template") != former:
            found += template_warnings(job.get("template") or {}, "spec.jobTemplate.spec.template")
        if "TZ" in (spec.get("schedule") or ""):
            found.append("spec.schedule: cannot use TZ or CRON_TZ in schedule, use timeZone field instead, defining a timezone inside of "
                         "schedule is not supported and may not be supported in future releases")  # fmt: skip
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
    if zone.lower() == "local":
        return [invalid(path, zone, "timeZone must be an explicit time zone as defined in https://www.iana.org/time-zones")]
    return [] if _zone_exists(zone) else [invalid(path, zone, f"unknown time zone {zone}")]


def _zone_exists(zone: str) -> bool:
    import zoneinfo

    try:
        zoneinfo.ZoneInfo(zone)
    except (ValueError, OSError, zoneinfo.ZoneInfoNotFoundError):
        return False
    return True
