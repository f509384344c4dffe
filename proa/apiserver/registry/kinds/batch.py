"""Jobs and CronJobs. A Job's selector is made from its own uid, unless it asks to choose it itself (manualSelector)."""

from collections.abc import Sequence
from typing import ClassVar

from proa.api.errors import Cause, invalid, not_supported, required
from proa.api.labels import selector_from_object, validate_label_selector
from proa.api.meta import Object
from proa.api.resource import StrategyContext
from proa.apiserver.registry.checks import check_choice, not_negative
from proa.apiserver.registry.kinds.cron_schedule import schedule_problem
from proa.apiserver.registry.kinds.pod import pod_warnings
from proa.apiserver.registry.kinds.workloads import SELECTOR_MISMATCH
from proa.apiserver.registry.object_meta import immutable
from proa.apiserver.registry.pod_spec.defaults import fill_template
from proa.apiserver.registry.pod_spec.validation import validate_template
from proa.apiserver.registry.strategy import KindStrategy

_POLICIES = ("Never", "OnFailure")
MAX_INT32 = 2147483647
_COUNTS = (
    "parallelism", "completions", "activeDeadlineSeconds", "backoffLimit", "ttlSecondsAfterFinished", "backoffLimitPerIndex",
    "maxFailedIndexes",
)  # fmt: skip


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
        for rule in (spec.get("podFailurePolicy") or {}).get("rules") or ():
            for pattern in rule.get("onPodConditions") or ():
                pattern.setdefault("status", "True")
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
        spec.setdefault("selector", {}).setdefault("matchLabels", {}).setdefault("batch.kubernetes.io/controller-uid", uid)

    def check(self, obj: Object) -> list[Cause]:
        spec = obj.get("spec", {})
        causes = validate_job_spec(spec, "spec")
        selector = spec.get("selector")
        if selector is None:
            return [*causes, required("spec.selector")]
        causes += validate_label_selector(selector, "spec.selector")
        labels = ((spec.get("template") or {}).get("metadata") or {}).get("labels") or {}
        if not causes and not selector_from_object(selector).matches(labels):
            causes.append(invalid("spec.template.metadata.labels", labels, SELECTOR_MISMATCH))
        return causes

    def check_update(self, obj: Object, old: Object) -> list[Cause]:
        new, former = obj["spec"], old["spec"]
        causes = self.check(obj)
        if not (new.get("completionMode") == "Indexed" and new.get("completions") == new.get("parallelism")):
            causes += immutable("spec.completions", new.get("completions"), former.get("completions"))
        causes += immutable("spec.selector", new.get("selector"), former.get("selector"))
        if not (former.get("suspend") and not (old.get("status") or {}).get("startTime")):
            causes += immutable("spec.template", new.get("template"), former.get("template"))
        for field in ("completionMode", "podFailurePolicy", "backoffLimitPerIndex", "managedBy", "successPolicy"):
            causes += immutable(f"spec.{field}", new.get(field), former.get(field))
        return causes

    def warnings(self, obj: Object, old: Object | None) -> Sequence[str]:
        if old is not None:
            return ()
        return pod_warnings(((obj.get("spec") or {}).get("template") or {}).get("spec") or {}, "spec.template.spec")


def validate_job_spec(spec: Object, path: str) -> list[Cause]:
    causes = [cause for field in _COUNTS if field in spec for cause in not_negative(f"{path}.{field}", spec[field])]
    causes += check_choice(f"{path}.completionMode", spec.get("completionMode"), ("Indexed", "NonIndexed"), optional=True)
    if spec.get("completionMode") == "Indexed" and "completions" not in spec:
        causes.append(required(f"{path}.completions", "when completion mode is Indexed"))
    template = spec.get("template") or {}
    causes += validate_template(template, f"{path}.template", ("Always", "Never", "OnFailure"))
    policy = (template.get("spec") or {}).get("restartPolicy")
    if policy not in _POLICIES:
        causes.append(
            required(f"{path}.template.spec.restartPolicy", 'valid values: "OnFailure", "Never"')
            if not policy
            else not_supported(f"{path}.template.spec.restartPolicy", policy, _POLICIES)
        )
    if "podFailurePolicy" in spec and policy != "Never":
        causes.append(
            invalid(f"{path}.template.spec.restartPolicy", policy, 'only "Never" is supported when podFailurePolicy is specified')
        )
    return causes


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
        fill_template(job.setdefault("spec", {}).setdefault("template", {}))

    def check(self, obj: Object) -> list[Cause]:
        spec = obj.get("spec", {})
        causes = _validate_schedule(spec)
        name = obj.get("metadata", {}).get("name", "")
        if len(name) > 52:
            causes.append(invalid("metadata.name", name, "must be no more than 52 characters"))
        causes += check_choice("spec.concurrencyPolicy", spec.get("concurrencyPolicy"), ("Allow", "Forbid", "Replace"))
        for field in ("startingDeadlineSeconds", "successfulJobsHistoryLimit", "failedJobsHistoryLimit"):
            causes += not_negative(f"spec.{field}", spec.get(field))
        job = (spec.get("jobTemplate") or {}).get("spec") or {}
        if job.get("manualSelector"):
            causes.append(not_supported("spec.jobTemplate.spec.manualSelector", True, ("nil", "false")))
        return causes + validate_job_spec(job, "spec.jobTemplate.spec")


def _validate_schedule(spec: Object) -> list[Cause]:
    schedule, zone = spec.get("schedule"), spec.get("timeZone")
    if not schedule:
        return [required("spec.schedule")]
    causes: list[Cause] = []
    if problem := schedule_problem(schedule):
        causes.append(invalid("spec.schedule", schedule, problem))
    if "TZ" in schedule:
        detail = "cannot use TZ or CRON_TZ in schedule" + (", use timeZone instead" if zone is None else " and timeZone field together")
        causes.append(invalid("spec.schedule", schedule, detail))
    if zone == "":
        causes.append(invalid("spec.timeZone", zone, "timeZone must be nil or non-empty string"))
    elif zone is not None and (zone.lower() == "local" or not _zone_exists(zone)):
        problem = "timeZone must be an explicit time zone as defined in https://www.iana.org/time-zones"
        causes.append(invalid("spec.timeZone", zone, problem if zone.lower() == "local" else f"unknown time zone {zone}"))
    return causes


def _zone_exists(zone: str) -> bool:
    import zoneinfo

    try:
        zoneinfo.ZoneInfo(zone)
    except (ValueError, OSError, zoneinfo.ZoneInfoNotFoundError):
        return False
    return True
