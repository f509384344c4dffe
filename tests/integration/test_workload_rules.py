"""What is refused of those who make pods: when they come, when they change, when their status is told, and what they are warned of.

Sources of the rules and of their order: the validation of apps, batch, autoscaling and policy upstream (v1.36 and later).
"""

from typing import Any

import pytest

from tests.integration.conftest import Api, Run
from tests.integration.refusals import LABEL, LABEL_VALUE, causes, changed

Object = dict[str, Any]
NAMESPACED = "namespaces/default"
DEPLOYMENTS, REPLICA_SETS = f"/apis/apps/v1/{NAMESPACED}/deployments", f"/apis/apps/v1/{NAMESPACED}/replicasets"
STATEFUL_SETS, DAEMON_SETS = f"/apis/apps/v1/{NAMESPACED}/statefulsets", f"/apis/apps/v1/{NAMESPACED}/daemonsets"
REVISIONS = f"/apis/apps/v1/{NAMESPACED}/controllerrevisions"
CONTROLLERS, TEMPLATES = f"/api/v1/{NAMESPACED}/replicationcontrollers", f"/api/v1/{NAMESPACED}/podtemplates"
JOBS, CRON_JOBS = f"/apis/batch/v1/{NAMESPACED}/jobs", f"/apis/batch/v1/{NAMESPACED}/cronjobs"
AUTOSCALERS = f"/apis/autoscaling/v2/{NAMESPACED}/horizontalpodautoscalers"
OLD_AUTOSCALERS = f"/apis/autoscaling/v1/{NAMESPACED}/horizontalpodautoscalers"
BUDGETS = f"/apis/policy/v1/{NAMESPACED}/poddisruptionbudgets"

POD: Object = {"containers": [{"name": "c", "image": "i"}]}
TEMPLATE: Object = {"metadata": {"labels": {"app": "x"}}, "spec": POD}
SET: Object = {"metadata": {"name": "x"}, "spec": {"selector": {"matchLabels": {"app": "x"}}, "template": TEMPLATE}}
CONTROLLER: Object = {"metadata": {"name": "x"}, "spec": {"selector": {"app": "x"}, "template": TEMPLATE}}
CLAIM: Object = {"metadata": {"name": "data"}, "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}}
REVISION: Object = {"metadata": {"name": "x"}, "revision": 1, "data": {"a": 1}}
JOB: Object = {"metadata": {"name": "x"}, "spec": {"template": {"spec": POD | {"restartPolicy": "Never"}}}}
INDEXED = changed(JOB, {"spec.completionMode": "Indexed", "spec.completions": 3, "spec.parallelism": 3})
CRON: Object = {"metadata": {"name": "x"}, "spec": {"schedule": "* * * * *", "jobTemplate": {"spec": JOB["spec"]}}}
TARGET: Object = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"}
AUTOSCALER: Object = {"metadata": {"name": "x"}, "spec": {"scaleTargetRef": TARGET, "maxReplicas": 3}}
BUDGET: Object = {"metadata": {"name": "x"}, "spec": {"minAvailable": 1, "selector": {"matchLabels": {"app": "x"}}}}

NOT_NEGATIVE = "must be greater than or equal to 0"
MISMATCH = 'spec.template.metadata.labels: Invalid value: {"app":"x"}: `selector` does not match template `labels`'
UNKNOWN_OPERATOR: Object = {"matchExpressions": [{"key": "app", "operator": "Near", "values": ["x"]}]}
UNKNOWN = '{"matchExpressions":[{"key":"app","operator":"Near","values":["x"]}]}'
NO_OPERATOR = 'spec.selector.matchExpressions[0].operator: Invalid value: "Near": not a valid selector operator'
PERCENT = (
    "a valid percent string must be a numeric string followed by an ending '%' (e.g. '1%',  or '93%', regex used for validation is "
    "'[0-9]+%')"
)
NEVER: Object = {"spec.template.spec.restartPolicy": "Never"}
ONLY_ALWAYS = 'spec.template.spec.restartPolicy: Unsupported value: "Never": supported values: "Always"'
DEADLINE: Object = {"spec.template.spec.activeDeadlineSeconds": 5}
QUALIFIED = (
    "must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or "
    "'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')"
)
METRIC = "spec.metrics[0]"


def too_late(kind: str) -> str:
    return f"spec.template.spec.activeDeadlineSeconds: Forbidden: activeDeadlineSeconds in {kind} is not Supported"


APPS: list[tuple[str, Object, Object, list[str]]] = [
    # Deployments
    (DEPLOYMENTS, SET, {}, []),
    (DEPLOYMENTS, SET, {"spec.selector": None}, ["spec.selector: Required value", MISMATCH]),
    (DEPLOYMENTS, SET, {"spec.selector": {}}, ["spec.selector: Invalid value: {}: empty selector is invalid for deployment"]),
    (DEPLOYMENTS, SET, {"spec.selector": UNKNOWN_OPERATOR, **NEVER}, [
        NO_OPERATOR, f"spec.selector: Invalid value: {UNKNOWN}: invalid label selector"]),
    (DEPLOYMENTS, SET, {"spec.template.metadata.labels": None}, [
        "spec.template.metadata.labels: Invalid value: null: `selector` does not match template `labels`"]),
    (DEPLOYMENTS, SET, {**NEVER, **DEADLINE}, [ONLY_ALWAYS, too_late("ReplicaSet")]),
    (DEPLOYMENTS, SET, {"spec.replicas": -1, "spec.minReadySeconds": -1, "spec.revisionHistoryLimit": -1,
                        "spec.progressDeadlineSeconds": -1, "spec.strategy": {"type": "Slow"}}, [
        f"spec.replicas: Invalid value: -1: {NOT_NEGATIVE}",
        'spec.strategy: Unsupported value: {"type":"Slow"}: supported values: "Recreate", "RollingUpdate"',
        f"spec.minReadySeconds: Invalid value: -1: {NOT_NEGATIVE}", f"spec.revisionHistoryLimit: Invalid value: -1: {NOT_NEGATIVE}",
        f"spec.progressDeadlineSeconds: Invalid value: -1: {NOT_NEGATIVE}",
        "spec.progressDeadlineSeconds: Invalid value: -1: must be greater than minReadySeconds"]),
    (DEPLOYMENTS, SET, {"spec.strategy": {"type": "Recreate", "rollingUpdate": {}}}, [
        "spec.strategy.rollingUpdate: Forbidden: may not be specified when strategy `type` is 'Recreate'"]),
    (DEPLOYMENTS, SET, {"spec.strategy.rollingUpdate": {"maxUnavailable": "150%", "maxSurge": -1}}, [
        f"spec.strategy.rollingUpdate.maxSurge: Invalid value: -1: {NOT_NEGATIVE}",
        'spec.strategy.rollingUpdate.maxUnavailable: Invalid value: "150%": must not be greater than 100%']),
    (DEPLOYMENTS, SET, {"spec.strategy.rollingUpdate": {"maxUnavailable": "00%", "maxSurge": "many"}}, [
        f'spec.strategy.rollingUpdate.maxSurge: Invalid value: "many": {PERCENT}',
        'spec.strategy.rollingUpdate.maxUnavailable: Invalid value: "00%": may not be 0 when `maxSurge` is 0']),
    # ReplicaSets: the messages are those of Deployments
    (REPLICA_SETS, SET, {}, []),
    (REPLICA_SETS, SET, {"spec.selector": {}, "spec.minReadySeconds": -1, "spec.replicas": -2}, [
        f"spec.replicas: Invalid value: -2: {NOT_NEGATIVE}", f"spec.minReadySeconds: Invalid value: -1: {NOT_NEGATIVE}",
        "spec.selector: Invalid value: {}: empty selector is invalid for deployment"]),
    (REPLICA_SETS, SET, {"spec.selector": None, **DEADLINE}, ["spec.selector: Required value", MISMATCH, too_late("ReplicaSet")]),
    # ReplicationControllers
    (CONTROLLERS, CONTROLLER, {"spec.selector": None}, []),
    (CONTROLLERS, CONTROLLER, {"spec.template": None}, ["spec.template: Required value"]),
    (CONTROLLERS, CONTROLLER, {"spec.selector": None, "spec.template.metadata.labels": None, "spec.replicas": -1, **DEADLINE}, [
        "spec.selector: Required value", f"spec.replicas: Invalid value: -1: {NOT_NEGATIVE}", too_late("ReplicationController")]),
    (CONTROLLERS, CONTROLLER, {"spec.selector": {"app": "y"}, **NEVER}, [MISMATCH, ONLY_ALWAYS]),
    # StatefulSets
    (STATEFUL_SETS, SET, {}, []),
    (STATEFUL_SETS, SET, {"metadata.name": "a.b"}, ['metadata.name: Invalid value: "a.b": must not contain dots']),
    (STATEFUL_SETS, SET, {"spec.podManagementPolicy": "Random", "spec.updateStrategy": {"type": "Recreate"}}, [
        "spec.podManagementPolicy: Invalid value: \"Random\": must be 'OrderedReady' or 'Parallel'",
        'spec.updateStrategy: Invalid value: {"type":"Recreate"}: must be \'RollingUpdate\' or \'OnDelete\'']),
    (STATEFUL_SETS, SET, {"spec.updateStrategy": {"type": "OnDelete", "rollingUpdate": {"partition": 1}}}, [
        "spec.updateStrategy.rollingUpdate: Invalid value: {\"partition\":1}: only allowed for updateStrategy 'RollingUpdate'"]),
    (STATEFUL_SETS, SET, {"spec.updateStrategy.rollingUpdate": {"partition": -1, "maxUnavailable": 0}}, [
        f"spec.updateStrategy.rollingUpdate.partition: Invalid value: -1: {NOT_NEGATIVE}",
        "spec.updateStrategy.rollingUpdate.maxUnavailable: Invalid value: 0: cannot be 0"]),
    (STATEFUL_SETS, SET, {"spec.updateStrategy.rollingUpdate.maxUnavailable": "101%"}, [
        'spec.updateStrategy.rollingUpdate.maxUnavailable: Invalid value: "101%": must not be greater than 100%']),
    (STATEFUL_SETS, SET, {"spec.updateStrategy.rollingUpdate.maxUnavailable": -1}, [
        f"spec.updateStrategy.rollingUpdate.maxUnavailable: Invalid value: -1: {NOT_NEGATIVE}"]),
    (STATEFUL_SETS, SET, {"spec.persistentVolumeClaimRetentionPolicy": {"whenDeleted": "Keep"}, "spec.ordinals": {"start": -1},
                          "spec.serviceName": "A", "spec.replicas": -1,
                          "spec.volumeClaimTemplates": [changed(CLAIM, {"spec.accessModes": []})]}, [
        'spec.persistentVolumeClaimRetentionPolicy.whenDeleted: Unsupported value: "Keep": supported values: "Retain", "Delete"',
        "spec.volumeClaimTemplates[0].spec.accessModes: Required value: at least 1 access mode is required",
        f"spec.replicas: Invalid value: -1: {NOT_NEGATIVE}", f"spec.ordinals.start: Invalid value: -1: {NOT_NEGATIVE}",
        f'spec.serviceName: Invalid value: "A": {LABEL}']),
    (STATEFUL_SETS, SET, {"spec.selector": None, **NEVER, **DEADLINE}, [
        "spec.selector: Required value", MISMATCH, ONLY_ALWAYS, too_late("StatefulSet")]),
    (STATEFUL_SETS, SET, {"spec.selector": {}}, ["spec.selector: Invalid value: {}: empty selector is invalid for statefulset"]),
    (STATEFUL_SETS, SET, {"spec.selector": UNKNOWN_OPERATOR, **NEVER}, [
        NO_OPERATOR, f"spec.selector: Invalid value: {UNKNOWN}", ONLY_ALWAYS]),
    (STATEFUL_SETS, SET, {"spec.template.metadata.labels": {"app": "x", "b": "c d"}}, [
        f'spec.template.labels: Invalid value: "c d": {LABEL_VALUE}', f'spec.template.labels: Invalid value: "c d": {LABEL_VALUE}']),
    (STATEFUL_SETS, SET, {"spec.template.spec.hostname": "A", "spec.template.spec.subdomain": "B"}, []),
    (STATEFUL_SETS, SET, {"spec.volumeClaimTemplates": [CLAIM], "spec.template.spec.volumes": [{"name": "V", "emptyDir": {}}],
                          "spec.template.spec.containers.0.volumeMounts": [{"name": "data", "mountPath": "/d"}]}, [
        f'spec.template.spec.volumes[1].name: Invalid value: "V": {LABEL}']),
    # DaemonSets
    (DAEMON_SETS, SET, {}, []),
    (DAEMON_SETS, SET, {"spec.selector": None}, [MISMATCH]),
    (DAEMON_SETS, SET, {"spec.selector": {}}, ["spec.selector: Invalid value: {}: empty selector is invalid for daemonset"]),
    (DAEMON_SETS, SET, {"spec.selector": UNKNOWN_OPERATOR, **NEVER, **DEADLINE}, [NO_OPERATOR, ONLY_ALWAYS, too_late("DaemonSet")]),
    (DAEMON_SETS, SET, {"spec.updateStrategy": {"type": "Slow"}, "spec.minReadySeconds": -1, "spec.revisionHistoryLimit": -1}, [
        f"spec.minReadySeconds: Invalid value: -1: {NOT_NEGATIVE}",
        'spec.updateStrategy: Unsupported value: {"type":"Slow"}: supported values: "RollingUpdate", "OnDelete"',
        f"spec.revisionHistoryLimit: Invalid value: -1: {NOT_NEGATIVE}"]),
    (DAEMON_SETS, SET, {"spec.updateStrategy.rollingUpdate": {"maxUnavailable": "0%", "maxSurge": 0}}, [
        "spec.updateStrategy.rollingUpdate.maxUnavailable: Required value: cannot be 0 when maxSurge is 0"]),
    (DAEMON_SETS, SET, {"spec.updateStrategy.rollingUpdate": {"maxUnavailable": "200%", "maxSurge": "300%"}}, [
        'spec.updateStrategy.rollingUpdate.maxUnavailable: Invalid value: "200%": must not be greater than 100%',
        'spec.updateStrategy.rollingUpdate.maxSurge: Invalid value: "300%": must not be greater than 100%',
        'spec.updateStrategy.rollingUpdate.maxSurge: Invalid value: "300%": may not be set when maxUnavailable is non-zero']),
    (DAEMON_SETS, SET, {"spec.updateStrategy.rollingUpdate": {"maxUnavailable": "few", "maxSurge": -1}}, [
        f'spec.updateStrategy.rollingUpdate.maxUnavailable: Invalid value: "few": {PERCENT}',
        f"spec.updateStrategy.rollingUpdate.maxSurge: Invalid value: -1: {NOT_NEGATIVE}"]),
    # PodTemplates and ControllerRevisions
    (TEMPLATES, {"metadata": {"name": "x"}, "template": {"spec": POD | {"restartPolicy": "OnFailure"}}}, {}, []),
    (TEMPLATES, {"metadata": {"name": "x"}, "template": {"spec": {}}}, {}, ["template.spec.containers: Required value"]),
    (REVISIONS, REVISION, {}, []),
    (REVISIONS, REVISION, {"data": None, "revision": -1}, [
        f"revision: Invalid value: -1: {NOT_NEGATIVE}", "data: Required value: data is mandatory"]),
    (REVISIONS, REVISION, {"data": ["x"]}, ["data: Required value: data must be a valid JSON object"]),
]  # fmt: skip

SUCCESS: Object = {"rules": [{"succeededCount": 1}]}
FAILURE: Object = {"rules": [{"action": "FailJob", "onExitCodes": {"operator": "In", "values": [1]}}]}
BATCH: list[tuple[str, Object, Object, list[str]]] = [
    (JOBS, JOB, {}, []),
    (JOBS, JOB, {"spec.completionMode": "Sorted"}, [
        'spec.completionMode: Unsupported value: "Sorted": supported values: "NonIndexed", "Indexed"']),
    (JOBS, JOB, {"spec.template.spec.restartPolicy": None}, [
        'spec.template.spec.restartPolicy: Required value: valid values: "OnFailure", "Never"']),
    (JOBS, JOB, {"spec.template.spec.restartPolicy": "Maybe"}, [
        'spec.template.spec.restartPolicy: Unsupported value: "Maybe": supported values: "Always", "OnFailure", "Never"',
        'spec.template.spec.restartPolicy: Unsupported value: "Maybe": supported values: "OnFailure", "Never"']),
    (JOBS, JOB, {"spec.podFailurePolicy": FAILURE, "spec.template.spec.restartPolicy": "OnFailure",
                 "spec.podReplacementPolicy": "TerminatingOrFailed"}, [
        'spec.podReplacementPolicy: Unsupported value: "TerminatingOrFailed": supported values: "Failed"',
        'spec.template.spec.restartPolicy: Invalid value: "OnFailure": only "Never" is supported when podFailurePolicy is specified']),
    (JOBS, JOB, {"spec.managedBy": "acme.io/a b"}, [
        "spec.managedBy: Invalid value: \"a b\": Invalid path (regex used for validation is '[A-Za-z0-9/\\-._~%!$&'()*+,;=:]+')"]),
    (JOBS, JOB, {"spec.managedBy": "acme.io/" + "a" * 60}, ["spec.managedBy: Too long: may not be more than 63 bytes"]),
    (JOBS, JOB, {"spec.manualSelector": True}, ["spec.selector: Required value",
        "spec.template.metadata.labels: Invalid value: null: `selector` does not match template `labels`"]),
    (JOBS, INDEXED, {"metadata.name": "a.b"}, [
        'metadata.name: Invalid value: "a.b": will not able to create pod with invalid DNS label: a.b-2']),
    (JOBS, INDEXED, {"spec.completions": 0, "metadata.name": "a.b"}, []),
    (JOBS, JOB, {"spec.podFailurePolicy.rules": [{"action": "FailJob", "onExitCodes": {"operator": "In"}}]}, [
        "spec.podFailurePolicy.rules[0].onExitCodes.values: Invalid value: null: at least one value is required"]),
    (JOBS, JOB, {"spec.podFailurePolicy.rules": [
        {"onExitCodes": {"containerName": "d", "values": [2, 0, 2]}}, {"action": "Restart"}, {"action": "FailIndex", "onPodConditions": [
            {"type": "A b"}, {"type": "A", "status": "Maybe"}]},
        {"action": "Count", "onExitCodes": {"operator": "In", "values": [0]}, "onPodConditions": [{"type": "A"}]},
        {"action": "Ignore", "onExitCodes": {"operator": "Out", "values": list(range(256))}}]}, [
        'spec.podFailurePolicy.rules[0].action: Required value: valid values: ["Count" "FailIndex" "FailJob" "Ignore"]',
        'spec.podFailurePolicy.rules[0].onExitCodes.operator: Required value: valid values: ["In" "NotIn"]',
        'spec.podFailurePolicy.rules[0].onExitCodes.containerName: Invalid value: "d": must be one of the container or initContainer names '
        "in the pod template",
        "spec.podFailurePolicy.rules[0].onExitCodes.values[2]: Duplicate value: 2",
        "spec.podFailurePolicy.rules[0].onExitCodes.values: Invalid value: [2,0,2]: must be ordered",
        'spec.podFailurePolicy.rules[1].action: Unsupported value: "Restart": supported values: "Count", "FailIndex", "FailJob", "Ignore"',
        "spec.podFailurePolicy.rules[1]: Invalid value: specifying one of OnExitCodes and OnPodConditions is required",
        'spec.podFailurePolicy.rules[2].action: Invalid value: "FailIndex": requires the backoffLimitPerIndex to be set',
        f'spec.podFailurePolicy.rules[2].onPodConditions[0].type: Invalid value: "A b": name part {QUALIFIED}',
        'spec.podFailurePolicy.rules[2].onPodConditions[1].status: Unsupported value: "Maybe": '
        'supported values: "False", "True", "Unknown"',
        "spec.podFailurePolicy.rules[3].onExitCodes.values[0]: Invalid value: 0: must not be 0 for the In operator",
        "spec.podFailurePolicy.rules[3]: Invalid value: specifying both OnExitCodes and OnPodConditions is not supported",
        'spec.podFailurePolicy.rules[4].onExitCodes.operator: Unsupported value: "Out": supported values: "In", "NotIn"',
        "spec.podFailurePolicy.rules[4].onExitCodes.values: Too many: 256: must have at most 255 items"]),
    (JOBS, JOB, {"spec.podFailurePolicy.rules": [FAILURE["rules"][0]] * 21}, [
        "spec.podFailurePolicy.rules: Too many: 21: must have at most 20 items"]),
    (JOBS, INDEXED, {"spec.completions": 100_001, "spec.parallelism": 100_001, "spec.maxFailedIndexes": 100_002,
                     "spec.backoffLimitPerIndex": 1}, [
        "spec.parallelism: Invalid value: 100001: must be less than or equal to 100000 when completion mode is Indexed",
        "spec.maxFailedIndexes: Invalid value: 100002: must be less than or equal to completions",
        "spec.maxFailedIndexes: Invalid value: 100002: must be less than or equal to 100000",
        "spec.parallelism: Invalid value: 100001: must be less than or equal to 10000 when completions are above 100000 and used with "
        "backoff limit per index",
        "spec.maxFailedIndexes: Invalid value: 100002: must be less than or equal to 10000 when completions are above 100000 and used with "
        "backoff limit per index"]),
    (JOBS, INDEXED, {"spec.completions": 100_001, "spec.backoffLimitPerIndex": 1}, [
        "spec.maxFailedIndexes: Required value: must be specified when completions is above 100000"]),
    (JOBS, INDEXED, {"spec.completions": None, "spec.parallelism": -1, "spec.activeDeadlineSeconds": -1, "spec.backoffLimit": -1,
                     "spec.ttlSecondsAfterFinished": -1}, [
        f"spec.parallelism: Invalid value: -1: {NOT_NEGATIVE}", f"spec.activeDeadlineSeconds: Invalid value: -1: {NOT_NEGATIVE}",
        f"spec.backoffLimit: Invalid value: -1: {NOT_NEGATIVE}", f"spec.ttlSecondsAfterFinished: Invalid value: -1: {NOT_NEGATIVE}",
        "spec.completions: Required value: when completion mode is Indexed"]),
    (JOBS, INDEXED, {"spec.successPolicy": {"rules": [{}, {"succeededIndexes": "0-5", "succeededCount": -1}, {
        "succeededIndexes": "0", "succeededCount": 4}]}}, [
        "spec.successPolicy.rules[0]: Required value: at least one of succeededCount or succeededIndexes must be specified",
        'spec.successPolicy.rules[1].succeededIndexes: Invalid value: "0-5": error parsing succeededIndexes: too large index: "5"',
        f"spec.successPolicy.rules[1].succeededCount: Invalid value: -1: {NOT_NEGATIVE}",
        "spec.successPolicy.rules[2].succeededCount: Invalid value: 4: must be less than or equal to 3 (the number of specified "
        "completions)",
        "spec.successPolicy.rules[2].succeededCount: Invalid value: 4: must be less than or equal to 1 (the number of indexes in the "
        "specified succeededIndexes field)"]),
    (JOBS, INDEXED, {"spec.successPolicy": {"rules": []}}, [
        "spec.successPolicy.rules: Required value: at least one rules must be specified when the successPolicy is specified"]),
    (JOBS, JOB, {"spec.successPolicy": SUCCESS}, [
        'spec.successPolicy: Invalid value: {"rules":[{"succeededCount":1}]}: requires indexed completion mode']),
    (JOBS, INDEXED, {"spec.successPolicy": SUCCESS}, []),
    (JOBS, JOB, {"spec.maxFailedIndexes": 1}, [
        "spec.backoffLimitPerIndex: Required value: when maxFailedIndexes is specified",
        "spec.maxFailedIndexes: Invalid value: 1: requires indexed completion mode"]),
    (CRON_JOBS, CRON, {}, []),
    (CRON_JOBS, CRON, {"spec.timeZone": "local"}, [
        'spec.timeZone: Invalid value: "local": timeZone must be an explicit time zone as defined in '
        "https://www.iana.org/time-zones", 'spec.timeZone: Invalid value: "local": unknown time zone local']),
    (CRON_JOBS, CRON, {"spec.jobTemplate.spec.manualSelector": True, "spec.successfulJobsHistoryLimit": -1,
                       "spec.startingDeadlineSeconds": -1, "spec.concurrencyPolicy": "Never"}, [
        f"spec.startingDeadlineSeconds: Invalid value: -1: {NOT_NEGATIVE}",
        'spec.concurrencyPolicy: Unsupported value: "Never": supported values: "Allow", "Forbid", "Replace"',
        'spec.jobTemplate.spec.manualSelector: Unsupported value: true: supported values: "nil", "false"',
        f"spec.successfulJobsHistoryLimit: Invalid value: -1: {NOT_NEGATIVE}"]),
]  # fmt: skip

QUEUE: Object = {"type": "External", "external": {"metric": {"name": "q"}, "target": {"type": "Value", "value": "1"}}}
OBJECT: Object = {"type": "Object", "object": {
    "describedObject": {"apiVersion": "v1", "kind": "Service", "name": "s"}, "metric": {"name": "m"},
    "target": {"type": "Value", "value": "1"}}}  # fmt: skip
CPU: Object = {"type": "ContainerResource", "containerResource": {
    "name": "cpu", "container": "c", "target": {"type": "Utilization", "averageUtilization": 50}}}  # fmt: skip
GOOD_RULES: Object = {"policies": [{"type": "Pods", "value": 1, "periodSeconds": 1}]}
TYPES = 'supported values: "ContainerResource", "External", "Object", "Pods", "Resource"'
SCALING: list[tuple[str, Object, Object, list[str]]] = [
    (AUTOSCALERS, AUTOSCALER, {"spec.metrics": [QUEUE, OBJECT, CPU], "spec.behavior.scaleUp": GOOD_RULES | {"tolerance": "0.1"}}, []),
    (AUTOSCALERS, AUTOSCALER, {"spec.scaleTargetRef": {"kind": "a/b"}, "spec.minReplicas": 0, "spec.maxReplicas": -1}, [
        "spec.minReplicas: Invalid value: 0: must be greater than or equal to 1",
        "spec.maxReplicas: Invalid value: -1: must be greater than 0",
        "spec.maxReplicas: Invalid value: -1: must be greater than or equal to `minReplicas`",
        'spec.scaleTargetRef.kind: Invalid value: "a/b": may not contain \'/\'', "spec.scaleTargetRef.name: Required value",
        'spec.scaleTargetRef.apiVersion: Invalid value: "": apiVersion must specify API group',
        "spec.metrics: Forbidden: must specify at least one Object or External metric to support scaling to zero replicas"]),
    (AUTOSCALERS, AUTOSCALER, {"spec.scaleTargetRef": {"apiVersion": "v1", "kind": "ReplicationController", "name": "x"}}, []),
    (AUTOSCALERS, AUTOSCALER, {"spec.scaleTargetRef.apiVersion": "v1"}, [
        'spec.scaleTargetRef.apiVersion: Invalid value: "v1": apiVersion must specify API group']),
    (AUTOSCALERS, AUTOSCALER, {"spec.scaleTargetRef.apiVersion": "a/b/c"}, [
        'spec.scaleTargetRef.apiVersion: Invalid value: "a/b/c": unexpected GroupVersion string: a/b/c']),
    (AUTOSCALERS, AUTOSCALER, {"spec.metrics": [changed(OBJECT, {"object.describedObject.apiVersion": "a/b/c"})]}, [
        f'{METRIC}.object.describedObject.apiVersion: Invalid value: "a/b/c": unexpected GroupVersion string: a/b/c']),
    (AUTOSCALERS, AUTOSCALER, {"spec.metrics": [changed(CPU, {"containerResource.name": "", "containerResource.container": "C"})]}, [
        f"{METRIC}.containerResource.name: Required value: must specify a resource name",
        f'{METRIC}.containerResource.container: Invalid value: "C": {LABEL}']),
    (AUTOSCALERS, AUTOSCALER, {"spec.metrics": [{"type": "External", "external": {"metric": {}, "target": {"type": "Much"}}}]}, [
        f"{METRIC}.external.metric.name: Required value: must specify a metric name",
        f'{METRIC}.external.target.type: Invalid value: "Much": must be either Utilization, Value, or AverageValue',
        f"{METRIC}.external.target.averageValue: Required value: must set either a target value for metric or a per-pod target"]),
    (AUTOSCALERS, AUTOSCALER, {"spec.metrics": [changed(QUEUE, {"external.target.averageValue": "0"})]}, [
        f'{METRIC}.external.target.averageValue: Invalid value: "0": must be positive',
        f"{METRIC}.external.target.value: Forbidden: may not set both a target value for metric and a per-pod target"]),
    (AUTOSCALERS, AUTOSCALER, {"spec.metrics": [changed(OBJECT, {"object.target": {}})]}, [
        f"{METRIC}.object.target.type: Required value: must specify a metric target type",
        f'{METRIC}.object.target.type: Invalid value: "": must be either Utilization, Value, or AverageValue',
        f"{METRIC}.object.target.averageValue: Required value: must set either a target value or averageValue"]),
    (AUTOSCALERS, AUTOSCALER, {"spec.metrics": [{"type": "Pods", "pods": QUEUE["external"]}]}, [
        f"{METRIC}.pods.target.averageValue: Required value: must specify a positive target averageValue"]),
    (AUTOSCALERS, AUTOSCALER, {"spec.metrics": [{"type": "Resource", "resource": {"name": "cpu", "target": {"type": "Value"}}}]}, [
        f"{METRIC}.resource.target.averageUtilization: Required value: must set either a target raw value or a target utilization"]),
    (AUTOSCALERS, AUTOSCALER, {"spec.metrics": [{"type": "Resource", "resource": {"name": "cpu", "target": {
        "type": "Utilization", "averageUtilization": 0, "averageValue": "1"}}}]}, [
        f"{METRIC}.resource.target.averageUtilization: Invalid value: 0: must be greater than 0",
        f"{METRIC}.resource.target.averageValue: Forbidden: may not set both a target raw value and a target utilization"]),
    (AUTOSCALERS, AUTOSCALER, {"spec.metrics": [QUEUE | CPU]}, [
        f"{METRIC}.external: Forbidden: must populate the given metric source only"]),
    (AUTOSCALERS, AUTOSCALER, {"spec.metrics": [QUEUE | {"type": "Pods"}]}, [
        f"{METRIC}.pods: Required value: must populate information for the given metric source"]),
    (AUTOSCALERS, AUTOSCALER, {"spec.behavior.scaleUp": {"stabilizationWindowSeconds": -1, "policies": []}}, [
        "spec.behavior.scaleUp.stabilizationWindowSeconds: Invalid value: -1: must be greater than or equal to zero"]),
    (AUTOSCALERS, AUTOSCALER, {"spec.metrics": [{"type": "Odd"}]}, [
        f'{METRIC}.type: Unsupported value: "Odd": {TYPES}', f'{METRIC}.type: Unsupported value: "Odd": {TYPES}']),
    (AUTOSCALERS, AUTOSCALER, {"spec.behavior": {
        "scaleDown": {"stabilizationWindowSeconds": 3601, "policies": [{"type": "Half", "value": 0, "periodSeconds": 1801}]},
        "scaleUp": GOOD_RULES | {"selectPolicy": "Mean", "tolerance": "-1"}}}, [
        'spec.behavior.scaleUp.selectPolicy: Unsupported value: "Mean": supported values: "Disabled", "Max", "Min"',
        f'spec.behavior.scaleUp.tolerance: Invalid value: "-1": {NOT_NEGATIVE}',
        "spec.behavior.scaleDown.stabilizationWindowSeconds: Invalid value: 3601: must be less than or equal to 3600",
        'spec.behavior.scaleDown.policies[0].type: Unsupported value: "Half": supported values: "Percent", "Pods"',
        "spec.behavior.scaleDown.policies[0].value: Invalid value: 0: must be greater than zero",
        "spec.behavior.scaleDown.policies[0].periodSeconds: Invalid value: 1801: must be less than or equal to 1800"]),
    (OLD_AUTOSCALERS, AUTOSCALER, {"spec.scaleTargetRef.apiVersion": None, "spec.targetCPUUtilizationPercentage": 0}, [
        'spec.scaleTargetRef.apiVersion: Invalid value: "": apiVersion must specify API group',
        "spec.metrics[0].resource.target.averageUtilization: Invalid value: 0: must be greater than 0"]),
    (BUDGETS, BUDGET, {}, []),
    (BUDGETS, BUDGET, {"spec.maxUnavailable": "101%", "spec.minAvailable": -1, "spec.selector": UNKNOWN_OPERATOR,
                       "spec.unhealthyPodEvictionPolicy": "Ask"}, [
        f'spec: Invalid value: {{"minAvailable":-1,"selector":{UNKNOWN},"maxUnavailable":"101%","unhealthyPodEvictionPolicy":"Ask"}}: '
        "minAvailable and maxUnavailable cannot be both set",
        f"spec.minAvailable: Invalid value: -1: {NOT_NEGATIVE}",
        'spec.maxUnavailable: Invalid value: "101%": must not be greater than 100%', NO_OPERATOR,
        'spec.unhealthyPodEvictionPolicy: Unsupported value: "Ask": supported values: "AlwaysAllow", "IfHealthyBudget"']),
]  # fmt: skip


@pytest.mark.parametrize(("path", "base", "changes", "expected"), [*APPS, *BATCH, *SCALING])
def test_new_ones(run: Run, path: str, base: Object, changes: Object, expected: list[str]) -> None:
    async def scenario(api: Api) -> None:
        assert causes(await api("POST", path, changed(base, changes))) == expected

    run(scenario)
