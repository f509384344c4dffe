"""What a kubelet may write: its own Node without labels or taints that attract pods, status and deletion of its own pods, mirror pods that
refer to nothing, tokens and certificates for its own pods, its own Lease and CSINode. Completes the Node authorizer, which can't see the
object.
"""

from collections.abc import Callable

from proa.api import meta
from proa.api.errors import NotFound
from proa.api.meta import Object
from proa.api.pod_annotations import MIRROR
from proa.apiserver.admission import node_certificates
from proa.apiserver.admission.node_labels import forbidden_labels
from proa.apiserver.admission.node_tokens import audience_problem
from proa.apiserver.admission.refusal import refuse
from proa.apiserver.authn.token_request import REPLACED
from proa.apiserver.authz import pod_references
from proa.apiserver.authz.node import LEASE_NAMESPACE, node_identity
from proa.apiserver.interface import Attributes, Authorizer, ObjectReader, PassiveAdmission

OWN_LEASE = "can only access node lease with the same name as the requesting node"
OWN_CSI_NODE = "can only access CSINode with the same name as the requesting node"


class NodeRestriction(PassiveAdmission):
    name = "NodeRestriction"

    def __init__(self, reader: ObjectReader, authorizer: Authorizer) -> None:
        self._reader, self._authorizer = reader, authorizer
        self._checks: dict[tuple[str, str], Callable[[str, Attributes], None]] = {
            ("", "pods"): self._pod,
            ("", "nodes"): self._node,
            ("", "persistentvolumeclaims"): self._claim,
            ("", "serviceaccounts"): self._service_account,
            ("coordination.k8s.io", "leases"): self._lease,
            ("storage.k8s.io", "csinodes"): self._csi_node,
            ("resource.k8s.io", "resourceslices"): self._resource_slice,
            ("certificates.k8s.io", "podcertificaterequests"): self._pod_certificate,
            ("certificates.k8s.io", "certificatesigningrequests"): node_certificates.check_signing_request,
        }

    async def admit(self, attributes: Attributes) -> None:
        """In the mutating round, as upstream: what later plugins add to a kubelet's write is not the kubelet's doing."""
        node = node_identity(attributes.user)
        if node is None or attributes.operation == "CONNECT":
            return
        if not node:
            raise refuse(attributes, f'could not determine node from user "{attributes.user.name}"')
        check = self._checks.get(attributes.group_resource)
        if check is not None:
            check(node, attributes)
        if attributes.subresource == "token" and attributes.operation == "CREATE":
            await self._audience(attributes)

    def _pod(self, node: str, attributes: Attributes) -> None:
        match attributes.subresource:
            case "":
                self._whole_pod(node, attributes)
            case "status":
                _pod_status(node, attributes)
            case "eviction":
                name = attributes.name or meta.name(attributes.object or {})
                if self._existing_pod(attributes, name).get("spec", {}).get("nodeName") != node:
                    raise refuse(attributes, f"node {node} can only evict pods with spec.nodeName set to itself")
            case other:
                raise refuse(attributes, f"unexpected pod subresource \"{other}\", only 'status' and 'eviction' are allowed")

    def _whole_pod(self, node: str, attributes: Attributes) -> None:
        if attributes.operation == "DELETE":
            if self._existing_pod(attributes, attributes.name).get("spec", {}).get("nodeName") != node:
                raise refuse(attributes, f'node "{node}" can only delete pods with spec.nodeName set to itself')
        elif attributes.operation == "CREATE":
            pod = attributes.object or {}
            if why := mirror_pod_problem(node, pod) or self._owner_problem(node, pod) or mirror_reference_problem(node, pod):
                raise refuse(attributes, why)
        else:
            why = f'unexpected operation "{attributes.operation}", node "{node}" can only create and delete mirror pods'
            raise refuse(attributes, why)

    def _existing_pod(self, attributes: Attributes, name: str) -> Object:
        pod = self._reader.get("", "pods", name, attributes.namespace)
        if pod is None:
            raise NotFound.of("", "pods", name)
        return pod

    def _owner_problem(self, node: str, pod: Object) -> str:
        found = self._reader.get("", "nodes", node)
        if found is None:
            raise NotFound.of("", "nodes", node)
        uid = meta.owner_references(pod)[0].get("uid", "")
        return "" if uid == meta.uid(found) else f"node {node} UID mismatch: expected {uid} got {meta.uid(found)}"

    def _node(self, node: str, attributes: Attributes) -> None:
        name = attributes.name or meta.name(attributes.object or {})
        if name != node:
            raise refuse(attributes, f'node "{node}" is not allowed to modify node "{name}"')
        new, old = attributes.object or {}, attributes.old_object or {}
        source = new.get("spec", {}).get("configSource")
        if attributes.operation == "CREATE":
            if source is not None:
                raise refuse(attributes, f'node "{node}" is not allowed to create pods with a non-nil configSource')
            labels = forbidden_labels(meta.labels(new), {})
            if labels:
                raise refuse(attributes, f'node "{node}" is not allowed to set the following labels: {", ".join(labels)}')
        elif attributes.operation == "UPDATE":
            if source is not None and source != old.get("spec", {}).get("configSource"):
                raise refuse(attributes, f'node "{node}" is not allowed to update configSource to a new non-nil configSource')
            if (new.get("spec", {}).get("taints") or []) != (old.get("spec", {}).get("taints") or []):
                raise refuse(attributes, f'node "{node}" is not allowed to modify taints')
            if meta.owner_references(new) != meta.owner_references(old):
                raise refuse(attributes, f'node "{node}" is not allowed to modify ownerReferences')
            labels = forbidden_labels(meta.labels(new), meta.labels(old))
            if labels:
                raise refuse(attributes, f"is not allowed to modify labels: {', '.join(labels)}")

    def _claim(self, node: str, attributes: Attributes) -> None:
        if attributes.subresource != "status":
            raise refuse(attributes, "may only update PVC status")
        if attributes.operation != "UPDATE":
            raise refuse(attributes, f'unexpected operation "{attributes.operation}"')
        if _without_sizes(attributes.object or {}) != _without_sizes(attributes.old_object or {}):
            why = f'node "{node}" is not allowed to update fields other than status.capacity and status.conditions'
            raise refuse(attributes, why)

    def _service_account(self, node: str, attributes: Attributes) -> None:
        if attributes.operation != "CREATE" or attributes.subresource != "token":
            return
        reference = (attributes.object or {}).get("spec", {}).get("boundObjectRef") or {}
        if reference.get("apiVersion") != "v1" or reference.get("kind") != "Pod" or not reference.get("name"):
            raise refuse(attributes, "node requested token not bound to a pod")
        if not reference.get("uid"):
            raise refuse(attributes, "node requested token with a pod binding without a uid")
        pod = self._existing_pod(attributes, reference["name"])
        if reference["uid"] != meta.uid(pod):
            raise refuse(attributes, REPLACED.format(reference["uid"]))
        if pod.get("spec", {}).get("nodeName") != node:
            raise refuse(attributes, "node requested token bound to a pod scheduled on a different node")

    async def _audience(self, attributes: Attributes) -> None:
        request = (attributes.object or {}).get("spec", {})
        pod = self._existing_pod(attributes, request["boundObjectRef"]["name"])
        if why := await audience_problem(attributes, request.get("audiences") or [], pod, self._reader, self._authorizer):
            raise refuse(attributes, why)

    def _lease(self, node: str, attributes: Attributes) -> None:
        if attributes.namespace != LEASE_NAMESPACE:
            raise refuse(attributes, f'can only access leases in the "{LEASE_NAMESPACE}" system namespace')
        _own_name(node, attributes, OWN_LEASE)

    def _csi_node(self, node: str, attributes: Attributes) -> None:
        _own_name(node, attributes, OWN_CSI_NODE)

    def _resource_slice(self, node: str, attributes: Attributes) -> None:
        obj = attributes.object if attributes.operation == "CREATE" else attributes.old_object
        if attributes.operation in ("CREATE", "DELETE") and obj is not None and obj.get("spec", {}).get("nodeName") != node:
            word = attributes.operation.lower()
            raise refuse(attributes, f"can only {word} ResourceSlice with the same NodeName as the requesting node")

    def _pod_certificate(self, node: str, attributes: Attributes) -> None:
        node_certificates.check_pod_request(node, attributes, self._reader)


def _own_name(node: str, attributes: Attributes, why: str) -> None:
    name = meta.name(attributes.object or {}) if attributes.operation == "CREATE" else attributes.name
    if name != node:
        raise refuse(attributes, why)


def _pod_status(node: str, attributes: Attributes) -> None:
    new, old = attributes.object or {}, attributes.old_object or {}
    if attributes.operation != "UPDATE":
        raise refuse(attributes, f'unexpected operation "{attributes.operation}"')
    if old.get("spec", {}).get("nodeName") != node:
        raise refuse(attributes, f'node "{node}" can only update pod status for pods with spec.nodeName set to itself')
    if meta.labels(new) != meta.labels(old):
        raise refuse(attributes, f'node "{node}" cannot update labels through pod status')
    if _claim_statuses(new) != _claim_statuses(old):
        raise refuse(attributes, f'node "{node}" cannot update resource claim statues')
    if _extended_claim(new) != _extended_claim(old):
        raise refuse(attributes, f'node "{node}" cannot update extended resource claim status')


def _claim_statuses(pod: Object) -> list[Object]:
    return pod.get("status", {}).get("resourceClaimStatuses") or []


def _extended_claim(pod: Object) -> Object:
    return pod.get("status", {}).get("extendedResourceClaimStatus") or {}


def mirror_pod_problem(node: str, pod: Object) -> str:
    """Why a kubelet may not create this pod, "" if it may."""
    spec = pod.get("spec", {})
    if MIRROR not in meta.annotations(pod):
        return f'pod does not have "{MIRROR}" annotation, node "{node}" can only create mirror pods'
    if spec.get("nodeName") != node:
        return f'node "{node}" can only create pods with spec.nodeName set to itself'
    return _mirror_owner_problem(node, meta.owner_references(pod))


def _mirror_owner_problem(node: str, owners: list[Object]) -> str:
    itself = f'node "{node}" can only create pods with an owner reference set to itself'
    if len(owners) > 1:
        return f'node "{node}" can only create pods with a single owner reference set to itself'
    if not owners or (owners[0].get("apiVersion"), owners[0].get("kind"), owners[0].get("name")) != ("v1", "Node", node):
        return itself
    if not owners[0].get("controller"):
        return f'node "{node}" can only create pods with a controller owner reference set to itself'
    return f'node "{node}" must not set blockOwnerDeletion on an owner reference' if owners[0].get("blockOwnerDeletion") else ""


def mirror_reference_problem(node: str, pod: Object) -> str:
    """What a mirror pod names that is not in its manifest: its kubelet could get at it that way."""
    kind = pod_references.first_kind(pod)
    return f'node "{node}" can not create pods that reference {kind}' if kind else ""


def _without_sizes(claim: Object) -> Object:
    metadata = {key: value for key, value in claim.get("metadata", {}).items() if key not in ("resourceVersion", "managedFields")}
    sizes = ("capacity", "conditions", "allocatedResources", "allocatedResourceStatuses")
    status = {key: value for key, value in claim.get("status", {}).items() if key not in sizes}
    return claim | {"metadata": metadata, "status": status}
