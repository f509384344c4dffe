"""Each important kind prints the cells that upstream prints; every kind of the schema has columns that survive an empty object."""

from typing import Any

import pytest

from proa.apiserver.columns.builtin import COLUMNS, columns_for

NOW = 1893456000.0 + 600
TEMPLATE = {"spec": {"containers": [{"name": "a", "image": "a:1"}, {"name": "b", "image": "b:2"}], "nodeSelector": {"disk": "ssd"}}}
SELECTOR = {"matchLabels": {"app": "web"}, "matchExpressions": [{"key": "tier", "operator": "In", "values": ["y", "x"]}]}
LABELS = "app=web,tier in (x,y)"


def lb(*ingress: dict[str, str]) -> dict[str, Any]:
    return {"loadBalancer": {"ingress": list(ingress)}}


@pytest.mark.parametrize(
    ("group", "plural", "obj", "cells"),
    [
        ("apps", "deployments",
         {"spec": {"replicas": 3, "selector": SELECTOR, "template": TEMPLATE}, "status": {"readyReplicas": 2, "updatedReplicas": 3}},
         ["x", "2/3", 3, 0, "10m", "a,b", "a:1,b:2", LABELS]),
        ("apps", "replicasets", {"spec": {"replicas": 3, "selector": SELECTOR, "template": TEMPLATE}, "status": {"replicas": 2}},
         ["x", 3, 2, 0, "10m", "a,b", "a:1,b:2", LABELS]),
        ("apps", "statefulsets", {"spec": {"replicas": 2, "template": TEMPLATE}, "status": {"readyReplicas": 1}},
         ["x", "1/2", "10m", "a,b", "a:1,b:2"]),
        ("apps", "daemonsets", {"spec": {"selector": {}, "template": TEMPLATE},
                                "status": {"desiredNumberScheduled": 2, "currentNumberScheduled": 2, "numberReady": 1}},
         ["x", 2, 2, 1, 0, 0, "disk=ssd", "10m", "a,b", "a:1,b:2", "<none>"]),
        ("apps", "controllerrevisions",
         {"revision": 4, "metadata": {"name": "x", "ownerReferences": [
             {"apiVersion": "apps/v1", "kind": "DaemonSet", "name": "d", "controller": True}]}},
         ["x", "daemonset.apps/d", 4, "<unknown>"]),
        ("batch", "jobs", {"spec": {"completions": 3, "template": TEMPLATE, "selector": SELECTOR},
                           "status": {"succeeded": 1, "startTime": "2030-01-01T00:05:00Z"}},
         ["x", "Running", "1/3", "5m", "10m", "a,b", "a:1,b:2", LABELS]),
        ("batch", "jobs", {"spec": {"parallelism": 2, "template": TEMPLATE},
                           "status": {"startTime": "2030-01-01T00:00:00Z", "completionTime": "2030-01-01T00:00:07Z",
                                      "conditions": [{"type": "Complete", "status": "True"}]}},
         ["x", "Complete", "0/1 of 2", "7s", "10m", "a,b", "a:1,b:2", "<none>"]),
        ("batch", "cronjobs", {"spec": {"schedule": "* * * * *", "suspend": False, "jobTemplate": {"spec": {"template": TEMPLATE}}},
                               "status": {"active": [{}], "lastScheduleTime": "2030-01-01T00:09:00Z"}},
         ["x", "* * * * *", "<none>", "False", 1, "60s", "10m", "a,b", "a:1,b:2", "<none>"]),
        ("policy", "poddisruptionbudgets", {"spec": {"maxUnavailable": "50%"}, "status": {"disruptionsAllowed": 1}},
         ["x", "N/A", "50%", 1, "10m"]),
        ("", "services", {"spec": {"type": "ClusterIP", "clusterIPs": ["10.96.0.1"], "ports": [{"port": 80, "protocol": "TCP"}],
                                   "selector": {"b": "2", "a": "1"}}},
         ["x", "ClusterIP", "10.96.0.1", "<none>", "80/TCP", "10m", "a=1,b=2"]),
        ("", "services", {"spec": {"type": "LoadBalancer", "clusterIPs": ["10.96.0.2"],
                                   "ports": [{"port": 80, "nodePort": 30080, "protocol": "TCP"}, {"port": 53, "protocol": "UDP"}]}},
         ["x", "LoadBalancer", "10.96.0.2", "<pending>", "80:30080/TCP,53/UDP", "10m", "<none>"]),
        ("", "services", {"spec": {"type": "LoadBalancer", "externalIPs": ["5.5.5.5"]}, "status": lb({"ip": "2.2.2.2"},
         {"hostname": "1.example"})},
         ["x", "LoadBalancer", "<none>", "1.example,2.2.2.2,5.5.5.5", "<none>", "10m", "<none>"]),
        ("", "services", {"spec": {"type": "ExternalName", "externalName": "example.com"}},
         ["x", "ExternalName", "<none>", "example.com", "<none>", "10m", "<none>"]),
        ("", "endpoints", {"subsets": [{"addresses": [{"ip": f"10.0.0.{n}"} for n in range(1, 6)], "ports": [{"port": 80}]}]},
         ["x", "10.0.0.1:80,10.0.0.2:80,10.0.0.3:80 + 2 more...", "10m"]),
        ("", "endpoints", {"subsets": [{"addresses": [{"ip": "fd00::1"}], "ports": [{"port": 80}]}]}, ["x", "[fd00::1]:80", "10m"]),
        ("", "endpoints", {}, ["x", "<none>", "10m"]),
        ("", "endpoints", {"subsets": [{"addresses": [{"ip": "10.0.0.1"}]}]}, ["x", "10.0.0.1", "10m"]),
        ("discovery.k8s.io", "endpointslices",
         {"addressType": "IPv4", "ports": [{"port": 80}, {"name": "n"}, {}], "endpoints": [{"addresses": ["10.0.0.1"]},
          {"addresses": ["10.0.0.2"]}]},
         ["x", "IPv4", "80,n,*", "10.0.0.1,10.0.0.2", "10m"]),
        ("discovery.k8s.io", "endpointslices", {"addressType": "IPv4"}, ["x", "IPv4", "<unset>", "<unset>", "10m"]),
        ("networking.k8s.io", "ingresses",
         {"spec": {"ingressClassName": "h", "tls": [{}], "rules": [{"host": f"{n}.io"} for n in range(5)]},
          "status": lb({"ip": "1.1.1.1"})},
         ["x", "h", "0.io,1.io,2.io + 2 more...", "1.1.1.1", "80, 443", "10m"]),
        ("networking.k8s.io", "ingresses", {"spec": {"rules": [{}]}}, ["x", "<none>", "*", "", "80", "10m"]),
        ("networking.k8s.io", "networkpolicies", {"spec": {"podSelector": {}}}, ["x", "<none>", "10m"]),
        ("networking.k8s.io", "ipaddresses", {"spec": {"parentRef": {"resource": "services", "namespace": "d", "name": "s"}}},
         ["x", "services/d/s"]),
        ("", "nodes",
         {"metadata": {"name": "x", "labels": {"node-role.kubernetes.io/control-plane": "", "kubernetes.io/role": "b"}},
          "spec": {"unschedulable": True},
          "status": {"conditions": [{"type": "Ready", "status": "True"}], "addresses": [{"type": "InternalIP", "address": "10.0.0.5"}],
                     "nodeInfo": {"kubeletVersion": "v1.37.0", "osImage": "Debian"}}},
         ["x", "Ready,SchedulingDisabled", "b,control-plane", "<unknown>", "v1.37.0", "10.0.0.5", "<none>", "Debian", "<unknown>",
          "<unknown>"]),
        ("", "nodes", {"status": {"conditions": [{"type": "Ready", "status": "Unknown"}]}},
         ["x", "NotReady", "<none>", "10m", "", "<none>", "<none>", "<unknown>", "<unknown>", "<unknown>"]),
        ("", "namespaces", {"status": {"phase": "Active"}}, ["x", "Active", "10m"]),
        ("", "events",
         {"type": "Normal", "reason": "Pulled", "message": " done\n", "involvedObject": {"kind": "Pod", "name": "p", "fieldPath": "spec"},
          "source": {"component": "kubelet", "host": "n1"}, "firstTimestamp": "2030-01-01T00:00:00Z",
           "lastTimestamp": "2030-01-01T00:09:00Z",
          "count": 3},
         ["60s", "Normal", "Pulled", "pod/p", "spec", "kubelet, n1", "done", "10m", 3, "x"]),
        ("events.k8s.io", "events",
         {"type": "Normal", "reason": "R", "note": "n", "regarding": {"kind": "Node"}, "reportingController": "c",
          "eventTime": "2030-01-01T00:09:30.000000Z", "series": {"count": 7, "lastObservedTime": "2030-01-01T00:09:50.000000Z"}},
         ["10s", "Normal", "R", "node", "", "c", "n", "30s", 7, "x"]),
        ("", "configmaps", {"data": {"a": "1"}, "binaryData": {"b": ""}}, ["x", 2, "10m"]),
        ("", "secrets", {"type": "Opaque", "data": {"a": ""}}, ["x", "Opaque", 1, "10m"]),
        ("", "serviceaccounts", {}, ["x", 0, "10m"]),
        ("", "resourcequotas", {"status": {"hard": {"limits.cpu": "2", "pods": "4", "cpu": "1"}, "used": {"pods": "3"}}},
         ["x", "cpu: 0/1, pods: 3/4", "limits.cpu: 0/2", "10m"]),
        ("", "persistentvolumes",
         {"spec": {"capacity": {"storage": "1Gi"}, "accessModes": ["ReadWriteMany", "ReadWriteOnce"],
          "persistentVolumeReclaimPolicy": "Retain",
                   "claimRef": {"namespace": "d", "name": "c"}, "storageClassName": "s", "volumeMode": "Block"},
                    "status": {"phase": "Bound"}},
         ["x", "1Gi", "RWO,RWX", "Retain", "Bound", "d/c", "s", "<unset>", "", "10m", "Block"]),
        ("", "persistentvolumeclaims", {"spec": {"storageClassName": "s"}, "status": {"phase": "Pending"}},
         ["x", "Pending", "", "", "", "s", "<unset>", "10m", "<unset>"]),
        ("storage.k8s.io", "storageclasses",
         {"metadata": {"name": "x", "annotations": {"storageclass.kubernetes.io/is-default-class": "true"}}, "provisioner": "p"},
         ["x (default)", "p", "Delete", "Immediate", False, "<unknown>"]),
        ("coordination.k8s.io", "leases", {"spec": {"holderIdentity": "me"}}, ["x", "me", "10m"]),
        ("scheduling.k8s.io", "priorityclasses", {"value": 10, "preemptionPolicy": "Never"}, ["x", 10, False, "10m", "Never"]),
        ("rbac.authorization.k8s.io", "rolebindings",
         {"roleRef": {"kind": "Role", "name": "r"}, "subjects": [
             {"kind": "User", "name": "u"}, {"kind": "User", "name": "v"}, {"kind": "ServiceAccount", "namespace": "n", "name": "s"}]},
         ["x", "Role/r", "10m", "u, v", "", "n/s"]),
        ("rbac.authorization.k8s.io", "roles", {}, ["x", "2030-01-01T00:00:00Z"]),
        ("autoscaling", "horizontalpodautoscalers",
         {"spec": {"scaleTargetRef": {"kind": "Deployment", "name": "d"}, "maxReplicas": 5, "metrics": [
             {"type": "Resource", "resource": {"name": "cpu", "target": {"averageUtilization": 80}}},
             {"type": "Pods", "pods": {"target": {"averageValue": "1k"}}}, {"type": "Other"}]},
          "status": {"currentReplicas": 2, "currentMetrics": [{"resource": {"current": {"averageUtilization": 7}}}]}},
         ["x", "Deployment/d", "cpu: 7%/80%, <unknown>/1k + 1 more...", "<unset>", 5, 2, "10m"]),
        ("certificates.k8s.io", "certificatesigningrequests",
         {"spec": {"signerName": "s", "username": "u", "expirationSeconds": 3600}, "status": {"conditions": [{"type": "Approved"}],
          "certificate": "Yw=="}},
         ["x", "10m", "s", "u", "60m", "Approved,Issued"]),
        ("apiregistration.k8s.io", "apiservices", {"status": {"conditions": [{"type": "Available", "status": "False", "reason": "Down"}]}},
         ["x", "Local", "False (Down)", "10m"]),
    ],
)  # fmt: skip
def test_the_row_of(group: str, plural: str, obj: dict[str, Any], cells: list[Any]) -> None:
    obj = {"metadata": {"name": "x", "creationTimestamp": "2030-01-01T00:00:00Z"}} | obj
    assert [column.cell(obj, NOW) for column in columns_for(group, plural)] == cells


@pytest.mark.parametrize("key", COLUMNS)
def test_an_object_with_nothing_in_it_still_prints(key: tuple[str, str]) -> None:
    cells = [column.cell({"metadata": {"name": "x"}}, NOW) for column in columns_for(*key)]
    assert "x" in cells
    assert len(cells) > 1


@pytest.mark.parametrize("key", COLUMNS)
def test_names_are_unique_within_a_kind(key: tuple[str, str]) -> None:
    names = [column.name for column in columns_for(*key)]
    assert len(set(names)) == len(names)
