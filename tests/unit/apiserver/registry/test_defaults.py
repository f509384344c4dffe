"""Each case is what a user sends and all that the server makes of it."""

import copy
from collections.abc import Callable
from typing import Any

import pytest

from proa.api.resource import Resource, StrategyContext
from proa.apiserver.registry.pod_spec.defaults import pull_policy

Find = Callable[..., Resource]
Object = dict[str, Any]

CONTAINER: Object = {
    "name": "web",
    "image": "web:1",
    "imagePullPolicy": "IfNotPresent",
    "terminationMessagePath": "/dev/termination-log",
    "terminationMessagePolicy": "File",
    "resources": {},
}
SPEC: Object = {
    "restartPolicy": "Always",
    "dnsPolicy": "ClusterFirst",
    "schedulerName": "default-scheduler",
    "terminationGracePeriodSeconds": 30,
    "securityContext": {},
}
TEMPLATE: Object = {"metadata": {"labels": {"app": "web"}}, "spec": SPEC | {"containers": [CONTAINER]}}


def template() -> Object:
    return {"metadata": {"labels": {"app": "web"}}, "spec": {"containers": [{"name": "web", "image": "web:1"}]}}


@pytest.mark.parametrize(
    ("image", "policy"),
    [
        ("web", "Always"),
        ("web:latest", "Always"),
        ("web:1", "IfNotPresent"),
        ("registry:5000/web", "Always"),
        ("registry:5000/web:1", "IfNotPresent"),
        ("web@sha256:abc", "IfNotPresent"),
        ("web:latest@sha256:abc", "Always"),
    ],
)
def test_pull_policy(image: str, policy: str) -> None:
    assert pull_policy(image) == policy


@pytest.mark.parametrize(
    ("given", "container"),
    [
        ({"ports": [{"containerPort": 80}]}, {"ports": [{"containerPort": 80, "protocol": "TCP"}]}),
        (
            {"livenessProbe": {"httpGet": {"port": 80}}},
            {
                "livenessProbe": {
                    "httpGet": {"port": 80, "path": "/", "scheme": "HTTP"},
                    "timeoutSeconds": 1,
                    "periodSeconds": 10,
                    "successThreshold": 1,
                    "failureThreshold": 3,
                }
            },
        ),
        (
            {"env": [{"name": "N", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}}]},
            {"env": [{"name": "N", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name", "apiVersion": "v1"}}}]},
        ),
        (
            {"resources": {"limits": {"cpu": "1000m", "memory": "1024Mi"}, "requests": {"cpu": "0.5"}}},
            {"resources": {"limits": {"cpu": "1", "memory": "1Gi"}, "requests": {"cpu": "500m", "memory": "1Gi"}}},
        ),
        (
            {"lifecycle": {"preStop": {"httpGet": {"port": 1, "path": "/x"}}}},
            {"lifecycle": {"preStop": {"httpGet": {"port": 1, "path": "/x", "scheme": "HTTP"}}}},
        ),
    ],
)
def test_containers_of_pods(find: Find, given: Object, container: Object) -> None:
    pod = {"kind": "Pod", "metadata": {"name": "p"}, "spec": {"containers": [{"name": "web", "image": "web:1"} | given]}}
    find("pods").strategy.default(pod)
    assert pod["spec"] == SPEC | {"enableServiceLinks": True, "containers": [CONTAINER | container]}


@pytest.mark.parametrize(
    ("volume", "filled"),
    [
        ({}, {"emptyDir": {}}),
        ({"secret": {"secretName": "s"}}, {"secret": {"secretName": "s", "defaultMode": 420}}),
        ({"hostPath": {"path": "/x"}}, {"hostPath": {"path": "/x", "type": ""}}),
        (
            {"projected": {"sources": [{"serviceAccountToken": {"path": "token"}}]}},
            {"projected": {"defaultMode": 420, "sources": [{"serviceAccountToken": {"path": "token", "expirationSeconds": 3600}}]}},
        ),
    ],
)
def test_volumes(find: Find, volume: Object, filled: Object) -> None:
    pod = {"spec": {"containers": [{"name": "c", "image": "c"}], "volumes": [{"name": "v"} | volume]}}
    find("pods").strategy.default(pod)
    assert pod["spec"]["volumes"] == [{"name": "v"} | filled]


def test_host_network_claims_its_ports(find: Find) -> None:
    pod: Object = {"spec": {"hostNetwork": True, "containers": [{"name": "c", "image": "c", "ports": [{"containerPort": 80}]}]}}
    find("pods").strategy.default(pod)
    assert pod["spec"]["containers"][0]["ports"] == [{"containerPort": 80, "hostPort": 80, "protocol": "TCP"}]


@pytest.mark.parametrize(
    ("plural", "group", "given", "filled"),
    [
        (
            "deployments",
            "apps",
            {"spec": {"selector": {}, "template": template()}},
            {
                "spec": {
                    "replicas": 1,
                    "selector": {},
                    "strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": "25%", "maxUnavailable": "25%"}},
                    "revisionHistoryLimit": 10,
                    "progressDeadlineSeconds": 600,
                    "template": TEMPLATE,
                }
            },
        ),
        ("replicasets", "apps", {"spec": {"template": template()}}, {"spec": {"replicas": 1, "template": TEMPLATE}}),
        (
            "daemonsets",
            "apps",
            {"spec": {"template": template()}},
            {
                "spec": {
                    "updateStrategy": {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 0, "maxUnavailable": 1}},
                    "revisionHistoryLimit": 10,
                    "template": TEMPLATE,
                }
            },
        ),
        (
            "statefulsets",
            "apps",
            {"spec": {"template": template()}},
            {
                "spec": {
                    "replicas": 1,
                    "podManagementPolicy": "OrderedReady",
                    "serviceName": "",
                    "updateStrategy": {"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": 1, "partition": 0}},
                    "persistentVolumeClaimRetentionPolicy": {"whenDeleted": "Retain", "whenScaled": "Retain"},
                    "revisionHistoryLimit": 10,
                    "template": TEMPLATE,
                }
            },
        ),
        (
            "jobs",
            "batch",
            {"metadata": {"name": "j"}, "spec": {"template": template()}},
            {
                "metadata": {"name": "j", "labels": {"app": "web"}},
                "spec": {
                    "parallelism": 1,
                    "completions": 1,
                    "backoffLimit": 6,
                    "completionMode": "NonIndexed",
                    "suspend": False,
                    "manualSelector": False,
                    "podReplacementPolicy": "TerminatingOrFailed",
                    "template": TEMPLATE,
                },
            },
        ),
        (
            "services",
            "",
            {"spec": {"ports": [{"port": 80}], "selector": {}}},
            {
                "spec": {
                    "type": "ClusterIP",
                    "sessionAffinity": "None",
                    "internalTrafficPolicy": "Cluster",
                    "ports": [{"port": 80, "protocol": "TCP", "targetPort": 80}],
                }
            },
        ),
        (
            "services",
            "",
            {"spec": {"type": "LoadBalancer", "sessionAffinity": "ClientIP", "ports": [{"port": 80, "targetPort": "http"}]}},
            {
                "spec": {
                    "type": "LoadBalancer",
                    "sessionAffinity": "ClientIP",
                    "sessionAffinityConfig": {"clientIP": {"timeoutSeconds": 10800}},
                    "internalTrafficPolicy": "Cluster",
                    "externalTrafficPolicy": "Cluster",
                    "allocateLoadBalancerNodePorts": True,
                    "ports": [{"port": 80, "protocol": "TCP", "targetPort": "http"}],
                }
            },
        ),
        (
            "secrets",
            "",
            {"stringData": {"a": "b"}, "data": {"c": "ZA=="}},
            {"type": "Opaque", "data": {"a": "Yg==", "c": "ZA=="}},
        ),
        (
            "namespaces",
            "",
            {"metadata": {"name": "n"}},
            {"metadata": {"name": "n", "labels": {"kubernetes.io/metadata.name": "n"}}, "spec": {}, "status": {"phase": "Active"}},
        ),
        (
            "rolebindings",
            "rbac.authorization.k8s.io",
            {
                "roleRef": {"kind": "Role", "name": "r"},
                "subjects": [{"kind": "User", "name": "u"}, {"kind": "ServiceAccount", "name": "s"}],
            },
            {
                "roleRef": {"kind": "Role", "name": "r", "apiGroup": "rbac.authorization.k8s.io"},
                "subjects": [
                    {"kind": "User", "name": "u", "apiGroup": "rbac.authorization.k8s.io"},
                    {"kind": "ServiceAccount", "name": "s"},
                ],
            },
        ),
        (
            "networkpolicies",
            "networking.k8s.io",
            {"spec": {"podSelector": {}, "egress": [{"ports": [{"port": 53}]}]}},
            {"spec": {"podSelector": {}, "policyTypes": ["Ingress", "Egress"], "egress": [{"ports": [{"port": 53, "protocol": "TCP"}]}]}},
        ),
        ("endpointslices", "discovery.k8s.io", {"ports": [{"port": 1}]}, {"ports": [{"name": "", "port": 1, "protocol": "TCP"}]}),
        ("storageclasses", "storage.k8s.io", {}, {"reclaimPolicy": "Delete", "volumeBindingMode": "Immediate"}),
        ("priorityclasses", "scheduling.k8s.io", {"value": 1}, {"value": 1, "preemptionPolicy": "PreemptLowerPriority"}),
        (
            "nodes",
            "",
            {"status": {"capacity": {"cpu": "2000m"}}},
            {"spec": {}, "status": {"capacity": {"cpu": "2"}, "allocatable": {"cpu": "2"}}},
        ),
    ],
)  # fmt: skip
def test_kinds(find: Find, plural: str, group: str, given: Object, filled: Object) -> None:
    find(plural, group).strategy.default(given)
    assert given == filled


def test_empty_values_of_services_are_not_stored(find: Find) -> None:
    port: Object = {"name": "", "port": 80, "nodePort": 0, "protocol": ""}
    given: Object = {"spec": {"type": "", "clusterIP": "", "externalName": "", "sessionAffinity": "", "ports": [port]}}
    find("services").strategy.default(given)
    assert given["spec"] == {
        "type": "ClusterIP", "sessionAffinity": "None", "internalTrafficPolicy": "Cluster",
        "ports": [{"port": 80, "protocol": "TCP", "targetPort": 80}],
    }  # fmt: skip


def test_defaults_are_stable(find: Find) -> None:
    pod: Object = {"metadata": {"name": "p"}, "spec": {"containers": [{"name": "c", "image": "c"}], "volumes": [{"name": "v"}]}}
    strategy = find("pods").strategy
    strategy.default(pod)
    once = copy.deepcopy(pod)
    strategy.default(pod)
    assert pod == once


def test_a_new_pod_is_pending_with_its_qos_class(find: Find) -> None:
    pod: Object = {"metadata": {"name": "p"}, "spec": {"containers": [{"name": "c", "image": "c"}]}, "status": {"phase": "Running"}}
    find("pods").strategy.prepare_for_create(pod, StrategyContext())
    assert (pod["status"], pod["metadata"]["generation"]) == ({"phase": "Pending", "qosClass": "BestEffort"}, 1)


def test_a_job_selects_by_its_uid(find: Find) -> None:
    job: Object = {"metadata": {"name": "j", "uid": "u1"}, "spec": {"template": template()}}
    strategy = find("jobs", "batch").strategy
    strategy.default(job)
    strategy.prepare_for_create(job, StrategyContext())
    assert job["spec"]["selector"] == {"matchLabels": {"batch.kubernetes.io/controller-uid": "u1"}}
    assert job["spec"]["template"]["metadata"]["labels"] == {
        "app": "web",
        "controller-uid": "u1",
        "batch.kubernetes.io/controller-uid": "u1",
        "job-name": "j",
        "batch.kubernetes.io/job-name": "j",
    }


def test_a_new_namespace_is_active_and_guarded(find: Find) -> None:
    namespace: Object = {"metadata": {"name": "n"}, "spec": {"finalizers": ["example.com/x"]}}
    find("namespaces").strategy.prepare_for_create(namespace, StrategyContext())
    assert (namespace["spec"], namespace["status"]) == ({"finalizers": ["example.com/x", "kubernetes"]}, {"phase": "Active"})
