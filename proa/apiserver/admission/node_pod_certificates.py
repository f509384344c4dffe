"""For whom a kubelet may ask for a certificate: a pod that runs on its node, named as it is. Part of NodeRestriction."""

from proa.api import meta
from proa.api.meta import Object
from proa.api.pod_annotations import MIRROR
from proa.apiserver.interface import ObjectReader


def problem(node: str, request: Object, namespace: str, reader: ObjectReader) -> str:
    """Why `node` may not create this PodCertificateRequest, "" if it may."""
    spec = request.get("spec") or {}
    if spec.get("nodeName") != node:
        return f'PodCertificateRequest.Spec.NodeName="{spec.get("nodeName", "")}", which is not the requesting node "{node}"'
    pod = reader.get("", "pods", spec.get("podName", ""), namespace)
    if pod is None:
        return f'while retrieving pod named in the PodCertificateRequest: pod "{spec.get("podName", "")}" not found'
    return _pod_problem(node, spec, pod) or _account_problem(node, spec, pod, namespace, reader)


def _pod_problem(node: str, spec: Object, pod: Object) -> str:
    if spec.get("podUID") != meta.uid(pod):
        given = spec.get("podUID", "")
        return f'PodCertificateRequest.Spec.PodUID contains pod UID ("{given}") which differs from running pod "{meta.uid(pod)}"'
    if pod.get("spec", {}).get("nodeName") != node:
        return f'pod "{meta.name(pod)}" is not running on node "{node}"'
    return f'pod "{meta.name(pod)}" is a mirror pod' if MIRROR in meta.annotations(pod) else ""


def _account_problem(node: str, spec: Object, pod: Object, namespace: str, reader: ObjectReader) -> str:
    name, running = spec.get("serviceAccountName", ""), pod.get("spec", {}).get("serviceAccountName", "")
    if name != running:
        return f'PodCertificateRequest.Spec.ServiceAccountName ("{name}") differs from running pod\'s "{running}"'
    account = reader.get("", "serviceaccounts", name, namespace)
    if account is None or spec.get("serviceAccountUID") != meta.uid(account):
        return "PodCertificateRequest.Spec.ServiceAccountUID differs from the UID of the pod's service account"
    own = reader.get("", "nodes", node)
    return (
        "" if own is not None and spec.get("nodeUID") == meta.uid(own) else "PodCertificateRequest.Spec.NodeUID differs from the node's UID"
    )
