"""Structures that are there even in an empty object of a kind, because the API declares them by value and not by pointer.

Creating such an object "adds" their fields and not the structures themselves, which shows in managedFields as an absent `.`.
"""

from typing import Any

Tree = dict[str, Any]
_TEMPLATE: Tree = {"metadata": {}, "spec": {"containers": {}}}
_COMMON: Tree = {"metadata": {}, "spec": {}, "status": {}}

_SPECS: dict[str, Tree] = {
    "Pod": {"containers": {}},
    "Deployment": {"strategy": {}, "template": _TEMPLATE},
    "ReplicaSet": {"template": _TEMPLATE},
    "StatefulSet": {"template": _TEMPLATE, "updateStrategy": {}},
    "DaemonSet": {"template": _TEMPLATE, "updateStrategy": {}},
    "Job": {"template": _TEMPLATE},
    "CronJob": {"jobTemplate": {"metadata": {}, "spec": {"template": _TEMPLATE}}},
    "PersistentVolumeClaim": {"resources": {}},
    "HorizontalPodAutoscaler": {"scaleTargetRef": {}},
    "CustomResourceDefinition": {"names": {}},
}
_WHOLE: dict[str, Tree] = {
    "Event": {"metadata": {}, "involvedObject": {}, "source": {}},
    "PodTemplate": {"metadata": {}, "template": _TEMPLATE},
    "Service": _COMMON | {"status": {"loadBalancer": {}}},
    "Ingress": _COMMON | {"status": {"loadBalancer": {}}},
    "Node": _COMMON | {"status": {"daemonEndpoints": {"kubeletEndpoint": {}}, "nodeInfo": {}}},
}


def zero_value(kind: str) -> Tree:
    """The tree of such structures of a kind; custom resources have none."""
    if kind in _WHOLE:
        return _WHOLE[kind]
    return _COMMON | {"spec": _SPECS.get(kind, {})}
