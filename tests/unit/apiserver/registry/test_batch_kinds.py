"""Jobs and CronJobs: a valid object, one change, and all that is then wrong; what may change; what a status may say."""

from collections.abc import Callable
from typing import Any

import pytest

from proa.api.resource import Resource
from tests.unit.apiserver.registry.rules import DELETE, Object, changed, on_create, on_status, on_update

Find = Callable[..., Resource]

TEMPLATE: Object = {"spec": {"restartPolicy": "Never", "containers": [{"name": "c", "image": "i"}]}}
JOB: Object = {"metadata": {"name": "j", "namespace": "default", "uid": "u"}, "spec": {"template": TEMPLATE}}
INDEXED = changed(changed(JOB, "spec.completionMode", "Indexed"), "spec.completions", 3)
CRON: Object = {
    "metadata": {"name": "c", "namespace": "default"},
    "spec": {"schedule": "*/5 * * * *", "jobTemplate": {"spec": {"template": TEMPLATE}}},
}
IGNORE: Object = {"action": "Ignore", "onExitCodes": {"operator": "In", "values": [1]}}


@pytest.mark.parametrize(
    ("base", "path", "value", "expected"),
    [
        (JOB, "", None, []),
        (JOB, "spec.parallelism", -1, ["spec.parallelism: Invalid value: -1: must be greater than or equal to 0"]),
        (JOB, "spec.backoffLimit", -1, ["spec.backoffLimit: Invalid value: -1: must be greater than or equal to 0"]),
        (JOB, "spec.template.spec.restartPolicy", DELETE,
         ['spec.template.spec.restartPolicy: Required value: valid values: "OnFailure", "Never"']),
        (JOB, "spec.completionMode", "Sorted",
         ['spec.completionMode: Unsupported value: "Sorted": supported values: "NonIndexed", "Indexed"']),
        (JOB, "spec.completionMode", "Indexed", []),
        (JOB, "spec.backoffLimitPerIndex", 1, ["spec.backoffLimitPerIndex: Invalid value: 1: requires indexed completion mode"]),
        (JOB, "spec.maxFailedIndexes", 1, [
            "spec.backoffLimitPerIndex: Required value: when maxFailedIndexes is specified",
            "spec.maxFailedIndexes: Invalid value: 1: requires indexed completion mode"]),
        (INDEXED, "spec.parallelism", 100001,
         ["spec.parallelism: Invalid value: 100001: must be less than or equal to 100000 when completion mode is Indexed"]),
        (JOB, "spec.managedBy", "me", ['spec.managedBy: Invalid value: "me": must be a domain-prefixed path (such as "acme.io/foo")']),
        (JOB, "spec.podReplacementPolicy", "Later",
         ['spec.podReplacementPolicy: Unsupported value: "Later": supported values: "Failed", "TerminatingOrFailed"']),
        (JOB, "spec.podFailurePolicy", {"rules": [IGNORE]}, []),
        (JOB, "spec.podFailurePolicy", {"rules": [{"action": "Ignore"}]}, [
            "spec.podFailurePolicy.rules[0]: Invalid value: specifying one of OnExitCodes and OnPodConditions is required"]),
        (JOB, "spec.podFailurePolicy", {"rules": [{"action": "FailIndex", "onExitCodes": IGNORE["onExitCodes"]}]}, [
            'spec.podFailurePolicy.rules[0].action: Invalid value: "FailIndex": requires the backoffLimitPerIndex to be set']),
        (JOB, "spec.podFailurePolicy", {"rules": [{"action": "Count", "onExitCodes": {"operator": "In", "values": [3, 0, 3]}}]}, [
            "spec.podFailurePolicy.rules[0].onExitCodes.values[1]: Invalid value: 0: must not be 0 for the In operator",
            "spec.podFailurePolicy.rules[0].onExitCodes.values[2]: Duplicate value: 3",
            "spec.podFailurePolicy.rules[0].onExitCodes.values: Invalid value: [3,0,3]: must be ordered"]),
        (INDEXED, "spec.successPolicy", {"rules": [{"succeededIndexes": "0-2", "succeededCount": 2}]}, []),
        (INDEXED, "spec.successPolicy", {"rules": [{}]}, [
            "spec.successPolicy.rules[0]: Required value: at least one of succeededCount or succeededIndexes must be specified"]),
        (JOB, "spec.successPolicy", {"rules": []}, ['spec.successPolicy: Invalid value: {"rules":[]}: requires indexed completion mode']),
    ],
)  # fmt: skip
def test_new_jobs(find: Find, base: Object, path: str, value: Any, expected: list[str]) -> None:
    assert on_create(find("jobs", "batch"), changed(base, path, value)) == expected


@pytest.mark.parametrize(
    ("path", "value", "expected"),
    [
        ("spec.parallelism", 3, []),
        ("spec.suspend", True, []),
        ("spec.completions", 5, ["spec.completions: Invalid value: 5: field is immutable"]),
        ("spec.backoffLimit", 2, []),
        ("spec.managedBy", "acme.io/foo", ['spec.managedBy: Invalid value: "acme.io/foo": field is immutable']),
    ],
)
def test_changes_of_a_job(find: Find, path: str, value: Any, expected: list[str]) -> None:
    assert on_update(find("jobs", "batch"), JOB, path, value) == expected


def condition(kind: str, status: str = "True") -> Object:
    return {"type": kind, "status": status}


@pytest.mark.parametrize(
    ("status", "former", "expected"),
    [
        ({"active": 1, "ready": 1}, {}, []),
        ({"active": -1}, {}, ["status.active: Invalid value: -1: must be greater than or equal to 0"]),
        ({"conditions": [condition("Complete"), condition("Failed"), condition("SuccessCriteriaMet"), condition("FailureTarget")],
          "startTime": "2026-01-01T00:00:00Z", "completionTime": "2026-01-01T00:01:00Z"}, {}, [
            "status.conditions: Invalid value: cannot set Complete=True and Failed=true conditions",
            "status.conditions: Invalid value: cannot set Complete=True and FailureTarget=true conditions",
            "status.conditions: Invalid value: cannot set SuccessCriteriaMet=True and Failed=true conditions",
            "status.conditions: Invalid value: cannot set SuccessCriteriaMet=True and FailureTarget=true conditions"]),
        ({"conditions": [condition("Complete")], "startTime": "2026-01-01T00:00:00Z", "completionTime": "2026-01-01T00:01:00Z"}, {}, [
            "status.conditions: Invalid value: cannot set Complete=True condition without the SuccessCriteriaMet=true condition"]),
        ({"uncountedTerminatedPods": {"succeeded": ["a"], "failed": ["a"]}}, {},
         ['status.uncountedTerminatedPods.failed[0]: Duplicate value: "a"']),
    ],
)  # fmt: skip
def test_status_of_a_job(find: Find, status: Object, former: Object, expected: list[str]) -> None:
    assert on_status(find("jobs", "batch"), JOB, status, former) == expected


@pytest.mark.parametrize(
    ("path", "value", "expected"),
    [
        ("", None, []),
        ("spec.schedule", DELETE, ["spec.schedule: Required value"]),
        ("spec.schedule", "TZ=UTC * * * * *", [
            'spec.schedule: Invalid value: "TZ=UTC * * * * *": cannot use TZ or CRON_TZ in schedule, use timeZone field instead']),
        ("spec.timeZone", "Mars/Olympus", ['spec.timeZone: Invalid value: "Mars/Olympus": unknown time zone Mars/Olympus']),
        ("spec.timeZone", "", ['spec.timeZone: Invalid value: "": timeZone must be nil or non-empty string']),
        ("spec.timeZone", "Local", [
            'spec.timeZone: Invalid value: "Local": timeZone must be an explicit time zone as defined in '
            "https://www.iana.org/time-zones"]),
        ("spec.timeZone", "Europe/Berlin", []),
        ("spec.concurrencyPolicy", "Sometimes", [
            'spec.concurrencyPolicy: Unsupported value: "Sometimes": supported values: "Allow", "Forbid", "Replace"']),
        ("spec.failedJobsHistoryLimit", -1, ["spec.failedJobsHistoryLimit: Invalid value: -1: must be greater than or equal to 0"]),
        ("spec.jobTemplate.spec.selector", {}, [
            "spec.jobTemplate.spec.selector: Invalid value: {}: `selector` will be auto-generated"]),
        ("metadata.name", "a" * 53, ['metadata.name: Invalid value: "' + "a" * 53 + '": must be no more than 52 characters']),
    ],
)  # fmt: skip
def test_new_cron_jobs(find: Find, path: str, value: Any, expected: list[str]) -> None:
    assert on_create(find("cronjobs", "batch"), changed(CRON, path, value)) == expected
