"""What is refused of the kinds by which a cluster is run: roles, classes, drivers, leases, flows, and what servers tell of themselves."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from tests.integration.conftest import Api, Run, Scenario, running
from tests.integration.refusals import LABEL, SUBDOMAIN, causes, changed

Object = dict[str, Any]
RBAC, STORAGE, FLOW = "/apis/rbac.authorization.k8s.io/v1", "/apis/storage.k8s.io/v1", "/apis/flowcontrol.apiserver.k8s.io/v1"
ROLES, CLUSTER_ROLES = f"{RBAC}/namespaces/default/roles", f"{RBAC}/clusterroles"
BINDINGS, CLUSTER_BINDINGS = f"{RBAC}/namespaces/default/rolebindings", f"{RBAC}/clusterrolebindings"
PRIORITIES, RUNTIMES = "/apis/scheduling.k8s.io/v1/priorityclasses", "/apis/node.k8s.io/v1/runtimeclasses"
LEASES = "/apis/coordination.k8s.io/v1/namespaces/default/leases"
CANDIDATES = "/apis/coordination.k8s.io/v1beta1/namespaces/default/leasecandidates"
CLASSES, DRIVERS, NODES = f"{STORAGE}/storageclasses", f"{STORAGE}/csidrivers", f"{STORAGE}/csinodes"
CAPACITIES, ATTACHMENTS = f"{STORAGE}/namespaces/default/csistoragecapacities", f"{STORAGE}/volumeattachments"
ATTRIBUTES = f"{STORAGE}/volumeattributesclasses"
SCHEMAS, LEVELS = f"{FLOW}/flowschemas", f"{FLOW}/prioritylevelconfigurations"
VERSIONS = "/apis/internal.apiserver.k8s.io/v1alpha1/storageversions"
MIGRATIONS = "/apis/storagemigration.k8s.io/v1/storageversionmigrations"
WORKLOADS = "/apis/scheduling.k8s.io/v1beta1/namespaces/default/workloads"
GROUPS = "/apis/scheduling.k8s.io/v1beta1/namespaces/default/podgroups"
COMPOSITES = "/apis/scheduling.k8s.io/v1alpha3/namespaces/default/compositepodgroups"

ROLE: Object = {"metadata": {"name": "x"}, "rules": [{"verbs": ["get"], "apiGroups": [""], "resources": ["pods"]}]}
BINDING: Object = {"metadata": {"name": "x"}, "roleRef": {"kind": "ClusterRole", "name": "view"},
                   "subjects": [{"kind": "User", "name": "me"}]}  # fmt: skip
PRIORITY: Object = {"metadata": {"name": "x"}, "value": 1}
RUNTIME: Object = {"metadata": {"name": "x"}, "handler": "runc"}
LEASE: Object = {"metadata": {"name": "x"}, "spec": {}}
CANDIDATE: Object = {"metadata": {"name": "x"}, "spec": {
    "leaseName": "l", "binaryVersion": "1.37.0", "emulationVersion": "1.37.0", "strategy": "OldestEmulationVersion"}}  # fmt: skip
CLASS: Object = {"metadata": {"name": "x"}, "provisioner": "acme.io/x"}
DRIVER: Object = {"metadata": {"name": "x"}, "spec": {}}
NODE: Object = {"metadata": {"name": "x"}, "spec": {"drivers": [{"name": "d", "nodeID": "n", "topologyKeys": ["zone"]}]}}
CAPACITY: Object = {"metadata": {"name": "x"}, "storageClassName": "c"}
ATTACHMENT: Object = {"metadata": {"name": "x"}, "spec": {"attacher": "d", "nodeName": "n", "source": {"persistentVolumeName": "v"}}}
ATTRIBUTE: Object = {"metadata": {"name": "x"}, "driverName": "d", "parameters": {"a": "b"}}
RULE: Object = {"subjects": [{"kind": "User", "user": {"name": "u"}}],
                "resourceRules": [{"verbs": ["get"], "apiGroups": [""], "resources": ["pods"], "namespaces": ["*"]}]}  # fmt: skip
SCHEMA: Object = {"metadata": {"name": "x"}, "spec": {"priorityLevelConfiguration": {"name": "global-default"}, "rules": [RULE]}}
LEVEL: Object = {"metadata": {"name": "x"}, "spec": {"type": "Limited", "limited": {"limitResponse": {"type": "Reject"}}}}
VERSION: Object = {"metadata": {"name": "apps.deployments"}, "spec": {}}
MIGRATION: Object = {"metadata": {"name": "x"}, "spec": {"resource": {"group": "apps", "resource": "deployments"}}}
GANG: Object = {"gang": {"minCount": 2}}
LEAF: Object = {"name": "leaf", "schedulingPolicy": GANG}
BRANCH: Object = {"name": "branch", "schedulingPolicy": {"basic": {}}, "podGroupTemplates": [LEAF]}
WORKLOAD: Object = {"metadata": {"name": "x"}, "spec": {"podGroupTemplates": [LEAF]}}
TREE: Object = {"metadata": {"name": "x"}, "spec": {"compositePodGroupTemplates": [BRANCH]}}
POD_GROUP: Object = {"metadata": {"name": "x"}, "spec": {
    "schedulingPolicy": GANG, "resourceClaims": [{"name": "gpu", "resourceClaimName": "c"}]}}  # fmt: skip

NOT_NEGATIVE = "must be greater than or equal to 0"
FIXED = "field is immutable"
DNS1035 = (
    "must consist of lower case alphanumeric characters or '-', start with an alphabetic character, and end with an alphanumeric "
    "character (e.g. 'my-name',  or 'abc-123', regex used for validation is '[a-z]([-a-z0-9]*[a-z0-9])?')"
)
QUALIFIED = (
    "must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or "
    "'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')"
)
GROUP = '"rbac.authorization.k8s.io"'
NEAR: Object = {"matchExpressions": [{"key": "a", "operator": "Near"}]}
TERM: Object = {"matchLabelExpressions": [{"key": "zone", "values": ["a"]}]}


@pytest.fixture
def run_all(signing_key: Path, tmp_path: Path) -> Run:
    """A server that has the versions too that are off by default."""

    def run_scenario(scenario: Scenario) -> None:
        async def main() -> None:
            async with running(signing_key, tmp_path, runtime_config={"api/all": True}) as api:
                await scenario(api)

        asyncio.run(main())

    return run_scenario


CREATES: list[tuple[str, Object, Object, list[str]]] = [
    # RBAC
    (ROLES, ROLE, {}, []),
    (ROLES, ROLE, {"metadata.name": "a:b"}, []),
    (ROLES, ROLE, {"metadata.name": "a%b"}, ['metadata.name: Invalid value: "a%b": may not contain \'%\'']),
    (ROLES, ROLE, {"rules": [{}]}, [
        "rules[0].verbs: Required value: verbs must contain at least one value",
        "rules[0].apiGroups: Required value: resource rules must supply at least one api group",
        "rules[0].resources: Required value: resource rules must supply at least one resource"]),
    (ROLES, ROLE, {"rules": [{"verbs": ["get"], "nonResourceURLs": ["/x"], "resourceNames": ["a"]}]}, [
        'rules[0].nonResourceURLs: Invalid value: ["/x"]: namespaced rules cannot apply to non-resource URLs',
        'rules[0].nonResourceURLs: Invalid value: ["/x"]: rules cannot apply to both regular resources and non-resource URLs']),
    (CLUSTER_ROLES, ROLE, {"rules": [{"verbs": ["get"], "nonResourceURLs": ["/x"]}]}, []),
    (CLUSTER_ROLES, ROLE, {"aggregationRule": {}}, [
        "aggregationRule.clusterRoleSelectors: Required value: at least one clusterRoleSelector required if aggregationRule is non-nil"]),
    (CLUSTER_ROLES, ROLE, {"aggregationRule": {"clusterRoleSelectors": [NEAR]}}, [
        'aggregationRule.clusterRoleSelectors[0].matchExpressions[0].operator: Invalid value: "Near": not a valid selector operator',
        "aggregationRule.clusterRoleSelectors[0]: Invalid value: null: invalid label selector."]),
    (BINDINGS, BINDING, {}, []),
    (BINDINGS, BINDING, {"roleRef": {"kind": "Rule", "name": "", "apiGroup": "x"}}, [
        f'roleRef.apiGroup: Unsupported value: "x": supported values: {GROUP}',
        'roleRef.kind: Unsupported value: "Rule": supported values: "Role", "ClusterRole"', "roleRef.name: Required value"]),
    (CLUSTER_BINDINGS, BINDING, {"roleRef.kind": "Role", "subjects": [
        {"kind": "ServiceAccount", "name": "A", "apiGroup": "x"}, {"kind": "Robot", "name": "r"}, {"kind": "Group"}]}, [
        'roleRef.kind: Unsupported value: "Role": supported values: "ClusterRole"',
        f'subjects[0].name: Invalid value: "A": {SUBDOMAIN}', 'subjects[0].apiGroup: Unsupported value: "x": supported values: ""',
        "subjects[0].namespace: Required value",
        'subjects[1].kind: Unsupported value: "Robot": supported values: "ServiceAccount", "User", "Group"',
        "subjects[2].name: Required value"]),
    # scheduling, node, coordination
    (PRIORITIES, PRIORITY, {"preemptionPolicy": "Maybe", "value": 1_000_000_001}, [
        "value: Forbidden: maximum allowed value of a user defined priority is 1000000000",
        'preemptionPolicy: Unsupported value: "Maybe": supported values: "PreemptLowerPriority", "Never"']),
    (PRIORITIES, PRIORITY, {"metadata.name": "system-x"}, [
        "metadata.name: Forbidden: priority class names with 'system-' prefix are reserved for system use only. error: system-x is not a "
        "known system priority class"]),
    (RUNTIMES, RUNTIME, {"handler": "A b", "overhead": {"podFixed": {"cpu": "-1"}}, "scheduling": {"tolerations": [
        {"key": "a", "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 1},
        {"key": "a", "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 2}]}}, [
        f'handler: Invalid value: "A b": {LABEL}', f'overhead.limits[cpu]: Invalid value: "-1": {NOT_NEGATIVE}',
        'scheduling.tolerations[1]: Duplicate value: {"key":"a","operator":"Exists","effect":"NoExecute","tolerationSeconds":2}']),
    (LEASES, LEASE, {"spec": {"leaseDurationSeconds": 0, "leaseTransitions": -1, "strategy": "Oldest", "preferredHolder": "a"}}, [
        "spec.leaseDurationSeconds: Invalid value: 0: must be greater than 0", f"spec.leaseTransitions: Invalid value: -1: {NOT_NEGATIVE}",
        'spec.strategy.strategy: Unsupported value: "Oldest": supported values: "OldestEmulationVersion"']),
    (LEASES, LEASE, {"spec": {"preferredHolder": "a"}}, [
        "spec.preferredHolder: Forbidden: may only be specified if `strategy` is defined"]),
    (CANDIDATES, CANDIDATE, {}, []),
    (CANDIDATES, CANDIDATE, {"spec": {}}, [
        "spec.leaseName: Required value", "spec.binaryVersion: Required value", "spec.strategy: Required value"]),
    (CANDIDATES, CANDIDATE, {"spec.binaryVersion": "1.37", "spec.emulationVersion": "x"}, [
        'spec.emulationVersion: Invalid value: "x": must be a valid semantic version',
        'spec.binaryVersion: Invalid value: "1.37": must be a valid semantic version',
        "spec.emulationVersion: Required value: must be specified when `strategy` is 'OldestEmulationVersion'"]),
    (CANDIDATES, CANDIDATE, {"spec.binaryVersion": "1.37.0-rc.1"}, [
        'spec.binaryVersion: Invalid value: "1.37.0-rc.1": must be greater than or equal to `emulationVersion`']),
    (CANDIDATES, CANDIDATE, {"spec.binaryVersion": "v1", "spec.strategy": "acme.io/best/x"}, [
        'spec.binaryVersion: Invalid value: "v1": must be a valid semantic version',
        'spec.binaryVersion: Invalid value: "v1": must be greater than or equal to `emulationVersion`',
        f'spec.strategy.strategy: Invalid value: "acme.io/best/x": a valid label key {QUALIFIED} with an optional DNS subdomain prefix and '
        "'/' (e.g. 'example.com/MyName')"]),
    # storage
    (CLASSES, CLASS, {"allowedTopologies": [TERM, {"matchLabelExpressions": [{"key": "zone", "values": ["b"]}]}]}, []),
    (CLASSES, CLASS, {"provisioner": "", "parameters": {"": "x"}, "reclaimPolicy": "Recycle", "volumeBindingMode": "Late"}, [
        "provisioner: Required value", 'parameters: Invalid value: "": field can not be empty.',
        'reclaimPolicy: Unsupported value: "Recycle": supported values: "Delete", "Retain"',
        'volumeBindingMode: Unsupported value: "Late": supported values: "Immediate", "WaitForFirstConsumer"']),
    (CLASSES, CLASS, {"parameters": {str(number): "" for number in range(513)}}, [
        "parameters: Too long: may not be more than 512 bytes"]),
    (CLASSES, CLASS, {"allowedTopologies": [TERM, TERM]}, ['allowedTopologies[1].matchLabelExpressions: Duplicate value: ""']),
    (CLASSES, CLASS, {"allowedTopologies": [{}]}, ['allowedTopologies[0].matchLabelExpressions: Duplicate value: ""']),
    (CLASSES, CLASS, {"allowedTopologies": [{"matchLabelExpressions": [
        {"key": "a"}, {"key": "a", "values": ["x", "x"]}, {"key": "b c", "values": ["x"]}]}]}, [
        "allowedTopologies[0].matchLabelExpressions[0].values: Required value",
        'allowedTopologies[0].matchLabelExpressions[1].values[1]: Duplicate value: "x"',
        'allowedTopologies[0].matchLabelExpressions[1].key: Duplicate value: "a"',
        f'allowedTopologies[0].matchLabelExpressions[2].key: Invalid value: "b c": name part {QUALIFIED}']),
    (DRIVERS, DRIVER, {"spec": {"serviceAccountTokenInSecrets": True, "tokenRequests": [{"audience": "a"}]}}, []),
    (DRIVERS, DRIVER, {"spec": {"fsGroupPolicy": "All", "volumeLifecycleModes": ["Forever"], "nodeAllocatableUpdatePeriodSeconds": 9,
                                "serviceAccountTokenInSecrets": False}}, [
        'spec.fsGroupPolicy: Unsupported value: "All": supported values: "File", "None", "ReadWriteOnceWithFSType"',
        'spec.volumeLifecycleModes: Unsupported value: "Forever": supported values: "Persistent", "Ephemeral"',
        "spec.nodeAllocatableUpdatePeriodSeconds: Invalid value: 9: must be greater than or equal to 10 seconds",
        "spec.serviceAccountTokenInSecrets: Invalid value: false: serviceAccountTokenInSecrets is set but no tokenRequests are specified"]),
    (DRIVERS, DRIVER, {"spec.tokenRequests": [
        {"audience": "a", "expirationSeconds": 599}, {"audience": "b", "expirationSeconds": (1 << 32) + 1}, {"audience": "a"}]}, [
        "spec.tokenRequests[0].expirationSeconds: Invalid value: 599: may not specify a duration less than 10 minutes",
        "spec.tokenRequests[1].expirationSeconds: Invalid value: 4294967297: may not specify a duration larger than 2^32 seconds",
        'spec.tokenRequests[2].audience: Duplicate value: "a"']),
    (NODES, NODE, {"spec.drivers": [
        {"name": "", "nodeID": ""}, {"name": "D", "nodeID": "n" * 257, "allocatable": {"count": -1}, "topologyKeys": ["", "a", "a"]},
        {"name": "D", "nodeID": "n"}]}, [
        "spec.drivers[0].name: Required value", "spec.drivers[0].nodeID: Required value",
        f'spec.drivers[1].nodeID: Invalid value: "{"n" * 257}": must be 256 characters or less',
        f"spec.drivers[1].allocatable.count: Invalid value: -1: {NOT_NEGATIVE}", "spec.drivers[1]: Required value",
        'spec.drivers[1]: Invalid value: "": name part must be non-empty',
        f'spec.drivers[1]: Invalid value: "": name part {QUALIFIED}', 'spec.drivers[1]: Duplicate value: "a"',
        'spec.drivers[2].name: Duplicate value: "D"']),
    (CAPACITIES, CAPACITY, {"storageClassName": "", "capacity": "-1", "maximumVolumeSize": "-1", "nodeTopology": NEAR}, [
        'nodeTopology.matchExpressions[0].operator: Invalid value: "Near": not a valid selector operator',
        f'storageClassName: Invalid value: "": {SUBDOMAIN}', f'capacity: Invalid value: "-1": {NOT_NEGATIVE}']),
    (ATTACHMENTS, ATTACHMENT, {}, []),
    (ATTACHMENTS, ATTACHMENT, {"spec": {"nodeName": "N", "source": {"persistentVolumeName": ""}}}, [
        "spec.attacher: Required value",
        "spec.source.persistentVolumeName: Required value: must specify non empty persistentVolumeName",
        f'spec.nodeName: Invalid value: "N": {SUBDOMAIN}', "spec.attacher: Required value",
        f'spec.source.persistentVolumeName: Invalid value: "": {SUBDOMAIN}']),
    (ATTACHMENTS, ATTACHMENT, {"spec.source": {}}, [
        "spec.source: Required value: must specify exactly one of inlineVolumeSpec and persistentVolumeName"]),
    (ATTRIBUTES, ATTRIBUTE, {"driverName": "", "parameters": {}}, [
        "driverName: Required value", "parameters: Required value: must contain at least one key/value pair"]),
    # flow control
    (SCHEMAS, SCHEMA, {}, []),
    (SCHEMAS, SCHEMA, {"spec": {"matchingPrecedence": 1, "distinguisherMethod": {"type": "ByHat"}, "priorityLevelConfiguration": {},
                                "rules": [{}]}}, [
        "spec.matchingPrecedence: Invalid value: 1: only the schema named 'exempt' may have matchingPrecedence 1",
        'spec.distinguisherMethod.type: Unsupported value: {"type":"ByHat"}: supported values: "ByNamespace", "ByUser"',
        "spec.priorityLevelConfiguration.name: Required value: must reference a priority level",
        "spec.rules[0].subjects: Required value: subjects must contain at least one value",
        "spec.rules[0]: Required value: at least one of resourceRules and nonResourceRules has to be non-empty"]),
    (SCHEMAS, SCHEMA, {"spec.matchingPrecedence": 10_001, "spec.rules.0.subjects": [
        {"kind": "Robot"}, {"kind": "User", "group": {"name": "g"}}, {"kind": "ServiceAccount", "serviceAccount": {"name": "*"}}]}, [
        "spec.matchingPrecedence: Invalid value: 10001: must not be greater than 10000",
        'spec.rules[0].subjects[0].kind: Unsupported value: "Robot": supported values: "Group", "ServiceAccount", "User"',
        "spec.rules[0].subjects[1].user: Required value: user is required when subject kind is 'User'",
        "spec.rules[0].subjects[1].group: Forbidden: group is forbidden when subject kind is not 'Group'",
        "spec.rules[0].subjects[2].serviceAccount.namespace: Required value: must specify namespace for service account"]),
    (SCHEMAS, SCHEMA, {"spec.rules.0.resourceRules": [{"verbs": ["get", "*"], "apiGroups": ["*", "a"], "namespaces": ["A"]}],
                       "spec.rules.0.nonResourceRules": [{"verbs": ["look"], "nonResourceURLs": ["x", "/a*"]}]}, [
        "spec.rules[0].resourceRules[0].verbs: Invalid value: [\"get\",\"*\"]: if '*' is present, must not specify other verbs",
        "spec.rules[0].resourceRules[0].apiGroups: Invalid value: [\"*\",\"a\"]: if '*' is present, must not specify other api groups",
        "spec.rules[0].resourceRules[0].resources: Required value: resource rules must supply at least one resource",
        "spec.rules[0].resourceRules[0].namespaces[0]: Invalid value: \"A\": each member of this list must be '*' or a DNS-1123 label; "
        + LABEL,
        'spec.rules[0].nonResourceRules[0].verbs: Unsupported value: ["look"]: supported values: "create", "delete", "deletecollection", '
        '"get", "list", "patch", "proxy", "update", "watch"',
        'spec.rules[0].nonResourceRules[0].nonResourceURLs[0]: Invalid value: "x": must start with slash',
        'spec.rules[0].nonResourceRules[0].nonResourceURLs[1]: Invalid value: "/a*": wildcard can only do suffix matching']),
    (LEVELS, LEVEL, {}, []),
    (LEVELS, LEVEL, {"spec": {"type": "Exempt", "limited": LEVEL["spec"]["limited"]}}, [
        "spec.type: Invalid value: \"Exempt\": must be 'Exempt' if and only if `name` is 'exempt'",
        "spec.limited: Forbidden: must be nil if the type is not Limited"]),
    (LEVELS, LEVEL, {"spec": {"type": "Limited", "exempt": {}}}, [
        "spec.exempt: Forbidden: must be nil if the type is Limited",
        "spec.limited: Required value: must not be empty when type is Limited"]),
    (LEVELS, LEVEL, {"spec.limited": {"nominalConcurrencyShares": -1, "lendablePercent": 101, "borrowingLimitPercent": -1,
                                      "limitResponse": {"type": "Queue", "queuing": {"queues": 2, "handSize": 3}}}}, [
        "spec.limited.nominalConcurrencyShares: Invalid value: -1: must be a non-negative integer",
        "spec.limited.limitResponse.queuing.handSize: Invalid value: 3: should not be greater than queues (2)",
        "spec.limited.lendablePercent: Invalid value: 101: must be between 0 and 100, inclusive",
        "spec.limited.borrowingLimitPercent: Invalid value: -1: if specified, must be a non-negative integer"]),
    # groups of pods
    (WORKLOADS, WORKLOAD, {}, []),
    (WORKLOADS, TREE, {}, []),
    (WORKLOADS, WORKLOAD, {"spec": {"controllerRef": {"apiGroup": "A", "kind": "a/b"}}}, [
        'spec: Invalid value: "": must specify one of: `podGroupTemplates`, `compositePodGroupTemplates`',
        f'spec.controllerRef.apiGroup: Invalid value: "A": {SUBDOMAIN}',
        'spec.controllerRef.kind: Invalid value: "a/b": may not contain \'/\'', "spec.controllerRef.name: Required value"]),
    (WORKLOADS, WORKLOAD, {"spec.podGroupTemplates.1": LEAF}, [
        'spec.podGroupTemplates[1]: Duplicate value: {"name":"leaf","schedulingPolicy":{"gang":{"minCount":2}}}']),
    (WORKLOADS, WORKLOAD, {"spec.podGroupTemplates.1": LEAF | {"name": "b", "priority": 1}}, [
        "spec: Invalid value: null: detected multiple priority configurations"]),
    (WORKLOADS, WORKLOAD, {"spec.podGroupTemplates": [LEAF | {"name": "A"}] * 9}, [
        "spec.podGroupTemplates: Too many: 9: must have at most 8 items"]),
    (WORKLOADS, TREE, {"spec.compositePodGroupTemplates": [BRANCH | {"name": "leaf", "priorityClassName": "high"}, changed(
        BRANCH, {"podGroupTemplates": None})]}, [
        'spec.compositePodGroupTemplates[0].podGroupTemplates[0].name: Duplicate value: "leaf"',
        "spec: Invalid value: null: all priority and priorityClassName values must be identical, detected multiple values",
        'spec.compositePodGroupTemplates[1]: Invalid value: "branch": must have at least one child PodGroupTemplate or '
        "CompositePodGroupTemplate"]),
    (GROUPS, POD_GROUP, {"spec": {
        "parentCompositePodGroupName": "A", "workloadRef": {"workloadName": "w"}, "schedulingPolicy": {"gang": {"minCount": -1}},
        "schedulingConstraints": {"topology": [{"key": "a"}, {"key": "b"}]}, "disruptionMode": {"single": {}, "all": {}},
        "preemptionPolicy": "Maybe", "resourceClaims": [{"name": "g", "resourceClaimName": "c"}, {"name": "g"}]}}, [
        f'spec.parentCompositePodGroupName: Invalid value: "A": {SUBDOMAIN}', "spec.workloadRef.templateName: Required value",
        "spec.schedulingPolicy.gang.minCount: Invalid value: -1: must be greater than or equal to 1",
        "spec.schedulingConstraints.topology: Too many: 2: must have at most 1 item",
        'spec.resourceClaims[1]: Duplicate value: {"name":"g"}',
        'spec.resourceClaims[1]: Invalid value: "": must specify one of: `resourceClaimName`, `resourceClaimTemplateName`',
        'spec.disruptionMode: Invalid value: "{single, all}": must specify exactly one of: `single`, `all`',
        'spec.preemptionPolicy: Unsupported value: "Maybe": supported values: "Never", "PreemptLowerPriority"']),
    (GROUPS, POD_GROUP, {"spec.resourceClaims": [{"name": f"c{number}"} for number in range(5)]}, [
        "spec.resourceClaims: Too many: 5: must have at most 4 items"]),
    (COMPOSITES, POD_GROUP, {"spec": {"schedulingPolicy": {"gang": {}}}}, [
        "spec.workloadRef: Required value", "spec.schedulingPolicy.gang.minGroupCount: Required value"]),
    # what servers tell of themselves
    (VERSIONS, VERSION, {}, []),
    (VERSIONS, VERSION, {"metadata.name": "deployments"}, [
        'metadata.name: Invalid value: "deployments": name must be in the form of <group>.<resource>']),
    (VERSIONS, VERSION, {"metadata.name": "a..1"}, [
        f'metadata.name: Invalid value: "a..1": the group segment {SUBDOMAIN}',
        f'metadata.name: Invalid value: "a..1": the resource segment a DNS-1035 label {DNS1035}']),
    (MIGRATIONS, MIGRATION, {"spec.resource": {"resource": "1", "group": "A"}}, [
        f'spec.resource.resource: Invalid value: "1": a DNS-1035 label {DNS1035}',
        f'spec.resource.group: Invalid value: "A": {SUBDOMAIN}']),
    (MIGRATIONS, MIGRATION, {"spec": {}}, ["spec.resource.resource: Required value: resource is required to be set"]),
]  # fmt: skip


@pytest.mark.parametrize(("path", "base", "changes", "expected"), CREATES)
def test_new_ones(run_all: Run, path: str, base: Object, changes: Object, expected: list[str]) -> None:
    async def scenario(api: Api) -> None:
        assert causes(await api("POST", path, changed(base, changes))) == expected

    run_all(scenario)


@pytest.mark.parametrize(
    ("path", "base", "changes", "expected"),
    [
        (ROLES, ROLE, {"rules": []}, []),
        (BINDINGS, BINDING, {"roleRef.name": "edit"}, [
            'roleRef: Invalid value: {"kind":"ClusterRole","name":"edit","apiGroup":"rbac.authorization.k8s.io"}: cannot change roleRef']),
        (PRIORITIES, PRIORITY, {"value": 2, "preemptionPolicy": "Never"}, [
            "value: Forbidden: may not be changed in an update.", f'preemptionPolicy: Invalid value: "Never": {FIXED}']),
        (RUNTIMES, RUNTIME, {"handler": "B c"}, [f'handler: Invalid value: "B c": {FIXED}']),
        (CANDIDATES, CANDIDATE, {"spec.leaseName": "m"}, [f'spec.leaseName: Invalid value: "m": {FIXED}']),
        (CLASSES, CLASS, {"provisioner": "", "parameters": {"": ""}, "reclaimPolicy": "Retain", "volumeBindingMode": "Late"}, [
            "parameters: Forbidden: updates to parameters are forbidden.", "provisioner: Forbidden: updates to provisioner are forbidden.",
            "reclaimPolicy: Forbidden: updates to reclaimPolicy are forbidden.",
            f'volumeBindingMode: Invalid value: "Late": {FIXED}']),
        (DRIVERS, DRIVER, {"spec.attachRequired": False, "spec.volumeLifecycleModes": ["Ephemeral"], "spec.fsGroupPolicy": "File"}, [
            f"spec.attachedRequired: Invalid value: false: {FIXED}", f'spec.volumeLifecycleModes: Invalid value: ["Ephemeral"]: {FIXED}']),
        (NODES, NODE, {"spec.drivers.0.allocatable": {"count": 3}}, []),
        (NODES, NODE, {"spec.drivers.0.nodeID": "m", "spec.drivers.0.allocatable": {"count": 3}}, [
            f'spec.drivers: Invalid value: {{"name":"d","nodeID":"m","topologyKeys":["zone"]}}: {FIXED}']),
        (CAPACITIES, CAPACITY, {"storageClassName": "d", "nodeTopology": {"matchLabels": {"a": "b"}}}, [
            f'nodeTopology: Invalid value: {{"matchLabels":{{"a":"b"}}}}: {FIXED}', f'storageClassName: Invalid value: "d": {FIXED}']),
        (ATTACHMENTS, ATTACHMENT, {"spec.nodeName": "N"}, [
            f'spec.nodeName: Invalid value: "N": {SUBDOMAIN}',
            f'spec: Invalid value: {{"attacher":"d","nodeName":"N","source":{{"persistentVolumeName":"v"}}}}: {FIXED}']),
        (ATTRIBUTES, ATTRIBUTE, {"driverName": "e", "parameters": {"": "c"}}, [
            "driverName: Forbidden: updates to driverName are forbidden.", "parameters: Forbidden: updates to parameters are forbidden.",
            'parameters: Invalid value: "": field can not be empty.']),
        (WORKLOADS, WORKLOAD, {"spec.podGroupTemplates.0.schedulingPolicy.gang.minCount": 3}, []),
        (WORKLOADS, WORKLOAD, {"spec.podGroupTemplates.0.priorityClassName": "a", "spec.controllerRef": {"kind": "a", "name": "b"}}, [
            f"spec.controllerRef: Invalid value: null: {FIXED}",
            f"spec.podGroupTemplates[0].priorityClassName: Invalid value: null: {FIXED}"]),
        (WORKLOADS, WORKLOAD, {"spec.podGroupTemplates": [LEAF | {"name": "other"}]}, [
            f"spec.podGroupTemplates: Invalid value: null: {FIXED}"]),
        (WORKLOADS, TREE, {"spec.compositePodGroupTemplates.0.podGroupTemplates.0.schedulingPolicy.gang.minCount": 3}, [
            f"spec.compositePodGroupTemplates: Invalid value: null: {FIXED}"]),
        (GROUPS, POD_GROUP, {"spec.schedulingPolicy.gang.minCount": 3}, []),
        (GROUPS, POD_GROUP, {"spec.schedulingPolicy.gang.minCount": 0, "spec.resourceClaims": []}, [
            "spec.schedulingPolicy.gang.minCount: Required value", f"spec.resourceClaims: Invalid value: null: {FIXED}"]),
        (GROUPS, POD_GROUP, {"spec.schedulingPolicy": {"basic": {}}, "spec.workloadRef": {"workloadName": "w", "templateName": "t"}}, [
            f"spec.workloadRef: Invalid value: null: {FIXED}", f"spec.schedulingPolicy.basic: Invalid value: null: {FIXED}",
            "spec.schedulingPolicy.gang: Invalid value: null: field cannot be cleared once set"]),
        (MIGRATIONS, MIGRATION, {"spec.resource.resource": "pods"}, [
            f'spec: Invalid value: {{"resource":{{"group":"apps","resource":"pods"}}}}: {FIXED}']),
    ],
)  # fmt: skip
def test_changes(run_all: Run, path: str, base: Object, changes: Object, expected: list[str]) -> None:
    async def scenario(api: Api) -> None:
        made = await api("POST", path, base)
        assert made.status == 201, made.body
        assert causes(await api("PUT", f"{path}/x", changed(made.body, changes))) == expected

    run_all(scenario)


def server(identity: str, encoding: str, *decodable: str, served: tuple[str, ...] = ()) -> Object:
    return {"apiServerID": identity, "encodingVersion": encoding, "decodableVersions": list(decodable), "servedVersions": list(served)}


def condition(kind: str, status: str = "True") -> Object:
    return {"type": kind, "status": status, "reason": "R", "message": "m", "lastTransitionTime": "2026-01-01T00:00:00Z"}


COMMON = "status.commonEncodingVersion: Invalid value: "
LISTED = '[{"type":"Succeeded","status":"True","reason":"R","message":"m","lastTransitionTime":"2026-01-01T00:00:00Z"}]'


@pytest.mark.parametrize(
    ("path", "base", "former", "status", "expected"),
    [
        (VERSIONS, VERSION, {}, {"storageVersions": [server("a", "v1", "v1", served=("v1",))], "commonEncodingVersion": "v1"}, []),
        (VERSIONS, VERSION, {}, {"storageVersions": [server("a", "v1", "v1")]}, [f"{COMMON}null: the common encoding version is v1"]),
        (VERSIONS, VERSION, {}, {"storageVersions": [server("a", "v1", "v1")], "commonEncodingVersion": "v2"}, [
            f'{COMMON}"v2": the actual common encoding version is v1']),
        (VERSIONS, VERSION, {}, {"storageVersions": [server("a", "v1", "v1"), server("a", "apps/v2", "apps/v2", "v1", served=("v3",))],
                                 "commonEncodingVersion": "v1"}, [
            'status.storageVersions[1].apiServerID: Duplicate value: "a"',
            'status.storageVersions[1].servedVersions[0]: Invalid value: "v3": individual served version : v3 must be included in '
            "decodableVersions : [apps/v2 v1]",
            f'{COMMON}"v1": should be nil if servers do not agree on the same encoding version, or if there is no server reporting the '
            "supported versions yet"]),
        (VERSIONS, VERSION, {}, {"storageVersions": [server("A", "a/b/c", "/1")], "commonEncodingVersion": "a/b/c"}, [
            f'status.storageVersions[0].apiServerID: Invalid value: "A": {SUBDOMAIN}',
            'status.storageVersions[0].encodingVersion: Invalid value: "a/b/c": an apiVersion is a DNS-1035 label, which '
            f"{DNS1035} with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyVersion')",
            'status.storageVersions[0].decodableVersions[0]: Invalid value: "/1": group part: must be non-empty,version part: a DNS-1035 '
            f"label {DNS1035}",
            'status.storageVersions[0].decodableVersions: Invalid value: ["/1"]: decodableVersions must include encodingVersion a/b/c']),
        (VERSIONS, VERSION, {}, {"conditions": [condition("A"), condition("A") | {"reason": "", "message": ""}]}, [
            'status[1].type: Invalid value: "A": the type of the condition is not unique, it also appears in conditions[0]',
            "status[1].reason: Required value: reason cannot be empty", "status[1].message: Required value: message cannot be empty"]),
        (MIGRATIONS, MIGRATION, {}, {"resourceVersion": "5", "conditions": [condition("Running")]}, []),
        (MIGRATIONS, MIGRATION, {}, {"resourceVersion": "05"}, [
            'status.resourceVersion: Invalid value: "05": resource version is not well formed: 05']),
        (MIGRATIONS, MIGRATION, {"resourceVersion": "5"}, {"resourceVersion": "6"}, [
            f'status.resourceVersion: Invalid value: "6": {FIXED}']),
        (SCHEMAS, SCHEMA, {}, {"conditions": [condition(""), condition("")]}, [
            "status.conditions[0].type: Required value", 'status.conditions[1].type: Duplicate value: ""',
            "status.conditions[1].type: Required value"]),
        (GROUPS, POD_GROUP, {}, {"resourceClaimStatuses": [{"name": "gpu", "resourceClaimName": "A"}, {"name": ""}]}, [
            'status.resourceClaimStatuses[1].name: Invalid value: "": must match the name of an entry in `spec.resourceClaims`',
            f'status.resourceClaimStatuses[0].resourceClaimName: Invalid value: "A": {SUBDOMAIN}']),
        (ATTACHMENTS, ATTACHMENT, {}, {"attached": True, "attachError": {"message": "m" * 1025, "errorCode": -1}}, [
            "status.attachError.message: Too long: may not be more than 262144 bytes",
            "status.attachError.errorCode: Invalid value: -1: must be between 0 and 2147483647, inclusive"]),
    ],
)  # fmt: skip
def test_statuses(run_all: Run, path: str, base: Object, former: Object, status: Object, expected: list[str]) -> None:
    async def scenario(api: Api) -> None:
        name = (await api("POST", path, base)).body["metadata"]["name"]
        if former:
            assert (await api.patch("merge", f"{path}/{name}/status", {"status": former})).status == 200
        assert causes(await api.patch("merge", f"{path}/{name}/status", {"status": status})) == expected

    run_all(scenario)


@pytest.mark.parametrize(
    ("former", "conditions", "details"),
    [
        ([], ["Succeeded", "Failed", "Running"], [
            "Both success and failed conditions cannot be true at the same time",
            "Running condition cannot be true when success condition is true",
            "Running condition cannot be true when failed condition is true"]),
        (["Succeeded"], ["Failed"], ["Success condition cannot be set to false once it is true"]),
        (["Failed"], [], ["Failed condition cannot be set to false once it is true"]),
    ],
)  # fmt: skip
def test_how_a_migration_ends(run_all: Run, former: list[str], conditions: list[str], details: list[str]) -> None:
    async def scenario(api: Api) -> None:
        await api("POST", MIGRATIONS, MIGRATION)
        for kinds in (former, conditions):
            status = {"resourceVersion": "5", "conditions": [condition(kind) for kind in kinds]}
            told = await api.patch("merge", f"{MIGRATIONS}/x/status", {"status": status})
        assert [each.rpartition(": ")[2] for each in causes(told)] == details

    run_all(scenario)


OLD_ZONE = "failure-domain.beta.kubernetes.io/zone"
NEW_ZONE = 'deprecated since v1.17; use "topology.kubernetes.io/zone" instead'


@pytest.mark.parametrize(
    ("path", "base", "changes", "told"),
    [
        (CLASSES, CLASS, {"allowedTopologies": [{"matchLabelExpressions": [{"key": OLD_ZONE, "values": ["a"]}]}]},
         f"allowedTopologies[0].matchLabelExpressions[0].key: {NEW_ZONE}"),
        (CAPACITIES, CAPACITY, {"nodeTopology": {"matchLabels": {OLD_ZONE: "a"}}}, f"nodeTopology.matchLabels.{OLD_ZONE}: {NEW_ZONE}"),
        (CAPACITIES, CAPACITY, {"nodeTopology": {"matchExpressions": [{"key": OLD_ZONE, "operator": "Exists"}]}},
         f"nodeTopology.matchExpressions[0].key: {OLD_ZONE} is {NEW_ZONE}"),
        (RUNTIMES, RUNTIME, {"scheduling": {"nodeSelector": {OLD_ZONE: "a"}}}, f"scheduling.nodeSelector: {NEW_ZONE}"),
    ],
)  # fmt: skip
def test_warnings(run_all: Run, path: str, base: Object, changes: Object, told: str) -> None:
    async def scenario(api: Api) -> None:
        made = await api("POST", path, changed(base, changes))
        assert [warning.replace('\\"', '"') for warning in made.warnings] == [f'299 - "{told}"']

    run_all(scenario)


def test_the_generation_of_a_driver_counts_its_changes(run: Run) -> None:
    async def scenario(api: Api) -> None:
        made = (await api("POST", DRIVERS, DRIVER)).body
        assert "generation" not in made["metadata"]
        assert (await api("PUT", f"{DRIVERS}/x", changed(made, {"spec.podInfoOnMount": True}))).body["metadata"]["generation"] == 1

    run(scenario)


def test_what_is_told_twice_is_told_once_in_the_message(run: Run) -> None:
    async def scenario(api: Api) -> None:
        refused = await api("POST", ATTACHMENTS, changed(ATTACHMENT, {"spec.attacher": ""}))
        assert [cause["field"] for cause in refused.body["details"]["causes"]] == ["spec.attacher"] * 2
        assert refused.summary[2] == 'VolumeAttachment.storage.k8s.io "x" is invalid: spec.attacher: Required value'

    run(scenario)
