"""What the status of a Job may say: counts, indexes, and conditions that don't contradict each other or what was said before (KEP-4368).

A rule holds only for a write that touches what it is about, so that a status which was accepted once can still be written.
"""

from collections.abc import Callable

from proa.api.errors import Cause, duplicate, invalid, required
from proa.api.meta import Object
from proa.apiserver.registry.checks import invalid_part, not_negative
from proa.apiserver.registry.kinds.job_indexes import overlap, parse_indexes

_COUNTS = ("active", "succeeded", "failed", "ready", "terminating")
_CONDITIONS = "status.conditions"


def check_job_status(obj: Object, old: Object) -> list[Cause]:
    new, former, spec = obj.get("status") or {}, old.get("status") or {}, obj.get("spec") or {}
    causes = [cause for field in _COUNTS for cause in not_negative(f"status.{field}", new.get(field))]
    causes += _check_uncounted(new.get("uncountedTerminatedPods") or {})
    causes += _check_contradictions(new, former, spec)
    causes += _check_indexes(new, former, spec)
    return causes + _check_transitions(new, former, spec)


def _is(status: Object) -> Callable[[str], bool]:
    true = {each.get("type") for each in status.get("conditions") or () if each.get("status") == "True"}
    return true.__contains__


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


def _check_contradictions(new: Object, former: Object, spec: Object) -> list[Cause]:
    now, before = _is(new), _is(former)
    complete, failed = now("Complete"), now("Failed")
    finished, was_finished = complete or failed, before("Complete") or before("Failed")
    causes: list[Cause] = []
    if complete and failed:
        causes.append(invalid_part(_CONDITIONS, "cannot set Complete=True and Failed=true conditions"))
    if complete and now("FailureTarget"):
        causes.append(invalid_part(_CONDITIONS, "cannot set Complete=True and FailureTarget=true conditions"))
    if any(new.get(field) != former.get(field) for field in ("startTime", "completionTime")) or (finished and not was_finished):
        causes += _check_times(new, former, complete=complete, finished=finished)
    if failed and not before("Failed") and not now("FailureTarget"):
        causes.append(invalid_part(_CONDITIONS, "cannot set Failed=True condition without the FailureTarget=true condition"))
    if complete and not before("Complete") and not now("SuccessCriteriaMet"):
        causes.append(invalid_part(_CONDITIONS, "cannot set Complete=True condition without the SuccessCriteriaMet=true condition"))
    if finished and (not was_finished or new.get("active") != former.get("active")) and new.get("active", 0) > 0:
        causes.append(invalid("status.active", new["active"], "active>0 is invalid for finished job"))
    uncounted = new.get("uncountedTerminatedPods") or {}
    if finished and (uncounted.get("failed") or uncounted.get("succeeded")):
        detail = "uncountedTerminatedPods needs to be empty for finished job"
        causes.append(invalid("status.uncountedTerminatedPods", uncounted, detail))
    if finished and not was_finished and new.get("terminating", 0) > 0:
        causes.append(invalid("status.terminating", new["terminating"], "terminating>0 is invalid for finished job"))
    if new.get("ready") is not None and new["ready"] > new.get("active", 0):
        causes.append(invalid("status.ready", new["ready"], "cannot set more ready pods than active"))
    return causes + _check_success(now, spec)


def _check_times(new: Object, former: Object, *, complete: bool, finished: bool) -> list[Cause]:
    start, end = new.get("startTime"), new.get("completionTime")
    causes: list[Cause] = []
    if end and not complete:
        detail = "cannot set completionTime when there is no Complete=True condition"
        causes.append(invalid("status.completionTime", end, detail))
    if not end and complete:
        causes.append(required("status.completionTime", "completionTime is required for Complete jobs"))
    if start and end and end < start:
        causes.append(invalid("status.completionTime", end, "completionTime cannot be set before startTime"))
    if finished and not start:
        causes.append(required("status.startTime", "startTime is required for finished job"))
    if end and former.get("completionTime") and end != former["completionTime"]:
        causes.append(invalid("status.completionTime", end, "completionTime cannot be mutated"))
    return causes


def _check_success(now: Callable[[str], bool], spec: Object) -> list[Cause]:
    met = now("SuccessCriteriaMet")
    causes: list[Cause] = []
    if met and now("Failed"):
        causes.append(invalid_part(_CONDITIONS, "cannot set SuccessCriteriaMet=True and Failed=true conditions"))
    if met and now("FailureTarget"):
        causes.append(invalid_part(_CONDITIONS, "cannot set SuccessCriteriaMet=True and FailureTarget=true conditions"))
    if "successPolicy" in spec and not met and now("Complete"):
        detail = "cannot set Complete=True for Job with SuccessPolicy unless SuccessCriteriaMet=True"
        causes.append(invalid_part(_CONDITIONS, detail))
    return causes


def _check_indexes(new: Object, former: Object, spec: Object) -> list[Cause]:
    completed, failed, completions = new.get("completedIndexes") or "", new.get("failedIndexes"), spec.get("completions")
    if completed == (former.get("completedIndexes") or "") and failed == former.get("failedIndexes"):
        return []
    causes: list[Cause] = []
    if completed and spec.get("completionMode") != "Indexed":
        detail = "cannot set non-empty completedIndexes when non-indexed completion mode"
        causes.append(invalid("status.completedIndexes", completed, detail))
    if failed is not None and "backoffLimitPerIndex" not in spec:
        detail = "cannot set non-null failedIndexes when backoffLimitPerIndex is null"
        causes.append(invalid("status.failedIndexes", failed, detail))
    if completions is None:
        return causes
    for field, text in (("completedIndexes", completed), ("failedIndexes", failed or "")):
        try:
            parse_indexes(text, completions)
        except ValueError as error:
            causes.append(invalid(f"status.{field}", text, f"error parsing {field}: {error}"))
    common = overlap(completed, failed or "", completions)
    if common is not None:
        causes.append(invalid("status.failedIndexes", failed, f"failedIndexes and completedIndexes overlap at index: {common}"))
    return causes


def _check_transitions(new: Object, former: Object, spec: Object) -> list[Cause]:
    now, before = _is(new), _is(former)
    causes = [
        invalid_part(_CONDITIONS, f"cannot disable the terminal {kind}=True condition")
        for kind in ("Failed", "Complete", "FailureTarget")
        if before(kind) and not now(kind)
    ]
    causes += [
        invalid(f"status.{field}", new.get(field, 0), f"cannot decrease the {field} counter")
        for field in ("failed", "succeeded")
        if new.get(field, 0) < former.get(field, 0)
    ]
    if former.get("startTime") and new.get("startTime") != former["startTime"] and not spec.get("suspend"):
        causes.append(required("status.startTime", "startTime cannot be removed for unsuspended job"))
    if before("SuccessCriteriaMet") and not now("SuccessCriteriaMet"):
        causes.append(invalid_part(_CONDITIONS, "cannot disable the SuccessCriteriaMet=True condition"))
    if before("Complete") and not before("SuccessCriteriaMet") and now("SuccessCriteriaMet"):
        detail = "cannot set SuccessCriteriaMet=True for Job already has Complete=true conditions"
        causes.append(invalid_part(_CONDITIONS, detail))
    return causes
