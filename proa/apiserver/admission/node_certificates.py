"""Which certificates a kubelet may ask for: its own, and for pods that run on its node. Part of NodeRestriction.

What could come from a watch that lags behind is no refusal, as upstream: the kubelet may try again.
"""

import base64
import binascii

from proa.api import meta
from proa.api.meta import Object
from proa.api.pod_annotations import MIRROR
from proa.apiserver.admission.refusal import fail, refuse
from proa.apiserver.interface import Attributes, ObjectReader

KUBELET_SIGNERS = ("kubernetes.io/kubelet-serving", "kubernetes.io/kube-apiserver-client-kubelet")


def check_signing_request(node: str, attributes: Attributes) -> None:
    spec = (attributes.object or {}).get("spec") or {}
    if attributes.operation != "CREATE" or spec.get("signerName") not in KUBELET_SIGNERS:
        return
    try:
        name = common_name(base64.b64decode(spec.get("request") or ""))
    except (ValueError, binascii.Error) as error:
        raise refuse(attributes, f"unable to parse csr: {error}") from None
    if name != f"system:node:{node}":
        raise refuse(attributes, f"can only create a node CSR with CN=system:node:{node}")


def common_name(request: bytes) -> str:
    """Of a PEM certificate request; raises ValueError for what is none."""
    from cryptography import x509
    from cryptography.x509.oid import NameOID

    names = x509.load_pem_x509_csr(request).subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    return str(names[0].value) if names else ""


def check_pod_request(node: str, attributes: Attributes, reader: ObjectReader) -> None:
    if attributes.operation != "CREATE":
        raise refuse(attributes, f"unexpected operation {attributes.operation}")
    if attributes.subresource:
        raise refuse(attributes, f"unexpected subresource {attributes.subresource}")
    spec = (attributes.object or {}).get("spec") or {}
    if spec.get("nodeName") != node:
        given = spec.get("nodeName", "")
        raise refuse(attributes, f'PodCertificateRequest.Spec.NodeName="{given}", which is not the requesting node "{node}"')
    _check_node(node, spec, attributes, reader)
    pod = reader.get("", "pods", spec.get("podName", ""), attributes.namespace)
    if pod is None:
        found = f'pod "{spec.get("podName", "")}" not found'
        raise fail(f'while retrieving pod "{_pod_key(spec, attributes)}" named in the PodCertificateRequest: {found}')
    _check_pod(node, spec, pod, attributes)
    _check_account(spec, pod, attributes, reader)


def _pod_key(spec: Object, attributes: Attributes) -> str:
    return f"{attributes.namespace}/{spec.get('podName', '')}"


def _check_node(node: str, spec: Object, attributes: Attributes, reader: ObjectReader) -> None:
    found = reader.get("", "nodes", node)
    if found is None:
        raise fail(f'while retrieving node "{node}" named in the PodCertificateRequest: node "{node}" not found')
    if spec.get("nodeUID") != meta.uid(found):
        about = f'PodCertificateRequest for pod "{_pod_key(spec, attributes)}" names node UID "{spec.get("nodeUID", "")}"'
        raise fail(f'{about}, inconsistent with the running node ("{meta.uid(found)}")')


def _check_pod(node: str, spec: Object, pod: Object, attributes: Attributes) -> None:
    key = _pod_key(spec, attributes)
    if spec.get("podUID") != meta.uid(pod):
        about = f'PodCertificateRequest for pod "{key}" contains pod UID ("{spec.get("podUID", "")}")'
        raise fail(f'{about} which differs from running pod "{meta.uid(pod)}"')
    if pod.get("spec", {}).get("nodeName") != node:
        raise refuse(attributes, f'pod "{key}" is not running on node "{node}" named in the PodCertificateRequest')
    if MIRROR in meta.annotations(pod):
        raise refuse(attributes, f'pod "{key}" is a mirror pod')


def _check_account(spec: Object, pod: Object, attributes: Attributes, reader: ObjectReader) -> None:
    name, running = spec.get("serviceAccountName", ""), pod.get("spec", {}).get("serviceAccountName", "")
    about = f'PodCertificateRequest for pod "{_pod_key(spec, attributes)}"'
    if name != running:
        raise refuse(attributes, f'{about} contains serviceAccountName ("{name}") that differs from running pod ("{running}")')
    account = reader.get("", "serviceaccounts", name, attributes.namespace)
    if account is None:
        found = f'serviceaccount "{name}" not found'
        raise fail(f'while retrieving service account "{attributes.namespace}/{name}" named in the PodCertificateRequest: {found}')
    if spec.get("serviceAccountUID") != meta.uid(account):
        given = spec.get("serviceAccountUID", "")
        raise fail(f'{about} names service account UID "{given}", which differs from the running service account ("{meta.uid(account)}")')
