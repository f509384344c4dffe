"""What the status of a Job may say: counts, indexes, and conditions that don't contradict each other or what was said before (KEP-4368).

A rule holds only for a write that touches what it is about, so that a status which was accepted once can still be written.
"""

from collections.abc import Sequence
from typing import Any

from proa.api.errors import Cause, duplicate, invalid, required
from proa.api.meta import Object
from proa.apiserver.registry.checks import invalid_part, not_negative
from proa.apiserver.registry.kinds.job_indexes import overlap, parse_indexes
from proa.apiserver.registry.object_meta import FIELD_IMMUTABLE
from proa.lib.dataclass import dataclass

_COUNTS = ("active", "succeeded", "failed", "ready", "terminating")
_CONDITIONS = "status.conditions"


@dataclass(frozen=True, slots=True)
class _Step:
    """From one status to the next."""

    new: Object
    former: Object
    spec: Object

    def now(self, condition: str) -> bool:
        return _is_true(self.new, condition)

    def before(self, condition: str) -> bool:
        return _is_true(self.former, condition)

    def turned(self, *conditions: str) -> bool:
        return any(self.now(each) != self.before(each) for each in conditions)

    def changed(self, *fields: str) -> bool:
        return any(self.get(field) != (self.former.get(field) or None) for field in fields)

    def get(self, field: str) -> Any:
        """Zero and absent are the same."""
        return self.new.get(field) or None

    @property
    def finished(self) -> bool:
        return self.now("Complete") or self.now("Failed")

    @property
    def ended(self) -> bool:
        """Whether it has ended, or come back, with this write."""
        return self.finished != (self.before("Complete") or self.before("Failed"))


def _is_true(status: Object, condition: str) -> bool:
    return any(each.get("type") == condition and each.get("status") == "True" for each in status.get("conditions") or ())


def check_job_status(obj: Object, old: Object) -> list[Cause]:
    step = _Step(obj.get("status") or {}, old.get("status") or {}, obj.get("spec") or {})
    causes = [cause for field in _COUNTS for cause in not_negative(f"status.{field}", step.new.get(field))]
    causes += _check_uncounted(step.new.get("uncountedTerminatedPods") or {})
    for check in (_check_end, _check_finished, _check_indexes, _check_pods, _check_success, _check_past, _check_success_past):
        causes += check(step)
    return causes


def _check_uncounted(uncounted: Object) -> list[Cause]:
    causes: list[Cause] = []
    seen: set[str] = set()
    for field in ("succeeded", "failed"):
        for index, uid in enumerate(uncounted.get(field) or ()):
            path = f"status.uncountedTerminatedPods.{field}[{index}]"
            if not uid:
                causes.append(invalid(path, uid, "must not be empty"))
            elif uid in seen:
                causes.append(duplicate(path, uid))
            seen.add(uid)
    return causes


def _check_end(step: _Step) -> list[Cause]:
    start, end, complete = step.get("startTime"), step.get("completionTime"), step.now("Complete")
    causes: list[Cause] = []
    if step.turned("Complete", "Failed") and complete and step.now("Failed"):
        causes.append(invalid_part(_CONDITIONS, "cannot set Complete=True and Failed=true conditions"))
    if step.turned("Complete", "FailureTarget") and complete and step.now("FailureTarget"):
        causes.append(invalid_part(_CONDITIONS, "cannot set Complete=True and FailureTarget=true conditions"))
    if step.turned("Complete") or step.changed("completionTime"):
        if end and not complete:
            detail = "cannot set completionTime when there is no Complete=True condition"
            causes.append(invalid("status.completionTime", end, detail))
        if complete and not end:
            causes.append(required("status.completionTime", "completionTime is required for Complete jobs"))
    if step.changed("startTime", "completionTime") and start and end and end < start:
        causes.append(invalid("status.completionTime", end, "must be equal to or after `startTime`"))
    if (step.turned("Failed") or step.changed("failedIndexes")) and step.now("Failed") and not step.now("FailureTarget"):
        causes.append(invalid_part(_CONDITIONS, "cannot set Failed=True condition without the FailureTarget=true condition"))
    if step.turned("Complete", "SuccessCriteriaMet") and complete and not step.now("SuccessCriteriaMet"):
        causes.append(invalid_part(_CONDITIONS, "cannot set Complete=True condition without the SuccessCriteriaMet=true condition"))
    return causes


def _check_finished(step: _Step) -> list[Cause]:
    """What a finished Job leaves: no pods at work, none uncounted, and the time it began at, unless it was suspended without work."""
    if not step.finished:
        return []
    causes: list[Cause] = []
    if (step.ended or step.changed("active")) and step.new.get("active", 0) > 0:
        causes.append(invalid("status.active", step.new["active"], "active>0 is invalid for finished job"))
    idle = step.spec.get("suspend") and step.spec.get("completions") == 0
    if (step.ended or step.changed("startTime")) and not step.get("startTime") and not idle:
        causes.append(required("status.startTime", "startTime is required for finished job"))
    uncounted = step.new.get("uncountedTerminatedPods") or {}
    if (step.ended or step.changed("uncountedTerminatedPods")) and (uncounted.get("failed") or uncounted.get("succeeded")):
        causes.append(invalid("status.uncountedTerminatedPods", uncounted, "must be empty for finished job"))
    return causes


def _check_indexes(step: _Step) -> list[Cause]:
    new_completed, new_failed = step.changed("completedIndexes"), step.changed("failedIndexes")
    completed, failed, completions = step.new.get("completedIndexes") or "", step.new.get("failedIndexes"), step.spec.get("completions")
    limited, causes = "backoffLimitPerIndex" in step.spec, list[Cause]()
    if completions is not None and new_completed:
        causes += _check_syntax("completedIndexes", completed, completions)
    if completions is not None and new_failed and limited and failed is not None:
        causes += _check_syntax("failedIndexes", failed, completions)
    if new_completed and completed and step.spec.get("completionMode") != "Indexed":
        detail = "cannot set non-empty completedIndexes when non-indexed completion mode"
        causes.append(invalid("status.completedIndexes", completed, detail))
    if new_failed and failed is not None and not limited:
        detail = "cannot set non-null failedIndexes when backoffLimitPerIndex is null"
        causes.append(invalid("status.failedIndexes", failed, detail))
    if (new_completed or new_failed) and completions is not None and failed is not None:
        common = overlap(completed, failed, completions)
        if common is not None:
            causes.append(invalid("status.failedIndexes", failed, f"failedIndexes and completedIndexes overlap at index: {common}"))
    return causes


def _check_syntax(field: str, text: str, completions: int) -> Sequence[Cause]:
    try:
        parse_indexes(text, completions)
    except ValueError as error:
        return [invalid(f"status.{field}", text, f"error parsing {field}: {error}")]
    return []


def _check_pods(step: _Step) -> list[Cause]:
    causes: list[Cause] = []
    if step.finished and (step.ended or step.changed("terminating")) and step.new.get("terminating", 0) > 0:
        causes.append(invalid("status.terminating", step.new["terminating"], "terminating>0 is invalid for finished job"))
    ready = step.new.get("ready")
    if step.changed("ready", "active") and ready is not None and ready > step.new.get("active", 0):
        causes.append(invalid("status.ready", ready, "cannot set more ready pods than active"))
    return causes


def _check_success(step: _Step) -> list[Cause]:
    met = step.now("SuccessCriteriaMet")
    causes: list[Cause] = []
    if met and step.now("Failed"):
        causes.append(invalid_part(_CONDITIONS, "cannot set SuccessCriteriaMet=True and Failed=true conditions"))
    if met and step.now("FailureTarget"):
        causes.append(invalid_part(_CONDITIONS, "cannot set SuccessCriteriaMet=True and FailureTarget=true conditions"))
    if "successPolicy" in step.spec and not met and step.now("Complete"):
        detail = "cannot set Complete=True for Job with SuccessPolicy unless SuccessCriteriaMet=True"
        causes.append(invalid_part(_CONDITIONS, detail))
    return causes


def _check_past(step: _Step) -> list[Cause]:
    """Ends are final, counts grow, and times stay. An Indexed Job that may be scaled down may lose pods that have succeeded."""
    causes = [
        invalid_part(_CONDITIONS, f"cannot disable the terminal {kind}=True condition")
        for kind in ("Failed", "Complete", "FailureTarget")
        if step.before(kind) and not step.now(kind)
    ]
    elastic = step.spec.get("completionMode") == "Indexed" and step.spec.get("completions") == step.spec.get("parallelism")
    causes += [
        invalid(f"status.{field}", step.new.get(field, 0), f"cannot decrease the {field} counter")
        for field in (("failed",) if elastic else ("failed", "succeeded"))
        if step.new.get(field, 0) < step.former.get(field, 0)
    ]
    end = step.get("completionTime")
    if end and step.former.get("completionTime") and end != step.former["completionTime"]:
        causes.append(invalid("status.completionTime", end, FIELD_IMMUTABLE))
    if step.former.get("startTime") and step.changed("startTime") and not step.spec.get("suspend"):
        detail = "field is immutable for unsuspended job once set"
        causes.append(invalid("status.startTime", step.get("startTime"), detail))
    return causes


def _check_success_past(step: _Step) -> list[Cause]:
    causes: list[Cause] = []
    if step.before("SuccessCriteriaMet") and not step.now("SuccessCriteriaMet"):
        causes.append(invalid_part(_CONDITIONS, "cannot disable the SuccessCriteriaMet=True condition"))
    if step.before("Complete") and not step.before("SuccessCriteriaMet") and step.now("SuccessCriteriaMet"):
        detail = "cannot set SuccessCriteriaMet=True for Job already has Complete=true conditions"
        causes.append(invalid_part(_CONDITIONS, detail))
    return causes
