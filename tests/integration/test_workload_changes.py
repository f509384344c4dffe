"""Changes, statuses, warnings and first statuses of workloads, Jobs, autoscalers and disruption budgets, through the front door."""

import pytest

from tests.integration.conftest import Api, Run
from tests.integration.refusals import causes, changed
from tests.integration.test_workload_rules import (
    AUTOSCALER,
    AUTOSCALERS,
    BUDGET,
    BUDGETS,
    CLAIM,
    CONTROLLER,
    CONTROLLERS,
    CRON,
    CRON_JOBS,
    DAEMON_SETS,
    DEPLOYMENTS,
    INDEXED,
    JOB,
    JOBS,
    MISMATCH,
    NOT_NEGATIVE,
    REPLICA_SETS,
    REVISION,
    REVISIONS,
    SET,
    STATEFUL_SETS,
    TEMPLATE,
    TEMPLATES,
    Object,
)

FIXED = "field is immutable"
LISTED = (
    "spec: Forbidden: updates to statefulset spec for fields other than 'replicas', 'ordinals', 'template', 'updateStrategy', "
    "'revisionHistoryLimit', 'persistentVolumeClaimRetentionPolicy' and 'minReadySeconds' are forbidden"
)
SUSPENDED = changed(JOB, {"spec.suspend": True})
CHOSEN: Object = {"spec.template.spec.nodeSelector": {"zone": "a"}, "spec.template.spec.containers.0.resources": {"requests": {"cpu": "1"}},
                  "spec.template.metadata.annotations": {"queue": "a"}}  # fmt: skip
STARTED: Object = {"startTime": "2026-01-01T00:00:00Z"}


def condition(kind: str) -> Object:
    return {"type": kind, "status": "True"}


@pytest.mark.parametrize(
    ("path", "base", "status", "changes", "expected"),
    [
        (DEPLOYMENTS, SET, {}, {"spec.selector.matchLabels": {"app": "y"}}, [
            MISMATCH, f'spec.selector: Invalid value: {{"matchLabels":{{"app":"y"}}}}: {FIXED}']),
        (DAEMON_SETS, SET, {}, {"spec.selector.matchLabels": {"app": "y"}}, [
            f'spec.selector: Invalid value: {{"matchLabels":{{"app":"y"}}}}: {FIXED}', MISMATCH]),
        (STATEFUL_SETS, SET, {}, {"spec.serviceName": "other", "spec.podManagementPolicy": "Parallel"}, [LISTED]),
        (STATEFUL_SETS, SET, {}, {"spec.revisionHistoryLimit": 3, "spec.minReadySeconds": 5, "spec.ordinals": {"start": 1}}, []),
        (REVISIONS, REVISION, {}, {"data": {"a": 2}, "revision": -1}, [
            f"revision: Invalid value: -1: {NOT_NEGATIVE}", f'data: Invalid value: {{"a":2}}: {FIXED}']),
        (JOBS, INDEXED, {}, {"spec.completions": 5}, [
            "spec.completions: Invalid value: 5: can only be modified in tandem with spec.parallelism"]),
        (JOBS, INDEXED, {}, {"spec.completions": 5, "spec.parallelism": 5}, []),
        (JOBS, JOB, {}, {"spec.backoffLimit": 1, "spec.managedBy": "acme.io/x"}, [
            f'spec.managedBy: Invalid value: "acme.io/x": {FIXED}']),
        # The template of a suspended Job without pods: where they run and what they ask for.
        (JOBS, SUSPENDED, {}, CHOSEN, []),
        (JOBS, SUSPENDED, STARTED | {"conditions": [condition("Suspended")]}, CHOSEN, []),
        (CRON_JOBS, CRON, {}, {"spec.schedule": "TZ=UTC * * * * *"}, [
            'spec.schedule: Invalid value: "TZ=UTC * * * * *": cannot use TZ or CRON_TZ in schedule, use timeZone field instead']),
        (AUTOSCALERS, AUTOSCALER, {}, {"spec.scaleTargetRef.apiVersion": "v1"}, [
            'spec.scaleTargetRef.apiVersion: Invalid value: "v1": apiVersion must specify API group']),
        (BUDGETS, BUDGET, {}, {"spec.minAvailable": None, "spec.maxUnavailable": "50%"}, []),
    ],
)  # fmt: skip
def test_changes(run: Run, path: str, base: Object, status: Object, changes: Object, expected: list[str]) -> None:
    async def scenario(api: Api) -> None:
        stored = await _stored(api, path, base, status)
        assert causes(await api("PUT", f"{path}/x", changed(stored, changes))) == expected

    run(scenario)


async def _stored(api: Api, path: str, base: Object, status: Object) -> Object:
    made = await api("POST", path, base)
    assert made.status == 201, made.body
    if status:
        made = await api.patch("merge", f"{path}/x/status", {"status": status})
        assert made.status == 200, made.body
    return made.body  # type: ignore[no-any-return]


@pytest.mark.parametrize(
    ("base", "status", "changes", "field"),
    [
        (JOB, {}, {"spec.template.spec.nodeSelector": {"zone": "a"}}, "spec.template"),
        (SUSPENDED, STARTED, CHOSEN, "spec.template"),
        (SUSPENDED, {"active": 1}, CHOSEN, "spec.template"),
        (SUSPENDED, {}, {"spec.template.spec.containers.0.image": "j"}, "spec.template.spec"),
        (SUSPENDED, {}, {"spec.template.spec.containers.0.name": "d"}, "spec.template.spec"),
        (SUSPENDED, {}, {"spec.template.spec.affinity": {"podAffinity": {}}}, "spec.template.spec"),
    ],
)
def test_what_stays_of_a_jobs_template(run: Run, base: Object, status: Object, changes: Object, field: str) -> None:
    async def scenario(api: Api) -> None:
        stored = await _stored(api, JOBS, base, status)
        told = (await api("PUT", f"{JOBS}/x", changed(stored, changes))).body["details"]["causes"]
        assert [each["field"] for each in told] == [field]
        assert told[0]["message"].endswith(f": {FIXED}")

    run(scenario)


AT, LATER, EARLIER = "2026-01-01T00:00:00Z", "2026-01-01T00:01:00Z", "2025-12-31T00:00:00Z"
MET, COMPLETE = condition("SuccessCriteriaMet"), condition("Complete")
TARGETED, FAILED = condition("FailureTarget"), condition("Failed")
DONE: Object = {"startTime": AT, "completionTime": LATER, "conditions": [MET, COMPLETE]}
LIMITED = changed(INDEXED, {"spec.backoffLimitPerIndex": 1})
CONDITIONS = "status.conditions: Invalid value: "
TERMINAL = f"{CONDITIONS}cannot disable the terminal Complete=True condition"
NO_LESS = "cannot be greater than status.replicas"


@pytest.mark.parametrize(
    ("path", "base", "former", "status", "expected"),
    [
        (DEPLOYMENTS, SET, {"collisionCount": 2}, {
            "replicas": 1, "updatedReplicas": 2, "readyReplicas": 3, "availableReplicas": 4, "terminatingReplicas": -1,
            "collisionCount": 1}, [
            f"status.terminatingReplicas: Invalid value: -1: {NOT_NEGATIVE}", f"status.updatedReplicas: Invalid value: 2: {NO_LESS}",
            f"status.readyReplicas: Invalid value: 3: {NO_LESS}", f"status.availableReplicas: Invalid value: 4: {NO_LESS}",
            "status.availableReplicas: Invalid value: 4: cannot be greater than readyReplicas",
            "status.collisionCount: Invalid value: 1: cannot be decremented"]),
        (REPLICA_SETS, SET, {}, {"replicas": 0, "observedGeneration": -1, "terminatingReplicas": -1, "fullyLabeledReplicas": 1}, [
            f"status.observedGeneration: Invalid value: -1: {NOT_NEGATIVE}",
            f"status.terminatingReplicas: Invalid value: -1: {NOT_NEGATIVE}",
            f"status.fullyLabeledReplicas: Invalid value: 1: {NO_LESS}"]),
        (STATEFUL_SETS, SET, {}, {"replicas": 1, "availableReplicas": 1, "currentReplicas": 2}, [
            f"status.currentReplicas: Invalid value: 2: {NO_LESS}",
            "status.availableReplicas: Invalid value: 1: cannot be greater than status.readyReplicas"]),
        (JOBS, JOB, {}, DONE, []),
        (JOBS, JOB, {}, DONE | {"completionTime": EARLIER}, [
            f'status.completionTime: Invalid value: "{EARLIER}": must be equal to or after `startTime`']),
        (JOBS, JOB, {}, {"conditions": [COMPLETE, FAILED], "active": 1, "terminating": 1, "ready": 2,
                         "uncountedTerminatedPods": {"failed": ["a"]}}, [
            f"{CONDITIONS}cannot set Complete=True and Failed=true conditions",
            "status.completionTime: Required value: completionTime is required for Complete jobs",
            f"{CONDITIONS}cannot set Failed=True condition without the FailureTarget=true condition",
            f"{CONDITIONS}cannot set Complete=True condition without the SuccessCriteriaMet=true condition",
            "status.active: Invalid value: 1: active>0 is invalid for finished job",
            "status.startTime: Required value: startTime is required for finished job",
            'status.uncountedTerminatedPods: Invalid value: {"failed":["a"]}: must be empty for finished job',
            "status.terminating: Invalid value: 1: terminating>0 is invalid for finished job",
            "status.ready: Invalid value: 2: cannot set more ready pods than active"]),
        (JOBS, JOB, {}, {"completionTime": LATER, "conditions": [MET, TARGETED]}, [
            f'status.completionTime: Invalid value: "{LATER}": cannot set completionTime when there is no Complete=True condition',
            f"{CONDITIONS}cannot set SuccessCriteriaMet=True and FailureTarget=true conditions"]),
        (JOBS, JOB, {}, {"startTime": AT, "conditions": [MET, TARGETED, FAILED]}, [
            f"{CONDITIONS}cannot set SuccessCriteriaMet=True and Failed=true conditions",
            f"{CONDITIONS}cannot set SuccessCriteriaMet=True and FailureTarget=true conditions"]),
        (JOBS, LIMITED, {}, {"completedIndexes": "0,5", "failedIndexes": "0"}, [
            'status.completedIndexes: Invalid value: "0,5": error parsing completedIndexes: too large index: "5"']),
        (JOBS, LIMITED, {}, {"completedIndexes": "0-1", "failedIndexes": "1"}, [
            'status.failedIndexes: Invalid value: "1": failedIndexes and completedIndexes overlap at index: 1']),
        (JOBS, JOB, {}, {"completedIndexes": "0", "failedIndexes": "0"}, [
            'status.completedIndexes: Invalid value: "0": cannot set non-empty completedIndexes when non-indexed completion mode',
            'status.failedIndexes: Invalid value: "0": cannot set non-null failedIndexes when backoffLimitPerIndex is null',
            'status.failedIndexes: Invalid value: "0": failedIndexes and completedIndexes overlap at index: 0']),
        (JOBS, JOB, DONE, {"completionTime": None, "startTime": None, "conditions": []}, [
            TERMINAL, "status.startTime: Invalid value: null: field is immutable for unsuspended job once set",
            f"{CONDITIONS}cannot disable the SuccessCriteriaMet=True condition"]),
        (JOBS, JOB, DONE, {"completionTime": "2026-01-01T00:02:00Z"}, [
            f'status.completionTime: Invalid value: "2026-01-01T00:02:00Z": {FIXED}']),
        (JOBS, JOB, {"failed": 2, "succeeded": 2}, {"failed": 1, "succeeded": 1}, [
            "status.failed: Invalid value: 1: cannot decrease the failed counter",
            "status.succeeded: Invalid value: 1: cannot decrease the succeeded counter"]),
        (JOBS, INDEXED, {"succeeded": 2}, {"succeeded": 1}, []),
        (JOBS, changed(SUSPENDED, {"spec.completions": 0}), {}, {"conditions": [MET, COMPLETE], "completionTime": LATER}, []),
        (AUTOSCALERS, AUTOSCALER, {}, {"currentReplicas": -1, "desiredReplicas": -2}, [
            f"status.currentReplicas: Invalid value: -1: {NOT_NEGATIVE}", f"status.desiredReplicas: Invalid value: -2: {NOT_NEGATIVE}"]),
        (BUDGETS, BUDGET, {}, {"disruptionsAllowed": -1, "conditions": [
            {"type": "A", "status": "Yes", "reason": "", "message": "", "lastTransitionTime": None}]}, [
            'status.conditions[0].status: Unsupported value: "Yes": supported values: "False", "True", "Unknown"',
            "status.conditions[0].lastTransitionTime: Required value", "status.conditions[0].reason: Required value",
            f"status.disruptionsAllowed: Invalid value: -1: {NOT_NEGATIVE}"]),
    ],
)  # fmt: skip
def test_statuses(run: Run, path: str, base: Object, former: Object, status: Object, expected: list[str]) -> None:
    async def scenario(api: Api) -> None:
        await _stored(api, path, base, former)
        assert causes(await api.patch("merge", f"{path}/x/status", {"status": status})) == expected

    run(scenario)


NAME_TOLD = (
    "metadata.name: this is used in Pod names and hostnames, which can result in surprising behavior; a DNS label is recommended: "
    "[must not contain dots]"
)
OLD_LABEL: Object = {"spec.template.spec.nodeSelector": {"beta.kubernetes.io/os": "linux"}}
OLD_LABEL_TOLD = 'spec.template.spec.nodeSelector[beta.kubernetes.io/os]: deprecated since v1.14; use "kubernetes.io/os" instead'
HISTORY_TOLD = "spec.revisionHistoryLimit: a negative value retains all historical revisions; a value >= 0 is recommended"
DOTS: Object = {"metadata.name": "a.b"}
ZONED = "TZ=UTC * * * * *"


@pytest.mark.parametrize(
    ("path", "base", "changes", "later", "told", "told_later"),
    [
        (DEPLOYMENTS, SET, {**DOTS, **OLD_LABEL}, {"spec.replicas": 2}, [NAME_TOLD, OLD_LABEL_TOLD], [OLD_LABEL_TOLD]),
        (DEPLOYMENTS, SET, OLD_LABEL, {"metadata.labels": {"a": "b"}}, [OLD_LABEL_TOLD], []),
        (DEPLOYMENTS, SET, OLD_LABEL, {"metadata.annotations": {"a": "b"}}, [OLD_LABEL_TOLD], [OLD_LABEL_TOLD]),
        (REPLICA_SETS, SET, {**DOTS, **OLD_LABEL}, {"spec.replicas": 2}, [NAME_TOLD, OLD_LABEL_TOLD], [OLD_LABEL_TOLD]),
        (CONTROLLERS, CONTROLLER, {**DOTS, **OLD_LABEL}, {"spec.replicas": 2}, [NAME_TOLD, OLD_LABEL_TOLD], [OLD_LABEL_TOLD]),
        (STATEFUL_SETS, SET, OLD_LABEL, {"spec.revisionHistoryLimit": -1}, [OLD_LABEL_TOLD], [OLD_LABEL_TOLD, HISTORY_TOLD]),
        (STATEFUL_SETS, SET, {"spec.volumeClaimTemplates": [changed(CLAIM, {"spec.resources.requests.storage": "500m"})]},
         {"metadata.labels": {"a": "b"}}, [
            'spec.volumeClaimTemplates[0].resources.requests[storage]: fractional byte value "500m" is invalid, must be an integer'], [
            'spec.volumeClaimTemplates[0].Spec.resources.requests[storage]: fractional byte value "500m" is invalid, must be an integer']),
        (DAEMON_SETS, SET, {**DOTS, **OLD_LABEL}, {"spec.minReadySeconds": 2}, [OLD_LABEL_TOLD], []),
        (TEMPLATES, {"metadata": {"name": "x"}, "template": TEMPLATE}, {"template.spec.nodeSelector": {"beta.kubernetes.io/os": "linux"}},
         {"metadata.labels": {"a": "b"}}, [OLD_LABEL_TOLD.replace("spec.", "", 1)], [OLD_LABEL_TOLD.replace("spec.", "", 1)]),
        (JOBS, JOB, {**DOTS, **OLD_LABEL}, {"spec.backoffLimit": 2}, [NAME_TOLD, OLD_LABEL_TOLD], [OLD_LABEL_TOLD]),
        (JOBS, JOB, OLD_LABEL, {"metadata.labels": {"a": "b"}}, [OLD_LABEL_TOLD], []),
        (CRON_JOBS, CRON, {**DOTS, "spec.jobTemplate.spec.completionMode": "Indexed", "spec.jobTemplate.spec.completions": 100_001,
                           "spec.jobTemplate.spec.parallelism": 10_001}, {"spec.suspend": True}, [NAME_TOLD, (
            "spec.jobTemplate.spec: In Indexed Jobs with a number of completions higher than 10^5 and a parallelism higher than 10^4, "
            "Kubernetes might not be able to track completedIndexes when a big number of indexes fail")], [(
            "spec.jobTemplate.spec: In Indexed Jobs with a number of completions higher than 10^5 and a parallelism higher than 10^4, "
            "Kubernetes might not be able to track completedIndexes when a big number of indexes fail")]),
    ],
)  # fmt: skip
def test_warnings(run: Run, path: str, base: Object, changes: Object, later: Object, told: list[str], told_later: list[str]) -> None:
    async def scenario(api: Api) -> None:
        made = await api("POST", path, changed(base, changes))
        assert made.status == 201, made.body
        assert _texts(made.warnings) == told
        again = await api("PUT", f"{path}/{made.body['metadata']['name']}", changed(made.body, later))
        assert again.status == 200, again.body
        assert _texts(again.warnings) == told_later

    run(scenario)


def _texts(warnings: list[str]) -> list[str]:
    """Without the server's own word about kinds that nothing acts on yet."""
    found = [warning.removeprefix('299 - "').removesuffix('"').replace('\\"', '"') for warning in warnings]
    return [text for text in found if "has no controller" not in text]


@pytest.mark.parametrize(
    ("path", "base", "expected"),
    [
        (DEPLOYMENTS, SET, {}),
        (REPLICA_SETS, SET, {"replicas": 0}),
        (STATEFUL_SETS, SET, {"replicas": 0, "availableReplicas": 0}),
        (DAEMON_SETS, SET, {"currentNumberScheduled": 0, "numberMisscheduled": 0, "desiredNumberScheduled": 0, "numberReady": 0}),
        (JOBS, JOB, {}),
        (BUDGETS, BUDGET, {"disruptionsAllowed": 0, "currentHealthy": 0, "desiredHealthy": 0, "expectedPods": 0}),
    ],
)  # fmt: skip
def test_a_new_ones_status_and_generation(run: Run, path: str, base: Object, expected: Object) -> None:
    async def scenario(api: Api) -> None:
        made = (await api("POST", path, base | {"status": {"replicas": 5}})).body
        assert (made["status"], made["metadata"]["generation"]) == (expected, 1)

    run(scenario)


def test_an_autoscaler_has_no_generation(run: Run) -> None:
    async def scenario(api: Api) -> None:
        made = (await api("POST", AUTOSCALERS, AUTOSCALER)).body
        assert "generation" not in made["metadata"]
        assert "generation" not in (await api("PUT", f"{AUTOSCALERS}/x", changed(made, {"spec.maxReplicas": 4}))).body["metadata"]

    run(scenario)


def test_what_a_stateful_set_always_says(run: Run) -> None:
    async def scenario(api: Api) -> None:
        made = (await api("POST", STATEFUL_SETS, SET)).body["spec"]
        assert made["serviceName"] == ""
        assert made["updateStrategy"] == {"type": "RollingUpdate", "rollingUpdate": {"partition": 0, "maxUnavailable": 1}}

    run(scenario)


def test_the_template_generation_of_a_daemon_set(run: Run) -> None:
    key = "deprecated.daemonset.template.generation"

    async def scenario(api: Api) -> None:
        made = (await api("POST", DAEMON_SETS, changed(SET, {"metadata.annotations": {key: "7"}}))).body
        assert made["metadata"]["annotations"][key] == "7"
        changes = {"spec.template.spec.nodeName": "n", "metadata.annotations": {key: "1"}}
        assert (await api("PUT", f"{DAEMON_SETS}/x", changed(made, changes))).body["metadata"]["annotations"][key] == "8"

    run(scenario)
