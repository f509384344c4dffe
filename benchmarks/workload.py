"""The objects that the benchmarks write: a Pod of 700 bytes, which was the reference's, and a Deployment as people apply them."""

import json
from typing import Any

from benchmarks.target import Target

NAMESPACE = "benchmark"
PODS = f"/api/v1/namespaces/{NAMESPACE}/pods"
DEPLOYMENTS = f"/apis/apps/v1/namespaces/{NAMESPACE}/deployments"
POD_BYTES = 700

Document = dict[str, Any]


def prepare(target: Target) -> None:
    """The namespace and its service account, which no controller makes for an API server alone."""
    target.ensure("/api/v1/namespaces", {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}})
    account = {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "default"}}
    target.ensure(f"/api/v1/namespaces/{NAMESPACE}/serviceaccounts", account)


def pod(prefix: str) -> Document:
    """Named PREFIX-NUMBER."""
    made = _pod(prefix, "")
    return _pod(prefix, "x" * (POD_BYTES - len(json.dumps(made, separators=(",", ":")))))


def _pod(prefix: str, padding: str) -> Document:
    container = {
        "name": "web", "image": "registry.example/web:1.27", "ports": [{"name": "http", "containerPort": 8080}],
        "env": [{"name": "GREETING", "value": "hello"}, {"name": "PADDING", "value": padding}],
        "resources": {"requests": {"cpu": "1m", "memory": "1Mi"}, "limits": {"memory": "128Mi"}},
        "readinessProbe": {"httpGet": {"path": "/ready", "port": "http"}, "periodSeconds": 5},
    }  # fmt: skip
    labels = {"app": "web", "tier": "frontend", "pod-template-hash": "5d9c7b6f4"}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": f"{prefix}-NUMBER", "labels": labels},
        "spec": {"containers": [container], "restartPolicy": "Always"},
    }


def deployment() -> Document:
    """Named web-NUMBER; each apply says something new."""
    container = {
        "name": "web", "image": "registry.example/web:1.27", "ports": [{"name": "http", "containerPort": 8080}],
        "env": [{"name": "GREETING", "value": "hello"}], "resources": {"requests": {"cpu": "100m", "memory": "64Mi"}},
    }  # fmt: skip
    labels = {"app": "web"}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "web-NUMBER", "labels": labels, "annotations": {"count": "COUNT"}},
        "spec": {
            "replicas": 0,
            "selector": {"matchLabels": labels},
            "template": {"metadata": {"labels": labels}, "spec": {"containers": [container]}},
        },
    }
